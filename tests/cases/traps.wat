;; Every trap is a RuntimeError with the specification's message, the module goes on working, and nothing leaks.
;;; python
;; import traps as m, gc
;; def why(f, *args):
;;     try:
;;         f(*args)
;;     except RuntimeError as e:
;;         return str(e)
;; print(why(m.div, 1, 0), "|", why(m.div, -(1 << 31), -1), "|", why(m.rem, 1, 0))
;; print(why(m.unreachable))
;; print(why(m.load, 65532), "|", why(m.load, 65533), "|", why(m.load, -1), "|", why(m.load, -4))
;; print(why(m.store, 65536), "|", why(m.load_offset, -8))
;; print(why(m.trunc, float("nan")), "|", why(m.trunc, 1e20))
;; print(why(m.indirect, 5), "|", why(m.indirect, 1), "|", why(m.indirect, 2), "|", m.indirect(0))
;; def many(n):
;;     for i in range(n):
;;         try:
;;             m.div(i, 0)
;;         except RuntimeError:
;;             pass
;; many(10)
;; gc.collect()
;; before = gc.mem_free()
;; many(1000)
;; gc.collect()
;; print(before - gc.mem_free() < 256, m.div(7, 2))
;;; expect
;; integer divide by zero | integer overflow | integer divide by zero
;; unreachable
;; None | out of bounds memory access | out of bounds memory access | out of bounds memory access
;; out of bounds memory access | out of bounds memory access
;; invalid conversion to integer | integer overflow
;; undefined element | indirect call type mismatch | uninitialized element | 11
;; True 3
(module
  (memory 1)
  (type $i (func (result i32)))
  (table 3 funcref)
  (elem (i32.const 0) $eleven $wrong)
  (func $eleven (result i32) (i32.const 11))
  (func $wrong (result i64) (i64.const 1))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "rem") (param i32 i32) (result i32) (i32.rem_u (local.get 0) (local.get 1)))
  (func (export "unreachable") unreachable)
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "load_offset") (param i32) (result i32) (i32.load offset=16 (local.get 0)))
  (func (export "store") (param i32) (i32.store8 (local.get 0) (i32.const 1)))
  (func (export "trunc") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func (export "indirect") (param i32) (result i32) (call_indirect (type $i) (local.get 0))))
