//! A mutable slice of a function that waits is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub async fn fill(bytes: &mut [u8]) {
    bytes.fill(1);
}

/* dependencies
wasm-bindgen-futures = "0.4"
*/
/* error
a `&mut [T]` of an `async` function has no counterpart in MicroPython
  at `fill`
  help: take a `Vec<T>` and return it: the buffer may change while the function waits
*/
