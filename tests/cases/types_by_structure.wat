;; Types are equal when their structures are, whatever they refer to is called; others are told apart.
;;; python
;; import types_by_structure as m
;; def why(f):
;;     try:
;;         return f()
;;     except RuntimeError as e:
;;         return str(e)
;; print(why(m.same), why(m.other), why(m.nullable), why(m.looser), why(m.dynamic))
;;; expect
;; 5 indirect call type mismatch indirect call type mismatch indirect call type mismatch indirect call type mismatch
(module
  (type $A (func (param i64) (result i32)))
  (type $A2 (func (param i64) (result i32)))
  (type $B (func (result i64 i64 i64)))
  (type $TA (func (param (ref $A)) (result i32)))
  (type $TA2 (func (param (ref $A2)) (result i32)))
  (type $TB (func (param (ref $B)) (result i32)))
  (type $TN (func (param (ref null $A)) (result i32)))
  (type $TF (func (param funcref) (result i32)))
  (table $fixed 1 funcref)
  (table $changing 1 funcref)
  (elem (table $fixed) (i32.const 0) func $use)
  (elem (table $changing) (i32.const 0) func $use)
  (elem declare func $five $evil)
  (func $use (type $TA) (call_ref $A (i64.const 0x4141414140) (local.get 0)))
  (func $five (type $A) (i32.const 5))
  (func $evil (type $B) (i64.const 1) (i64.const 2) (i64.const 3))
  (func (export "same") (result i32) (call_indirect $fixed (type $TA2) (ref.func $five) (i32.const 0)))
  (func (export "other") (result i32) (call_indirect $fixed (type $TB) (ref.func $evil) (i32.const 0)))
  (func (export "nullable") (result i32) (call_indirect $fixed (type $TN) (ref.null $A) (i32.const 0)))
  (func (export "looser") (result i32) (call_indirect $fixed (type $TF) (ref.func $evil) (i32.const 0)))
  (func (export "dynamic") (result i32)
    (drop (table.size $changing))
    (call_indirect $changing (type $TB) (ref.func $evil) (i32.const 0))))
