from machine import I2C
import {module}

try:
    import simulated
except ImportError:
    pass  # A board, and a real sensor.
else:
    class Shtc3:
        answer = b"\x64\x8b\xc7\xa1\x33\x1c"

        def write(self, data):
            self.command = data

        def read(self, count):
            return self.answer[:count]

    device = simulated.i2c(0x70, Shtc3())

sensor = {module}.Sensor(I2C(0))
print("%.1f °C, %.0f %%" % tuple(sensor.measure()))
device.answer = b"\x64\x8b\x00\xa1\x33\x1c"
try:
    sensor.measure()
except RuntimeError as error:
    print("a broken answer:", error)
