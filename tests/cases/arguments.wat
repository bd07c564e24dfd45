;; What cannot be an argument raises what Python programmers expect.
;;; python
;; import arguments as m
;; def raises(f, *args):
;;     try:
;;         return f(*args)
;;     except Exception as e:
;;         return type(e).__name__
;; print(raises(m.i32, 1), raises(m.i32), raises(m.i32, 1, 2))
;; print(raises(m.i32, "1"), raises(m.i32, 1.0), raises(m.i32, None), raises(m.i32, [1]))
;; print(raises(m.i32, 1 << 32), raises(m.i32, -(1 << 31) - 1), raises(m.i32, 1 << 100))
;; print(raises(m.i32, -(1 << 31)), raises(m.i32, (1 << 32) - 1), raises(m.i32, True))
;; print(raises(m.i64, 1 << 64), raises(m.i64, -(1 << 63) - 1), raises(m.i64, "x"), raises(m.i64, 1.5))
;; print(raises(m.i64, -(1 << 63)), raises(m.i64, (1 << 63) - 1), raises(m.i64, (1 << 64) - 1))
;; print(raises(m.f32, "1"), raises(m.f64, None), raises(m.f64, 2), raises(m.f32, 2))
;; print(raises(m.four, 1, 2, 3), raises(m.four, 1, 2, 3, 4), raises(m.four, 1, 2, 3, 4, 5))
;; print(raises(m.zero, 1), raises(m.zero))
;; try:
;;     m.i32(x=1)
;; except TypeError:
;;     print("TypeError")
;;; expect
;; 1 TypeError TypeError
;; TypeError TypeError TypeError TypeError
;; OverflowError OverflowError OverflowError
;; -2147483648 -1 1
;; OverflowError OverflowError TypeError TypeError
;; -9223372036854775808 9223372036854775807 -1
;; TypeError TypeError 2.0 2.0
;; TypeError 10 TypeError
;; TypeError 7
;; TypeError
(module
  (func (export "zero") (result i32) (i32.const 7))
  (func (export "i32") (param i32) (result i32) (local.get 0))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "four") (param i32 i32 i32 i32) (result i32)
    (i32.add (i32.add (local.get 0) (local.get 1)) (i32.add (local.get 2) (local.get 3)))))
