# What is outside of a board that is simulated: lines on its pins, devices on its buses, and time. `machine.py` and `time.py`
# are what the board itself has. A real board has no such module.
import micropython
import sys
import utime

# The last events, the newest last: `("pin", id, level)`, `("pwm", id, frequency, duty)`,
# `("i2c", address, "write", bytes)`, `("spi", written, read)`, `("uart", id, bytes)`.
log = []
LOG = 256

# Whether `time.sleep` and its kin wait. If not, timers fire as if they had, and the clock stands still.
waits = True

_lines = {}
_i2c = []
_spi = []
_uarts = {}
_adcs = {}
_timers = []
# Microseconds since the start, and the ticks when they were counted.
_time = 0
_ticks = utime.ticks_us()
# While time is skipped, the clock stands still.
_still = None
# While interrupts are disabled, those that came.
_held = None


def reset():
    """Disconnects everything, and forgets what happened."""
    global waits, _held
    waits = True
    _held = None
    for all in (log, _lines, _i2c, _spi, _uarts, _adcs, _timers):
        all.clear()


def note(*event):
    if len(log) >= LOG:
        del log[0]
    log.append(event)


# Interrupts


def interrupt(handler, argument, hard):
    """Calls a handler as a board does: a hard one at once, where it must not allocate, a soft one between instructions."""
    if _held is not None:
        _held.append((handler, argument, hard))
    elif hard:
        micropython.heap_lock()
        try:
            handler(argument)
        finally:
            micropython.heap_unlock()
    else:
        try:
            micropython.schedule(handler, argument)
        except RuntimeError:
            # The queue is full, and a board forgets it too.
            pass


def hold():
    global _held
    was = _held is None
    if was:
        _held = []
    return was


def release(state):
    global _held
    if state and _held is not None:
        came, _held = _held, None
        for one in came:
            interrupt(*one)


# Pins


class Line:
    """What a pin is connected to."""

    def __init__(self, id):
        self.id = id
        self.output = self.driven = self.irq = None
        self.pull = 0
        self.seen = 0
        self.watchers = []

    def level(self):
        for level in (self.output, self.driven):
            if level is not None:
                return level
        return self.pull

    def drive(self, level):
        """Sets the level from outside; None leaves it to others."""
        self.driven = None if level is None else int(bool(level))
        self.changed()

    def watch(self, watcher):
        """Calls a function with each new level."""
        self.watchers.append(watcher)

    def connect(self, id):
        """A wire to another pin, which follows this one."""
        other = pin(id)
        other.drive(self.level())
        self.watch(other.drive)

    def changed(self):
        level = self.level()
        if level == self.seen:
            return
        self.seen = level
        note("pin", self.id, level)
        if self.irq and self.irq[1] & (1 if level else 2):
            handler, _, hard, argument = self.irq
            interrupt(handler, argument, hard)
        for watcher in self.watchers:
            watcher(level)


def pin(id):
    """The line of a pin."""
    if id not in _lines:
        _lines[id] = Line(id)
    return _lines[id]


def adc(id, value):
    """Samples of a pin: from 0 to 65535, or a function that returns them."""
    _adcs[id] = value


def sample(id):
    value = _adcs.get(id, 0)
    return value() if callable(value) else value


# Buses


class Registers:
    """A device with 256 registers of a byte. A transfer begins with the number of the first."""

    def __init__(self):
        self.bytes = bytearray(256)
        self.at = 0

    def __getitem__(self, at):
        return self.bytes[at]

    def __setitem__(self, at, value):
        for byte in value if isinstance(value, (bytes, bytearray)) else (value,):
            self.bytes[at] = byte
            at += 1

    def write(self, data):
        if data:
            self.at = data[0]
        for byte in data[1:]:
            self.set(self.at, byte)
            self.at = (self.at + 1) & 255

    def set(self, at, byte):
        """A register was written; for a device that reacts."""
        self.bytes[at] = byte

    def read(self, count):
        data = bytes(self.bytes[(self.at + i) & 255] for i in range(count))
        self.at = (self.at + count) & 255
        return data


def i2c(address, device, bus=None):
    """Connects a device with the methods `write(data)` and `read(count)` to a bus, or to all."""
    _i2c.append((address, bus, device))
    return device


def on_i2c(bus):
    return [(address, device) for address, wanted, device in _i2c if wanted is None or wanted == bus]


def spi(device, select=None, bus=None):
    """Connects a device with the method `transfer(data)`, which returns as many bytes, to a bus, or to all. It takes part
    while the pin `select` is low."""
    _spi.append((device, select, bus))
    # It is not selected before the program does.
    if select is not None and pin(select).output is None:
        pin(select).drive(1)
    return device


def on_spi(bus, data):
    read = bytes(len(data))
    for device, select, wanted in _spi:
        if (wanted is None or wanted == bus) and (select is None or not pin(select).level()):
            read = device.transfer(data) or read
    note("spi", data, read)
    return read


class Wire:
    """What a UART is connected to."""

    def __init__(self, id):
        self.id = id
        self.sent = bytearray()
        self.received = bytearray()
        self.device = self.irq = None

    def feed(self, data):
        """Bytes for the board."""
        self.received.extend(data)
        if self.irq and data:
            interrupt(*self.irq)

    def put(self, data):
        self.sent.extend(data)
        note("uart", self.id, bytes(data))
        answer = self.device.write(data) if self.device else None
        if answer:
            self.feed(answer)


def uart(id, device=None):
    """The wires of a UART. A device has the method `write(data)`, which may return bytes for the board."""
    if id not in _uarts:
        _uarts[id] = Wire(id)
    if device:
        _uarts[id].device = device
    return _uarts[id]


# Time


def now():
    """Microseconds since the start."""
    global _time, _ticks
    if _still is not None:
        return _still
    ticks = utime.ticks_us()
    _time += utime.ticks_diff(ticks, _ticks)
    _ticks = ticks
    return _time


def start(timer, us, again):
    stop(timer)
    _timers.append([now() + us, us if again else None, timer])
    _attend()


def stop(timer):
    for one in _timers:
        if one[2] is timer:
            _timers.remove(one)
            return


def _next():
    """The timer that is due first."""
    first = None
    for one in _timers:
        if first is None or one[0] < first[0]:
            first = one
    return first


def poll():
    """Lets the timers fire whose time has come. Functions of `time` do it."""
    global _polls
    if _polls or not _timers:
        return
    _attend()
    _polls = True
    try:
        while True:
            first = _next()
            if first is None or first[0] > now():
                return
            if first[1] is None:
                _timers.remove(first)
            else:
                first[0] += first[1]
            first[2].fire()
    finally:
        _polls = False


_polls = False
_attendant = None


def _attend():
    """asyncio waits for tasks and streams alone. A task of its own lets it look at the timers in time."""
    global _attendant
    core = sys.modules.get("asyncio.core")
    if core and core.cur_task and (_attendant is None or _attendant.done()):
        _attendant = core.create_task(_attends(core.sleep_ms))


async def _attends(sleep_ms):
    while _timers:
        poll()
        first = _next()
        if first:
            await sleep_ms(max(0, first[0] - now()) // 1000)


def sleep(us):
    """Waits for so long. Timers fire meanwhile."""
    if not waits:
        return skip(us)
    end = now() + us
    while True:
        poll()
        # As much as a port can wait for.
        left = min(end - now(), 100000000)
        if left <= 0:
            return
        first = _next()
        if first and not _polls:
            left = max(1, min(left, first[0] - now()))
        utime.sleep_us(left)


def skip(us):
    """Lets timers fire as if so many microseconds had passed."""
    global _still
    was = _still
    _still = now()
    try:
        while True:
            first = _next()
            step = us if first is None else max(0, first[0] - _still)
            for one in _timers:
                one[0] -= min(step, us)
            if step > us or first is None or _polls:
                return
            poll()
            us -= step
    finally:
        _still = was


def advance(ms):
    """The same in milliseconds."""
    skip(1000 * ms)
