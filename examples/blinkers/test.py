import asyncio
from blinkers import blink, watch


class Pin:
    """On a board: machine.Pin(25, machine.Pin.OUT)."""

    def __init__(self, name):
        self.name, self.level, self.changes = name, 0, 0

    def value(self, level=None):
        if level is None:
            return self.level
        self.changes += level != self.level
        self.level = level


class I2C:
    """A sensor that gets warmer. On a board: machine.I2C(0)."""

    degrees = 20

    def writeto(self, address, data, stop=True):
        print("reads", self.degrees)

    def readfrom_into(self, address, data, stop=True):
        data[:] = (self.degrees << 8).to_bytes(2, "big")
        self.degrees += 4


async def main():
    red, green, alarm = Pin("red"), Pin("green"), asyncio.Event()
    blinkers = [asyncio.create_task(blink(red, 20)), asyncio.create_task(blink(green, 50))]
    watcher = asyncio.create_task(watch(I2C(), 100, 30, alarm))
    await alarm.wait()
    print("alarm at", await watcher)
    for task, pin in zip(blinkers, (red, green)):
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            print(pin.name, "is off" if pin.level == 0 else "is on")
    print("red is faster:", red.changes > green.changes > 2)

    # An exception in Rust or Python ends its task, and no other one.
    green = asyncio.create_task(blink(Pin("green"), 10))
    try:
        await watch(None, 100, 30, alarm)
    except AttributeError as error:
        print(error)
    print(green.done(), green.cancel())
    try:
        await asyncio.wait_for(watch(I2C(), 1000, 99, alarm), 0.05)
    except asyncio.TimeoutError:
        print("too late")


asyncio.run(main())
