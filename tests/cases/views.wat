;; The memory that a module shows cannot be resized, and is looked at where it is.
;;; python
;; import views as m, gc
;; mm = m.memory
;; def attempt(change):
;;     try:
;;         print(change())
;;     except Exception as e:
;;         print(type(e).__name__)
;; class At:
;;     def __getitem__(self, key): return key
;; at = At()
;; def put(key, value): mm[key] = value
;; def drop(key): del mm[key]
;; for name in ("append", "extend"): attempt(lambda: getattr(mm, name))
;; for key, value in ((at[0:10], b""), (at[0:1], b"0123456789"), (at[5:5], b"1"), (at[0:4], "text"),
;;                    (at[0:2], [1, 2]), (256, 1), (-257, 1), (0, "1"), (0, None), ("0", 1), (at[0:1], 7)):
;;     attempt(lambda: put(key, value))
;; for key in (0, at[0:4], at[:]): attempt(lambda: drop(key))
;; attempt(lambda: mm[256])
;; attempt(lambda: mm[-257])
;; print(len(mm), bytes(mm[:5]), mm[4::-2], mm[-1], mm[250:999], mm[9:3], len(bytes(mm)))
;; mm[0:5] = b"HELLO"
;; mm[8:16:2] = bytes((1, 2, 3, 4))
;; mm[1] = 300
;; mm[20:25] = mm[0:5]
;; mm[2:6] = memoryview(mm)[0:4]
;; print(bytes(mm[:8]), bytes(mm[8:16]), bytes(mm[20:25]), m.get(1), m.get(10))
;; copy = mm[0:4]
;; copy.append(7)
;; print(copy, bytes(mm[0:5]))
;; # What was lent may be looked at as long as anybody likes.
;; lent = [memoryview(mm) for _ in range(3)]
;; walk = iter(mm)
;; first = next(walk)
;; junk = []
;; while m.grow(64) != -1:
;;     junk.append(bytearray(b"\xaa" * 500))
;;     lent.append(memoryview(mm))
;;     gc.collect()
;; print(len(mm), m.size(), [len(one) for one in lent], all(bytes(one[0:2]) == b"H," for one in lent))
;; mm[1023] = 9
;; for one in lent: one[7] = 0x55
;; junk += [bytearray(b"\xbb" * 500) for _ in range(20)]
;; print(all(b.count(bytes(b[:1])) == 500 for b in junk), m.get(1023), first, sum(1 for _ in walk))
;; class Seven:
;;     def __int__(self):
;;         m.grow(0)
;;         return 7
;; attempt(lambda: put(3, Seven()))
;; print(bytes(m.empty[:]), len(m.empty), bytes(m.empty), list(m.empty))
;; attempt(lambda: m.empty[0])
;; m.empty[:] = b""
;; import sys
;; del sys.modules["views"]
;; again = __import__("views")
;; gc.collect()
;; attempt(lambda: mm[0:2])
;; print(bytes(lent[0][0:2]), bytes(again.memory[0:5]), len(again.memory), again.memory is mm)
;;; expect
;; AttributeError
;; AttributeError
;; ValueError
;; ValueError
;; ValueError
;; TypeError
;; TypeError
;; IndexError
;; IndexError
;; TypeError
;; TypeError
;; TypeError
;; TypeError
;; TypeError
;; TypeError
;; TypeError
;; IndexError
;; IndexError
;; 256 b'hello' bytearray(b'olh') 0 bytearray(b'\x00\x00\x00\x00\x00\x00') bytearray(b'') 256
;; b'H,H,LL\x00\x00' b'\x01\x00\x02\x00\x03\x00\x04\x00' b'H,LLO' 44 2
;; bytearray(b'H,H,\x07') b'H,H,L'
;; 1024 1024 [256, 256, 256, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896, 960, 1024] True
;; True 9 72 1023
;; None
;; b'' 0 b'' []
;; IndexError
;; RuntimeError
;; b'H,' b'hello' 256 False
(module
  (memory (export "memory") 256 1024 (pagesize 1))
  (memory $empty (export "empty") 0 0 (pagesize 1))
  (data (i32.const 0) "hello")
  (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "nothing") (result i32) (memory.size $empty))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
