//! `async` is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub async fn later() -> u32 {
    5
}

/* dependencies
wasm-bindgen-futures = "=0.4.80"
*/
/* error
an `async` function has no counterpart in MicroPython
  at `later`
  help: return what is ready, or take a callback; MicroPython has no event loop of its own
*/
