;; Memories whose pages are bytes are exactly as large as they say, and grow by bytes.
;;; python
;; import pages as m
;; print(m.size(), m.get(99))
;; try: m.get(100)
;; except RuntimeError as e: print(e)
;; print(m.grow(20), m.size(), m.put(119, 7), m.grow(9), m.grow(156), m.sum())
;;; expect
;; 100 9
;; out of bounds memory access
;; 16 100 None 36 -1 57
(module
  (memory $fixed 100 100 (pagesize 1))
  (memory $growing 16 200 (pagesize 1))
  (data (i32.const 99) "\09")
  (data (memory $growing) (i32.const 15) "2")
  (func (export "size") (result i32) (memory.size $fixed))
  (func (export "get") (param i32) (result i32) (i32.load8_u $fixed (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow $growing (local.get 0)))
  (func (export "put") (param i32 i32) (i32.store8 $growing (i32.const 35) (local.get 1)))
  (func (export "sum") (result i32)
    (i32.add (i32.load8_u $growing (i32.const 35)) (i32.load8_u $growing (i32.const 15)))))
