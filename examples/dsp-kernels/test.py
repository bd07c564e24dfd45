import dsp_kernels as dsp
from array import array
from math import cos, pi


def numbers(code, count, step, span):
    return array(code, [i * step % span - span // 2 for i in range(count)])


a, b = numbers("h", 66, 7919, 65536), numbers("h", 66, 104729, 65536)
print("dot product:", dsp.dot_q15(a, b) == sum(x * y for x, y in zip(a, b)))

a8, b8 = numbers("b", 67, 37, 256), numbers("b", 67, 101, 256)
print("of bytes:", dsp.dot_q7(a8, b8) == sum(x * y for x, y in zip(a8, b8)))

taps, y = numbers("h", 8, 331, 2000), array("h", bytes(2 * 56))
dsp.fir_q15(a[:64], taps, y)
sums = [sum(a[i + k] * taps[k] for k in range(8)) >> 15 for i in range(56)]
print("filter:", list(y) == [max(-32768, min(32767, s)) for s in sums])

n = 6
c = array("h", bytes(2 * n * n))
dsp.mat_q15(a[: n * n], b[: n * n], c, n)
sums = [sum(a[i * n + k] * b[k * n + j] for k in range(n)) >> 15 for i in range(n) for j in range(n)]
print("matrix:", list(c) == [max(-32768, min(32767, s)) for s in sums])

# Two waves, of 3 and of 50 turns.
x = array("f", [0] * 512)
for i in range(256):
    x[2 * i] = cos(2 * pi * 3 * i / 256) + 0.5 * cos(2 * pi * 50 * i / 256)
dsp.cfft_f32(x)
power = [x[2 * k] ** 2 + x[2 * k + 1] ** 2 for k in range(128)]
print("transform:", sorted(range(128), key=lambda k: -power[k])[:2])

out = array("b", bytes(4))
dsp.fully_connected_s8(a8[:16], b8[:64], array("i", [100, -100, 0, 50]), out, 0x40000000, -5)
print("layer:", list(out))
try:
    dsp.mat_q15(a, b, c, 3)
except ValueError as error:
    print("ValueError:", error)
