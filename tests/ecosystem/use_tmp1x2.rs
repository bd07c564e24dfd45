//! crate: tmp1x2 | temperature sensor TMP102, I2C

use mpy::Raise;
use mpy::hal::I2c;
use tmp1x2::{SlaveAddr, Tmp1x2, marker::mode};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Sensor(Tmp1x2<I2c, mode::Continuous>);

#[wasm_bindgen]
impl Sensor {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Sensor {
        Sensor(Tmp1x2::new(i2c, SlaveAddr::default()))
    }
    pub fn temperature(&mut self) -> Result<f32, Raise> {
        Ok(self.0.read_temperature()?)
    }
    pub fn extended(&mut self) -> Result<(), Raise> {
        Ok(self.0.enable_extended_mode()?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
tmp1x2 = "=1.0.1"
*/
/* python
import simulated, use_tmp1x2 as m
from machine import I2C
class Device:
    words = {0: 0, 1: 0x60a0}
    def write(self, data):
        self.at = data[0]
        if len(data) == 3: self.words[self.at] = data[1] << 8 | data[2]
    def read(self, count): return self.words[self.at].to_bytes(2, "big")[:count]
device = simulated.i2c(0x48, Device())
sensor = m.Sensor(I2C(0))
# Sixteenths of a degree in 12 bits from the left, or 13 with a 1 as the last bit.
for sixteenths in 400, 1, -1, -880:
    device.words[0] = sixteenths << 4 & 0xffff
    print(sensor.temperature(), sensor.temperature() == sixteenths / 16)
sensor.extended()
print(device.words[1] >> 4 & 1)
device.words[0] = 2400 << 3 | 1
print(sensor.temperature() == 150)
*/
/* expect
25.0 True
0.0625 True
-0.0625 True
-55.0 True
1
True
*/
