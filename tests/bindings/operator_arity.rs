//! An operator that cannot be called as one is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Bag;

#[wasm_bindgen]
impl Bag {
    pub fn __setitem__(&mut self, at: u32) -> u32 {
        at
    }
}

/* error
`__setitem__` with 1 parameter has no counterpart in MicroPython
  at `Bag.__setitem__`
  help: it takes two besides `self`
*/
