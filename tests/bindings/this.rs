//! `this` is refused by name: functions of Python's have none.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(this)]
pub fn size_of_it(this: &JsValue) -> bool {
    this.is_undefined()
}

/* error
`this` has no counterpart in MicroPython
  at `size_of_it`
  help: write a method of a struct: `&self` is what it is called on
*/
