;; A command of WASI's that ends itself and does nothing else: nobody uses its memory.
;;; python
;; try:
;;     import exits_alone
;; except SystemExit as e:
;;     print("SystemExit", e.args)
;;; expect
;; SystemExit (3,)
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1 1)
  (func (export "_start")
    (call $proc_exit (i32.const 3))
    unreachable)
  (func (export "after") (result i32) (i32.const 77)))
