;; Atomic operators are ordinary ones, as there is one thread.
;;; python
;; import atomics as m
;; def error(f, *args):
;;     try: return f(*args)
;;     except RuntimeError as e: return str(e)
;; print(m.add(8, 5), m.add(8, -6), m.load(8))
;; print(m.add8(16, 0x1ff), m.add8(16, 2), m.load(16))
;; print(m.exchange(8, 7), m.compare(8, 6, 1), m.compare(8, 7, 9), m.load(8))
;; print(error(m.add, 10, 1), error(m.add, 65536, 1), error(m.load, 65535))
;; print(m.notify(8), m.wait(8, 1, -1), m.wait(8, 9, 0), error(m.wait, 8, 9, -1), error(m.wait, 9, 9, 0))
;;; expect
;; 0 5 -1
;; 0 255 1
;; -1 7 7 9
;; unaligned atomic out of bounds memory access unaligned atomic
;; 0 1 2 wait without an end unaligned atomic
(module
  (memory 1 1 shared)
  (func (export "add") (param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1)))
  (func (export "add8") (param i32 i32) (result i32) (i32.atomic.rmw8.add_u (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i32) (atomic.fence) (i32.atomic.load (local.get 0)))
  (func (export "exchange") (param i32 i32) (result i32) (i32.atomic.rmw.xchg (local.get 0) (local.get 1)))
  (func (export "compare") (param i32 i32 i32) (result i32)
    (i32.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2)))
  (func (export "notify") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1)))
  (func (export "wait") (param i32 i32 i64) (result i32)
    (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2))))
