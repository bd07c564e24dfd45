//! `js_name` and `js_class`: names of classes, methods, fields and properties.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(js_name = Thing)]
pub struct RustThing {
    #[wasm_bindgen(js_name = size)]
    pub rust_size: u32,
}

#[wasm_bindgen(js_class = Thing)]
impl RustThing {
    #[wasm_bindgen(constructor)]
    pub fn make() -> RustThing {
        RustThing { rust_size: 1 }
    }
    #[wasm_bindgen(js_name = grow)]
    pub fn rust_grow(&mut self) {
        self.rust_size += 1;
    }
    #[wasm_bindgen(getter, js_name = area)]
    pub fn rust_area(&self) -> u32 {
        self.rust_size * self.rust_size
    }
    #[wasm_bindgen(setter, js_name = area)]
    pub fn set_rust_area(&mut self, area: u32) {
        self.rust_size = area.isqrt();
    }
}

/* python
import renamed as m
t = m.Thing()
t.grow(); print(t.size, t.area, type(t).__name__, hasattr(m, "RustThing"))
t.area = 49; print(t.size)
*/
/* expect
2 4 Thing False
7
*/
