//! Two blinkers and a sensor, which wait in one loop of asyncio.

use embedded_hal::digital::{OutputPin, StatefulOutputPin};
use embedded_hal::i2c::I2c as _;
use mpy::asyncio::{Event, sleep_ms};
use mpy::hal::{I2c, Pin};
use wasm_bindgen::prelude::*;

/// A lamp that is off when nobody uses it any more.
struct Lamp(Pin);

impl Drop for Lamp {
    fn drop(&mut self) {
        // There is nobody to tell of an exception.
        let _ = self.0.set_low();
    }
}

/// Changes the lamp after each of these times, until the task is cancelled.
#[wasm_bindgen]
pub async fn blink(led: Pin, ms: u32) -> Result<(), mpy::Exception> {
    let mut lamp = Lamp(led);
    loop {
        lamp.0.toggle()?;
        sleep_ms(ms).await;
    }
}

/// The address of the sensor, a TMP102, and the register with the temperature.
const SENSOR: u8 = 0x48;
const TEMPERATURE: u8 = 0;

/// Reads the temperature after each of these times. Sets the event when it is above `limit`, and returns it.
#[wasm_bindgen]
pub async fn watch(mut i2c: I2c, ms: u32, limit: f32, alarm: Event) -> Result<f32, mpy::Exception> {
    loop {
        let mut bytes = [0; 2];
        i2c.write_read(SENSOR, &[TEMPERATURE], &mut bytes)?;
        // 12 bits, of which the lowest is a sixteenth of a degree.
        let degrees = f32::from(i16::from_be_bytes(bytes) >> 4) / 16.0;
        if degrees > limit {
            alarm.set()?;
            return Ok(degrees);
        }
        sleep_ms(ms).await;
    }
}
