import dsp

# The same filters in Python, in the precision MicroPython has here.
HIGH = (0.96937835, -1.9387567, 0.96937835, -1.9378188, 0.9396946)
LOW = (0.007820208, 0.015640416, 0.007820208, -1.7347258, 0.7660066)


def biquad(c, x):
    s1 = s2 = 0.0
    for i in range(len(x)):
        y = c[0] * x[i] + s1
        s1 = c[1] * x[i] - c[3] * y + s2
        s2 = c[2] * x[i] - c[4] * y
        x[i] = y


dsp.filter()
print("%.1f beats per minute" % dsp.heart_rate())

n = 600
x = [float(dsp.measured(i) - dsp.measured(0)) for i in range(n)]
biquad(HIGH, x)
biquad(LOW, x)
print("as Python filters:", max(abs(x[i] - dsp.filtered(i)) for i in range(n)) < 0.1)
try:
    dsp.filtered(dsp.length())
except Exception as error:
    print("behind the block:", type(error).__name__)
