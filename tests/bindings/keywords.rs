//! Names: JavaScript's keywords are no keywords here, and Python's get an underscore.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn delete() -> u8 {
    1
}

#[wasm_bindgen]
pub fn raise() -> u8 {
    2
}

#[wasm_bindgen]
pub struct With {
    #[wasm_bindgen(js_name = camelCase)]
    pub snake_case: u8,
}

#[wasm_bindgen]
impl With {
    #[wasm_bindgen(constructor)]
    pub fn new() -> With {
        With { snake_case: 3 }
    }
    pub fn pass(&self) -> u8 {
        4
    }
    #[wasm_bindgen(js_name = other)]
    pub fn method(&self) -> u8 {
        5
    }
}

/* python
import keywords as m
w = m.With()
print(m.delete(), m.raise_(), w.camelCase, w.pass_(), w.other())
*/
/* expect
1 2 3 4 5
*/
