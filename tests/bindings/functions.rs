//! Exported functions: plain ones, renamed, with documentation, and ones that WebAssembly exports itself.

use wasm_bindgen::prelude::*;

/// Adds two numbers.
#[wasm_bindgen]
pub fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

#[wasm_bindgen(js_name = timesTwo)]
pub fn times_two(value: f64) -> f64 {
    value * 2.0
}

#[wasm_bindgen]
pub fn nothing() {}

#[wasm_bindgen]
pub fn five(a: u8, b: i16, c: f32, d: bool, e: u64) -> f64 {
    f64::from(a) + f64::from(b) + f64::from(c) + f64::from(u8::from(d)) + e as f64
}

/// Not wasm-bindgen's: it goes the plain way.
#[unsafe(no_mangle)]
pub extern "C" fn plain(a: i32, b: f32) -> f32 {
    a as f32 * b
}

/* python
import functions as m
print(m.add(2, 3), m.add(2147483647, 1), m.timesTwo(1.5), m.nothing())
print(m.five(1, -2, 0.5, True, 1000), m.plain(3, 0.5))
print(sorted(n for n in dir(m) if not n.startswith("__")))
*/
/* expect
5 -2147483648 3.0 None
1000.5 1.5
['add', 'five', 'nothing', 'plain', 'timesTwo']
*/
