# The module `time` where timers are simulated: they fire while a program sleeps, or looks at the time.
import simulated
import utime
from utime import *


def sleep_us(us):
    simulated.sleep(us)


def sleep_ms(ms):
    simulated.sleep(1000 * ms)


def sleep(seconds):
    simulated.sleep(int(1000000 * seconds))


def ticks_us():
    simulated.poll()
    return utime.ticks_us()


def ticks_ms():
    simulated.poll()
    return utime.ticks_ms()
