//! Imports of modules within packages, by `raw_module`, and ones that are not there.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "package.part")]
extern "C" {
    fn answer() -> u32;
}

#[wasm_bindgen(raw_module = "sys")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = maxsize)]
    static MAX: JsValue;
    #[wasm_bindgen(js_namespace = implementation, thread_local_v2, js_name = name)]
    static NAME: String;
}

#[wasm_bindgen(module = "no_such_module")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn anything() -> Result<(), JsValue>;
}

#[wasm_bindgen]
pub fn ask() -> u32 {
    answer()
}

#[wasm_bindgen]
pub fn name() -> String {
    NAME.with(String::clone)
}

#[wasm_bindgen]
pub fn max() -> bool {
    MAX.with(|max| max.as_f64().is_some())
}

#[wasm_bindgen]
pub fn missing() -> Result<(), JsValue> {
    anything()
}

/* python
import sys
class Part:
    def answer(self): return 42
class Package: part = Part()
sys.modules["package"] = Package(); sys.modules["package.part"] = Package.part
import modules as m
print(m.ask(), m.name(), m.max())
try: m.missing()
except ImportError as e: print("ImportError", e)
*/
/* expect
42 micropython True
ImportError no module named 'no_such_module'
*/
