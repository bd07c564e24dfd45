//! Texts that are made once: of js-sys their type is wanted, which is a text of Python's.

use js_sys::JsString;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, static_string)]
    static GREETING: JsString = "good day";
}

#[wasm_bindgen]
pub fn greeting() -> JsString {
    GREETING.with(JsString::clone)
}

/* dependencies
js-sys = "=0.3.107"
*/
/* python
import static_strings as m
print(m.greeting(), m.greeting() is m.greeting())
*/
/* expect
good day True
*/
