//! The scripting language Rhai with its default features.
//!
//! nightly: all

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn script(text: &str) -> String {
    let result = rhai::Engine::new().eval::<rhai::Dynamic>(text);
    result.map_or_else(|error| error.to_string(), |value| value.to_string())
}

/* dependencies
rhai = "1"
*/
/* python
import published_rhai as m
print(m.script("let a = 0; for i in 0..10 { a += i * i } a"), m.script("1 +"))
print(m.script("let m = #{a: [1, 2.5], b: \"x\"}; m.a[1] = 3; m.to_json()"))
*/
/* expect
*/
