"""The model as Python computes it, in bytecode and in viper: the same integers, the same scores."""

import micropython
import motions
from array import array
from binascii import a2b_base64

# By train.py.
WEIGHTS = (
    "CTwEyxMS7iYY9gUA3wUCCxrk1esHyTIFgawH0fnrOsv7RC4S370DBezq79TyCv/2EiT48hD9LOMOEcUF+RXj0xPqCBvA/DPo6xYCFOLAAO4d"
    "+7rSIxvo/gUVJgH5Bgin+f3LLtAt/BohIcTXQQPhFN0rBRDhHcgmRMekHkzn4xrlBO4g/RL57v30E9/ZKwz2GfP7BRXND+zqxQY/yAzG7Sn9"
    "0A8qCVAR2wMV/Q0RvyEJyCIyJAfhWSrQ+v/ECggjMpbz0jz/I8ktQOr/7OnJOennG9j65gvH7OL19woJ6+bn39cC39L+Cei1H+zAHNjTCQkD"
    "x07i1B/kAQfkE+kM4ODvE/TlCb7M/L0I9B/R6yKnauPmHgS/FBTs+g7hGQDo0PfmKAYjBQflFTn31RIC6Cn6Fw0bGBM5w/EG++EDmkIY1ucB"
    "0e7w8PctNC4C9wgNHFSjJNAc4gX2K/Pm/Dnx1R8LLxMG0gveKSTRAuAfLM4AHjDBByzE6/4vBRj+Q+cv/AbtIw7sHRj78/m1DAHnFs7g8UDL"
    "DxsDKte2E83n2CAp8CIR9vX7Ch/mG90NDzTpNPz68hEI1tHp9xg3HwLqEg9WF/kFAtUJ/kQEMScnMBz4DO8D7x0Z7fbWACQOExHv7h8YGlTq"
    "HzYL6dAVIAQD/hfW/AroJfLv4iDYCRYE7ucY8OESKPcm/BwO0CxD5wwo4uDWAAUAGvgPNREVDRv1EPMvCPUWCvIJ6OIeKCsBCgfsKBcmAP4F"
    "QwfUHhMkEgywrvLtDizuJvvhEuDB6v6z9Art2PkJFyPR+gwsEwovAf3uCjPeEt4ZLgcUJv85Ewnl6x/wUj4BBkHH9i3aB/El+VwiDzLJDuDN"
    "KitKMu/tDTon4UHO5/zczfwddjM2BcREQLE98dVS3AscHSBPCjXVJVK7Bv74Tf40F+AdHeL2vQQxGBXet2z6SV38LwnNABdAPDIDH+cj8+wk"
    "F0L4BfPxBxHwId7zLO7fHBJdBM7t5ww0BAMBARD+/PbzEeflHgYw9csxGekb97/21z3ZBjL+IAXi/Br6Xt7sDypG9OPbJAHh/bnUFw0C3QQz"
    "2/z3CQL23QH3AQMS7vUa/vUVBwUF2/8kF90L5v0D3yn6FBQnJNX1z/4eIB37DAQnJvllB/wOCBP2MAYqK+Dm7QP/DfESItPy//XzJhkN5DT+"
    "6e/sMP/2wAzd2wbiDxbK8s/3EdQo7Nr1D9b21hn+7RHV7Sr2HPnn8fvu4eXS+gMKxw341PoKCAsSEfXC5ADsCAz5Kt8RFOgN5xbIAO8K8dcd"
    "6+YRHSsKMNTl3iEcLxYE4OIyHQcoBO/9xu8DIB0QCgWw2TfV6hfbKtq87+QG/PLoQvoLEOfu+xoNBebZJv77Jjvk8wYMy/2sCSMd6Q71AND4"
    "BCHC9CQKGugm1g8fLSwZ7eMiBRXQ+Q7oCC/wAeEU4Cr4KtwXIfjhDA3dCP72Lfz69Q/+QuYd5wAFPxQIFxjV/wIa5vUeGhH1FBAa/RTYHiwU"
    "JhYPCvAjDOEeGx8H9yQ8BAwavN9K5BPo+tfvKckkI0QFKQgJ8EDu7x8x+g7rQk7jIcnq6EgW8fD+DgcpGCz96/spBO381N4K+/cB8/rpGf3i"
    "8AM33Aj+DAgtBuz1CgU2J+MS1s0PCNgo2t0K/fX5Aff40eAI5xMU8gQ0DTEpEvXj5B4G8xDvEwX/A/c/zAEcEPJB49oG17YaIyLrBuAiEBLK"
    "JCkTEPvtFhQP8i7U+OghGx0U0DYJ+gP8CQX1u/wEEvoJFe0nyOHjuNshGRIzBvARAwrhF+4WzukBHNc+F/gWEUNCJOf4Ow3w+AdmogzcGgos"
    "6d/NJCz18uTzVBDEDPnSDugF3OksNdsk/nbMIOL0/3/06Bj4LwoMERBAFgHv7BcjGRglDkrv7gXjRcsFwvP0Bs38Eg7s9OMVJPjOCA62/0EZ"
    "BgUd4uwW7gHVCRP5AyPi5trx4/fs2dcX+fD39g4I8eba1yLfw9/iAuYKBhgxSS/b7P0yChn1Dgn1DRX3EikE/frs/xj369LoF9jvKiLnCu8x"
    "9gMy5iPqA/r5/f/kExYfK9seMu4WKPTc80sL3vTl9BLBDDv79B/m59wBEv4QEgzz/h4B9/f36eREIfMDDRcPAvj+HLQKFwsHCPbTvwjhHkr8"
    "8xoW5ysdP+4SHeU28wv6EyEB1PHa7v70I/EL8CFIFizvCtjV3/hGEQj56gQOAxgFxh3mKvAQPP/pAOMCCQ4gGzj0AhEgyewD7CEE/L7l+Bnu"
    "xNn+N0rxJywv/eLZzxIfzgEUJCcc5vEk9ggl+OX/HQQkIPfr/98D+x7x4iHm8vD18/nm6BAPB/AR/veTBSdwC9jFQbEZ7H/8SETI8z/VvS9m"
    "ADryOPQtFPb839y7KrwWHTTQH/xMt/v//PPpNLwiWzutKB0cvhPYODl1"
)
BIASES = [
    [237, 54, 254, 57, -122, 204, -63, -83, 270, -29, 230, -72, -60, -59, -63, 104],
    [-46, -56, 150, 117, -39, -28, -27, 66, -58, -36, 25, 104, -12, 83, 102, -35],
    [30, -23, 11, -16],
]
SCALES = [(1993, 19), (1620, 19)]

weights = array("b", a2b_base64("".join(WEIGHTS)))
FIRST, SECOND, LAST = weights[:480], weights[480:1760], weights[1760:]
recording = array("b", ((i * 37 & 127) - 64 for i in range(600)))
first, second = array("b", bytes(48 * 16)), array("b", bytes(22 * 16))


def native():
    return motions.scores(recording)


def convolve(input, channels, weights, biases, scale, output):
    size, (multiply, shift) = 5 * channels, scale
    half = 1 << (shift - 1)
    to = 0
    for start in range(0, len(output) // 16 * 2 * channels, 2 * channels):
        seen = input[start : start + size]
        at = 0
        for total in biases:
            for value in seen:
                total += value * weights[at]
                at += 1
            value = (total * multiply + half) >> shift
            output[to] = 0 if value < 0 else 127 if value > 127 else value
            to += 1


def last():
    sums = [0] * 16
    for at, value in enumerate(second):
        sums[at & 15] += value
    scores = []
    for row, bias in enumerate(BIASES[2]):
        score = bias * 22
        for i, value in enumerate(sums):
            score += value * LAST[16 * row + i]
        scores.append(score)
    return scores


def bytecode():
    convolve(recording, 6, FIRST, BIASES[0], SCALES[0], first)
    convolve(first, 16, SECOND, BIASES[1], SCALES[1], second)
    return last()


@micropython.viper
def quick(
    input_: ptr8, channels: int, weights_: ptr8, biases_: ptr32, multiply: int, shift: int, output_: ptr8, end: int
):
    size = 5 * channels
    half = 1 << (shift - 1)
    to = 0
    start = 0
    while to < end:
        at = 0
        filter = 0
        while filter < 16:
            total = biases_[filter]
            i = start
            stop = start + size
            while i < stop:
                # Bytes without a sign become bytes with one.
                total += ((input_[i] ^ 128) - 128) * ((weights_[at] ^ 128) - 128)
                i += 1
                at += 1
            value = (total * multiply + half) >> shift
            if value < 0:
                value = 0
            if value > 127:
                value = 127
            output_[to] = value
            to += 1
            filter += 1
        start += channels << 1


biases = [array("i", bias) for bias in BIASES]


def viper_():
    quick(recording, 6, FIRST, biases[0], *SCALES[0], first, len(first))
    quick(first, 16, SECOND, biases[1], *SCALES[1], second, len(second))
    return last()


def result(of):
    return list(of)
