//! Python functions as arguments.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    pub type Callback;
    #[wasm_bindgen(method, js_name = "__call__")]
    fn call(this: &Callback, n: u32) -> u32;
}

#[wasm_bindgen]
pub fn sum(callback: &Callback, count: u32) -> u32 {
    (0..count).map(|n| callback.call(n)).sum()
}

/* python
import callback as m
print(m.sum(lambda n: n * n, 4), m.sum(abs, 3))
try: m.sum(len, 2)
except TypeError: print("TypeError")
try: m.sum(7, 1)
except TypeError: print("TypeError")
*/
/* expect
14 3
TypeError
TypeError
*/
