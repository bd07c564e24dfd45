import simulated

# The LED of a simulated board.
simulated.pin(2).watch(lambda level: print("the LED is", "on" if level else "off"))

import blink

blink.setup()
blink.loop()
print("the CRC of 123456789 is", hex(blink.crc(9)))
