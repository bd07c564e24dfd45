//! Numbers of every width in arithmetic, not only handed through.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn wide(a: i64, b: u64) -> i128 {
    i128::from(a) * i128::from(b)
}

#[wasm_bindgen]
pub fn narrow(a: i8, b: u8, c: i16, d: u16) -> Vec<i32> {
    vec![i32::from(a), i32::from(b), i32::from(c), i32::from(d)]
}

#[wasm_bindgen]
pub fn halves(value: u128) -> Vec<u64> {
    vec![value as u64, (value >> 64) as u64]
}

#[wasm_bindgen]
pub fn kelvin(celsius: f32) -> f64 {
    f64::from(celsius) + 273.15
}

#[wasm_bindgen]
pub fn rotate(value: u64, by: u32) -> u64 {
    value.rotate_left(by)
}

/* python
import numbers as m
print(m.wide(-(1 << 63), (1 << 64) - 1) == -(1 << 63) * ((1 << 64) - 1), m.wide(-3, 4))
print(list(m.narrow(-128, 255, -32768, 65535)), list(m.halves((7 << 64) | 5)))
print("%.2f" % m.kelvin(20.5), m.rotate(1 << 63, 1), hex(m.rotate(0xF, 60)))
*/
/* expect
True -12
[-128, 255, -32768, 65535] [5, 7]
293.65 1 0xf000000000000000
*/
