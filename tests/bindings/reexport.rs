//! `reexport` is refused by name: in Python a name is imported where it is used.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "math")]
extern "C" {
    #[wasm_bindgen(reexport)]
    fn floor(value: f64) -> i32;
}

#[wasm_bindgen]
pub fn run() -> i32 {
    floor(1.5)
}

/* error
`reexport` has no counterpart in MicroPython
  at `floor`
  help: import the name in Python where it is used, or export a function that calls it
*/
