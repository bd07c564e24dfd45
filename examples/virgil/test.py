import simulated

# The LED of a simulated board.
simulated.pin(2).watch(lambda level: print("the LED is", "on" if level else "off"))

import blink

blink.setup()
blink.loop()
print("2 * 3 + 4 * 5 is", blink.formula_scaled(1))
print("20 * 30 + 40 * 50 is", blink.formula_scaled(10))
