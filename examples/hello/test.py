import hello

print("add(2, 3) =", hello.add(2, 3))
print("fibonacci(90) =", hello.fibonacci(90))
print("root(2) = %.4f" % hello.root(2))
print("fahrenheit(37) = %.1f" % hello.fahrenheit(37))
start = hello.elapsed(0)
print("elapsed:", 0 <= hello.elapsed(start) < 1000)
try:
    hello.root(-1)
except RuntimeError as error:
    print("root(-1):", error)
for wrong in ("hello.add(1)", "hello.add('1', 2)", "hello.add(1 << 40, 2)"):
    try:
        eval(wrong)
    except Exception as error:
        print(wrong, "raises", type(error).__name__)
