//! crate: ds323x | real-time clock DS3231, I2C

use ds323x::{DateTimeAccess, Datelike, Ds323x, NaiveDate, Timelike, ic, interface::I2cInterface};
use mpy::Raise;
use mpy::hal::I2c;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Clock(Ds323x<I2cInterface<I2c>, ic::DS3231>);

#[wasm_bindgen]
impl Clock {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Clock {
        Clock(Ds323x::new_ds3231(i2c))
    }
    pub fn set(&mut self, y: i32, m: u32, d: u32, hour: u32, minute: u32, second: u32) -> Result<(), Raise> {
        let date = NaiveDate::from_ymd_opt(y, m, d).and_then(|date| date.and_hms_opt(hour, minute, second));
        Ok(self.0.set_datetime(&date.ok_or("no such time")?)?)
    }
    pub fn now(&mut self) -> Result<Vec<u32>, Raise> {
        let now = self.0.datetime()?;
        let year = u32::try_from(now.year())?;
        Ok(vec![year, now.month(), now.day(), now.hour(), now.minute(), now.second()])
    }
    pub fn temperature(&mut self) -> Result<f32, Raise> {
        Ok(self.0.temperature()?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
ds323x = "=0.6.0"
*/
/* python
import simulated, use_ds323x as m
from machine import I2C
device = simulated.i2c(0x68, simulated.Registers())
clock = m.Clock(I2C(0))
clock.set(2024, 2, 29, 23, 59, 58)
# Binary-coded decimals: seconds, minutes, hours, day of the week, day, month, year. 2024-02-29 is a Thursday.
print(bytes(device[i] for i in (0, 1, 2, 4, 5, 6)).hex(), list(clock.now()))
device[0] = bytes([0x07, 0x30, 0x08, 1, 0x31, 0x12, 0x99])
print(list(clock.now()))
# In 12-hour form: 08 PM.
device[2] = 0x68
print(clock.now()[3])
device[0x11] = bytes([0xe7, 0x40])
print(clock.temperature(), clock.temperature() == -25 + 0.25)
try: clock.set(2023, 2, 29, 0, 0, 0)
except RuntimeError as error: print(error)
try: clock.set(2101, 1, 1, 0, 0, 0)
except RuntimeError as error: print(error)
*/
/* expect
585923290224 [2024, 2, 29, 23, 59, 58]
[2099, 12, 31, 8, 30, 7]
20
-24.75 True
"no such time"
InvalidInputData
*/
