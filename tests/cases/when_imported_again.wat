;; A module that is imported again has the memory of its last instance, of which nothing works any more.
;;; python
;; import sys, gc
;; class Host: pass
;; host = Host()
;; sys.modules["host"] = host
;; def load():
;;     global m
;;     sys.modules.pop("when_imported_again", None)
;;     m = __import__("when_imported_again")
;;     return m
;; def attempt(f, *args):
;;     try:
;;         print(f(*args))
;;     except Exception as e:
;;         print(type(e).__name__, e)
;; # What stays of each is its code, which is less than its memory.
;; for i in range(5):
;;     load()
;;     if i == 0:
;;         gc.collect()
;;         before = gc.mem_free()
;;     m.poke(7999, 20)
;;     m.spread(1000)
;; gc.collect()
;; print(before - gc.mem_free() < 40000 or before - gc.mem_free())
;; print(m.peek(7999), len(m.memory), m.size(), m.elements())
;; host.f = lambda: 0
;; old, call, memory, walk, lent = m, m.call, m.memory, iter(m.memory), memoryview(m.memory)
;; old.counter = 5
;; load()
;; for f in (lambda: old.peek(0), lambda: old.poke(0, 1), old.size, old.elements, call, lambda: old.four(1, 2, 3, 4),
;;           lambda: memory[0], lambda: memory[:2], lambda: len(memory), lambda: bytes(memory), lambda: next(walk),
;;           lambda: old.memory[0]): attempt(f)
;; print(old.counter, len(lent), lent[7999], m.peek(7999), len(m.memory), m.counter)
;; lent[0] = 1
;; # While it waits for Python it goes on, and so do those that wait for it.
;; def inside():
;;     global memory, inner
;;     inner = load()
;;     m.poke(7, 9)
;;     gc.collect()
;;     return m.peek(7)
;; host.f = inside
;; old = m
;; old.poke(7, 30)
;; print(old.call(), old.peek(7), inner.peek(7), m is inner)
;; host.f = lambda: inside() + 100 * inner.size()
;; print(inner.call())
;; attempt(old.peek, 7)
;; load()
;; attempt(inner.peek, 7)
;; print(m.peek(7))
;; # What converts an argument may import the module, too.
;; class At:
;;     def __init__(self, value): self.value = value
;;     def __int__(self):
;;         load()
;;         gc.collect()
;;         return self.value
;;     def __float__(self): return float(int(self))
;;     def __rshift__(self, by): return self.value >> by
;; for name, args in (("poke", (At(0), 1)), ("poke", (0, At(1))), ("long", (At(0),)), ("single", (At(0),)),
;;                    ("double", (At(0),)), ("four", (1, 2, 3, At(4)))):
;;     attempt(getattr(m, name), *args)
;; def put(old): old.memory[0] = At(1)
;; attempt(put, m)
;; print(m.peek(0), sorted(name for name in sys.modules if name.startswith("when_imported_again")))
;; del m, old, call, memory, walk, lent, inner
;;; expect
;; True
;; 20 8000 8000 1002
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; 5 8000 20 0 8000 1
;; 69 30 9 True
;; 800027
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; 0
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; RuntimeError the module was imported again
;; 0 ['when_imported_again', 'when_imported_again*', 'when_imported_again**']
(module
  (import "host" "f" (func $f (result i32)))
  (memory (export "memory") 8000 12000 (pagesize 1))
  (table $table 2 3000 funcref)
  (global (export "counter") (mut i32) (i32.const 1))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "long") (param i64) (result i32) (i32.load8_u (i32.wrap_i64 (local.get 0))))
  (func (export "single") (param f32) (result i32) (i32.load8_u (i32.trunc_f32_s (local.get 0))))
  (func (export "double") (param f64) (result i32) (i32.load8_u (i32.trunc_f64_s (local.get 0))))
  (func (export "four") (param i32 i32 i32 i32) (result i32)
    (i32.add (i32.load8_u (local.get 0)) (i32.add (local.get 1) (i32.add (local.get 2) (local.get 3)))))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "elements") (result i32) (table.size $table))
  (func (export "spread") (param i32) (result i32) (table.grow $table (ref.null func) (local.get 0)))
  ;; 7 is read after the import, where the memory may lie elsewhere by then.
  (func (export "call") (result i32)
    (i32.add (i32.load8_u (i32.const 7)) (i32.add (call $f) (i32.load8_u (i32.const 7))))))
