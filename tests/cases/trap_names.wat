;; With `trap-names` every trap says which function it is in, also where C's compiler made that part of another one.
;;; settings
;; trap-names = true
;;; python
;; import trap_names as m, gc, micropython, sys
;; def why(f, *args):
;;     try:
;;         f(*args)
;;     except RuntimeError as e:
;;         return str(e)
;; print(why(m.unreachable))
;; print(why(m.load, 100000), "|", why(m.grown, 65536), "|", why(m.far), "|", why(m.bulk, 65536))
;; print(why(m.divide, 1, 0), "|", why(m.divide, -(1 << 31), -1), "|", why(m.divide_long, 1, 0))
;; print(why(m.convert, float("nan")), "|", why(m.convert, 1e20))
;; print(why(m.get, 9), "|", why(m.fill, 9), "|", why(m.null))
;; print(why(m.fixed, 5), "|", why(m.fixed, 1), "|", why(m.fixed, 2))
;; print(why(m.through, 5), "|", why(m.through, 0))
;; print(why(m.forever, 1), "|", why(m.throw))
;; print(why(m.calls, 1), "|", why(m.calls, 0), "|", why(m.calls, -1))
;; print(why(m.rust), "|", why(m.odd))
;; def many(n):
;;     for i in range(n):
;;         try:
;;             m.divide(i, 0)
;;         except RuntimeError:
;;             pass
;; many(10)
;; gc.collect()
;; before = gc.mem_free()
;; many(100000 if sys.platform == "linux" else 1000)
;; gc.collect()
;; print(before - gc.mem_free() < 256, m.divide(7, 2))
;; # Without memory for the message the exception is none the less what it is.
;; caught = 0
;; micropython.heap_lock()
;; try:
;;     m.divide(1, 0)
;; except RuntimeError:
;;     caught = 1
;; micropython.heap_unlock()
;; print(caught, why(m.divide, 1, 0))
;;; expect
;; unreachable in unreachable
;; out of bounds memory access in peek | out of bounds memory access in peek_large | out of bounds memory access in beyond | out of bounds memory access in move
;; integer divide by zero in divide | integer overflow in divide | integer divide by zero in divide_long
;; invalid conversion to integer in convert | integer overflow in convert
;; out of bounds table access in get | out of bounds table access in fill | null reference in null
;; undefined element in call | indirect call type mismatch in call | uninitialized element in call
;; undefined element in call_any | uninitialized element in call_any
;; call stack exhausted in forever | uncaught exception in throw
;; None | integer divide by zero in function 17 | unreachable in calls
;; unreachable in my_crate::filter::step | unreachable in a "b"\c?
;; True 3
;; 1 integer divide by zero in divide
(module
  (memory $small 64 (pagesize 1))
  (memory $large 256 1024 (pagesize 1))
  (type $i (func (result i32)))
  (tag $mine)
  (table $fixed 3 funcref)
  (elem (table $fixed) (i32.const 0) func $eleven $wrong)
  (table $changing 2 4 funcref)
  (func $eleven (result i32) (i32.const 11))
  (func $wrong (result i64) (i64.const 1))
  (func (export "unreachable") unreachable)
  (func $peek (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func $peek_large (export "grown") (param i32) (result i32)
    (drop (memory.grow $large (i32.const 0)))
    (i32.load $large (local.get 0)))
  (func $beyond (export "far") (result i32) (i32.load offset=70000 (i32.const 4)))
  (func $move (export "bulk") (param i32) (memory.copy $small $small (i32.const 0) (i32.const 0) (local.get 0))
    (memory.fill (i32.const 1) (i32.const 0) (local.get 0)))
  (func $divide (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func $divide_long (export "divide_long") (param i64 i64) (result i64) (i64.rem_u (local.get 0) (local.get 1)))
  (func $convert (export "convert") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func $get (export "get") (param i32) (drop (table.get $changing (local.get 0))))
  (func $fill (export "fill") (param i32) (table.fill $changing (i32.const 0) (ref.null func) (local.get 0)))
  (func $null (export "null") (drop (call_ref $i (ref.null $i))))
  (func $call (export "fixed") (param i32) (result i32) (call_indirect $fixed (type $i) (local.get 0)))
  (func $call_any (export "through") (param i32) (result i32) (call_indirect $changing (type $i) (local.get 0)))
  (func $forever (export "forever") (param i32) (result i32)
    (i32.add (i32.const 1) (call $forever (i32.add (local.get 0) (i32.const 1)))))
  (func $throw (export "throw") (throw $mine))
  ;; Functions without a name: of the first the number in the file is said, the second is called as Python calls it.
  (func (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "calls") (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 0)) (then unreachable))
    (i32.div_u (i32.const 1) (call 17 (local.get 0))))
  (func $_ZN8my_crate6filter4step17h0123456789abcdefE (export "rust") unreachable)
  (func $"a \"b\"\\c?" (export "odd") unreachable))

