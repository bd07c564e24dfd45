import features0, features1, features3, features4

print([features0.factorial(n) for n in (0, 1, 5, 12)])

print(features1.add(2, -5), [features1.fibonacci(n) for n in (0, 7, 20)])
try:
    features1.fibonacci(-1)
except ValueError as e:
    print("ValueError:", e)
features1.access(2, 0xABCD)
print(features1.access(), features1.access(2))
print(features1.make_array(), features1.VAL, features1.MSG)

import features2

print(features2.round(2.5), features2.add_f(1.5, 2.25))

print(features3.get_types())
print(features3.get_const_objects())
print(features3.make_dict(1, 2) == {1: 2}, features3.make_dict("a", "b", 3, None) == {"a": "b", 3: None})

print(features4.Factorial(10).calculate())
try:
    features4.Factorial(-1)
except features4.FactorialError as e:
    print(type(e).__name__, e)
