;; Functions of `mpy` for floats in memory: they read and write what the module has, however long they are asked to be.
;;; python
;; import dsp_vectors as m
;; import struct
;; for i in range(16):
;;     m.memory[4 * i:4 * i + 4] = struct.pack("<f", i + 1)
;; print(m.dot(0, 16, 4), m.dot(1 << 16, 0, 0), m.dot(65532, 0, 1), m.dot(0, 0, 0))
;; m.vec_mat(0, 2, 16, 3, 128, 3)
;; print(struct.unpack("<4f", bytes(m.memory[128:144])))
;; m.vec_mat(0, 0, 65536, 7, 128, 2)
;; print(struct.unpack("<4f", bytes(m.memory[128:144])))
;; def refused(function, *args):
;;     try:
;;         function(*args)
;;         print("not refused", args)
;;     except RuntimeError as error:
;;         print(error)
;; refused(m.dot, 65533, 0, 1)
;; refused(m.dot, 0, 65536, 1)
;; refused(m.dot, 0, 0, 0x40000001)
;; refused(m.vec_mat, 0, 2, 0, 0xffffffff, 128, 2)
;; refused(m.vec_mat, 0, 2, 0, 0x40000000, 128, 2)
;; refused(m.vec_mat, 0, 5, 0, 4095, 128, 8)
;; refused(m.vec_mat, 0, 1, 0, 1, 65532, 2)
;; refused(m.vec_mat, 0, 0, 0, 1, 0, 0x40000001)
;; refused(m.cfft, 0, 8, 0)
;; refused(m.cfft, 0, 0, 0)
;; refused(m.cfft, 0, 24, 0)
;; refused(m.cfft, 0, 65536, 0)
;; refused(m.cfft, 0, 0x80000000, 0)
;; refused(m.cfft, 65536 - 124, 16, 0)
;; refused(m.cfft, 0xfffffffc, 16, 0)
;; refused(m.cfft, 0, 16, 65536 - 60)
;; refused(m.cfft, 0, 16, 0xfffffff0)
;; refused(m.cfft, 0, 16384, 0)
;; refused(m.cfft, 2, 16, 1024)
;; refused(m.cfft, 0, 16, 1025)
;; print(m.dot(0, 0, 16))
;; from math import pi, sin, cos
;; def transform(n, at, sines):
;;     for i in range(n):
;;         m.memory[sines + 4 * i:sines + 4 * i + 4] = struct.pack("<f", sin(2 * pi * i / n))
;;         m.memory[at + 8 * i:at + 8 * i + 8] = struct.pack("<2f", i == 1, 2 * (i == 3))
;;     m.cfft(at, n, sines)
;;     wrong = []
;;     for i in range(n):
;;         a, b = -2 * pi * i / n, -2 * pi * (3 * i % n) / n
;;         re, im = struct.unpack("<2f", bytes(m.memory[at + 8 * i:at + 8 * i + 8]))
;;         if abs(re - cos(a) + 2 * sin(b)) > 1e-5 or abs(im - sin(a) - 2 * cos(b)) > 1e-5:
;;             wrong.append(i)
;;     return wrong
;; print(transform(16, 65536 - 128, 65536 - 192), transform(32, 0, 256), transform(128, 1028, 4), transform(256, 4096, 32768))
;; m.cfft(4096, 64, 4100)
;;; expect
;; 70.0 0.0 0.0 0.0
;; (21.0, 24.0, 27.0, 0.0)
;; (0.0, 0.0, 27.0, 0.0)
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; the size of a transform is a power of two from 16 to 32768
;; the size of a transform is a power of two from 16 to 32768
;; the size of a transform is a power of two from 16 to 32768
;; the size of a transform is a power of two from 16 to 32768
;; the size of a transform is a power of two from 16 to 32768
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; out of bounds memory access
;; 1496.0
;; [] [] [] []
(module
  (import "mpy" "dsp_dot_f32" (func $dot (param i32 i32 i32) (result f32)))
  (import "mpy" "dsp_vec_mat_f32" (func $vec_mat (param i32 i32 i32 i32 i32 i32)))
  (import "mpy" "dsp_cfft_f32" (func $cfft (param i32 i32 i32)))
  (memory (export "memory") 1 1)
  (func (export "dot") (param i32 i32 i32) (result f32)
    (call $dot (local.get 0) (local.get 1) (local.get 2)))
  (func (export "vec_mat") (param i32 i32 i32 i32 i32 i32)
    (call $vec_mat (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)))
  (func (export "cfft") (param i32 i32 i32)
    (call $cfft (local.get 0) (local.get 1) (local.get 2))))
