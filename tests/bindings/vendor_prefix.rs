//! `vendor_prefix` is refused by name: types of Python's have none.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(vendor_prefix = webkit)]
    type Speech;
    #[wasm_bindgen(constructor)]
    fn new() -> Speech;
}

#[wasm_bindgen]
pub fn run() -> JsValue {
    Speech::new().into()
}

/* error
`vendor_prefix` has no counterpart in MicroPython
  at `Speech`
  help: name the type by `js_name` as it is called in Python
*/
