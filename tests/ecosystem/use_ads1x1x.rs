//! crate: ads1x1x | analog-to-digital converter ADS1115, I2C

use ads1x1x::{Ads1x1x, FullScaleRange, TargetAddr, channel, ic, mode};
use mpy::Raise;
use mpy::hal::I2c;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Adc(Ads1x1x<I2c, ic::Ads1115, ic::Resolution16Bit, mode::OneShot>);

#[wasm_bindgen]
impl Adc {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Result<Adc, Raise> {
        let mut adc = Ads1x1x::new_ads1115(i2c, TargetAddr::default());
        adc.set_full_scale_range(FullScaleRange::Within4_096V)?;
        Ok(Adc(adc))
    }
    pub fn between(&mut self) -> Result<i16, Raise> {
        Ok(nb::block!(self.0.read(channel::DifferentialA0A1))?)
    }
    pub fn single(&mut self) -> Result<i16, Raise> {
        Ok(nb::block!(self.0.read(channel::SingleA2))?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
ads1x1x = "=0.3.0"
nb = "1"
*/
/* python
import simulated, use_ads1x1x as m
from machine import I2C
# Volts at the four inputs. A conversion starts when bit 15 of register 1 is written, and that is 1 again when it has ended.
class Device:
    words = {0: 0, 1: 0x8583}
    volts = [1.5, 2.25, -0.5, 3.0]
    def write(self, data):
        self.at = data[0]
        if len(data) < 3: return
        word = data[1] << 8 | data[2]
        self.words[self.at] = word
        if self.at == 1 and word >> 15:
            self.busy = 3
            between = word >> 12 & 7, word >> 9 & 7
            pairs = [(0, 1), (0, 3), (1, 3), (2, 3)]
            mux, gain = between
            volts = self.volts[mux - 4] if mux > 3 else self.volts[pairs[mux][0]] - self.volts[pairs[mux][1]]
            self.words[0] = round(volts / [6.144, 4.096, 2.048, 1.024, .512, .256][gain] * 32768) & 0xffff
    def read(self, count):
        word = self.words[self.at]
        if self.at == 1:
            self.busy -= 1
            word = word & 0x7fff | (self.busy <= 0) << 15
        return word.to_bytes(2, "big")[:count]
    busy = 0
device = simulated.i2c(0x48, Device())
adc = m.Adc(I2C(0))
print(adc.between(), adc.single())
print(adc.between() == round((1.5 - 2.25) / 4.096 * 32768), adc.single() == round(-0.5 / 4.096 * 32768))
*/
/* expect
-6000 -4000
True True
*/
