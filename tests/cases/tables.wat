;; Tables that change and grow, references, and segments that are copied when asked for.
;;; python
;; import tables as m
;; print(m.size(), m.call(0), m.call(1))
;; for bad in (2, 9):
;;  try: m.call(bad)
;;  except RuntimeError as e: print(e)
;; print(m.grow(3), m.size(), m.grow(100), m.size(), m.call(4))
;; m.init(1, 0, 2)
;; print(m.call(1), m.call(2), m.null(2), m.null(3))
;; m.copy(0, 1, 2)
;; print(m.call(0), m.call(1), m.base())
;; m.drop()
;; try: m.init(0, 0, 1)
;; except RuntimeError as e: print(e)
;;; expect
;; 3 10 20
;; uninitialized element
;; undefined element
;; 3 6 -1 6 20
;; 10 30 0 1
;; 10 30 105
;; out of bounds table access
(module
  (type $get (func (result i32)))
  (global $base i32 (i32.add (i32.const 100) (i32.const 5)))
  (table $t 3 10 funcref)
  (elem (table $t) (i32.const 0) func $ten $twenty)
  (elem $later func $ten $thirty)
  (func $ten (result i32) (i32.const 10))
  (func $twenty (result i32) (i32.const 20))
  (func $thirty (result i32) (i32.const 30))
  (func (export "size") (result i32) (table.size $t))
  (func (export "call") (param i32) (result i32) (call_indirect $t (type $get) (local.get 0)))
  (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $twenty) (local.get 0)))
  (func (export "init") (param i32 i32 i32)
    (table.init $t $later (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (elem.drop $later))
  (func (export "copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "null") (param i32) (result i32)
    (if (i32.eq (local.get 0) (i32.const 3)) (then (table.set $t (local.get 0) (ref.null func))))
    (ref.is_null (table.get $t (local.get 0))))
  (func (export "base") (result i32) (global.get $base)))
