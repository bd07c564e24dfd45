//! crate: max7219 | eight digits of seven segments, MAX7219, SPI and a pin by embedded-hal 0.2

use max7219::connectors::SpiConnectorSW;
use max7219::{DecodeMode, MAX7219};
use mpy::hal::{Pin, Spi};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Digits(MAX7219<SpiConnectorSW<Spi, Pin>>);

fn silent<E>(_: E) -> JsError {
    JsError::new("the display does not answer")
}

#[wasm_bindgen]
impl Digits {
    #[wasm_bindgen(constructor)]
    pub fn new(spi: Spi, select: Pin) -> Result<Digits, JsError> {
        let mut display = MAX7219::from_spi_cs(1, spi, select).map_err(silent)?;
        display.power_on().map_err(silent)?;
        display.set_decode_mode(0, DecodeMode::CodeBDigits7_0).map_err(silent)?;
        Ok(Digits(display))
    }
    pub fn show(&mut self, number: u32) -> Result<(), JsError> {
        let mut digits = [b' '; 8];
        let text = format!("{number:8}");
        digits.copy_from_slice(text.as_bytes());
        self.0.write_bcd(0, &digits).map_err(silent)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal-02"] }
max7219 = "=0.3.1"
*/
/* python
import simulated, use_max7219 as m
from machine import SPI, Pin
# 16 bits: a register, and its value. Registers 1 to 8 are digits from the right, 9 is how they are decoded, 12 is on.
class Device:
    registers = {}
    def transfer(self, data):
        self.registers[data[0] & 15] = data[1]
        return bytes(len(data))
device = Device()
simulated.spi(device, select=5)
digits = m.Digits(SPI(0), Pin(5, Pin.OUT, value=1))
digits.show(90210)
shown = [device.registers[i] & 15 for i in range(8, 0, -1)]
print(device.registers[9], device.registers[12], shown)
print("".join(str(x) if x < 10 else " " if x == 15 else "?" for x in shown).strip() == "90210")
*/
/* expect
255 1 [15, 15, 15, 9, 0, 2, 1, 0]
True
*/
