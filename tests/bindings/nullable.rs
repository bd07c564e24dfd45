//! `Nullable` is refused by name: Python has one `None`.

use wasm_bindgen::Nullable;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn maybe(value: Nullable<String>) -> u32 {
    value.value().map_or(0, |text| text.len() as u32)
}

/* error
`Nullable` has no counterpart in MicroPython
  at `maybe`
  help: use `Option`: Python has one `None`
*/
