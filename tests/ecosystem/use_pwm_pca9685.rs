//! crate: pwm-pca9685 | 16 channels of PWM, PCA9685, I2C

use mpy::Raise;
use mpy::hal::I2c;
use pwm_pca9685::{Address, Channel, Pca9685};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Servos(Pca9685<I2c>);

#[wasm_bindgen]
impl Servos {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Result<Servos, Raise> {
        let mut pwm = Pca9685::new(i2c, Address::default())?;
        pwm.set_prescale(121)?;
        pwm.enable()?;
        Ok(Servos(pwm))
    }
    pub fn pulse(&mut self, channel: u8, on: u16, off: u16) -> Result<(), Raise> {
        Ok(self.0.set_channel_on_off(Channel::try_from(channel).map_err(|()| "no such channel")?, on, off)?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
pwm-pca9685 = "=1.0.0"
*/
/* python
import simulated, use_pwm_pca9685 as m
from machine import I2C
device = simulated.i2c(0x40, simulated.Registers())
device[0] = 0x11
servos = m.Servos(I2C(0))
servos.pulse(0, 0, 307)
servos.pulse(15, 100, 4095)
word = lambda at: device[at] | device[at + 1] << 8
# Each channel has two words from register 6 on; 254 divides 25 MHz / 4096.
print(device[0xfe], device[0] >> 4 & 1, word(6), word(8), word(6 + 60), word(8 + 60))
for channel, off in (16, 0), (0, 4096):
    try: servos.pulse(channel, 0, off)
    except RuntimeError as error: print(error)
*/
/* expect
121 0 0 307 100 4095
"no such channel"
InvalidInputData
*/
