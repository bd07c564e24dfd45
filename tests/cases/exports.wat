;; Memories and globals that a module exports are its attributes: buffers of the memory itself, and numbers that both
;; sides read and write.
;;; python
;; import exports as m
;; print(len(m.memory), m.memory is not None, bytes(m._memory[:5]))
;; m.memory[8] = 7
;; print(m.get(8), m.put(9, 200), m.memory[9], len(m.second), m.second[0])
;; print(m.answer, m.ratio, m.big, m.counter)
;; m.count()
;; print(m.counter)
;; m.counter = 40
;; print(m.count(), m.counter)
;; try:
;;     m.fail()
;; except RuntimeError as e:
;;     print(e, m.counter)
;; for value in ("forty", 1 << 32, -(1 << 31) - 1, None, 1.5, b"1"):
;;     try:
;;         m.counter = value
;;     except (TypeError, OverflowError) as e:
;;         print(type(e).__name__, m.counter)
;; m.counter = -1
;; print(m.count(), m.counter)
;; def refused(change):
;;     try:
;;         change()
;;     except AttributeError as e:
;;         print(e)
;; def delete(name): refused(lambda: delattr(m, name))
;; def assign(name): refused(lambda: setattr(m, name, 7))
;; for name in ("counter", "answer", "memory", "_memory"): delete(name)
;; for name in ("answer", "ratio", "memory", "second"): assign(name)
;; del m.fail
;; m.fail = 7
;; print(m.fail, m.count(), m.counter, m.answer)
;; from exports import counter, memory
;; m.count()
;; print(counter, m.counter, memory is m.memory, "counter" in dir(m), "memory" in dir(m))
;; old = m.second
;; steps = iter(old)
;; print(next(steps), m.grow(64), len(m.second), len(old), m.second[0], sum(1 for _ in steps))
;; old[0] = 1
;; m.second[64] = 9
;; print(m.at(64), m.at(0), old is m.second, bytes(old[63:66]), old[-64], 9 in old)
;; print(hasattr(m, "hidden"), hasattr(m, "__heap_base"), hasattr(m, "table"))
;;; expect
;; 256 True b'hello'
;; 7 None 200 64 0
;; 42 0.5 -1099511627776 0
;; 1
;; 41 41
;; unreachable 42
;; TypeError 42
;; OverflowError 42
;; OverflowError 42
;; TypeError 42
;; TypeError 42
;; TypeError 42
;; 0 0
;; attribute cannot be deleted
;; attribute cannot be deleted
;; attribute cannot be deleted
;; attribute cannot be deleted
;; attribute cannot be set
;; attribute cannot be set
;; attribute cannot be set
;; attribute cannot be set
;; 7 1 1 42
;; 1 2 True True True
;; 0 64 128 128 0 127
;; 9 1 True b'\x00\t\x00' 9 True
;; False False False
(module
  (memory (export "memory") 256 256 (pagesize 1))
  (memory $second (export "second") 64 128 (pagesize 1))
  (table (export "table") 1 funcref)
  (global (export "answer") i32 (i32.const 42))
  (global (export "ratio") f32 (f32.const 0.5))
  (global (export "big") i64 (i64.const -1099511627776))
  (global $counter (export "counter") (mut i32) (i32.const 0))
  (global (export "hidden") externref (ref.null extern))
  (global (export "__heap_base") i32 (i32.const 64))
  (data (i32.const 0) "hello")
  (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "put") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "at") (param i32) (result i32) (i32.load8_u $second (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow $second (local.get 0)))
  (func $count (export "count") (result i32)
    (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
    (global.get $counter))
  (func (export "fail") (drop (call $count)) unreachable))
