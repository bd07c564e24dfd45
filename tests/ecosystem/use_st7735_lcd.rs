//! crate: st7735-lcd | display ST7735, SPI, pins, delay

use mpy::hal::{Delay, Pin, Spi, SpiDevice};
use st7735_lcd::{Orientation, ST7735};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Display(ST7735<SpiDevice, Pin, Pin>);

fn silent(_: ()) -> JsError {
    JsError::new("the display does not answer")
}

#[wasm_bindgen]
impl Display {
    #[wasm_bindgen(constructor)]
    pub fn new(spi: Spi, select: Pin, command: Pin, reset: Pin) -> Result<Display, mpy::Raise> {
        let mut display = ST7735::new(SpiDevice::new(spi, select)?, command, reset, true, false, 160, 128);
        display.init(&mut Delay)?;
        display.set_orientation(&Orientation::Landscape)?;
        display.set_offset(1, 2);
        Ok(Display(display))
    }
    pub fn pixel(&mut self, x: u16, y: u16, color: u16) -> Result<(), JsError> {
        self.0.set_pixel(x, y, color).map_err(silent)
    }
    pub fn pixels(&mut self, x: u16, y: u16, width: u16, colors: &[u16]) -> Result<(), JsError> {
        let height = u16::try_from(colors.len())? / width;
        self.0.set_pixels(x, y, x + width - 1, y + height - 1, colors.iter().copied()).map_err(silent)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
st7735-lcd = { version = "=0.10.0", default-features = false }
*/
/* python
import simulated, array, use_st7735_lcd as m
from machine import SPI, Pin
simulated.waits = False
# While pin 2 is low, a byte is a command. 0x2a and 0x2b set the columns and rows that 0x2c writes to.
class Device:
    memory = {}
    log = []
    def transfer(self, data):
        for x in data:
            if not Pin(2).value():
                self.log.append(x)
                self.data = bytearray()
            else:
                self.data.append(x)
                self.more()
        return bytes(len(data))
    def more(self):
        d, command = self.data, self.log[-1]
        if command in (0x2a, 0x2b) and len(d) == 4: setattr(self, "xs" if command == 0x2a else "ys", (d[0] << 8 | d[1], d[2] << 8 | d[3])); self.at = 0
        if command == 0x2c and len(d) == 2:
            width = self.xs[1] - self.xs[0] + 1
            self.memory[self.xs[0] + self.at % width, self.ys[0] + self.at // width] = d[0] << 8 | d[1]
            self.at += 1
            self.data = bytearray()
device = Device()
simulated.spi(device, select=1)
levels = []
simulated.pin(3).watch(levels.append)
display = m.Display(SPI(0), Pin(1, Pin.OUT), Pin(2, Pin.OUT), Pin(3, Pin.OUT))
print(levels, [hex(x) for x in device.log[:2]], 0x29 in device.log, Pin(1).value())
display.pixel(10, 20, 0xf81f)
display.pixels(100, 50, 3, array.array("H", [1, 2, 3, 0x1234, 5, 6]))
print(sorted(device.memory.items()))
*/
/* expect
[1, 0, 1] ['0x1', '0x11'] True 1
[((11, 22), 63519), ((101, 52), 1), ((101, 53), 4660), ((102, 52), 2), ((102, 53), 5), ((103, 52), 3), ((103, 53), 6)]
*/
