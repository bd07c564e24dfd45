//! `start`: once, at import.

use std::cell::Cell;
use wasm_bindgen::prelude::*;

thread_local!(static STARTED: Cell<u32> = const { Cell::new(0) });

#[wasm_bindgen]
extern "C" {
    fn print(text: &str);
}

#[wasm_bindgen(start)]
fn begin() -> Result<(), JsValue> {
    STARTED.set(STARTED.get() + 1);
    print("started");
    Ok(())
}

#[wasm_bindgen]
pub fn times() -> u32 {
    STARTED.get()
}

/* python
print("before")
import start as m
import start
print(m.times())
*/
/* expect
before
started
1
*/
