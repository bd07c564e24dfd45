//! `catch`: exceptions of Python's as `Err`, to look at, to pass on, to replace.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn risky(kind: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(catch, js_name = risky)]
    fn risky_unit(kind: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, js_name = risky)]
    fn risky_number(kind: &str) -> Result<f64, JsValue>;
    #[wasm_bindgen(js_name = risky)]
    fn uncaught(kind: &str) -> String;

    type OSError;
    #[wasm_bindgen(method, getter)]
    fn errno(this: &OSError) -> i32;
}

#[wasm_bindgen]
pub fn pass(kind: &str) -> Result<String, JsValue> {
    risky(kind)
}

#[wasm_bindgen]
pub fn look(kind: &str) -> String {
    match risky(kind) {
        Ok(text) => text,
        Err(error) => match error.dyn_ref::<OSError>() {
            Some(error) => format!("errno {}", error.errno()),
            None => format!("{error:?}"),
        },
    }
}

#[wasm_bindgen]
pub fn replace(kind: &str) -> Result<(), JsError> {
    risky_unit(kind).map_err(|_| JsError::new("replaced"))
}

#[wasm_bindgen]
pub fn number(kind: &str) -> f64 {
    risky_number(kind).unwrap_or(-1.0)
}

#[wasm_bindgen]
pub fn through(kind: &str) -> String {
    uncaught(kind)
}

/* python
import catching as m
def risky(kind):
    if kind == "os": raise OSError(5)
    if kind == "key": raise KeyError("k")
    if kind == "exit": raise SystemExit
    if kind == "wrong": return 7
    return "fine"
def attempt(f, *args):
    try: print(f(*args))
    except BaseException as e: print(repr(e))
for kind in ("", "os", "key", "exit", "wrong"):
    for f in (m.pass_, m.look, m.replace, m.through): attempt(f, kind)
for i in range(3000):
    m.look("key"); m.number("os")
    try: m.through("key")
    except KeyError: pass
print(m.look(""), m.number("wrong"))
*/
/* expect
fine
fine
None
fine
OSError(5,)
errno 5
RuntimeError('replaced',)
OSError(5,)
KeyError('k',)
JsValue(KeyError('k',))
RuntimeError('replaced',)
KeyError('k',)
SystemExit()
JsValue(SystemExit())
RuntimeError('replaced',)
SystemExit()
TypeError('expected a str',)
JsValue(TypeError('expected a str',))
None
TypeError('expected a str',)
fine 7.0
*/
