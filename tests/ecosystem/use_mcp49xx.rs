//! crate: mcp49xx | digital-to-analog converter MCP4921, SPI and a pin by embedded-hal 0.2

use mcp49xx::{Command, Mcp49xx, marker};
use mpy::Raise;
use mpy::hal::{Pin, Spi};
use wasm_bindgen::prelude::*;

type Chip = Mcp49xx<Pin, Spi, marker::Resolution12Bit, marker::SingleChannel, marker::Buffered>;

#[wasm_bindgen]
pub struct Dac {
    chip: Chip,
    spi: Spi,
}

#[wasm_bindgen]
impl Dac {
    #[wasm_bindgen(constructor)]
    pub fn new(spi: Spi, select: Pin) -> Dac {
        Dac { chip: Mcp49xx::new_mcp4921(select), spi }
    }
    pub fn set(&mut self, value: u16, double: bool) -> Result<(), Raise> {
        let command = Command::default().value(value);
        let command = if double { command.double_gain() } else { command };
        Ok(self.chip.send(&mut self.spi, command)?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal-02"] }
mcp49xx = "=0.3.0"
*/
/* python
import simulated, use_mcp49xx as m
from machine import SPI, Pin
# 16 bits: channel, buffered, gain of 1, on, and the value.
class Device:
    def transfer(self, data):
        self.word = data[0] << 8 | data[1]
        return bytes(len(data))
device = Device()
simulated.spi(device, select=5)
dac = m.Dac(SPI(0), Pin(5, Pin.OUT, value=1))
for value, double in (0, False), (0xabc, False), (4095, True):
    dac.set(value, double)
    print(hex(device.word), device.word & 0xfff == value, device.word >> 13 & 1 == (not double), device.word >> 12 & 1, Pin(5).value())
try: dac.set(4096, False)
except RuntimeError as error: print(error)
*/
/* expect
0x3000 True True 1 1
0x3abc True True 1 1
0x1fff True True 1 1
InvalidValue
*/
