//! Rust's rules of borrowing hold while Python is called back.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Callback;
    #[wasm_bindgen(method, js_name = __call__, catch)]
    fn call(this: &Callback) -> Result<i32, JsValue>;
}

#[wasm_bindgen]
pub struct Cell {
    value: i32,
}

#[wasm_bindgen]
impl Cell {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Cell {
        Cell { value: 0 }
    }
    pub fn get(&self) -> i32 {
        self.value
    }
    pub fn set(&mut self, value: i32) {
        self.value = value;
    }
    pub fn while_shared(&self, f: &Callback) -> Result<i32, JsValue> {
        f.call()
    }
    pub fn while_exclusive(&mut self, f: &Callback) -> Result<i32, JsValue> {
        f.call()
    }
}

/* python
import borrowing as m
c = m.Cell()
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e)
attempt(c.while_shared, c.get)
attempt(c.while_shared, lambda: c.set(1))
attempt(c.while_exclusive, c.get)
attempt(c.while_exclusive, lambda: 7)
def raises(): raise ValueError("no")
attempt(c.while_exclusive, raises)
c.set(5); attempt(c.get)
*/
/* expect
0
RuntimeError recursive use of an object detected which would lead to unsafe aliasing in rust
RuntimeError recursive use of an object detected which would lead to unsafe aliasing in rust
7
ValueError no
5
*/
