# The module `machine` where there is no hardware. `simulated.py` is what is connected to it.
import io

import simulated
import umachine
from umachine import *


def idle():
    simulated.poll()
    umachine.idle()


def lightsleep(ms=0):
    simulated.sleep(1000 * ms)


deepsleep = lightsleep
disable_irq = simulated.hold
enable_irq = simulated.release


def unique_id():
    return b"simulated"


def freq(hz=None):
    return 125000000


class Pin:
    IN, OUT, OPEN_DRAIN = 0, 1, 2
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None, **others):
        self.id = id.id if isinstance(id, Pin) else id
        self._line = simulated.pin(self.id)
        self._mode = 1 if self._line.output is not None else 0
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, **others):
        line = self._line
        if pull != -1:
            line.pull = int(pull == self.PULL_UP)
        if mode != -1:
            self._mode = mode
            if mode == self.IN:
                line.output = None
            elif value is None and mode == self.OUT:
                value = line.level()
        if value is not None:
            self.value(value)
        line.changed()

    def value(self, value=None):
        line = self._line
        if value is None:
            return line.level()
        value = int(bool(value))
        if self._mode == self.OPEN_DRAIN and value:
            value = None
        # As on boards, an input keeps the value for later.
        if self._mode != self.IN:
            line.output = value
            line.changed()

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    high, low = on, off

    def toggle(self):
        self.value(not self.value())

    def mode(self, mode=None):
        if mode is None:
            return self._mode
        self.init(mode)

    def irq(self, handler=None, trigger=3, *, hard=False, **others):
        self._line.irq = handler and (handler, trigger, hard, self)
        return self

    def __repr__(self):
        return "Pin(%r)" % (self.id,)


class Signal:
    def __init__(self, pin, *args, invert=False, **others):
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *args, **others)
        self._invert = invert

    def value(self, value=None):
        if value is None:
            return self._pin.value() ^ self._invert
        self._pin.value(bool(value) ^ self._invert)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


def _id(pin):
    return pin.id if isinstance(pin, Pin) else pin


class ADC:
    def __init__(self, pin, **others):
        self._pin = _id(pin)

    def read_u16(self):
        return simulated.sample(self._pin)

    def read_uv(self):
        return self.read_u16() * 3300000 // 65535


class PWM:
    def __init__(self, pin, *, freq=1000, duty_u16=0, **others):
        self._pin, self._freq, self._duty = _id(pin), freq, duty_u16
        self._note()

    def _note(self):
        simulated.note("pwm", self._pin, self._freq, self._duty)

    def freq(self, hz=None):
        if hz is None:
            return self._freq
        self._freq = hz
        self._note()

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty
        self._duty = duty
        self._note()

    def duty_ns(self, ns=None):
        if ns is None:
            return self._duty * 1000000000 // self._freq // 65535
        self.duty_u16(min(65535, ns * self._freq * 65535 // 1000000000))

    def deinit(self):
        self.duty_u16(0)


class I2C:
    def __init__(self, id=-1, *args, **others):
        self._id = _id(id)

    def init(self, *args, **others):
        pass

    deinit = init

    def _device(self, address):
        for at, device in simulated.on_i2c(self._id):
            if at == address:
                return device
        raise OSError(19)

    def scan(self):
        return sorted(address for address, _ in simulated.on_i2c(self._id))

    def writeto(self, address, data, stop=True):
        data = bytes(data)
        self._device(address).write(data)
        simulated.note("i2c", address, "write", data)
        return len(data)

    def writevto(self, address, parts, stop=True):
        return self.writeto(address, b"".join(bytes(part) for part in parts), stop)

    def readfrom(self, address, count, stop=True):
        data = bytes(self._device(address).read(count))
        if len(data) != count:
            raise ValueError("the simulated device returned %d bytes of %d" % (len(data), count))
        simulated.note("i2c", address, "read", data)
        return data

    def readfrom_into(self, address, buffer, stop=True):
        buffer[:] = self.readfrom(address, len(buffer), stop)

    def _select(self, address, register, addrsize):
        self.writeto(address, register.to_bytes(addrsize // 8, "big"), False)

    def readfrom_mem(self, address, register, count, *, addrsize=8):
        self._select(address, register, addrsize)
        return self.readfrom(address, count)

    def readfrom_mem_into(self, address, register, buffer, *, addrsize=8):
        buffer[:] = self.readfrom_mem(address, register, len(buffer), addrsize=addrsize)

    def writeto_mem(self, address, register, data, *, addrsize=8):
        self.writeto(address, register.to_bytes(addrsize // 8, "big") + bytes(data))


SoftI2C = I2C


class SPI:
    MSB, LSB, CONTROLLER = 0, 1, 0

    def __init__(self, id=-1, *args, **others):
        self._id = _id(id)

    def init(self, *args, **others):
        pass

    deinit = init

    def write(self, data):
        simulated.on_spi(self._id, bytes(data))

    def read(self, count, write=0):
        return simulated.on_spi(self._id, bytes([write]) * count)

    def readinto(self, buffer, write=0):
        buffer[:] = self.read(len(buffer), write)

    def write_readinto(self, written, buffer):
        buffer[:] = simulated.on_spi(self._id, bytes(written))


SoftSPI = SPI


class UART(io.IOBase):
    IRQ_RX = 1

    def __init__(self, id, *args, **others):
        self._wire = simulated.uart(id)

    def init(self, *args, **others):
        pass

    deinit = init

    def any(self):
        return len(self._wire.received)

    def readinto(self, buffer, most=None):
        received = self._wire.received
        count = min(len(received), len(buffer) if most is None else most)
        if not count:
            return None
        buffer[:count] = received[:count]
        self._wire.received = received[count:]
        return count

    def read(self, most=-1):
        data = bytearray(self.any() if most is None or most < 0 else min(most, self.any()))
        return bytes(data) if self.readinto(data) else None

    def readline(self):
        end = self._wire.received.find(b"\n")
        return self.read(end + 1 if end >= 0 else -1)

    def write(self, data):
        self._wire.put(bytes(data))
        return len(data)

    def ioctl(self, request, argument):
        # MP_STREAM_POLL: what can be read (1) and written (4).
        if request == 3:
            return argument & (4 | (1 if self.any() else 0))
        return 0

    def irq(self, handler=None, trigger=1, hard=False):
        self._wire.irq = handler and (handler, self, hard)
        return self


class Timer:
    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **settings):
        self._callback = None
        if settings:
            self.init(**settings)

    def init(self, *, mode=1, period=-1, freq=-1, callback=None, hard=False, **others):
        self._callback, self._hard = callback, hard
        us = int(1000000 / freq) if freq > 0 else 1000 * period
        simulated.start(self, us, mode == self.PERIODIC)

    def deinit(self):
        simulated.stop(self)

    def fire(self):
        if self._callback:
            simulated.interrupt(self._callback, self, self._hard)
