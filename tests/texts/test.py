import sys


class host:
    name = lambda: "Ren\u00e9 \U00010437"


sys.modules["host"] = host

import native, script


def raised(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return type(e).__name__, str(e).split(" in ")[0]


print(script.greet("W\u00f6rld"), script.join("a\u20ac", "\U00010437b"), script.greet(""))
print(script.units("\u00e9\U00010437"), script.units(""), script.units(None))
script.ask()
print(raised(script.fail, "no luck"), raised(script.greet, b"bytes"), raised(script.join, "a", 1))

print(native.count("bananas", 97), native.count("", 97), native.count("\u00e9", 0xC3))
print(native.sum(b"\x01\xff"), native.sum(bytearray(100)), native.sum(memoryview(b"abc")[1:]))
print(native.upper("stra\u00dfe"), repr(native.upper("")))
print(native.same("text", 0.5, "text"), native.same("text", 0.5, "texts"), native.same("", 0.5, ""))
print(raised(native.count, b"bytes", 0), raised(native.sum, "str"), raised(native.upper, "a\0b"))
print(raised(native.same, "text", 0.5, None), raised(native.same, "text", "0.5", "text"))
print(raised(native.fail, b"text"), raised(native.sum, bytes(2000)))
for i in range(3000):
    native.count("bananas", 97)
    raised(native.same, "text", 0.5, None)
    raised(native.fail, b"text")
    script.join("some", "text")
    raised(script.fail, "text")
print(native.live(), native.sum(bytes(1024)), native.live())
