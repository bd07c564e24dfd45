import simulated

# The LED of a simulated board.
simulated.pin(2).watch(lambda level: print("the LED is", "on" if level else "off"))

import blink

blink.setup()
blink.loop()
print("the tenth prime is", blink.prime(9))
print("the hundredth prime is", blink.prime(99))
