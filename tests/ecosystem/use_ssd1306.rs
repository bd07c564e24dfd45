//! crate: ssd1306 | display SSD1306 with embedded-graphics, I2C

use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use mpy::hal::I2c;
use ssd1306::mode::BufferedGraphicsMode;
use ssd1306::prelude::*;
use ssd1306::{I2CDisplayInterface, Ssd1306};
use wasm_bindgen::prelude::*;

type Size = DisplaySize128x32;

#[wasm_bindgen]
pub struct Display(Ssd1306<I2CInterface<I2c>, Size, BufferedGraphicsMode<Size>>);

#[wasm_bindgen]
impl Display {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Result<Display, JsError> {
        let interface = I2CDisplayInterface::new(i2c);
        let mut display = Ssd1306::new(interface, Size {}, DisplayRotation::Rotate0).into_buffered_graphics_mode();
        display.init().map_err(|_| JsError::new("the display does not answer"))?;
        Ok(Display(display))
    }
    pub fn fill(&mut self, x: i32, y: i32, width: u32, height: u32) -> Result<(), JsError> {
        let area = Rectangle::new(Point::new(x, y), embedded_graphics::geometry::Size::new(width, height));
        let drawn = area.into_styled(PrimitiveStyle::with_fill(BinaryColor::On)).draw(&mut self.0);
        drawn.map_err(|_| JsError::new("the display does not answer"))
    }
    pub fn show(&mut self) -> Result<(), JsError> {
        self.0.flush().map_err(|_| JsError::new("the display does not answer"))
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
ssd1306 = "=0.10.0"
embedded-graphics = "0.8"
*/
/* python
import simulated, use_ssd1306 as m
from machine import I2C
# The memory of the display: columns of 8 pixels, in pages from the top. Commands 0x21 and 0x22 set what is written to.
class Device:
    memory = [bytearray(128) for page in range(8)]
    columns, pages = (0, 127), (0, 7)
    column = page = 0
    commands = b""
    def write(self, data):
        if data[0] == 0x40:
            for x in data[1:]:
                self.memory[self.page][self.column] = x
                self.column += 1
                if self.column > self.columns[1]:
                    self.column = self.columns[0]
                    self.page = self.page + 1 if self.page < self.pages[1] else self.pages[0]
            return
        assert data[0] == 0
        self.commands += data[1:]
        if data[1] == 0x21: self.columns = data[2], data[3]; self.column = data[2]
        if data[1] == 0x22: self.pages = data[2], data[3]; self.page = data[2]
device = simulated.i2c(0x3c, Device())
display = m.Display(I2C(0))
print(0xae in device.commands, 0xaf in device.commands)
display.fill(3, 5, 10, 20); display.fill(126, -2, 10, 4); display.show()
lit = lambda x, y: device.memory[y // 8][x] >> y % 8 & 1
good = all(lit(x, y) == (3 <= x < 13 and 5 <= y < 25 or x >= 126 and y < 2) for x in range(128) for y in range(32))
print(good, sum(lit(x, y) for x in range(128) for y in range(32)))
simulated.reset()
display.fill(0, 0, 1, 1)
try: display.show()
except RuntimeError as error: print(error)
*/
/* expect
True True
True 204
the display does not answer
*/
