//! crate: shtcx | humidity and temperature sensor SHTC3, I2C, delay

use mpy::Raise;
use mpy::hal::{Delay, I2c};
use shtcx::{PowerMode, ShtCx, sensor_class::Sht2Gen};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Sensor(ShtCx<Sht2Gen, I2c>);

#[wasm_bindgen]
impl Sensor {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Sensor {
        Sensor(shtcx::shtc3(i2c))
    }
    pub fn measure(&mut self) -> Result<Vec<f32>, Raise> {
        let measured = self.0.measure(PowerMode::NormalMode, &mut Delay)?;
        Ok(vec![measured.temperature.as_degrees_celsius(), measured.humidity.as_percent()])
    }
    pub fn id(&mut self) -> Result<u8, Raise> {
        Ok(self.0.device_identifier()?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
shtcx = "=1.0.0"
*/
/* python
import simulated, use_shtcx as m
from machine import I2C
simulated.waits = False
def crc(data):
    c = 0xff
    for x in data:
        c ^= x
        for i in range(8): c = (c << 1 ^ 0x31 if c & 0x80 else c << 1) & 0xff
    return bytes([c])
class Device:
    t, h, bad = 25739, 41267, b""
    def write(self, data): self.command = data[0] << 8 | data[1]
    def read(self, count):
        words = {0x7866: (self.t, self.h), 0xefc8: (0x0887,)}[self.command]
        words = [word.to_bytes(2, "big") for word in words]
        return b"".join(word + (self.bad or crc(word)) for word in words)[:count]
device = simulated.i2c(0x70, Device())
sensor = m.Sensor(I2C(0))
t, h = sensor.measure()
print("%.2f %.2f" % (t, h), abs(t - (-45 + 175 * 25739 / 65536)) < .002, abs(h - 100 * 41267 / 65536) < .002, sensor.id())
device.t, device.h = 0, 65535
t, h = sensor.measure()
print("%.2f %.2f" % (t, h))
device.bad = b"\0"
try: sensor.measure()
except RuntimeError as error: print(error)
*/
/* expect
23.73 62.97 True True 71
-45.00 100.00
Crc
*/
