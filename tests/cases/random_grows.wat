;; Where the user's `os.urandom` makes the memory grow, random bytes arrive where it lies afterwards.
;;; python
;; import sys, random_grows as m
;; class Os: pass
;; def urandom(count):
;;     m.grow(1000)
;;     blocks.extend(bytearray(500) for _ in range(8))
;;     return bytes((7,)) * count
;; blocks = [bytearray(1000)]
;; known = sys.modules.get("os")
;; sys.modules["os"] = os = Os()
;; os.urandom = urandom
;; print(m.random(10, 70), m.get(9), m.get(10), m.get(79), m.get(80), any(any(block) for block in blocks))
;; try:
;;     m.random(0, 1 << 24)
;; except RuntimeError as e:
;;     print(e)
;; del sys.modules["os"]
;; if known:
;;     sys.modules["os"] = known
;;; expect
;; 0 0 7 7 0 False
;; out of bounds memory access
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (memory 500 8000 (pagesize 1))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "random") (param i32 i32) (result i32) (call $random_get (local.get 0) (local.get 1))))
