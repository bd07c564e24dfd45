;; A stack pointer that is set from a parameter says nothing about addresses.
;;; python
;; import frame_from_outside as m
;; def at(f, *args):
;;     try:
;;         return f(*args)
;;     except RuntimeError as e:
;;         return str(e)
;; print(at(m.poke, 8192, 7), at(m.peek, 8192), at(m.poke, 8205, 7), at(m.peek, 1 << 20), at(m.peek, 12))
;; print(at(m.peek, -65536), at(m.poke, -16, 1), at(m.peek, 16))
;;; expect
;; None 7 out of bounds memory access out of bounds memory access out of bounds memory access
;; out of bounds memory access out of bounds memory access 0
(module
  (memory 8192 8192 (pagesize 1))
  (global $__stack_pointer (mut i32) (i32.const 4096))
  (func (export "poke") (param $f i32) (param $v i32)
    (global.set $__stack_pointer (local.get $f))
    (local.set $f (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (i32.store (local.get $f) (local.get $v)))
  (func (export "peek") (param $f i32) (result i32)
    (global.set $__stack_pointer (local.get $f))
    (local.set $f (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (i32.load (local.get $f))))
