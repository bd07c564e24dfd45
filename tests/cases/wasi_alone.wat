;; A memory that only WASI's functions use is there: it holds zeros, and has an end.
;;; python
;; import wasi_alone as m
;; print(m.write(8), m.resolution(0), m.resolution(65528), m.random())
;; for f in (lambda: m.write(65529), lambda: m.resolution(65529)):
;;     try:
;;         print(f())
;;     except RuntimeError as e:
;;         print(e)
;;; expect
;; 0 0 0 0
;; out of bounds memory access
;; out of bounds memory access
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_res_get" (func $clock_res_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (memory 1)
  (func (export "write") (param i32) (result i32)
    (call $fd_write (i32.const 1) (local.get 0) (i32.const 1) (i32.const 20)))
  (func (export "resolution") (param i32) (result i32) (call $clock_res_get (i32.const 0) (local.get 0)))
  (func (export "random") (result i32) (call $random_get (i32.const 100) (i32.const 8))))
