;; Data segments, every width, sign extension, misaligned access, bulk operations, size and grow.
;;; python
;; import memory as m
;; print([m.u8(i) for i in range(8)], m.u8(8))
;; print(m.s8(7), m.u16(1), m.s16(6), hex(m.u32(1)), hex(m.i64(0)))
;; m.put64(1001, 0x0123456789abcdef)
;; print(hex(m.i64(1001)), hex(m.u32(1003)), m.u16(1005) == 0x4567)
;; m.putd(2003, -2.5)
;; print(m.f64(2003), m.putf(3001, 0.75), m.f32(3001))
;; m.fill(4000, 7, 10); m.copy(4005, 0, 8)
;; print([m.u8(4000 + i) for i in range(14)])
;; print(m.size(), m.grow(0), m.grow(1000), m.size())
;;; expect
;; [1, 2, 3, 4, 5, 6, 7, 255] 0
;; -1 770 -249 0x5040302 -0xf8f9fafbfcfdff
;; 0x123456789abcdef 0x456789ab True
;; -2.5 None 0.75
;; [7, 7, 7, 7, 7, 1, 2, 3, 4, 5, 6, 7, 255, 0]
;; 1 1 -1 1
(module
  (memory 1 1)
  (data (i32.const 0) "\01\02\03\04\05\06\07\ff")
  (func (export "u8") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "s8") (param i32) (result i32) (i32.load8_s (local.get 0)))
  (func (export "u16") (param i32) (result i32) (i32.load16_u align=1 (local.get 0)))
  (func (export "s16") (param i32) (result i32) (i32.load16_s (local.get 0)))
  (func (export "u32") (param i32) (result i32) (i32.load align=1 (local.get 0)))
  (func (export "i64") (param i32) (result i64) (i64.load align=1 (local.get 0)))
  (func (export "f64") (param i32) (result f64) (f64.load align=1 (local.get 0)))
  (func (export "f32") (param i32) (result f32) (f32.load align=1 (local.get 0)))
  (func (export "put64") (param i32 i64) (i64.store align=1 (local.get 0) (local.get 1)))
  (func (export "putd") (param i32 f64) (f64.store align=1 (local.get 0) (local.get 1)))
  (func (export "putf") (param i32 f32) (f32.store align=1 (local.get 0) (local.get 1)))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
