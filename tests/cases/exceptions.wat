;; Exceptions of the module's own: caught, by values and by reference, and not.
;;; python
;; import exceptions as m
;; print(m.caught(5), m.caught(-5))
;; print(m.nested(1), m.nested(2), m.nested(3))
;; try:
;;     m.uncaught(7)
;; except RuntimeError as e:
;;     print(e)
;; print(m.caught(-6))
;; print(m.indirect(0), m.indirect(1))
;; for i in range(10000):
;;     try:
;;         m.uncaught(i)
;;     except RuntimeError:
;;         pass
;; print(int(m.wide(-3)) // 1000000)
;;; expect
;; 5 105
;; 11 22 33
;; uncaught exception
;; 106
;; 10 99
;; -3000
(module
  (type $none (func (result i32)))
  (tag $number (param i32))
  (tag $other)
  (tag $pair (param i64 f64))
  (table funcref (elem $calm $wild))
  (func $positive (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 0))
      (then (throw $number (i32.sub (i32.const 0) (local.get 0)))))
    local.get 0)
  (func (export "caught") (param i32) (result i32)
    (block $catch (result i32)
      (try_table (result i32) (catch $number $catch)
        (call $positive (local.get 0)))
      return)
    i32.const 100
    i32.add)
  (func (export "uncaught") (param i32) (result i32)
    (i32.add (i32.const 1) (call $positive (i32.sub (i32.const -1) (local.get 0)))))
  (func $choose (param i32)
    (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $number (i32.const 10))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $other)))
    (throw $pair (i64.const 30) (f64.const 3)))
  (func (export "nested") (param i32) (result i32) (local $kept exnref)
    (block $all (result exnref)
      (block $number (result i32)
        (try_table (catch_all_ref $all)
          (try_table (catch $number $number)
            (call $choose (local.get 0))))
        unreachable)
      (return (i32.add (i32.const 1))))
    local.set $kept
    (block $pair (result i64 f64)
      (block $other
        (try_table (catch $other $other) (catch $pair $pair)
          (throw_ref (local.get $kept)))
        unreachable)
      (return (i32.const 22)))
    i32.trunc_f64_s
    i64.extend_i32_s
    i64.add
    i32.wrap_i64)
  (func $calm (result i32) i32.const 10)
  (func $wild (result i32) (throw $other))
  (func (export "indirect") (param i32) (result i32)
    (block $caught
      (try_table (result i32) (catch_all $caught)
        (call_indirect (type $none) (local.get 0)))
      return)
    i32.const 99)
  (func (export "wide") (param i32) (result f64)
    (block $pair (result i64 f64)
      (try_table (catch $pair $pair)
        (throw $pair (i64.mul (i64.extend_i32_s (local.get 0)) (i64.const 1000000000)) (f64.const 0.5)))
      unreachable)
    (drop)
    f64.convert_i64_s
    f64.const 0.5
    f64.sub))
