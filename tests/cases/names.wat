;; Export names need not be identifiers, of Python or of C.
;;; python
;; import names as m
;; print(getattr(m, "foo-bar")(), getattr(m, "a.b")(), m.int(), getattr(m, "if")())
;; print(getattr(m, "größe")(), m._x(), m.__init(), getattr(m, "")())
;; print(m.mpy_init(), m.main(), m.printf())
;;; expect
;; 1 2 3 4
;; 5 6 7 8
;; 9 10 11
(module
  (func (export "foo-bar") (result i32) (i32.const 1))
  (func (export "a.b") (result i32) (i32.const 2))
  (func (export "int") (result i32) (i32.const 3))
  (func (export "if") (result i32) (i32.const 4))
  (func (export "gr\c3\b6\c3\9fe") (result i32) (i32.const 5))
  (func (export "_x") (result i32) (i32.const 6))
  (func (export "__init") (result i32) (i32.const 7))
  (func (export "") (result i32) (i32.const 8))
  (func (export "mpy_init") (result i32) (i32.const 9))
  (func (export "main") (result i32) (i32.const 10))
  (func (export "printf") (result i32) (i32.const 11)))
