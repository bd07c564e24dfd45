//! `variadic`: the last slice becomes arguments of their own.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(variadic)]
    fn gather(first: &str, rest: &[i32]) -> usize;
    #[wasm_bindgen(variadic, js_name = gather)]
    fn gather_objects(first: &str, rest: Box<[JsValue]>) -> usize;
    type Builder;
    #[wasm_bindgen(constructor, variadic)]
    fn new(parts: &[f32]) -> Builder;
    #[wasm_bindgen(method, variadic)]
    fn add(this: &Builder, parts: &[u8]) -> f32;
}

#[wasm_bindgen]
pub fn numbers(count: i32) -> usize {
    gather("n", &(0..count).collect::<Vec<_>>())
}

#[wasm_bindgen]
pub fn objects() -> usize {
    gather_objects("o", Box::new([JsValue::TRUE, JsValue::from("x")]))
}

#[wasm_bindgen]
pub fn build() -> f32 {
    Builder::new(&[0.5, 1.5]).add(&[1, 2, 3])
}

/* python
import variadic as m
def gather(first, *rest):
    print(first, rest)
    return len(rest)
class Builder:
    def __init__(self, *parts): self.parts = parts
    def add(self, *parts): return sum(self.parts) + sum(parts)
print(m.numbers(0), m.numbers(3), m.objects(), m.build())
*/
/* expect
n ()
n (0, 1, 2)
o (True, 'x')
0 3 2 8.0
*/
