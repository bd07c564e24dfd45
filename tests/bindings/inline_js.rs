//! `inline_js` is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = "export function add(a, b) { return a + b }")]
extern "C" {
    fn add(a: i32, b: i32) -> i32;
}

#[wasm_bindgen]
pub fn run() -> i32 {
    add(1, 2)
}

/* error
`inline_js` has no counterpart in MicroPython
  at `inline_js`
  help: write the function in Python and import it with `module = "…"`
*/
