//! Values of Python's: numbers, text, objects, of builtins, modules and `__main__`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2)]
    static NAME: String;
    #[wasm_bindgen(thread_local_v2)]
    static LEVEL: u8;
    #[wasm_bindgen(thread_local_v2, js_name = Exception)]
    static EXCEPTION: JsValue;
    #[wasm_bindgen(thread_local_v2, js_namespace = CONFIG, js_name = rate)]
    static RATE: f64;
    #[wasm_bindgen(thread_local_v2)]
    static MISSING: Option<String>;
}

#[wasm_bindgen]
pub fn all() -> String {
    format!("{} {} {:?}", NAME.with(String::clone), LEVEL.with(|level| *level), RATE.with(|rate| *rate * 2.0))
}

#[wasm_bindgen]
pub fn exception() -> JsValue {
    EXCEPTION.with(JsValue::clone)
}

#[wasm_bindgen]
pub fn missing() -> bool {
    MISSING.with(Option::is_none)
}

/* python
import statics as m
NAME = "joe"; LEVEL = 3
class CONFIG: rate = 1.5
print(m.all(), m.exception() is Exception)
NAME = "changed"; print(m.all())
MISSING = None; print(m.missing())
*/
/* expect
joe 3 3.0 True
joe 3 3.0
True
*/
