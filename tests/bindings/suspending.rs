//! `suspending` is refused by name: a call to Python returns when it is done.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "time")]
extern "C" {
    #[wasm_bindgen(suspending)]
    fn sleep_ms(time: u32);
}

#[wasm_bindgen]
pub fn run() {
    sleep_ms(1);
}

/* error
`suspending` has no counterpart in MicroPython
  at `sleep_ms`
  help: do without it: calls to Python return when they are done
*/
