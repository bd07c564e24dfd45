//! Iterators: over Rust's data in Python, and over Python's in Rust.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Iterator;
    fn iter(of: &JsValue) -> Iterator;
    #[wasm_bindgen(catch)]
    fn next(iterator: &Iterator) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
pub struct Countdown {
    left: u32,
}

#[wasm_bindgen]
impl Countdown {
    #[wasm_bindgen(constructor)]
    pub fn new(from: u32) -> Countdown {
        Countdown { left: from }
    }
    pub fn __next__(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        Some(self.left)
    }
}

#[wasm_bindgen]
pub fn total(values: &JsValue) -> f64 {
    let iterator = iter(values);
    std::iter::from_fn(|| next(&iterator).ok()).filter_map(|value| value.as_f64()).sum()
}

/* python
import iteration as m
print(list(m.Countdown(3)), [x for x in m.Countdown(0)], sum(m.Countdown(100)))
for i in m.Countdown(2): print(i)
print(m.total(range(10)), m.total([1.5, "no", 2]), m.total(m.Countdown(5)), m.total({1: 2}))
try: m.total(5)
except TypeError as e: print("TypeError", e)
*/
/* expect
[2, 1, 0] [] 4950
1
0
45.0 3.5 10.0 1.0
TypeError 'int' object isn't iterable
*/
