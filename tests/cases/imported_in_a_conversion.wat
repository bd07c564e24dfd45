;; The conversion of an argument imports the module again: no text is written to memory that was given back, and no
;; function is called that would read there.
;;; settings
;; allocator = ["alloc"]
;; [exports]
;; two = "(str, u32, cstr) -> u32"
;; one = "(u32, str) -> u32"
;;; python
;; import sys, gc
;; def load():
;;     global m
;;     sys.modules.pop("imported_in_a_conversion", None)
;;     m = __import__("imported_in_a_conversion")
;; class At:
;;     def __int__(self):
;;         load()
;;         gc.collect()
;;         junk.extend(bytearray(100) for _ in range(50))
;;         return 1
;;     def __rshift__(self, by): return 0
;; def attempt(f, *args):
;;     try:
;;         print(f(*args))
;;     except RuntimeError as e:
;;         print(e)
;; junk = []
;; load()
;; attempt(m.two, "a", 1, "b")
;; attempt(m.one, 2, "a")
;; for name, args in (("two", ("a", At(), "b")), ("one", (At(), "a"))):
;;     old = m
;;     attempt(getattr(old, name), *args)
;;     attempt(old.two, "a", 1, "b")
;; attempt(m.two, "a", 1, "b")
;; print(any(any(block) for block in junk))
;;; expect
;; 195
;; 99
;; the module was imported again
;; the module was imported again
;; the module was imported again
;; the module was imported again
;; 195
;; False
(module
  (memory (export "memory") 2000 9000 (pagesize 1))
  (global $at (mut i32) (i32.const 64))
  (func (export "alloc") (param i32) (result i32)
    (global.set $at (i32.add (global.get $at) (local.get 0)))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.sub (global.get $at) (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "two") (param i32 i32 i32 i32) (result i32)
    (i32.add (i32.load8_u (local.get 0)) (i32.load8_u (local.get 3))))
  (func (export "one") (param i32 i32 i32) (result i32)
    (i32.add (i32.load8_u (local.get 1)) (local.get 0))))
