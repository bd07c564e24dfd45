//! `Result`: text, `JsError`, exceptions of Python's, and types of one's own; and `throw`.

use std::fmt;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type KeyError;
    #[wasm_bindgen(constructor)]
    fn new(key: &str) -> KeyError;
}

#[derive(Debug)]
struct Trouble(u8);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trouble number {}", self.0)
    }
}

impl std::error::Error for Trouble {}

#[wasm_bindgen]
pub fn text() -> Result<u8, String> {
    Err("some text".to_owned())
}

#[wasm_bindgen]
pub fn std_error(fail: bool) -> Result<u8, JsError> {
    if fail { Err(Trouble(3))? }
    Ok(1)
}

#[wasm_bindgen]
pub fn key_error() -> Result<String, KeyError> {
    Err(KeyError::new("missing"))
}

#[wasm_bindgen]
pub fn throw(message: &str) {
    wasm_bindgen::throw_str(message);
}

#[wasm_bindgen]
pub fn parse(text: &str) -> Result<i32, JsError> {
    Ok(text.parse::<i32>()?)
}

#[wasm_bindgen]
pub struct Problem {
    pub code: u8,
}

#[wasm_bindgen]
pub fn own() -> Result<(), Problem> {
    Err(Problem { code: 42 })
}

#[wasm_bindgen]
pub fn panics() {
    panic!("a bug");
}

#[wasm_bindgen]
pub fn expect(value: Option<u8>) -> u8 {
    value.expect_throw("no value")
}

/* python
import errors as m
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e)
attempt(m.text); attempt(m.std_error, True); attempt(m.std_error, False); attempt(m.key_error)
attempt(m.throw, "thrown"); attempt(m.parse, "12"); attempt(m.parse, "x"); attempt(m.expect, 1); attempt(m.expect)
try: m.own()
except RuntimeError as e: print(e.args[0].code)
attempt(m.panics); attempt(m.parse, "13")
*/
/* expect
RuntimeError some text
RuntimeError trouble number 3
1
KeyError missing
RuntimeError thrown
12
RuntimeError invalid digit found in string
1
RuntimeError no value
42
RuntimeError a bug, src/lib.rs:62
13
*/
