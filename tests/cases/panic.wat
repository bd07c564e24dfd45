;; What a crate's panic handler reports is the exception; prints come out; nested entries keep the shadow stack.
;;; python
;; import sys
;; class Host: pass
;; h = Host()
;; sys.modules["host"] = h
;; import panic as m
;; def why(f, *args):
;;     try:
;;         f(*args)
;;     except RuntimeError as e:
;;         return str(e)
;; print(why(m.panic, 16, 4), "|", why(m.panic, 65536, 0), "|", why(m.panic, 65533, 4), "|", why(m.panic, -1, 2))
;; print(why(m.panic_at, 16, 4, 32, 10, 12), "|", why(m.panic_at, 16, 4, 32, 10, 0), "|", why(m.panic_at, 16, 4, 65530, 10, 0))
;; long = why(m.panic_at, 16, 4000, 32, 4000, -1)
;; print(len(long), long[-11:])
;; m.print(16, 5)
;; h.call = lambda n: why(m.panic, 16, 4) and 0 if n == 0 else m.nested(n - 1) + 1
;; print(m.nested(5), m.sp())
;; def fail(n):
;;     if n == 0:
;;         raise KeyError("deep")
;;     return m.nested(n - 1)
;; h.call = fail
;; for i in range(100):
;;     try:
;;         m.nested(5)
;;     except KeyError:
;;         pass
;; print(m.sp())
;;; expect
;; boom |  | out of bounds memory access | out of bounds memory access
;; boom, src/lib.rs:12 | boom, src/lib.rs:0 | out of bounds memory access
;; 253 :4294967295
;; boom
;; 5 4096
;; 4096
(module
  (import "mpy" "panic" (func $panic (param i32 i32)))
  (import "mpy" "panic_at" (func $panic_at (param i32 i32 i32 i32 i32)))
  (import "mpy" "print" (func $print (param i32 i32)))
  (import "host" "call" (func $call (param i32) (result i32)))
  (memory 1)
  (global $__stack_pointer (mut i32) (i32.const 4096))
  (data (i32.const 16) "boom\n")
  (data (i32.const 32) "src/lib.rs")
  (func (export "sp") (result i32) (global.get $__stack_pointer))
  (func (export "panic") (param i32 i32)
    (global.set $__stack_pointer (i32.sub (global.get $__stack_pointer) (i32.const 32)))
    (call $panic (local.get 0) (local.get 1)))
  (func (export "panic_at") (param i32 i32 i32 i32 i32)
    (call $panic_at (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
  (func (export "print") (param i32 i32) (call $print (local.get 0) (local.get 1)))
  (func (export "nested") (param i32) (result i32) (local $sp i32)
    (global.set $__stack_pointer
      (local.tee $sp (i32.sub (global.get $__stack_pointer) (i32.const 16))))
    (i32.store (local.get $sp) (local.get 0))
    (local.set 0 (call $call (local.get 0)))
    (if (i32.ne (global.get $__stack_pointer) (local.get $sp)) (then unreachable))
    (global.set $__stack_pointer (i32.add (local.get $sp) (i32.const 16)))
    (local.get 0)))
