//! crate: lm75 | temperature sensor, I2C
//! usual

use lm75::{Address, Lm75, ic};
use mpy::Raise;
use mpy::hal::I2c;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Sensor(Lm75<I2c, ic::Lm75>);

#[wasm_bindgen]
impl Sensor {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Sensor {
        Sensor(Lm75::new(i2c, Address::default()))
    }
    pub fn temperature(&mut self) -> Result<f32, Raise> {
        Ok(self.0.read_temperature()?)
    }
    pub fn alarm(&mut self, over: f32, hysteresis: f32) -> Result<(), Raise> {
        self.0.set_hysteresis_temperature(hysteresis)?;
        Ok(self.0.set_os_temperature(over)?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
lm75 = "=1.0.0"
*/
/* python
import simulated, use_lm75 as m
from machine import I2C
# Registers of 16 bits: 0 temperature, 1 configuration, 2 hysteresis, 3 alarm. 9 bits from the left, of half a degree.
class Device:
    words = {0: 0, 2: 0, 3: 0}
    def write(self, data):
        self.at = data[0]
        if len(data) == 3: self.words[self.at] = data[1] << 8 | data[2]
    def read(self, count): return self.words[self.at].to_bytes(2, "big")[:count]
device = simulated.i2c(0x48, Device())
sensor = m.Sensor(I2C(0))
for half in 51, 250, 0, -1, -110:
    device.words[0] = (half << 7) & 0xffff
    print(sensor.temperature(), sensor.temperature() == half / 2)
sensor.alarm(80, -12.5)
print(hex(device.words[3]), hex(device.words[2]), device.words[3] == 160 << 7, device.words[2] == -25 << 7 & 0xffff)
try: sensor.alarm(200, 0)
except RuntimeError as error: print(error)
simulated.reset()
try: sensor.temperature()
except OSError as error: print(error)
*/
/* expect
25.5 True
125.0 True
0.0 True
-0.5 True
-55.0 True
0x5000 0xf380 True True
InvalidInputData
[Errno 19] ENODEV
*/
