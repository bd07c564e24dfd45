//! boards: all
//! Drivers from crates.io that use `embedded-hal` 0.2.

use embedded_hal::blocking::delay::{DelayMs, DelayUs};
use embedded_hal::blocking::i2c::{Operation, Read, Transactional};
use embedded_hal::blocking::spi::Transfer;
use embedded_hal::digital::v2::{InputPin, StatefulOutputPin, ToggleableOutputPin};
use mpy::Raise;
use mpy::hal::{Delay, I2c, Pin, Spi};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn temperature(i2c: I2c) -> Result<f32, Raise> {
    let mut sensor = lm75::Lm75::new(i2c, lm75::Address::default());
    sensor.enable()?;
    Ok(sensor.read_temperature()?)
}

#[wasm_bindgen]
pub fn display(spi: Spi, select: Pin) -> Result<(), JsError> {
    let mut display = max7219::MAX7219::from_spi_cs(1, spi, select).map_err(|_| JsError::new("display"))?;
    display.power_on().map_err(|_| JsError::new("power"))?;
    display.set_intensity(0, 3).map_err(|_| JsError::new("intensity"))
}

#[wasm_bindgen]
pub fn others(mut i2c: I2c, mut spi: Spi, mut pin: Pin) -> Result<Vec<u8>, Raise> {
    let (mut one, mut two) = ([0; 1], [0; 2]);
    i2c.exec(0x20, &mut [Operation::Write(&[1]), Operation::Read(&mut two)])?;
    i2c.read(0x20, &mut one)?;
    let mut bytes = [5, 6];
    spi.transfer(&mut bytes)?;
    pin.toggle()?;
    Delay.delay_ms(2u8);
    Delay.delay_us(3u16);
    let pins = [pin.is_high()?, pin.is_low()?, pin.is_set_high()?, pin.is_set_low()?].map(u8::from);
    Ok([&one[..], &two, &bytes, &pins].concat())
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal-02"] }
embedded-hal = { version = "0.2.7", features = ["unproven"] }
lm75 = "=0.2.0"
max7219 = "=0.3.1"
*/
/* python
import hal_02 as m, sys
class Time:
    def sleep_us(us): print("us", us)
    def sleep_ms(ms): print("ms", ms)
sys.modules["time"] = Time
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e.args)
class I2C:
    error = None
    def writeto(self, address, data, *stop):
        if self.error: raise self.error
        print("write", address, bytes(data), *stop)
    def readfrom_into(self, address, data, *stop):
        data[:] = b"\x19\x80"[:len(data)]
class SPI:
    def write(self, data): print("write", bytes(data))
    def write_readinto(self, written, read): read[:] = bytes(x + 1 for x in written)
class Pin:
    state = 0
    def value(self, *value):
        if not value: return self.state
        self.state = value[0]
        print("pin", *value)
i2c = I2C(); attempt(m.temperature, i2c)
i2c.error = OSError(110); attempt(m.temperature, i2c)
m.display(SPI(), Pin())
print(list(m.others(I2C(), SPI(), Pin())))
*/
/* expect
write 72 b'\x01\x00'
write 72 b'\x00' False
25.5
OSError (110,)
pin 0
write b'\x0f\x00'
pin 1
pin 0
write b'\x0b\x07'
pin 1
pin 0
write b'\t\x00'
pin 1
pin 0
write b'\x01\x00'
pin 1
pin 0
write b'\x02\x00'
pin 1
pin 0
write b'\x03\x00'
pin 1
pin 0
write b'\x04\x00'
pin 1
pin 0
write b'\x05\x00'
pin 1
pin 0
write b'\x06\x00'
pin 1
pin 0
write b'\x07\x00'
pin 1
pin 0
write b'\x08\x00'
pin 1
pin 0
write b'\x0c\x00'
pin 1
pin 0
write b'\x0c\x01'
pin 1
pin 0
write b'\n\x03'
pin 1
write 32 b'\x01' False
pin 1
ms 2
us 3
[25, 25, 128, 6, 7, 1, 0, 1, 0]
*/
