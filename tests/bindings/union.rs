//! A union of types is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub enum Either {
    Number(f64),
    Text(String),
}

#[wasm_bindgen]
pub fn run(value: Either) -> bool {
    matches!(value, Either::Number(_))
}

/* error
a union type has no counterpart in MicroPython
  at `Either`
  help: take a `JsValue` and look what it is
*/
