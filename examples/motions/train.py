"""Trains the model, rounds it to 8 bits, and says how well either version knows recordings it has never seen.

Writes src/model.rs and prints the numbers of test.py and compare.py:

    pip install numpy && pip install --no-deps aeon && python3 train.py
"""

import base64
from importlib.util import find_spec
from pathlib import Path

import numpy as np

CLASSES = ["Standing", "Running", "Walking", "Badminton"]
CHANNELS, WIDTH, STRIDE, FILTERS = 6, 5, 2, 16


def read(part):
    """Recordings as arrays of time and channel, and their classes."""
    folder = Path(find_spec("aeon").submodule_search_locations[0]) / "datasets/data/BasicMotions"
    lines = (folder / f"BasicMotions_{part}.ts").read_text().split("@data\n")[1].splitlines()
    fields = [line.split(":") for line in lines if line]
    x = np.array([[[float(v) for v in series.split(",")] for series in f[:-1]] for f in fields])
    return x.transpose(0, 2, 1), np.array([CLASSES.index(f[-1]) for f in fields])


def windows(x):
    """What each filter sees: (recording, time, WIDTH * channels)."""
    count = (x.shape[1] - WIDTH) // STRIDE + 1
    at = np.arange(count)[:, None] * STRIDE + np.arange(WIDTH)
    return x[:, at].reshape(len(x), count, -1)


def forward(x, p):
    a = windows(x)
    b = np.maximum(a @ p[0].T + p[1], 0)
    c = windows(b)
    d = np.maximum(c @ p[2].T + p[3], 0)
    e = d.mean(1)
    return a, b, c, d, e, e @ p[4].T + p[5]


def gradients(x, y, p):
    a, b, c, d, e, logits = forward(x, p)
    s = np.exp(logits - logits.max(1, keepdims=True))
    s /= s.sum(1, keepdims=True)
    s[np.arange(len(y)), y] -= 1
    s /= len(y)
    gd = np.repeat((s @ p[4])[:, None], d.shape[1], 1) / d.shape[1] * (d > 0)
    gc = (gd @ p[2]).reshape(len(x), c.shape[1], WIDTH, FILTERS)
    gb = np.zeros_like(b)
    for k in range(WIDTH):
        gb[:, k : k + STRIDE * c.shape[1] : STRIDE][:, : c.shape[1]] += gc[:, :, k]
    gb *= b > 0
    return [
        np.einsum("nti,ntj->ij", gb, a), gb.sum((0, 1)),
        np.einsum("nti,ntj->ij", gd, c), gd.sum((0, 1)),
        s.T @ e, s.sum(0),
    ]  # fmt: skip


def train(x, y, rng):
    shapes = [(FILTERS, WIDTH * CHANNELS), (FILTERS, WIDTH * FILTERS), (len(CLASSES), FILTERS)]
    p = []
    for shape in shapes:
        p += [rng.normal(0, np.sqrt(2 / shape[1]), shape), np.zeros(shape[0])]
    m, v = [np.zeros_like(q) for q in p], [np.zeros_like(q) for q in p]
    for step in range(1, 1501):
        # Louder, quieter, later, noisier: forty recordings are few.
        batch = x * rng.uniform(0.7, 1.4, (len(x), 1, 1)) + rng.normal(0, 0.1, x.shape)
        batch = np.roll(batch, rng.integers(100), axis=1)
        for i, g in enumerate(gradients(batch, y, p)):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g * g
            p[i] -= 0.003 * (m[i] / (1 - 0.9**step)) / (np.sqrt(v[i] / (1 - 0.999**step)) + 1e-8)
    return p


def to_int8(values, scale):
    return np.clip(np.round(values / scale), -127, 127).astype(np.int64)


def factor(ratio):
    """`ratio` as an integer below 2048 and a shift."""
    shift = int(np.floor(np.log2(2047 / ratio)))
    return int(round(ratio * 2**shift)), shift


def quantise(p, x):
    """One scale a tensor, chosen from what the training recordings reach."""
    b, d = forward(x, p)[1], forward(x, p)[3]
    scales = [np.percentile(abs(x), 99.9) / 127, b.max() / 127, d.max() / 127]
    layers = []
    for i in range(3):
        weight = abs(p[2 * i]).max() / 127
        bias = np.round(p[2 * i + 1] / (weight * scales[i])).astype(np.int64)
        ratio = weight * scales[i] / scales[i + 1] if i < 2 else None
        layers.append((to_int8(p[2 * i], weight), bias, factor(ratio) if ratio else None))
    return scales, layers


def infer(x, layers):
    """The 8-bit model, in integers alone: the sums before the largest is chosen."""
    for weights, bias, (multiply, shift) in layers[:2]:
        total = windows(x) @ weights.T + bias
        assert abs(total).max() < 1 << 19
        x = np.clip((total * multiply + (1 << (shift - 1))) >> shift, 0, 127)
    # The mean's division is left out: all sums grow alike, and the biases with them.
    weights, bias, _ = layers[2]
    return x.sum(1) @ weights.T + bias * x.shape[1]


def rust(name, kind, values):
    if values.ndim == 1:
        return f"pub static {name}: [{kind}; {len(values)}] = {values.tolist()};\n"
    rows = "".join(f"    {row.tolist()},\n" for row in values)
    return f"pub static {name}: [[{kind}; {values.shape[1]}]; {len(values)}] = [\n{rows}];\n"


rng = np.random.default_rng(1)
(train_x, train_y), (test_x, test_y) = read("TRAIN"), read("TEST")
p = train(train_x, train_y, rng)
scales, layers = quantise(p, train_x)
recordings = to_int8(test_x, scales[0])
logits = infer(recordings, layers)
print("float right:", int((forward(test_x, p)[5].argmax(1) == test_y).sum()), "of", len(test_y))
print("8 bits right:", int((logits.argmax(1) == test_y).sum()), "of", len(test_y))
print("LABELS =", repr("".join(str(label) for label in test_y)))
print("SCORES = (\n" + "".join(f"    {tuple(map(int, row))},\n" for row in logits) + ")")
for name, values in (("RECORDINGS", [recordings]), ("WEIGHTS", [layer[0] for layer in layers])):
    encoded = base64.b64encode(b"".join(v.astype(np.int8).tobytes() for v in values)).decode()
    lines = (encoded[at : at + 108] for at in range(0, len(encoded), 108))
    print(f"{name} = (\n" + "".join(f'    "{line}"\n' for line in lines) + ")")
print("BIASES =", [bias.tolist() for _, bias, _ in layers])
print("SCALES =", [scale for _, _, scale in layers[:2]])

with open("src/model.rs", "w") as file:
    file.write("//! The model's numbers, by train.py.\n\n")
    file.write(f"/// What 1 stands for in a recording, in the sensor's units.\npub const UNIT: f32 = {scales[0]:.8};\n")
    for name, (weights, bias, scale) in zip(("FIRST", "SECOND", "LAST"), layers):
        file.write(rust(name, "i8", weights) + rust(f"{name}_BIAS", "i32", bias))
        if scale:
            file.write(f"pub const {name}_SCALE: (i32, u32) = ({scale[0]}, {scale[1]});\n")
