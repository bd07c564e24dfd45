;; Exceptions as the proposal had them first: `try`, `catch`, `catch_all`, `rethrow`, `delegate`.
;;; python
;; import legacy_exceptions as m
;; print([m.choose(i) for i in range(4)])
;; print([m.again(i) for i in range(3)])
;; print([m.passed(i) for i in range(3)])
;; try:
;;     m.loose(3)
;; except RuntimeError as e:
;;     print(e)
;; print(m.loops(1000))
;;; expect
;; [1000, 101, 202, 303]
;; [1, 7, 8]
;; [0, 31, 32]
;; uncaught exception
;; 499500
(module
  (tag $a (param i32))
  (tag $b (param i32 i32))
  (tag $c)
  (func $throw (param i32)
    (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $a (i32.const 1))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $b (i32.const 200) (i32.const 2))))
    (if (i32.eq (local.get 0) (i32.const 3)) (then (throw $c))))
  (func (export "choose") (param i32) (result i32)
    try (result i32)
      (call $throw (local.get 0))
      i32.const 1000
    catch $a
      i32.const 100
      i32.add
    catch $b
      i32.add
    catch_all
      i32.const 303
    end)
  (func (export "again") (param i32) (result i32)
    try (result i32)
      try (result i32)
        (call $throw (local.get 0))
        i32.const 1
      catch_all
        (if (i32.eq (local.get 0) (i32.const 9)) (then (return (i32.const 0))))
        rethrow 0
      end
    catch $a
      i32.const 6
      i32.add
    catch $b
      drop
      drop
      i32.const 8
    end)
  (func (export "passed") (param i32) (result i32) (local i32)
    try (result i32)
      try
        try
          (call $throw (local.get 0))
        delegate 1
      catch_all
        (local.set 1 (i32.const 1000))
      end
      i32.const 0
    catch_all
      i32.const 30
      local.get 0
      i32.add
    end
    local.get 1
    i32.add)
  (func (export "loose") (param i32) (call $throw (local.get 0)))
  (func (export "loops") (param i32) (result i32) (local $i i32) (local $sum i32)
    loop
      try
        (throw $a (local.get $i))
      catch $a
        local.get $sum
        i32.add
        local.set $sum
      end
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $i) (local.get 0)))
    end
    local.get $sum))
