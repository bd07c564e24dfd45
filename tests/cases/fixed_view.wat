;; The memory that a module shows is a `memoryview` when it cannot grow: its bytes are the module's own, and nobody can
;; resize or move it.
;;; python
;; import fixed_view as m, gc, sys
;; mm = m.memory
;; def attempt(change):
;;     try:
;;         print(change())
;;     except Exception as e:
;;         print(type(e).__name__)
;; def put(key, value): mm[key] = value
;; def drop(key): del mm[key]
;; class At:
;;     def __getitem__(self, key): return key
;; at = At()
;; for name in ("append", "extend"): attempt(lambda: getattr(mm, name))
;; for key, value in ((at[0:10], b""), (at[0:1], b"0123456789"), (at[5:5], b"1"), (300, 1), (-301, 1), ("0", 1), (0, "1")):
;;     attempt(lambda: put(key, value))
;; for key in (0, at[0:4]): attempt(lambda: drop(key))
;; for key in (300, -301): attempt(lambda: mm[key])
;; mm[0] = 72
;; mm[1:3] = b"EL"
;; m.put(299, 33)
;; print(type(mm).__name__, len(mm), bytes(mm[:5]), mm[-1], m.get(0), bytes(mm[1:4]), sum(mm), m._memory is mm)
;; part = mm[10:20]
;; part[0] = 8
;; print(m.get(10), len(part), len(m.other), len(m.none), m.other[0])
;; m.other[3] = 4
;; # It stays what it is after the module is imported again, and lies beside everything else.
;; del sys.modules["fixed_view"]
;; again = __import__("fixed_view")
;; gc.collect()
;; junk = [bytearray(b"\xaa" * 300) for _ in range(50)]
;; for i in range(300): mm[i] = 0x55
;; for i in range(300): again.put(i, 0x66)
;; print(all(block == junk[0] for block in junk), m.get(150), part[9], bytes(again.memory[:2]), again.memory is mm)
;; print(m.get_other(3), again.get_other(3))
;;; expect
;; AttributeError
;; AttributeError
;; ValueError
;; ValueError
;; ValueError
;; IndexError
;; IndexError
;; TypeError
;; TypeError
;; TypeError
;; TypeError
;; IndexError
;; IndexError
;; memoryview 300 b'HELlo' 33 72 b'ELl' 469 True
;; 8 10 64 0 0
;; True 85 85 b'ff' False
;; 4 0
(module
  (memory (export "memory") 300 300 (pagesize 1))
  (memory $other (export "other") 64 (pagesize 1))
  (memory $none (export "none") 0 0 (pagesize 1))
  (data (i32.const 0) "hello")
  (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "get_other") (param i32) (result i32) (i32.load8_u $other (local.get 0)))
  (func (export "nothing") (result i32) (memory.size $none))
  (func (export "put") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))
