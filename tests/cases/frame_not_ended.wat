;; A function that lowers the stack pointer and never puts it back does not leave the memory. A trap puts it back.
;;; python
;; import frame_not_ended as m
;; def leak():
;;     try:
;;         return m.leak()
;;     except RuntimeError as e:
;;         return str(e)
;; print([leak() for i in range(257)][-2:], leak())
;;; expect
;; [0, 'out of bounds memory access'] 0
(module
  (memory 4096 4096 (pagesize 1))
  (global $__stack_pointer (mut i32) (i32.const 4096))
  (func (export "leak") (result i32) (local $f i32)
    (global.set $__stack_pointer (local.tee $f (i32.sub (global.get $__stack_pointer) (i32.const 16))))
    (i32.load (local.get $f))))
