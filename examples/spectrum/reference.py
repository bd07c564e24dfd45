"""What test.py expects, by numpy in double precision: prints SAMPLES and REFERENCE.

    pip install numpy && pip install --no-deps aeon && python3 reference.py
"""

import base64
import csv
from importlib.util import find_spec
from pathlib import Path

import numpy

RATE, SIZE = 64, 256
WINDOW = numpy.hanning(SIZE + 1)[:-1]

aeon = Path(find_spec("aeon").submodule_search_locations[0])
with open(aeon / "datasets/data/Daphnet_S06R02E0/S06R02E0.csv") as file:
    column = [int(row["leg_vert"]) for row in csv.DictReader(file)]
samples = numpy.array(column[20 * RATE : 52 * RATE], "<i2")

encoded = base64.b64encode(samples.tobytes()).decode()
print("SAMPLES = (")
for at in range(0, len(encoded), 108):
    print(f'    "{encoded[at : at + 108]}"')
print(")")
print("REFERENCE = (")
for block in samples.reshape(-1, SIZE).astype(float):
    power = abs(numpy.fft.rfft((block - block.mean()) * WINDOW) / SIZE) ** 2
    frequency = numpy.fft.rfftfreq(SIZE, 1 / RATE)

    def band(low, high):
        lines = power[(frequency >= low) & (frequency < high) & (frequency > 0)]
        return numpy.sqrt(2 * lines.sum() / numpy.mean(WINDOW**2))

    top = power[1:-1].argmax() + 1
    left, middle, right = power[top - 1 : top + 2]
    peak = (top + (left - right) / (2 * (left - 2 * middle + right))) * RATE / SIZE
    print(f"    ({peak:.3f}, {band(0.5, 3):.2f}, {band(3, 8):.2f}),")
print(")")
