//! crate: crc | cyclic redundancy checks
//! usual

use crc::{CRC_16_MODBUS, CRC_32_ISO_HDLC, Crc};
use wasm_bindgen::prelude::*;

static MODBUS: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);
static ETHERNET: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

#[wasm_bindgen]
pub fn modbus(data: &[u8]) -> u16 {
    MODBUS.checksum(data)
}

#[wasm_bindgen]
pub fn ethernet(data: &[u8]) -> u32 {
    ETHERNET.checksum(data)
}

/* dependencies
crc = "=3.4.0"
*/
/* python
import use_crc as m
def reference(data, polynomial, crc, out):
    for x in data:
        crc ^= x
        for i in range(8): crc = crc >> 1 ^ polynomial if crc & 1 else crc >> 1
    return crc ^ out
# The check values of the catalogue, and all bytes.
print(hex(m.modbus(b"123456789")), hex(m.ethernet(b"123456789")))
data = bytes(range(256)) * 3
print(m.modbus(data) == reference(data, 0xa001, 0xffff, 0), m.ethernet(data) == reference(data, 0xedb88320, 0xffffffff, 0xffffffff))
*/
/* expect
0x4b37 0xcbf43926
True True
*/
