//! Slices of numbers: borrowed, changed in place, owned; from any buffer and from lists.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

#[wasm_bindgen]
pub fn reverse(bytes: &mut [u8]) {
    bytes.reverse();
}

#[wasm_bindgen]
pub fn range(end: u16) -> Vec<u16> {
    (0..end).collect()
}

#[wasm_bindgen]
pub fn boxed(values: Box<[i32]>) -> Box<[i32]> {
    values.iter().map(|value| value * 2).collect()
}

#[wasm_bindgen]
pub fn longest(words: Vec<String>) -> Option<String> {
    words.into_iter().max_by_key(String::len)
}

#[wasm_bindgen]
pub fn all(flags: Vec<u8>) -> bool {
    flags.iter().all(|flag| *flag != 0)
}

/* python
import slices as m
from array import array
print(m.mean([1, 2, 4.5]), m.mean(array("f", [1, 2])), m.mean((5,)))
b = bytearray(b"abc"); m.reverse(b); print(b)
v = memoryview(b)[1:]; m.reverse(v); print(b)
print(m.range(4), m.range(0), m.boxed([1, -2]), m.longest(["a", "ccc", "bb"]), m.longest([]), m.all(b"\1\2"), m.all(b"\0"))
for wrong in (b"read-only", [1, 2], "text"):
    try: m.reverse(wrong); print("taken")
    except TypeError as e: print("TypeError", e)
*/
/* expect
2.5 1.5 5.0
bytearray(b'cba')
bytearray(b'cab')
array('H', [0, 1, 2, 3]) array('H') array('i', [2, -4]) ccc None True False
TypeError expected a writable buffer of the right type
TypeError expected a writable buffer of the right type
TypeError expected a writable buffer of the right type
*/
