;; Loops, branch tables, recursion, early exits, globals, start function.
;;; python
;; import control as m
;; print([m.fib(n) for n in (0, 1, 2, 10, 15)], m.fact(20))
;; print([m.pick(n) for n in (0, 1, 2, 3, -1)])
;; print(m.gcd(1071, 462), m.collatz(27), m.even(10), m.even(7))
;; print(m.count(), m.count(), m.count())
;; print(m.select(1), m.select(0), m.early(5), m.early(50))
;;; expect
;; [0, 1, 1, 55, 610] 2432902008176640000
;; [100, 200, 300, 999, 999]
;; 21 111 1 0
;; 101 102 103
;; 10 20 5 -1
(module
  (global $n (mut i32) (i32.const 0))
  (start $init)
  (func $init (global.set $n (i32.const 100)))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "fact") (param i32) (result i64) (local $r i64)
    (local.set $r (i64.const 1))
    (block (loop
      (br_if 1 (i32.eqz (local.get 0)))
      (local.set $r (i64.mul (local.get $r) (i64.extend_i32_u (local.get 0))))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br 0)))
    (local.get $r))
  (func (export "pick") (param i32) (result i32)
    (block (block (block (block
      (br_table 0 1 2 3 (local.get 0)))
      (return (i32.const 100)))
      (return (i32.const 200)))
      (return (i32.const 300)))
    (i32.const 999))
  (func (export "gcd") (param i32 i32) (result i32) (local i32)
    (loop
      (if (local.get 1) (then
        (local.set 2 (i32.rem_u (local.get 0) (local.get 1)))
        (local.set 0 (local.get 1))
        (local.set 1 (local.get 2))
        (br 1))))
    (local.get 0))
  (func (export "collatz") (param i32) (result i32) (local i32)
    (loop
      (if (i32.ne (local.get 0) (i32.const 1)) (then
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        (local.set 0 (if (result i32) (i32.and (local.get 0) (i32.const 1))
          (then (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))
          (else (i32.shr_u (local.get 0) (i32.const 1)))))
        (br 1))))
    (local.get 1))
  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (call $odd (i32.sub (local.get 0) (i32.const 1))))
      (else (i32.const 1))))
  (func $odd (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (call $even (i32.sub (local.get 0) (i32.const 1))))
      (else (i32.const 0))))
  (func (export "count") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
  (func (export "select") (param i32) (result i32)
    (select (i32.const 10) (i32.const 20) (local.get 0)))
  (func (export "early") (param i32) (result i32)
    (block $out (result i32)
      (drop (br_if $out (i32.const -1) (i32.gt_s (local.get 0) (i32.const 9))))
      (local.get 0))))
