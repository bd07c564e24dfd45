;; A memory that can grow is checked, whatever the memory model: no mask fits all its sizes.
;;; settings
;; memory = "masked"
;;; python
;; import masked_grow as m
;; guards = [bytearray(b"\xaa" * 300) for _ in range(10)]
;; def outside(at):
;;     try: m.put(at, 0x55)
;;     except RuntimeError as e: return str(e) == "out of bounds memory access"
;;     return False
;; def edges(size):
;;     return [outside(at) for at in (size - 4, size - 3, size, size + 100, -1, -4, -0x80000000)]
;; print(m.size(), edges(100))
;; print(m.grow(50), m.size(), m.get(96), edges(150))
;; # Not with one byte more than the maximum.
;; print(m.grow(51), m.size(), edges(150))
;; print(m.grow(50), m.size(), m.get(96), m.get(146), edges(200))
;; print(m.grow(1), m.grow(-1), m.size(), all(guard == b"\xaa" * 300 for guard in guards))
;;; expect
;; 100 [False, True, True, True, True, True, True]
;; 100 150 85 [False, True, True, True, True, True, True]
;; -1 150 [False, True, True, True, True, True, True]
;; 150 200 85 85 [False, True, True, True, True, True, True]
;; -1 -1 200 True
(module
  (memory 100 200 (pagesize 1))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))
