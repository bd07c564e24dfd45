"""The same analysis as Python computes it: the same fixed point, the same results to the last bit."""

import micropython
import spectrum
from array import array
from math import cos, pi, sin
from micropython import const

SIZE = const(256)
# A step, its echo and noise: what is in the samples does not change how long it takes.
samples = array("h", (500 + 90 * (i % 32) - 40 * (i % 11) + (i * 7919 & 63) for i in range(SIZE)))
SINE = array("i", (round(32767 * sin(2 * pi * i / SIZE)) for i in range(SIZE * 3 // 4)))
WINDOW = array("i", ((32767 - round(32767 * cos(2 * pi * i / SIZE))) >> 1 for i in range(SIZE)))
REVERSED = array("i", (sum((i >> b & 1) << 7 - b for b in range(8)) for i in range(SIZE)))
re = array("i", bytes(4 * SIZE))
im = array("i", bytes(4 * SIZE))
analyser = spectrum.Spectrum(SIZE, 64.0)


def native():
    analyser.run(samples)
    return analyser


def load():
    mean = sum(samples) // SIZE
    most = max(max(samples) - mean, mean - min(samples))
    scale = 0
    while most << scale + 1 < 1 << 14:
        scale += 1
    return mean, scale


def bytecode():
    mean, scale = load()
    for i in range(SIZE):
        to = REVERSED[i]
        re[to] = ((samples[i] - mean << scale) * WINDOW[i]) >> 15
        im[to] = 0
    half = 1
    while half < SIZE:
        for turn in range(half):
            angle = turn * (SIZE // 2 // half)
            cos, sin = SINE[angle + SIZE // 4], SINE[angle]
            for a in range(turn, SIZE, 2 * half):
                b = a + half
                xa, ya, xb, yb = re[a], im[a], re[b], im[b]
                x = (xb * cos + yb * sin + 0x4000) >> 15
                y = (yb * cos - xb * sin + 0x4000) >> 15
                re[b] = (xa - x + 1) >> 1
                im[b] = (ya - y + 1) >> 1
                re[a] = (xa + x + 1) >> 1
                im[a] = (ya + y + 1) >> 1
        half *= 2
    return re


@micropython.viper
def transform(mean: int, scale: int):
    re_, im_ = ptr32(re), ptr32(im)
    sine = ptr32(SINE)
    source = ptr16(samples)
    window, reversed_ = ptr32(WINDOW), ptr32(REVERSED)
    i = 0
    while i < SIZE:
        to = reversed_[i]
        value = source[i]
        if value & 0x8000:
            value -= 0x10000
        re_[to] = ((value - mean << scale) * window[i]) >> 15
        im_[to] = 0
        i += 1
    half = 1
    step = SIZE >> 1
    while half < SIZE:
        turn = 0
        while turn < half:
            angle = turn * step
            cos, sin = sine[angle + (SIZE >> 2)], sine[angle]
            a = turn
            while a < SIZE:
                b = a + half
                xa, ya = re_[a], im_[a]
                xb, yb = re_[b], im_[b]
                x = (xb * cos + yb * sin + 0x4000) >> 15
                y = (yb * cos - xb * sin + 0x4000) >> 15
                re_[b] = (xa - x + 1) >> 1
                im_[b] = (ya - y + 1) >> 1
                re_[a] = (xa + x + 1) >> 1
                im_[a] = (ya + y + 1) >> 1
                a += half << 1
            turn += 1
        half <<= 1
        step >>= 1


def viper_():
    transform(*load())
    return re


def result(of):
    if of is analyser:
        return list(analyser.powers())
    return [re[i] * re[i] + im[i] * im[i] for i in range(SIZE // 2)]
