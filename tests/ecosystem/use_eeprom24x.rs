//! crate: eeprom24x | EEPROM 24x64, I2C

use eeprom24x::{Eeprom24x, SlaveAddr, addr_size, page_size, unique_serial};
use mpy::Raise;
use mpy::hal::I2c;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Eeprom(Eeprom24x<I2c, page_size::B32, addr_size::TwoBytes, unique_serial::No>);

#[wasm_bindgen]
impl Eeprom {
    #[wasm_bindgen(constructor)]
    pub fn new(i2c: I2c) -> Eeprom {
        Eeprom(Eeprom24x::new_24x64(i2c, SlaveAddr::default()))
    }
    pub fn write(&mut self, address: u32, page: &[u8]) -> Result<(), Raise> {
        Ok(self.0.write_page(address, page)?)
    }
    pub fn read(&mut self, address: u32, count: usize) -> Result<Vec<u8>, Raise> {
        let mut data = vec![0; count];
        self.0.read_data(address, &mut data)?;
        Ok(data)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
eeprom24x = "=0.7.2"
*/
/* python
import simulated, use_eeprom24x as m
from machine import I2C
class Device:
    memory = bytearray(8192)
    def write(self, data):
        self.at = data[0] << 8 | data[1]
        for i, x in enumerate(data[2:]): self.memory[self.at & ~31 | self.at + i & 31] = x
    def read(self, count): return bytes(self.memory[self.at:self.at + count])
device = simulated.i2c(0x50, Device())
eeprom = m.Eeprom(I2C(0))
eeprom.write(0x1230, b"MicroPython")
print(bytes(device.memory[0x1230:0x123b]), eeprom.read(0x1235, 6))
for address, page in (0x123f, b"ab"), (8192, b"a"):
    try: eeprom.write(address, page)
    except RuntimeError as error: print(error)
*/
/* expect
b'MicroPython' b'Python'
TooMuchData
InvalidAddr
*/
