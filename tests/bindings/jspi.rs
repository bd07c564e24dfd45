//! `jspi` is refused by name: a call to Python returns when it is done.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(jspi)]
pub fn run() -> u32 {
    1
}

/* error
`jspi` has no counterpart in MicroPython
  at `run`
  help: do without it: calls to Python return when they are done
*/
