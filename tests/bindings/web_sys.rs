//! JavaScript's library is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn now() -> f64 {
    js_sys::Date::now()
}

/* dependencies
js-sys = "=0.3.107"
*/
/* error
JavaScript's library has no counterpart in MicroPython
  at `js_sys::now`
  help: use Python's: `#[wasm_bindgen(module = "…")] extern "C" { … }` imports any of its functions and types
*/
