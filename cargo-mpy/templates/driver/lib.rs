use mpy::Raise;
use mpy::hal::{Delay, I2c};
use shtcx::sensor_class::Sht2Gen;
use shtcx::{PowerMode, ShtCx};
use wasm_bindgen::prelude::*;

/// A temperature and humidity sensor SHTC3, by the driver `shtcx` from crates.io.
#[wasm_bindgen]
pub struct Sensor(ShtCx<Sht2Gen, I2c>);

#[wasm_bindgen]
impl Sensor {
    /// The sensor on a bus, a `machine.I2C`.
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Sensor {
        Sensor(shtcx::shtc3(i2c))
    }

    /// The temperature in degrees Celsius, and the relative humidity in percent.
    pub fn measure(&mut self) -> Result<Vec<f32>, Raise> {
        let measured = self.0.measure(PowerMode::NormalMode, &mut Delay)?;
        Ok(vec![measured.temperature.as_degrees_celsius(), measured.humidity.as_percent()])
    }
}
