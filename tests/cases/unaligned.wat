;; An alignment hint does not change what an access means, on any processor.
;;; python
;; import unaligned as m
;; for at in range(0, 9):
;;     m.store64(at, 0x0123456789abcdef)
;;     print(at, hex(m.load32(at)), hex(m.load16(at + 1)), m.load16s(at + 3), hex(m.load64(at)), m.load32s(at + 1))
;;     m.storef(at, 1.5)
;;     m.stored(at + 4, -2.25)
;;     m.store16(at + 12, 0xbeef)
;;     m.store32(at + 14, 0x12345678)
;;     print(m.loadf(at), m.loadd(at + 4), hex(m.load16(at + 12)), hex(m.load32(at + 14)))
;; try:
;;     m.load32(61)
;; except RuntimeError as e:
;;     print(e, m.load32(60))
;;; expect
;; 0 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; 1 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; 2 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; 3 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; 4 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; 5 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; 6 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; 7 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; 8 -0x76543211 0xabcd 26505 0x123456789abcdef 1737075661
;; 1.5 -2.25 0xbeef 0x12345678
;; out of bounds memory access 0
(module
  (memory 64 64 (pagesize 1))
  (func (export "load16") (param i32) (result i32) (i32.load16_u (local.get 0)))
  (func (export "load16s") (param i32) (result i32) (i32.load16_s (local.get 0)))
  (func (export "load32") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "load32s") (param i32) (result i64) (i64.load32_s (local.get 0)))
  (func (export "load64") (param i32) (result i64) (i64.load (local.get 0)))
  (func (export "loadf") (param i32) (result f32) (f32.load (local.get 0)))
  (func (export "loadd") (param i32) (result f64) (f64.load (local.get 0)))
  (func (export "store16") (param i32 i32) (i32.store16 (local.get 0) (local.get 1)))
  (func (export "store32") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "store64") (param i32 i64) (i64.store (local.get 0) (local.get 1)))
  (func (export "storef") (param i32 f32) (f32.store (local.get 0) (local.get 1)))
  (func (export "stored") (param i32 f64) (f64.store (local.get 0) (local.get 1))))
