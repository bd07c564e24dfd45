//! What Rust calls of Python's: functions of modules, under other names, of builtins, of `__main__`,
//! values, and namespaces.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "math")]
extern "C" {
    fn sqrt(value: f64) -> f64;
    #[wasm_bindgen(js_name = floor)]
    fn floor_of(value: f64) -> i32;
    #[wasm_bindgen(thread_local_v2)]
    static pi: f64;
}

#[wasm_bindgen]
extern "C" {
    fn print(text: &str);
    #[wasm_bindgen(js_name = print)]
    fn print_two(a: i32, b: &str);
    #[wasm_bindgen(js_name = print, variadic)]
    fn print_all(values: &[i32]);
    fn helper(value: u32) -> String;
    #[wasm_bindgen(js_namespace = math, js_name = pow)]
    fn power(a: f64, b: f64) -> f64;
    #[wasm_bindgen(js_namespace = settings)]
    fn lookup(key: &str) -> Option<u8>;
    #[wasm_bindgen(thread_local_v2)]
    static LIMIT: JsValue;
    fn missing();
}

#[wasm_bindgen]
pub fn run() -> String {
    print("from Rust");
    print_two(1, "two");
    print_all(&[3, 4, 5]);
    format!("{} {} {} {:?} {:?}", sqrt(16.0), floor_of(2.9), power(2.0, 8.0), lookup("a"), lookup("b"))
}

#[wasm_bindgen]
pub fn call_helper() -> String {
    helper(41)
}

#[wasm_bindgen]
pub fn limit() -> JsValue {
    LIMIT.with(JsValue::clone)
}

#[wasm_bindgen]
pub fn circle(radius: f64) -> bool {
    pi.with(|value| value * radius > 3.14 && value * radius < 3.15)
}

#[wasm_bindgen]
pub fn call_missing() {
    missing();
}

/* python
import imports as m
class settings:
    @staticmethod
    def lookup(key): return {"a": 5}.get(key)
def helper(n): return "helped %d" % (n + 1)
LIMIT = [1, 2]
print(m.run())
print(m.call_helper(), m.limit() is LIMIT, m.circle(1))
for i in range(3):
    try: m.call_missing()
    except Exception as e: print(type(e).__name__, e)
helper = lambda n: 5
try: m.call_helper()
except Exception as e: print(type(e).__name__, e)
*/
/* expect
from Rust
1 two
3 4 5
4 2 256 Some(5) None
helped 42 True True
NameError name 'missing' isn't defined
NameError name 'missing' isn't defined
NameError name 'missing' isn't defined
TypeError expected a str
*/
