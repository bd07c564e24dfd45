//! A file of JavaScript's is refused.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/lib.rs")]
extern "C" {
    fn area(side: f64) -> f64;
}

#[wasm_bindgen]
pub fn run() -> f64 {
    area(2.0)
}

/* error
a file of JavaScript's has no counterpart in MicroPython
  at `src/lib.rs`
  help: write the functions in Python and import them with `module = "…"`
*/
