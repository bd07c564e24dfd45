;; A tail call takes no stack, however many there are: to itself, to others, through a table and a reference.
;;; python
;; import tail_calls as m
;; print(m.count(10), m.count(100000))
;; print(m.even(100000), m.even(99999), m.through(50000), m.referred(50000))
;; print(m.sum(1000, 0))
;;; expect
;; 10 100000
;; 1 0 50000 50000
;; 500500
(module
  (type $step (func (param i32 i32) (result i32)))
  (table funcref (elem $add))
  (elem declare func $add_again)
  (func $add (type $step)
    (if (result i32) (i32.eqz (local.get 0))
      (then (local.get 1))
      (else
        (return_call_indirect (type $step)
          (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1)) (i32.const 0)))))
  (func $add_again (type $step)
    (if (result i32) (i32.eqz (local.get 0))
      (then (local.get 1))
      (else
        (return_call_ref $step
          (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1)) (ref.func $add_again)))))
  (func (export "count") (param i32) (result i32) (return_call $counted (local.get 0) (i32.const 0)))
  (func $counted (param i32 i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (local.get 1))
      (else (return_call $counted (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1))))))
  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (func $odd (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (return_call $even (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "through") (param i32) (result i32)
    (return_call_indirect (type $step) (local.get 0) (i32.const 0) (i32.const 0)))
  (func (export "referred") (param i32) (result i32)
    (return_call_ref $step (local.get 0) (i32.const 0) (ref.func $add_again)))
  (func $sum (export "sum") (param i32 i64) (result i64)
    (if (result i64) (i32.eqz (local.get 0))
      (then (local.get 1))
      (else
        (return_call $sum (i32.sub (local.get 0) (i32.const 1))
          (i64.add (local.get 1) (i64.extend_i32_u (local.get 0))))))))
