;; A frame is in memory 0: its address is as good as any other in another memory, for loads, stores and bulk operations.
;;; python
;; import frame_in_one_memory as m
;; def why(f):
;;     try:
;;         return f()
;;     except RuntimeError as e:
;;         return str(e)
;; print(m.first(), why(m.load), why(m.store), why(m.fill), why(m.copy), m.first())
;;; expect
;; 7 out of bounds memory access out of bounds memory access out of bounds memory access out of bounds memory access 7
(module
  (memory 4096 4096 (pagesize 1))
  (memory $small 1 1 (pagesize 1))
  (global $__stack_pointer (mut i32) (i32.const 4096))
  (func $frame (export "first") (result i32) (local $f i32)
    (global.set $__stack_pointer (local.tee $f (i32.sub (global.get $__stack_pointer) (i32.const 16))))
    (i32.store (local.get $f) (i32.const 7))
    (i32.load (local.get $f))
    (global.set $__stack_pointer (i32.add (local.get $f) (i32.const 16))))
  (func (export "load") (result i32) (local $f i32)
    (local.set $f (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (i32.load $small (local.get $f)))
  (func (export "store") (local $f i32)
    (local.set $f (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (i32.store8 $small (i32.add (local.get $f) (i32.const 4)) (i32.const 7)))
  (func (export "fill") (local $f i32)
    (local.set $f (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (memory.fill $small (local.get $f) (i32.const 7) (i32.const 8)))
  (func (export "copy") (local $f i32)
    (local.set $f (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (memory.copy 0 $small (local.get $f) (local.get $f) (i32.const 8))))
