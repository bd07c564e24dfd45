//! crate: ws2812-spi | chain of LEDs WS2812, SPI

use mpy::Raise;
use mpy::hal::Spi;
use smart_leds_trait::{RGB8, SmartLedsWrite};
use wasm_bindgen::prelude::*;
use ws2812_spi::Ws2812;

#[wasm_bindgen]
pub struct Leds(Ws2812<Spi>);

#[wasm_bindgen]
impl Leds {
    #[wasm_bindgen(constructor)]
    pub fn new(spi: Spi) -> Leds {
        Leds(Ws2812::new(spi))
    }
    /// Three bytes for each LED: red, green, blue.
    pub fn write(&mut self, colors: &[u8]) -> Result<(), Raise> {
        Ok(self.0.write(colors.chunks_exact(3).map(|color| RGB8::new(color[0], color[1], color[2])))?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
ws2812-spi = "=0.5.1"
smart-leds-trait = "0.3"
*/
/* python
import simulated, use_ws2812_spi as m
from machine import SPI
# A bit takes four cycles of SPI: one of them high for 0, three for 1.
class Device:
    sent = bytearray()
    def transfer(self, data):
        self.sent += data
        return bytes(len(data))
    def colors(self):
        bits = "".join("{:08b}".format(x) for x in self.sent)
        bits = bits[:4 * 24 * LEDS]
        bits = [{"1000": 0, "1110": 1}[bits[i:i + 4]] for i in range(0, len(bits), 4)]
        return [int("".join(str(x) for x in bits[i:i + 8]), 2) for i in range(0, len(bits), 8)]
LEDS = 3
device = Device()
simulated.spi(device)
m.Leds(SPI(0)).write(bytes([255, 0, 1, 2, 128, 77, 0xa5, 0x5a, 0]))
colors = device.colors()
# Green comes first.
print(colors, colors == [0, 255, 1, 128, 2, 77, 0x5a, 0xa5, 0])
# More than 50 us of low bits at 2 to 3.8 MHz end the frame.
rest = device.sent[3 * 12:]
print(len(rest) * 8 / 3.8 > 50, not any(rest))
*/
/* expect
[0, 255, 1, 128, 2, 77, 90, 165, 0] True
True True
*/
