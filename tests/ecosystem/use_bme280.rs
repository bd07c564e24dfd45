//! crate: bme280 | pressure, temperature and humidity sensor, I2C, delay

use mpy::Raise;
use mpy::hal::{Delay, I2c};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Sensor(bme280::i2c::BME280<I2c>);

#[wasm_bindgen]
impl Sensor {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Result<Sensor, Raise> {
        let mut sensor = bme280::i2c::BME280::new_primary(i2c);
        sensor.init(&mut Delay)?;
        Ok(Sensor(sensor))
    }
    pub fn measure(&mut self) -> Result<Vec<f32>, Raise> {
        let values = self.0.measure(&mut Delay)?;
        Ok(vec![values.temperature, values.pressure, values.humidity])
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
bme280 = "=0.5.1"
*/
/* python
import simulated, struct, use_bme280 as m
from machine import I2C
simulated.waits = False
T, P = (27504, 26435, -1000), (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
H1, H2, H3, H4, H5, H6 = 75, 362, 0, 315, 50, 30
adc_p, adc_t, adc_h = 415148, 519888, 32000
device = simulated.i2c(0x76, simulated.Registers())
device[0xd0] = 0x60
device[0x88] = struct.pack("<HhhHhhhhhhhh", *(T + P))
device[0xa1] = H1
device[0xe1] = struct.pack("<hBBBBb", H2, H3, H4 >> 4, H4 & 15 | (H5 & 15) << 4, H5 >> 4, H6)
device[0xf7] = bytes([adc_p >> 12, adc_p >> 4 & 255, (adc_p & 15) << 4, adc_t >> 12, adc_t >> 4 & 255, (adc_t & 15) << 4, adc_h >> 8, adc_h & 255])
# The formulas of the data sheet, 4.2.3 and 8.1, with whole numbers.
d = (adc_t >> 3) - (T[0] << 1)
fine = (d * T[1] >> 11) + (((adc_t >> 4) - T[0]) ** 2 >> 12) * T[2] // (1 << 14)
t = (fine * 5 + 128 >> 8) / 100
v1 = fine - 128000
v2 = v1 * v1 * P[5] + (v1 * P[4] << 17) + (P[3] << 35)
v1 = (v1 * v1 * P[2] >> 8) + (v1 * P[1] << 12)
v1 = ((1 << 47) + v1) * P[0] >> 33
p = ((1048576 - adc_p << 31) - v2) * 3125 // v1
p = (p + (P[8] * (p >> 13) ** 2 >> 25) + (P[7] * p >> 19) >> 8) + (P[6] << 4)
h = fine - 76800
h = ((adc_h << 14) - (H4 << 20) - H5 * h + 16384 >> 15) * ((((h * H6 >> 10) * ((h * H3 >> 11) + 32768) >> 10) + 2097152) * H2 + 8192 >> 14)
h -= ((h >> 15) ** 2 >> 7) * H1 >> 4
h = (min(max(h, 0), 419430400) >> 12) / 1024
sensor = m.Sensor(I2C(0))
a, b, c = sensor.measure()
print("%.2f %.1f %.2f" % (a, b, c))
print(abs(a - t) < 0.02, abs(b - p / 256) < 1, abs(c - h) < 0.02)
device[0xd0] = 1
try: m.Sensor(I2C(0))
except RuntimeError as error: print(error)
*/
/* expect
25.08 100653.3 65.40
True True True
UnsupportedChip
*/
