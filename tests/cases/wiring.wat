;; Arduino's functions and AssemblyScript's are there without a word; their texts are read from memory.
;;; python
;; import sys
;; class Pin:
;;     IN, OUT, PULL_UP = 10, 11, 12
;;     def __init__(self, *args): print("Pin", args)
;;     def value(self, v): print("value", v)
;; class machine: pass
;; machine.Pin = Pin
;; sys.modules["machine"] = machine
;; import wiring as m
;; m.setup()
;; print(m.elapsed() in range(20, 2000))
;; m.trace(3)
;; m.log()
;; print(0 <= m.random() < 1, m.later() > 0)
;; for i in range(3):
;;     try:
;;         m.abort(i)
;;     except RuntimeError as e:
;;         print(e)
;; class Gone(Pin):
;;     def __init__(self, *args): raise OSError(19)
;; machine.Pin = Gone
;; try:
;;     m.setup()
;; except OSError as e:
;;     print("OSError", e.errno)
;; del machine.Pin
;; try:
;;     m.pin(3)
;; except AttributeError:
;;     print("AttributeError")
;;; expect
;; hello
;; Pin (2, 10)
;; Pin (2, 11)
;; Pin (2, 10, 12)
;; Pin (2,)
;; value 1
;; True
;; aé€𐐷 0.5 -1.0 2.0
;; aé€𐐷
;; True True
;; aé€𐐷 in None:7:9
;; None in aé€𐐷:7:9
;; None in None:7:9
;; hello
;; OSError 19
;; AttributeError
(module
  (import "wiring" "print" (func $print (param i32 i32)))
  (import "wiring" "pinMode" (func $pin_mode (param i32 i32)))
  (import "wiring" "digitalWrite" (func $digital_write (param i32 i32)))
  (import "wiring" "delay" (func $delay (param i32)))
  (import "wiring" "millis" (func $millis (result i32)))
  (import "wiring" "stopWdt" (func $stop))
  (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
  (import "env" "trace" (func $trace (param i32 i32 f64 f64 f64 f64 f64)))
  (import "env" "seed" (func $seed (result f64)))
  (import "env" "Date.now" (func $now (result f64)))
  (import "env" "console.log" (func $log (param i32)))
  (memory 1)
  (global (export "__heap_base") i32 (i32.const 2048))
  (data (i32.const 8) "hello\0a")
  ;; A string of AssemblyScript's: five units, the last two a pair.
  (data (i32.const 28) "\0a\00\00\00a\00\e9\00\ac \01\d87\dc")
  (func (export "setup")
    (call $stop)
    (call $print (i32.const 8) (i32.const 6))
    (call $pin (i32.const 0)) (call $pin (i32.const 1)) (call $pin (i32.const 2))
    (call $digital_write (i32.const 2) (i32.const 5)))
  (func $pin (export "pin") (param i32) (call $pin_mode (i32.const 2) (local.get 0)))
  (func (export "elapsed") (result i32) (local i32)
    (local.set 0 (call $millis))
    (call $delay (i32.const 20))
    (i32.sub (call $millis) (local.get 0)))
  (func (export "trace") (param i32)
    (call $trace (i32.const 32) (local.get 0)
      (f64.const 0.5) (f64.const -1) (f64.const 2) (f64.const 3) (f64.const 4)))
  (func (export "log") (call $log (i32.const 32)))
  (func (export "random") (result f64) (call $seed))
  (func (export "later") (result f64) (call $now))
  (func (export "abort") (param i32)
    (call $abort
      (select (i32.const 32) (i32.const 0) (i32.eqz (local.get 0)))
      (select (i32.const 32) (i32.const 0) (i32.eq (local.get 0) (i32.const 1)))
      (i32.const 7) (i32.const 9))))
