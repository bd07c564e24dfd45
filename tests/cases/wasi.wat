;; Programs for WASI: constructors and `_start` run once at import, output goes out, an exit is SystemExit.
;;; python
;; import time, wasi as m
;; print(m.started(), m.write(1, 64), m.write(2, 64), m.write(3, 64))
;; print(m.arguments(), m.isatty(1), m.isatty(4), m.seek(1))
;; a = m.now(1)
;; print(m.sleep(20000000), (m.now(1) - a) // 1000000 in range(15, 2000), m.now(0) > 10**18 or not hasattr(time, "gmtime"), m.now(9))
;; print(m.random(200) > 100)
;; for i in (0, 3):
;;     try:
;;         m.exit(i)
;;     except SystemExit as e:
;;         print("SystemExit", e.args)
;; try:
;;     m.write(1, 2046)
;; except RuntimeError as e:
;;     print(e)
;; try:
;;     m._start()
;; except AttributeError:
;;     print("AttributeError")
;;; expect
;; main
;; two parts
;; two parts
;; 11 0 0 8
;; 0 2 8 70
;; 0 True True -28
;; True
;; SystemExit (0,)
;; SystemExit (3,)
;; out of bounds memory access
;; AttributeError
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory 1)
  (global (export "__heap_base") i32 (i32.const 2048))
  (global $started (mut i32) (i32.const 0))
  (data (i32.const 16) "two parts\0amain\0a")
  ;; iovecs
  (data (i32.const 64) "\10\00\00\00\04\00\00\00\14\00\00\00\06\00\00\00")
  (data (i32.const 80) "\1a\00\00\00\05\00\00\00")
  (start $begin)
  (func $begin (global.set $started (i32.const 1)))
  (func (export "_initialize")
    (global.set $started (i32.add (global.get $started) (i32.mul (global.get $started) (i32.const 9)))))
  (func (export "_start")
    (global.set $started (i32.add (global.get $started) (i32.const 1)))
    (drop (call $fd_write (i32.const 1) (i32.const 80) (i32.const 1) (i32.const 96))))
  (func (export "started") (result i32) (global.get $started))
  (func (export "write") (param i32 i32) (result i32) (local $errno i32)
    (local.set $errno (call $fd_write (local.get 0) (local.get 1) (i32.const 2) (i32.const 96)))
    (if (i32.eqz (local.get $errno)) (then (if (i32.ne (i32.load (i32.const 96)) (i32.const 10)) (then unreachable))))
    (local.get $errno))
  (func (export "arguments") (result i32)
    (i32.store (i32.const 96) (i32.const 7))
    (if (call $args_sizes_get (i32.const 96) (i32.const 101)) (then unreachable))
    (if (call $args_get (i32.const 104) (i32.const 108)) (then unreachable))
    (i32.or (i32.load (i32.const 96)) (i32.load (i32.const 101))))
  (func (export "isatty") (param i32) (result i32) (local $errno i32)
    (local.set $errno (call $fd_fdstat_get (local.get 0) (i32.const 96)))
    (select (i32.load8_u (i32.const 96)) (local.get $errno) (i32.eqz (local.get $errno))))
  (func (export "seek") (param i32) (result i32)
    (call $fd_seek (local.get 0) (i64.const 0) (i32.const 1) (i32.const 96)))
  (func (export "now") (param i32) (result i64) (local $errno i32)
    (local.set $errno (call $clock_time_get (local.get 0) (i64.const 1) (i32.const 97)))
    (if (local.get $errno) (then (return (i64.extend_i32_s (i32.sub (i32.const 0) (local.get $errno))))))
    (i64.load (i32.const 97)))
  (func (export "sleep") (param i64) (result i32)
    (i64.store (i32.const 200) (i64.const 77))
    (i32.store (i32.const 216) (i32.const 1))
    (i64.store (i32.const 224) (local.get 0))
    (if (call $poll_oneoff (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 400)) (then unreachable))
    (if (i64.ne (i64.load (i32.const 300)) (i64.const 77)) (then unreachable))
    (if (i32.ne (i32.load (i32.const 400)) (i32.const 1)) (then unreachable))
    (i32.load16_u (i32.const 308)))
  ;; How many of that many random bytes are not 0.
  (func (export "random") (param i32) (result i32) (local $n i32)
    (drop (call $random_get (i32.const 1000) (local.get 0)))
    (loop $next
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (local.set $n
        (i32.add (local.get $n) (i32.ne (i32.load8_u (i32.add (i32.const 1000) (local.get 0))) (i32.const 0))))
      (br_if $next (local.get 0)))
    (local.get $n))
  (func (export "exit") (param i32) (call $proc_exit (local.get 0))))
