;; A command of WASI's that ends itself: `_start` runs at import, and its status is SystemExit's.
;;; python
;; try:
;;     import exits
;; except SystemExit as e:
;;     print("SystemExit", e.args)
;;; expect
;; bye
;; SystemExit (7,)
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory 1)
  (global (export "__heap_base") i32 (i32.const 32))
  (data (i32.const 0) "bye\0a\00\00\00\00\00\00\00\00\04\00\00\00")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 20)))
    (call $proc_exit (i32.const 7))
    unreachable))
