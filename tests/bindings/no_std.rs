//! Without `std`: the smallest crates.

#![no_std]

use wasm_bindgen::prelude::*;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

#[wasm_bindgen]
pub fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[wasm_bindgen]
pub fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(1, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(*byte)))
}

/* dependencies
[dependencies.wasm-bindgen]
version = "=0.2.130"
default-features = false
*/
/* python
import no_std as m
print(m.gcd(48, 36), m.checksum(b"hello"), m.checksum(b""))
*/
/* expect
12 61809 1
*/
