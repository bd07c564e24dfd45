import simulated

# The LED of a simulated board.
simulated.pin(2).watch(lambda level: print("the LED is", "on" if level else "off"))

import blink

blink.setup()
blink.loop()
print("1 + 9 + 25 + ... + 9801 =", blink.odd_squares(100))
