;; Products of numbers of 16 bits and sums of them, which some processors compute two at a time: extremes, addresses that are
;; not aligned, factors in variables, and what must stay as it is.
;;; python
;; import products as m
;; import struct
;; memory = m.memory
;; state = 7
;; def number():
;;     global state
;;     state = (state * 1664525 + 1013904223) & 0xffffffff
;;     edge = state >> 8 & 7
;;     return (-32768, 32767, -1, 0, 1)[edge] if edge < 5 else (state >> 13 & 0xffff) - 32768
;; def signed(value, bits):
;;     value &= (1 << bits) - 1
;;     return value - (1 << bits) if value >> bits - 1 else value
;; wrong = []
;; for at, to in ((0, 64), (0, 0), (1, 64), (3, 66), (128, 2), (0, 4)):
;;     for n in range(0, 24, 4):
;;         for i in range(128):
;;             struct.pack_into("<h", memory, 2 * i, number())
;;         a = struct.unpack_from("<%dh" % n, memory, at)
;;         b = struct.unpack_from("<%dh" % n, memory, to)
;;         dot = sum(x * y for x, y in zip(a, b))
;;         got = (m.dot64(at, to, n), m.dot32(at, to, n), m.crossed(at, to, n))
;;         want = (dot + 5, signed(dot, 32), signed(sum(x * y for x, y in zip(a, b)), 32))
;;         if got != want:
;;             wrong.append((at, to, n, got, want))
;;         x = struct.unpack_from("<8h", memory, at)
;;         h = struct.unpack_from("<8h", memory, to)
;;         fir = sum(x * y for x, y in zip(x, h))
;;         u = struct.unpack_from("<2H", memory, at)
;;         got = (m.taps64(at, to), m.taps32(at, to), m.unsigned(at), m.mixed(at))
;;         want = (fir, signed(fir, 32), signed(u[0] * u[1] + u[1] * u[1], 64), u[0] * x[1] + u[1] * x[0])
;;         if got != want:
;;             wrong.append((at, to, got, want))
;; print(wrong)
;; struct.pack_into("<hhh", memory, 0, -32768, -32768, 5)
;; print(m.twice(), m.twice64(), m.sometimes(0), m.sometimes(1), m.parameter(-1 << 40), m.counted(3))
;; for function, args in ((m.dot64, (1022, 0, 4)), (m.dot64, (0, 1020, 4)), (m.taps32, (1018, 0)), (m.dot32, (-2, 0, 4)), (m.first, (0,)), (m.first, (1,))):
;;     try:
;;         print(function(*args))
;;     except RuntimeError as e:
;;         print(e)
;;; expect
;; []
;; -2147483648 2147483648 25 21474836480 -5497558138880 1350000000000
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; integer divide by zero
;; out of bounds memory access
(module
  (memory (export "memory") 1024 1024 (pagesize 1))
  ;; As LLVM unrolls it.
  (func (export "dot64") (param $a i32) (param $b i32) (param $n i32) (result i64)
    (local $sum i64)
    (local.set $sum (i64.const 5))
    (block $end
      (loop $more
        (br_if $end (i32.eqz (local.get $n)))
        (local.set $sum
          (i64.add (i64.mul (i64.load16_s offset=6 align=1 (local.get $a)) (i64.load16_s offset=6 align=1 (local.get $b)))
          (i64.add (i64.mul (i64.load16_s offset=4 align=1 (local.get $a)) (i64.load16_s offset=4 align=1 (local.get $b)))
          (i64.add (i64.mul (i64.load16_s offset=2 align=1 (local.get $a)) (i64.load16_s offset=2 align=1 (local.get $b)))
          (i64.add (i64.mul (i64.load16_s align=1 (local.get $a)) (i64.load16_s align=1 (local.get $b)))
            (local.get $sum))))))
        (local.set $a (i32.add (local.get $a) (i32.const 8)))
        (local.set $b (i32.add (local.get $b) (i32.const 8)))
        (local.set $n (i32.sub (local.get $n) (i32.const 4)))
        (br $more)))
    (local.get $sum))
  (func (export "dot32") (param $a i32) (param $b i32) (param $n i32) (result i32)
    (local $sum i32)
    (block $end
      (loop $more
        (br_if $end (i32.eqz (local.get $n)))
        (local.set $sum
          (i32.add (i32.mul (i32.load16_s offset=2 align=1 (local.get $a)) (i32.load16_s offset=2 align=1 (local.get $b)))
          (i32.add (local.get $sum)
            (i32.mul (i32.load16_s align=1 (local.get $a)) (i32.load16_s align=1 (local.get $b))))))
        (local.set $a (i32.add (local.get $a) (i32.const 4)))
        (local.set $b (i32.add (local.get $b) (i32.const 4)))
        (local.set $n (i32.sub (local.get $n) (i32.const 2)))
        (br $more)))
    (local.get $sum))
  ;; Factors in either order, and terms that are no pair.
  (func (export "crossed") (param $a i32) (param $b i32) (param $n i32) (result i32)
    (local $sum i32)
    (block $end
      (loop $more
        (br_if $end (i32.eqz (local.get $n)))
        (local.set $sum
          (i32.add
            (i32.add
              (i32.add (i32.mul (i32.load16_s offset=2 align=1 (local.get $b)) (i32.load16_s offset=2 align=1 (local.get $a))) (i32.const 9))
              (i32.mul (i32.load16_s offset=6 align=1 (local.get $a)) (i32.load16_s offset=6 align=1 (local.get $b))))
            (i32.add
              (i32.mul (i32.load16_s align=1 (local.get $a)) (i32.load16_s align=1 (local.get $b)))
              (i32.add (i32.sub (local.get $sum) (i32.const 9))
                (i32.mul (i32.load16_s offset=4 align=1 (local.get $b)) (i32.load16_s offset=4 align=1 (local.get $a)))))))
        (local.set $a (i32.add (local.get $a) (i32.const 8)))
        (local.set $b (i32.add (local.get $b) (i32.const 8)))
        (local.set $n (i32.sub (local.get $n) (i32.const 4)))
        (br $more)))
    (local.get $sum))
  ;; Taps in variables.
  (func (export "taps64") (param $x i32) (param $h i32) (result i64)
    (local $0 i64) (local $1 i64) (local $2 i64) (local $3 i64) (local $4 i64) (local $5 i64) (local $6 i64) (local $7 i64)
    (local.set $0 (i64.load16_s align=1 (local.get $h)))
    (local.set $1 (i64.load16_s offset=2 align=1 (local.get $h)))
    (local.set $2 (i64.load16_s offset=4 align=1 (local.get $h)))
    (local.set $3 (i64.load16_s offset=6 align=1 (local.get $h)))
    (local.set $4 (i64.load16_s offset=8 align=1 (local.get $h)))
    (local.set $5 (i64.load16_s offset=10 align=1 (local.get $h)))
    (local.set $6 (i64.extend_i32_s (i32.load16_s offset=12 align=1 (local.get $h))))
    (local.set $7 (i64.load16_s offset=14 align=1 (local.get $h)))
    (i64.add (i64.mul (local.get $7) (i64.load16_s offset=14 align=1 (local.get $x)))
    (i64.add (i64.mul (i64.load16_s offset=12 align=1 (local.get $x)) (local.get $6))
    (i64.add (i64.mul (local.get $5) (i64.load16_s offset=10 align=1 (local.get $x)))
    (i64.add (i64.mul (local.get $4) (i64.load16_s offset=8 align=1 (local.get $x)))
    (i64.add (i64.mul (local.get $3) (i64.load16_s offset=6 align=1 (local.get $x)))
    (i64.add (i64.mul (local.get $2) (i64.load16_s offset=4 align=1 (local.get $x)))
    (i64.add (i64.mul (local.get $1) (i64.load16_s offset=2 align=1 (local.get $x)))
             (i64.mul (local.get $0) (i64.load16_s align=1 (local.get $x)))))))))))
  (func (export "taps32") (param $x i32) (param $h i32) (result i32)
    (local $0 i32) (local $1 i32) (local $2 i32) (local $3 i32)
    (local.set $0 (i32.load16_s align=1 (local.get $h)))
    (local.set $1 (i32.load16_s offset=2 align=1 (local.get $h)))
    (local.set $2 (i32.load16_s offset=4 align=1 (local.get $h)))
    (local.set $3 (i32.load16_s offset=6 align=1 (local.get $h)))
    (i32.add (i32.mul (local.get $1) (i32.load16_s offset=2 align=1 (local.get $x)))
    (i32.add (i32.mul (local.get $0) (i32.load16_s align=1 (local.get $x)))
    (i32.add (i32.mul (i32.load16_s offset=4 align=1 (local.get $x)) (local.get $2))
    (i32.add (i32.mul (i32.load16_s offset=6 align=1 (local.get $x)) (local.get $3))
    (i32.add (i32.mul (i32.load16_s offset=8 align=1 (local.get $x)) (i32.load16_s offset=8 align=1 (local.get $h)))
    (i32.add (i32.mul (i32.load16_s offset=10 align=1 (local.get $x)) (i32.load16_s offset=10 align=1 (local.get $h)))
    (i32.add (i32.mul (i32.load16_s offset=12 align=1 (local.get $x)) (i32.load16_s offset=12 align=1 (local.get $h)))
             (i32.mul (i32.load16_s offset=14 align=1 (local.get $x)) (i32.load16_s offset=14 align=1 (local.get $h)))))))))))
  ;; Products that 32 bits do not hold as signed ones.
  (func (export "unsigned") (param $x i32) (result i64)
    (i64.add (i64.mul (i64.load16_u align=1 (local.get $x)) (i64.load16_u offset=2 align=1 (local.get $x)))
             (i64.mul (i64.load16_u offset=2 align=1 (local.get $x)) (i64.load16_u offset=2 align=1 (local.get $x)))))
  (func (export "mixed") (param $x i32) (result i64)
    (i64.add (i64.mul (i64.load16_u align=1 (local.get $x)) (i64.load16_s offset=2 align=1 (local.get $x)))
             (i64.mul (i64.load16_u offset=2 align=1 (local.get $x)) (i64.load16_s align=1 (local.get $x)))))
  ;; Twice the square of the least number: 2^31.
  (func (export "twice") (result i32)
    (i32.add (i32.mul (i32.load16_s (i32.const 0)) (i32.load16_s (i32.const 0)))
             (i32.mul (i32.load16_s (i32.const 2)) (i32.load16_s (i32.const 2)))))
  (func (export "twice64") (result i64)
    (i64.add (i64.mul (i64.load16_s (i32.const 0)) (i64.load16_s (i32.const 0)))
             (i64.mul (i64.load16_s (i32.const 2)) (i64.load16_s (i32.const 2)))))
  ;; A factor that is large sometimes, one that is an argument, and one that a loop changes.
  (func (export "sometimes") (param $large i32) (result i64)
    (local $x i64)
    (local.set $x (i64.load16_s (i32.const 4)))
    (if (local.get $large) (then (local.set $x (i64.const 0x100000000))))
    (i64.mul (local.get $x) (i64.load16_s (i32.const 4))))
  (func (export "parameter") (param $x i64) (result i64)
    (i64.mul (local.get $x) (i64.load16_s (i32.const 4))))
  (func (export "counted") (param $n i32) (result i64)
    (local $x i64) (local $y i64)
    (local.set $x (i64.const 300))
    (loop $more
      (local.set $y (local.get $x))
      (local.set $x (i64.mul (local.get $y) (i64.const 30000)))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.mul (local.get $y) (i64.load16_s (i32.const 4))))
  ;; The first operator that traps does.
  (func (export "first") (param $b i32) (result i32)
    (i32.add
      (i32.add (i32.div_u (i32.const 1) (local.get $b)) (i32.mul (i32.load16_s (i32.const 1024)) (i32.const 3)))
      (i32.add (i32.mul (i32.load16_s (i32.const 0)) (i32.load16_s (i32.const 4)))
               (i32.mul (i32.load16_s (i32.const 2)) (i32.load16_s (i32.const 6)))))))
