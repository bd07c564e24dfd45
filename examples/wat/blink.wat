;; The LED blinks. Text format of WebAssembly: every instruction is the machine's, every byte of memory is where
;; it was put.
(module
  (import "wiring" "pinMode" (func $pin_mode (param $pin i32) (param $mode i32)))
  (import "wiring" "digitalWrite" (func $digital_write (param $pin i32) (param $level i32)))
  (import "wiring" "delay" (func $delay (param $ms i32)))
  (import "wiring" "print" (func $print (param $text i32) (param $length i32)))

  (memory 1)
  (data (i32.const 0) "hello from WAT\n")
  ;; What is used of the page: `cargo mpy` reserves these bytes alone.
  (global (export "__heap_base") i32 (i32.const 16))

  (global $led i32 (i32.const 2))
  (global $output i32 (i32.const 1))

  (func (export "setup")
    (call $pin_mode (global.get $led) (global.get $output))
    (call $print (i32.const 0) (i32.const 15)))

  (func (export "loop")
    (call $digital_write (global.get $led) (i32.const 1))
    (call $delay (i32.const 100))
    (call $digital_write (global.get $led) (i32.const 0))
    (call $delay (i32.const 900)))

  ;; Stein's greatest common divisor: shifts, subtractions and an instruction that counts zeros.
  (func (export "gcd") (param $a i64) (param $b i64) (result i64) (local $shift i64) (local $t i64)
    (if (i64.eqz (local.get $a)) (then (return (local.get $b))))
    (if (i64.eqz (local.get $b)) (then (return (local.get $a))))
    (local.set $shift (i64.ctz (i64.or (local.get $a) (local.get $b))))
    (local.set $a (i64.shr_u (local.get $a) (i64.ctz (local.get $a))))
    (loop $again
      (local.set $b (i64.shr_u (local.get $b) (i64.ctz (local.get $b))))
      (if (i64.gt_u (local.get $a) (local.get $b))
        (then
          (local.set $t (local.get $a))
          (local.set $a (local.get $b))
          (local.set $b (local.get $t))))
      (local.set $b (i64.sub (local.get $b) (local.get $a)))
      (br_if $again (i64.ne (local.get $b) (i64.const 0))))
    (i64.shl (local.get $a) (local.get $shift))))
