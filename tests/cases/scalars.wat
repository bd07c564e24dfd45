;; Every scalar type in, out, and several results at once.
;;; python
;; import scalars as m
;; print(m.add(2, 3), m.add(-1, 1), m.add(2147483647, 1), m.add(4294967295, 1))
;; print(m.add64(1 << 62, 1 << 62), m.add64(-1, 1), m.add64((1 << 64) - 1, 0))
;; print(m.half(3.0), m.half(5), m.halff(7.0), m.halff(-1))
;; print(m.swap(1, 2 << 40), m.swap(-1, -2))
;; print(m.nothing(), m.six(1, 2, 3, 4, 5, 6), m.const())
;; # Not a number of eleven digits: MicroPython 1.24 reads one inexactly where floats have 32 bits.
;; print(m.mixed(1, 2 << 33, 0.5, 0.25) == 1 + float(2 << 33) + 0.75)
;;; expect
;; 5 0 -2147483648 0
;; -9223372036854775808 0 -1
;; 1.5 2.5 3.5 -0.5
;; (2199023255552, 1) (-2, -1)
;; None 123456 42
;; True
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "add64") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "half") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 0.5)))
  (func (export "halff") (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
  (func (export "swap") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func (export "nothing"))
  (func (export "const") (result i32) (i32.const 42))
  (func (export "six") (param i32 i32 i32 i32 i32 i32) (result i32)
    (i32.add (local.get 5)
      (i32.mul (i32.const 10) (i32.add (local.get 4)
        (i32.mul (i32.const 10) (i32.add (local.get 3)
          (i32.mul (i32.const 10) (i32.add (local.get 2)
            (i32.mul (i32.const 10) (i32.add (local.get 1)
              (i32.mul (i32.const 10) (local.get 0))))))))))))
  (func (export "mixed") (param i32 i64 f32 f64) (result f64)
    (f64.add (f64.convert_i32_s (local.get 0))
      (f64.add (f64.convert_i64_s (local.get 1))
        (f64.add (f64.promote_f32 (local.get 2)) (local.get 3))))))
