import sys


class Pin:  # in place of a board's own: tells what happens to it
    OUT = 1

    def __init__(self, number, mode=None):
        if mode == Pin.OUT:
            print("pin", number, "is an output")

    def value(self, level):
        print("the LED is", "on" if level else "off")


class machine:
    pass


machine.Pin = Pin
sys.modules["machine"] = machine

import blink

blink.setup()
blink.loop()
print("1 + 9 + 25 + ... + 9801 =", blink.odd_squares(100))
