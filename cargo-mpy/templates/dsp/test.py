import {module}
from array import array

# Butterworth low-pass at a tenth of the rate of sampling.
low = {module}.Biquad([0.0674553, 0.1349105, 0.0674553, -1.1429805, 0.4128016])
slow = array("f", [1.0] * 100)
fast = array("f", [1.0, -1.0] * 50)
low.run(slow)
low.run(fast)
print("a constant passes: %.3f" % slow[99])
print("the highest frequency does not: %.3f" % abs(fast[99]))
print("rms: %.3f" % {module}.rms([3.0, 4.0]))
