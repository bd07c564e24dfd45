;; Imports are Python callables; what they raise passes through, and the shadow of the call is gone afterwards.
;;; python
;; import sys
;; class Host: pass
;; h = Host()
;; sys.modules["host"] = h
;; h.add = lambda a, b: a + b
;; h.wide = lambda a: a * 3
;; h.real = lambda a, b: a * b
;; h.log = lambda a: print("log", a)
;; h.fail = lambda: [][1]
;; import imports as m
;; print(m.add(40, 2), m.wide(1 << 40), m.real(1.5, 4.0))
;; print(m.log(5))
;; for i in range(3):
;;     try:
;;         m.fail()
;;     except IndexError:
;;         print("IndexError")
;; h.add = lambda a, b: "no"
;; try:
;;     m.add(1, 2)
;; except TypeError:
;;     print("TypeError")
;; h.add = lambda a, b: 1 << 40
;; try:
;;     m.add(1, 2)
;; except OverflowError:
;;     print("OverflowError")
;; h.add = lambda a, b: m.twice(a) + b
;; print(m.add(20, 2), m.ticks() >= 0)
;;; expect
;; 42 3298534883328 6.0
;; log 5
;; None
;; IndexError
;; IndexError
;; IndexError
;; TypeError
;; OverflowError
;; 42 True
(module
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (import "host" "wide" (func $wide (param i64) (result i64)))
  (import "host" "real" (func $real (param f32 f64) (result f64)))
  (import "host" "log" (func $log (param i32)))
  (import "host" "fail" (func $fail))
  (import "time" "ticks_ms" (func $ticks (result i32)))
  (func (export "add") (param i32 i32) (result i32) (call $add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64) (result i64) (call $wide (local.get 0)))
  (func (export "real") (param f32 f64) (result f64) (call $real (local.get 0) (local.get 1)))
  (func (export "log") (param i32) (call $log (local.get 0)))
  (func (export "fail") (call $fail))
  (func (export "twice") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
  (func (export "ticks") (result i32) (call $ticks)))
