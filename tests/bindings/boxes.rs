//! `Box<[T]>`: numbers, text and objects.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn floats(values: Box<[f64]>) -> Box<[f64]> {
    values.iter().rev().copied().collect()
}

#[wasm_bindgen]
pub fn objects(values: Box<[JsValue]>) -> Box<[JsValue]> {
    values.iter().rev().cloned().collect()
}

#[wasm_bindgen]
pub fn texts(values: Box<[String]>) -> usize {
    values.iter().map(String::len).sum()
}

#[wasm_bindgen]
pub fn clamped(values: wasm_bindgen::Clamped<Vec<u8>>) -> wasm_bindgen::Clamped<Vec<u8>> {
    values
}

/* python
import boxes as m
print(list(m.floats([1, 2.5])), m.objects([1, "a", None]), m.texts(["ab", "c"]), m.clamped(b"xy"))
o = object(); print(m.objects((o,))[0] is o)
*/
/* expect
[2.5, 1.0] [None, 'a', 1] 3 b'xy'
True
*/
