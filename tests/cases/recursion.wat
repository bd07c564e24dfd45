;; Recursion without end is a trap before the stack ends, however often, and leaves the module usable; what fits is not
;; disturbed. Deeper Python gets less.
;;; python
;; import recursion as m, gc
;; def why(f, *args):
;;     try:
;;         return f(*args)
;;     except RuntimeError as e:
;;         return str(e)
;; print(m.sum(10), why(m.forever, 1), why(m.mutual, 1), why(m.through, 0))
;; for i in range(200):
;;     why(m.forever, 1)
;; gc.collect()
;; before = gc.mem_free()
;; for i in range(200):
;;     why(m.forever, 1)
;; gc.collect()
;; print(before - gc.mem_free() < 256, m.sum(20))
;; def deep(n):
;;     return why(m.forever, 1) if n == 0 else deep(n - 1)
;; print(deep(3), m.sum(10))
;;; expect
;; 55 call stack exhausted call stack exhausted call stack exhausted
;; True 210
;; call stack exhausted 55
(module
  (type $f (func (param i32) (result i32)))
  (table 1 funcref)
  (elem (i32.const 0) $through)
  (func $sum (export "sum") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (local.get 0) (call $sum (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))
  (func $forever (export "forever") (param i32) (result i32)
    (i32.add (i32.const 1) (call $forever (i32.add (local.get 0) (i32.const 1)))))
  (func $mutual (export "mutual") (param i32) (result i32)
    (i32.mul (i32.const 3) (call $other (local.get 0))))
  (func $other (param i32) (result i32)
    (i32.xor (i32.const 5) (call $mutual (local.get 0))))
  (func $through (export "through") (param i32) (result i32)
    (i32.add (i32.const 1) (call_indirect (type $f) (local.get 0) (local.get 0)))))
