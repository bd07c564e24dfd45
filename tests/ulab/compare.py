# Compares the module with ulab: for each function a line with its name, the nanoseconds of a call of ulab's, and how many times as
# many the module's takes.
import time
from array import array
from ulab import numpy as np
import numbers

SIZE, TAPS, ROWS, TRANSFORM = 1024, 31, 20, 256
TURNS, SHORTEST = 41, 3000

# The precision of ulab is that of MicroPython.
single = 1.0 + 1e-10 == 1.0
code, kind, nearly = ("f", "f32", 1e-5) if single else ("d", "f64", 1e-12)


def function(name):
    return getattr(numbers, name + "_" + kind)


state = 1


def random(count):
    global state
    values = []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append((state >> 8) / 8388608 - 1)
    return array(code, values)


def parts(pairs):
    return [array(code, [pairs[at] for at in range(first, len(pairs), 2)]) for first in (0, 1)]


def zeros(count):
    return array(code, [0] * count)


x, y, taps = random(SIZE), random(SIZE), random(TAPS)
convolved = zeros(SIZE + TAPS - 1)
signal, transformed = random(2 * TRANSFORM), zeros(2 * TRANSFORM)
a, b, c = random(ROWS * ROWS), random(ROWS * ROWS), zeros(ROWS * ROWS)
x_, y_, taps_ = np.array(x), np.array(y), np.array(taps)
a_, b_ = np.array(a).reshape((ROWS, ROWS)), np.array(b).reshape((ROWS, ROWS))
real, imaginary = parts(signal)
signal_ = np.array(real) + np.array(imaginary) * 1j

dot, mean, convolve, matmul, fft = [function(name) for name in ("dot", "mean", "convolve", "matmul", "fft")]


def same(name, wanted, found):
    largest = max(abs(w) for w in wanted)
    for w, f in zip(wanted, found):
        if not abs(w - f) <= nearly * largest:
            raise ValueError("%s: %r of ulab, %r of the module" % (name, w, f))


same("dot", [np.dot(x_, y_)], [dot(x, y)])
same("mean", [np.mean(x_)], [mean(x)])
convolve(x, taps, convolved)
same("convolve", list(np.convolve(x_, taps_)), convolved)
matmul(a, b, c, ROWS)
same("matmul", list(np.dot(a_, b_).flatten()), c)
fft(signal, transformed)
wanted = np.fft.fft(signal_)
real, imaginary = parts(transformed)
same("fft", list(np.real(wanted)) + list(np.imag(wanted)), list(real) + list(imaginary))

ROWS_OF_TABLE = (
    ("dot", lambda: np.dot(x_, y_), lambda: dot(x, y)),
    ("mean", lambda: np.mean(x_), lambda: mean(x)),
    ("convolve", lambda: np.convolve(x_, taps_), lambda: convolve(x, taps, convolved)),
    ("matmul", lambda: np.dot(a_, b_), lambda: matmul(a, b, c, ROWS)),
    ("fft", lambda: np.fft.fft(signal_), lambda: fft(signal, transformed)),
)


def times(function, count):
    start = time.ticks_us()
    for _ in range(count):
        function()
    return time.ticks_diff(time.ticks_us(), start)


def median(values):
    return sorted(values)[len(values) // 2]


for name, ulab, ours in ROWS_OF_TABLE:
    count = 1
    while times(ulab, count) < SHORTEST:
        count *= 2
    pairs = [(times(ulab, count), times(ours, count)) for _ in range(TURNS)]
    ratio = median([ours / ulab for ulab, ours in pairs])
    print(name, int(median([ulab for ulab, _ in pairs]) * 1000 / count), ratio)
