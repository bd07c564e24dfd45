//! A setter that nobody awaits is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Light(u32);

#[wasm_bindgen]
impl Light {
    #[wasm_bindgen(setter)]
    pub async fn set_level(&mut self, level: u32) {
        self.0 = level;
    }
}

/* dependencies
wasm-bindgen-futures = "0.4"
*/
/* error
an `async` setter has no counterpart in MicroPython
  at `Light.level`
  help: write an `async` method: nobody awaits what a setter returns
*/
