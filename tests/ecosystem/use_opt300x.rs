//! crate: opt300x | light sensor OPT3001, I2C

use mpy::Raise;
use mpy::hal::I2c;
use opt300x::{Opt300x, SlaveAddr, ic, mode};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Light(Opt300x<I2c, ic::Opt3001, mode::Continuous>);

#[wasm_bindgen]
impl Light {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Result<Light, Raise> {
        let sensor = Opt300x::new_opt3001(i2c, SlaveAddr::default());
        Ok(Light(sensor.into_continuous().map_err(|_| "the sensor does not answer")?))
    }
    pub fn lux(&mut self) -> Result<f32, Raise> {
        Ok(self.0.read_lux()?)
    }
    pub fn maker(&mut self) -> Result<u16, Raise> {
        Ok(self.0.get_manufacturer_id()?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
opt300x = "=1.0.0"
*/
/* python
import simulated, use_opt300x as m
from machine import I2C
class Device:
    words = {0: 0, 1: 0xc810, 0x7e: 0x5449}
    def write(self, data):
        self.at = data[0]
        if len(data) == 3: self.words[self.at] = data[1] << 8 | data[2]
    def read(self, count): return self.words[self.at].to_bytes(2, "big")[:count]
device = simulated.i2c(0x44, Device())
light = m.Light(I2C(0))
print(device.words[1] >> 9 & 3 in (2, 3), hex(light.maker()))
# 4 bits exponent, 12 bits fraction: 0.01 lux * 2 ** exponent * fraction.
for exponent, fraction in (0, 1), (3, 2000), (11, 4095):
    device.words[0] = exponent << 12 | fraction
    lux = light.lux()
    print("%.2f" % lux, abs(lux - .01 * 2 ** exponent * fraction) < .01)
*/
/* expect
True 0x5449
0.01 True
160.00 True
83865.60 True
*/
