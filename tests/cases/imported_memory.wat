;; A memory that a module imports is its own: nobody is there to share it with. So are tags.
;;; python
;; import imported_memory as m
;; print(m.size(), m.grow(2), m.size(), m.caught())
;; try: m.at(0)
;; except RuntimeError as e: print(e)
;;; expect
;; 0 -1 0 3
;; out of bounds memory access
(module
  (import "env" "memory" (memory 0 1))
  (import "env" "tag" (tag $t (param i32)))
  (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "caught") (result i32)
    (block $h (result i32) (try_table (result i32) (catch $t $h) (throw $t (i32.const 3))))))
