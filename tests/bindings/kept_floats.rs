//! What a function keeps in registers is there after an exception that it catches, whatever was in the functions that the
//! exception ended.
//!
//! boards: all
//! also: qemu-armv7emsp

use std::hint::black_box;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "host")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn burn() -> Result<(), JsValue>;
    fn fail();
}

/// Numbers that are all in use at once, of each width.
macro_rules! numbers {
    ($ty:ty, $x:expr, $call:expr) => {{
        let x: $ty = $x;
        // Not to be computed anew after the call.
        let number = |at: u32| black_box(x + at as $ty);
        let [a, b, c, d, e, f, g, h] = [1, 2, 3, 4, 5, 6, 7, 8].map(number);
        let [i, j, k, l, m, n, o, p] = [11, 12, 13, 14, 15, 16, 17, 18].map(number);
        let caught = $call;
        // In an order that no compiler may change.
        let sum = a + b * c - d * e + f * g - h * i + j * k - l * m + n * o - p + a * p;
        (caught, sum + (a - p) * (b - o) * (c - n) * (d - m) * (e - l) * (f - k) * (g - j) * (h - i))
    }};
}

#[wasm_bindgen]
pub fn keeps(x: f32) -> bool {
    let (caught, sum) = numbers!(f32, black_box(x), burn().is_err());
    let (_, expected) = numbers!(f32, black_box(x), ());
    caught && sum == expected
}

#[wasm_bindgen]
pub fn keeps_wide(x: f64) -> bool {
    let (caught, sum) = numbers!(f64, black_box(x), burn().is_err());
    let (_, expected) = numbers!(f64, black_box(x), ());
    caught && sum == expected
}

#[wasm_bindgen]
pub fn burns(x: f32) -> f64 {
    let ((), narrow) = numbers!(f32, black_box(x), fail());
    let ((), wide) = numbers!(f64, black_box(f64::from(x)), fail());
    f64::from(narrow) + wide
}

#[wasm_bindgen]
pub fn burns_wide(x: f64) -> f64 {
    numbers!(f64, black_box(x), fail()).1
}

/* python
import sys
class host:
    def burn(): return how(1000.0)
    def fail(): raise ValueError("burnt")
sys.modules["host"] = host
import kept_floats as m
for how in m.burns, m.burns_wide:
    print([m.keeps(1.25 * n) for n in range(3)], [m.keeps_wide(1.25 * n) for n in range(3)])
*/

/* expect
[True, True, True] [True, True, True]
[True, True, True] [True, True, True]
*/
