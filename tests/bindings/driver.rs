//! The driver of a sensor from crates.io, on a bus that Python made.

use mpy::Raise;
use mpy::hal::{Delay, I2c};
use wasm_bindgen::prelude::*;

/// A temperature and humidity sensor SHTC3.
#[wasm_bindgen]
pub struct Sensor(shtcx::ShtCx<shtcx::sensor_class::Sht2Gen, I2c>);

#[wasm_bindgen]
impl Sensor {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Sensor {
        Sensor(shtcx::shtc3(i2c))
    }

    pub fn temperature(&mut self) -> Result<f32, Raise> {
        let measured = self.0.measure(shtcx::PowerMode::NormalMode, &mut Delay)?;
        Ok(measured.temperature.as_degrees_celsius())
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
shtcx = "1.0"
*/
/* python
import driver
class I2C:
    """A simulated sensor. On a board, it is `machine.I2C(0)`."""
    answer = b"\x64\x8b\xc7\xa1\x33\x1c"
    def writeto(self, address, data):
        if self.answer is None: raise OSError(19)
    def readfrom_into(self, address, data): data[:] = self.answer
i2c = I2C()
sensor = driver.Sensor(i2c)
print("%.2f" % sensor.temperature())
for i2c.answer in b"\x64\x8b\xc7\xa1\x33\x00", None:
    try: sensor.temperature()
    except Exception as error: print(type(error).__name__, error)
*/
/* expect
23.73
RuntimeError Crc
OSError [Errno 19] ENODEV
*/
