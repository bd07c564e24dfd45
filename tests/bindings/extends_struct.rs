//! A struct that extends another one is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Parent {
    pub value: u8,
}

#[wasm_bindgen(extends = Parent)]
pub struct Child {
    pub other: u8,
}

/* error
`extends` has no counterpart in MicroPython
  at `Child`
  help: hold the other struct in a field
*/
