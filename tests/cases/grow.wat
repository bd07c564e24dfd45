;; A memory that grows lies in MicroPython's heap, survives its collector and keeps what it holds.
;;; python
;; import grow as m, gc
;; print(m.size(), m.grow(0), m.grow(1), m.size())
;; m.put(70000, 123); m.put(8, 45)
;; gc.collect()
;; junk = [bytearray(64) for _ in range(100)]
;; print(m.get(70000), m.get(8), m.get(131068), m.grow(1), m.grow(1), m.size(), m.get(70000), m.get(8))
;;; expect
;; 1 1 1 2
;; 123 45 0 2 -1 3 123 45
(module
  (memory 1 3)
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))
