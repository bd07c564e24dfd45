//! crate: hd44780-driver | character display HD44780, pins and delay by embedded-hal 0.2

use hd44780_driver::HD44780;
use hd44780_driver::bus::FourBitBus;
use mpy::hal::{Delay, Pin};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Display(HD44780<FourBitBus<Pin, Pin, Pin, Pin, Pin, Pin>>);

fn silent<E>(_: E) -> JsError {
    JsError::new("the display does not answer")
}

#[wasm_bindgen]
impl Display {
    #[wasm_bindgen(constructor)]
    pub fn new(rs: Pin, en: Pin, d4: Pin, d5: Pin, d6: Pin, d7: Pin) -> Result<Display, JsError> {
        HD44780::new_4bit(rs, en, d4, d5, d6, d7, &mut Delay).map(Display).map_err(silent)
    }
    pub fn write(&mut self, at: u8, text: &str) -> Result<(), JsError> {
        self.0.set_cursor_pos(at, &mut Delay).map_err(silent)?;
        self.0.write_str(text, &mut Delay).map_err(silent)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal-02"] }
hd44780-driver = "=0.4.0"
*/
/* python
import simulated, use_hd44780_driver as m
from machine import Pin
simulated.waits = False
# The falling edge of pin 2 takes the level of pins 4 to 7: a byte in two halves, after the command 0x2_ that says so.
class Device:
    text, at, high, halves = {}, 0, None, False
    def clock(self, level):
        if level: return
        half = sum(Pin(4 + i).value() << i for i in range(4))
        if not self.halves:
            self.halves = half == 2
        elif self.high is None:
            self.high = half
        else:
            x, self.high = self.high << 4 | half, None
            if Pin(1).value(): self.text[self.at] = chr(x); self.at += 1
            elif x >> 7: self.at = x & 127
            elif x == 1: self.text.clear(); self.at = 0
device = Device()
simulated.pin(2).watch(device.clock)
pins = [Pin(i, Pin.OUT) for i in (1, 2, 4, 5, 6, 7)]
display = m.Display(*pins)
display.write(0, "Hello")
display.write(0x43, "Rust")
print("".join(device.text[i] for i in range(5)), "".join(device.text[0x43 + i] for i in range(4)), len(device.text))
*/
/* expect
Hello Rust 9
*/
