;; A module that is no reactor and no command, as linkers make libraries: its constructors run once, at import.
;;; python
;; import constructors as m
;; import constructors as again
;; print(m.count(), again is m)
;; try:
;;     m.__wasm_call_ctors
;; except AttributeError:
;;     print("AttributeError")
;;; expect
;; 12 True
;; AttributeError
(module
  (global $count (mut i32) (i32.const 0))
  (start $begin)
  (func $begin (global.set $count (i32.const 1)))
  (func (export "__wasm_call_ctors")
    (global.set $count (i32.add (i32.mul (global.get $count) (i32.const 10)) (i32.const 2))))
  (func (export "count") (result i32) (global.get $count)))
