//! boards: all
//! `mpy::hal`: drivers from crates.io on objects like those of `machine`.

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin, StatefulOutputPin};
use embedded_hal::i2c::{Error as _, ErrorKind, I2c as _, Operation};
use embedded_hal::pwm::SetDutyCycle;
use embedded_hal::spi::{self, SpiBus};
use embedded_hal_bus::{i2c, spi::ExclusiveDevice};
use mpy::hal::{Adc, Delay, I2c, Pin, Pwm, Spi, SpiDevice};
use mpy::Raise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Bme280(bme280::i2c::BME280<I2c>);

#[wasm_bindgen]
impl Bme280 {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Result<Bme280, Raise> {
        let mut sensor = bme280::i2c::BME280::new_primary(i2c);
        sensor.init(&mut Delay)?;
        Ok(Bme280(sensor))
    }
    pub fn measure(&mut self) -> Result<Vec<f32>, Raise> {
        let values = self.0.measure(&mut Delay)?;
        Ok(vec![values.temperature, values.pressure, values.humidity])
    }
}

/// Two drivers, one bus.
#[wasm_bindgen]
pub fn shared(i2c: I2c) -> Result<f32, Raise> {
    let bus = core::cell::RefCell::new(i2c);
    let mut sht = shtcx::shtc3(i2c::RefCellDevice::new(&bus));
    let mut other = i2c::RefCellDevice::new(&bus);
    other.write(0x20, &[1])?;
    Ok(sht.measure(shtcx::PowerMode::NormalMode, &mut Delay)?.temperature.as_degrees_celsius())
}

#[wasm_bindgen]
pub fn transaction(mut i2c: I2c) -> Result<Vec<u8>, Raise> {
    let (mut a, mut b, mut c) = ([0; 2], [0; 3], [0; 1]);
    i2c.transaction(
        0x20,
        &mut [
            Operation::Write(&[1]),
            Operation::Write(&[2, 3]),
            Operation::Read(&mut a),
            Operation::Read(&mut b),
            Operation::Write(&[4]),
            Operation::Read(&mut c),
        ],
    )?;
    i2c.write(0x21, &[])?;
    i2c.transaction(0x21, &mut [])?;
    Ok([&a[..], &b, &c].concat())
}

#[wasm_bindgen]
pub fn kind(mut i2c: I2c) -> String {
    match i2c.read(0x20, &mut [0]) {
        Ok(()) => "ok".to_owned(),
        Err(error) if error.kind() == ErrorKind::Other => format!("other {:?}", error.errno()),
        Err(error) => error.kind().to_string(),
    }
}

#[wasm_bindgen]
pub fn bus(mut spi: Spi) -> Result<Vec<u8>, Raise> {
    let mut long: Vec<u8> = (0..70).collect();
    spi.transfer_in_place(&mut long)?;
    let (mut one, mut four) = ([9], [9; 4]);
    spi.transfer(&mut one, &[1, 2, 3])?;
    spi.transfer(&mut four, &[1, 2])?;
    spi.transfer(&mut [], &[5])?;
    spi.read(&mut long[..2])?;
    spi.flush()?;
    Ok([&one[..], &four, &long].concat())
}

#[wasm_bindgen]
pub fn exchange(mut spi: Spi, first: u8) -> Result<u32, Raise> {
    let mut read = [0; 5];
    spi.write(&[first, 2, 3])?;
    spi.read(&mut read)?;
    Ok(read.iter().map(|byte| u32::from(*byte)).sum())
}

fn talk(device: &mut impl spi::SpiDevice) -> Result<Vec<u8>, Raise> {
    let mut read = [0; 2];
    device.transaction(&mut [spi::Operation::Write(&[0x9f]), spi::Operation::DelayNs(10), spi::Operation::Read(&mut read)])?;
    device.write(&[1])?;
    Ok(read.to_vec())
}

#[wasm_bindgen]
pub fn device(spi: Spi, select: Pin) -> Result<Vec<u8>, Raise> {
    talk(&mut SpiDevice::new(spi, select)?)
}

#[wasm_bindgen]
pub fn exclusive(spi: Spi, select: Pin) -> Result<Vec<u8>, Raise> {
    talk(&mut ExclusiveDevice::new(spi, select, Delay)?)
}

#[wasm_bindgen]
pub fn pin(mut pin: Pin) -> Result<String, Raise> {
    pin.set_high()?;
    let high = (pin.is_high()?, pin.is_set_low()?);
    pin.toggle()?;
    Ok(format!("{high:?} {:?}", (pin.is_high()?, pin.is_low()?)))
}

#[wasm_bindgen]
pub fn analog(mut pwm: Pwm, mut adc: Adc) -> Result<u16, Raise> {
    pwm.set_duty_cycle_percent(50)?;
    pwm.set_duty_cycle_fully_on()?;
    Ok(adc.read_u16()?)
}

#[wasm_bindgen]
pub fn wait(ns: u32, us: u32, ms: u32) {
    Delay.delay_ns(ns);
    Delay.delay_us(us);
    Delay.delay_ms(ms);
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
embedded-hal = "1.0"
embedded-hal-bus = "0.3"
bme280 = "0.5.1"
shtcx = "1.0"
*/
/* python
import hal as m, gc, io, struct, sys
class Time:
    def sleep_us(us): print("us", us)
    def sleep_ms(ms): print("ms", ms)
sys.modules["time"] = Time
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e.args)

class Bme:
    def __init__(self):
        self.at = 0
        r = self.registers = bytearray(256)
        r[0xD0] = 0x60
        r[0x88:0xA0] = struct.pack("<HhhHhhhhhhhh", 27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
        r[0xA1] = 75
        r[0xE1:0xE8] = bytes([0x6a, 0x01, 0x00, 0x13, 0x2b, 0x03, 0x1e])
        p, t, h = 415148, 519888, 32000
        r[0xF7:0xFF] = bytes([p >> 12 & 255, p >> 4 & 255, (p & 15) << 4, t >> 12 & 255, t >> 4 & 255, (t & 15) << 4, h >> 8, h & 255])
        self.broken = None
    def writeto(self, address, data, stop=True):
        if self.broken: raise self.broken
        if address != 0x76: raise OSError(19)
        self.at = data[0]
        if len(data) > 1 and data[0] != 0xE0:
            for i in range(0, len(data) - 1, 2): self.registers[data[i]] = data[i + 1]
    def readfrom_into(self, address, data, stop=True):
        for i in range(len(data)): data[i] = 0 if self.at == 0xF3 else self.registers[self.at + i]
b = Bme()
d = m.Bme280(b)
print(["%.2f" % x for x in d.measure()])
for b.broken in OSError(110), ValueError("mine", 1): attempt(d.measure)
b.broken = None
print("%.2f" % d.measure()[0])
b.registers[0xD0] = 1
attempt(m.Bme280, b)

def crc(data):
    c = 0xff
    for x in data:
        c ^= x
        for i in range(8): c = (c << 1 ^ 0x31 if c & 0x80 else c << 1) & 0xff
    return bytes([c])
class Sht:
    bad = b""
    def writeto(self, address, data): print("write", address, bytes(data))
    def readfrom_into(self, address, data):
        data[:] = (b"\x64\x8b" + (self.bad or crc(b"\x64\x8b")) + b"\xa1\x33" + crc(b"\xa1\x33"))[:len(data)]
s = Sht()
print("%.2f" % m.shared(s))
s.bad = b"\0"; attempt(m.shared, s)

kept = []
class Log:
    def writeto(self, address, data, *stop): print("write", address, type(data) is bytes, bytes(data), *stop)
    def readfrom_into(self, address, data, *stop):
        for i in range(len(data)): data[i] = i + 1
        kept.append(memoryview(data))
        print("read", address, len(data), *stop)
attempt(m.transaction, Log())
print([bytes(x) for x in kept])
class Fails:
    def __init__(self, error): self.error = error
    def readfrom_into(self, address, data): raise self.error
for e in OSError(19), OSError(5), OSError(110), KeyError(1): print(m.kind(Fails(e)))
attempt(m.kind, 5)

class Spi:
    def write(self, data): print("write", bytes(data))
    def readinto(self, data, write=0):
        for i in range(len(data)): data[i] = 0xa0 + i
    def write_readinto(self, written, read):
        print("both", bytes(written[:2]), len(written), len(read))
        for i in range(len(read)): read[i] = written[i] * 2
# The firmware's own methods, which use the memory of Rust where addresses are native.
stream = io.BytesIO(bytes(range(40)))
print(m.exchange(stream, 9), stream.getvalue()[:4], stream.tell())
before = gc.mem_alloc(); m.exchange(stream, 1); after = gc.mem_alloc()
print(after == before or sys.platform == "linux", stream.tell())
closed = io.BytesIO(); closed.close(); attempt(m.exchange, closed, 1)
print(m.exchange(stream, 2), bytes(stream.getvalue()[16:20]))
class Pin:
    state = None
    def value(self, *value):
        if not value: return self.state
        self.state = value[0] != 0
        print("pin", *value)
print(list(m.bus(Spi())))
print(list(m.device(Spi(), Pin())))
print(list(m.exclusive(Spi(), Pin())))
class Deaf(Spi):
    def write(self, data): raise OSError(5, "deaf")
for f in m.device, m.exclusive: attempt(f, Deaf(), Pin())
print(m.pin(Pin()))
class Pwm:
    def duty_u16(self, duty): print("duty", duty)
class Adc:
    def read_u16(self): return 54321
print(m.analog(Pwm(), Adc()))
m.wait(1001, 5, 0x90000000)
*/
/* expect
ms 2
ms 40
['25.08', '100653.25', '65.40']
OSError (110,)
ValueError ('mine', 1)
ms 2
ms 40
25.08
RuntimeError ('UnsupportedChip',)
write 32 b'\x01'
write 112 b'xf'
us 12100
23.73
write 32 b'\x01'
write 112 b'xf'
us 12100
RuntimeError ('Crc',)
write 32 True b'\x01\x02\x03' False
read 32 5 False
write 32 True b'\x04' False
read 32 1
write 33 True b''
b'\x01\x02\x03\x04\x05\x01'
[b'\x01\x02\x03\x04\x05', b'\x01']
The device did not acknowledge its address
The device did not acknowledge its address or the data
other Some(110)
other None
other None
25 b'\t\x02\x03\x03' 8
True 16
ValueError ('I/O operation on closed file',)
105 b'\x02\x02\x03\x13'
both b'\x00\x01' 32 32
both b' !' 32 32
both b'@A' 6 6
both b'\x01' 1 1
write b'\x02\x03'
both b'\x01\x02' 2 2
write b'\x05'
[2, 2, 4, 160, 161, 160, 161, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62, 64, 66, 68, 70, 72, 74, 76, 78, 80, 82, 84, 86, 88, 90, 92, 94, 96, 98, 100, 102, 104, 106, 108, 110, 112, 114, 116, 118, 120, 122, 124, 126, 128, 130, 132, 134, 136, 138]
pin 1
pin 0
write b'\x9f'
us 1
pin 1
pin 0
write b'\x01'
pin 1
[160, 161]
pin 1
pin 0
write b'\x9f'
us 1
pin 1
pin 0
write b'\x01'
pin 1
[160, 161]
pin 1
pin 0
pin 1
OSError (5, 'deaf')
pin 1
pin 0
pin 1
OSError (5, 'deaf')
pin 1
pin 0
(true, false) (false, true)
duty 32767
duty 65535
54321
us 2
us 5
ms 2415919104
*/
