;; What ends a program, counts time or sets pins needs no memory.
;;; python
;; import exits_without_memory as m
;; print(m.twice(4), m.now() > 0)
;; m.leave(1)
;; try:
;;     m.leave(10)
;; except SystemExit as e:
;;     print("SystemExit", e.args)
;; print(m.twice(5))
;;; expect
;; 8 True
;; SystemExit (10,)
;; 10
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "env" "performance.now" (func $now (result f64)))
  (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "now") (result f64) (call $now))
  (func (export "leave") (param i32)
    (if (i32.gt_s (local.get 0) (i32.const 9)) (then (call $proc_exit (local.get 0))))))
