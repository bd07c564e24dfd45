;; Constants far outside of data, memory and tables, which compilers add to the addresses of these.
;;; python
;; import far_constants as m
;; def at(f):
;;     try:
;;         return f()
;;     except RuntimeError as e:
;;         return str(e)
;; for name in "init elem load offset store fill copy get call".split():
;;     print(name, {at(getattr(m, name + str(i))) for i in range(3)})
;; print(m.near())
;;; expect
;; init {'out of bounds memory access'}
;; elem {'out of bounds table access'}
;; load {'out of bounds memory access'}
;; offset {'out of bounds memory access'}
;; store {'out of bounds memory access'}
;; fill {'out of bounds memory access'}
;; copy {'out of bounds memory access'}
;; get {'out of bounds table access'}
;; call {'undefined element'}
;; 107
(module
  (memory 64 64 (pagesize 1))
  (table 2 2 funcref)
  (data $d "jk")
  (elem $e funcref (ref.null func) (ref.null func))
  (func (export "elem0") (result i32) (table.init $e (i32.const 0) (i32.const 0x7ffffff5) (i32.const 1)) (i32.const 0))
  (func (export "elem1") (result i32) (table.init $e (i32.const 0) (i32.const 0x80000155) (i32.const 1)) (i32.const 0))
  (func (export "elem2") (result i32) (table.init $e (i32.const 0) (i32.const 0xfffffff0) (i32.const 1)) (i32.const 0))
  (func (export "init0") (result i32) (memory.init $d (i32.const 0) (i32.const 0x7ffffff5) (i32.const 1)) (i32.const 0))
  (func (export "init1") (result i32) (memory.init $d (i32.const 0) (i32.const 0x80000155) (i32.const 1)) (i32.const 0))
  (func (export "init2") (result i32) (memory.init $d (i32.const 0) (i32.const 0xfffffff0) (i32.const 1)) (i32.const 0))
  (func (export "load0") (result i32) (i32.load8_u (i32.const 0x7ffffff5)))
  (func (export "load1") (result i32) (i32.load8_u (i32.const 0x80000155)))
  (func (export "load2") (result i32) (i32.load8_u (i32.const 0xfffffff0)))
  (func (export "offset0") (result i32) (i32.load8_u offset=0x7ffffff5 (i32.const 0)))
  (func (export "offset1") (result i32) (i32.load8_u offset=0x80000155 (i32.const 0)))
  (func (export "offset2") (result i32) (i32.load8_u offset=0xfffffff0 (i32.const 0)))
  (func (export "store0") (result i32) (i32.store (i32.const 0x7ffffff5) (i32.const 7)) (i32.const 0))
  (func (export "store1") (result i32) (i32.store (i32.const 0x80000155) (i32.const 7)) (i32.const 0))
  (func (export "store2") (result i32) (i32.store (i32.const 0xfffffff0) (i32.const 7)) (i32.const 0))
  (func (export "fill0") (result i32) (memory.fill (i32.const 0x7ffffff5) (i32.const 1) (i32.const 1)) (i32.const 0))
  (func (export "fill1") (result i32) (memory.fill (i32.const 0x80000155) (i32.const 1) (i32.const 1)) (i32.const 0))
  (func (export "fill2") (result i32) (memory.fill (i32.const 0xfffffff0) (i32.const 1) (i32.const 1)) (i32.const 0))
  (func (export "copy0") (result i32) (memory.copy (i32.const 0) (i32.const 0x7ffffff5) (i32.const 1)) (i32.const 0))
  (func (export "copy1") (result i32) (memory.copy (i32.const 0) (i32.const 0x80000155) (i32.const 1)) (i32.const 0))
  (func (export "copy2") (result i32) (memory.copy (i32.const 0) (i32.const 0xfffffff0) (i32.const 1)) (i32.const 0))
  (func (export "get0") (result i32) (ref.is_null (table.get (i32.const 0x7ffffff5))))
  (func (export "get1") (result i32) (ref.is_null (table.get (i32.const 0x80000155))))
  (func (export "get2") (result i32) (ref.is_null (table.get (i32.const 0xfffffff0))))
  (func (export "call0") (result i32) (call_indirect (result i32) (i32.const 0x7ffffff5)))
  (func (export "call1") (result i32) (call_indirect (result i32) (i32.const 0x80000155)))
  (func (export "call2") (result i32) (call_indirect (result i32) (i32.const 0xfffffff0)))
  (func (export "near") (result i32)
    (memory.init $d (i32.const 63) (i32.const 1) (i32.const 1))
    (i32.load8_u (i32.const 63))))
