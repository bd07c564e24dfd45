//! Attributes about JavaScript's files, declarations and types are taken, and change nothing: `private`, `skip_jsdoc`,
//! `unchecked_optional_param_type`, `no_deref`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(private)]
#[derive(Clone, Copy)]
pub enum Side {
    Left = 1,
    Right = 2,
}

#[wasm_bindgen]
pub fn other(side: Side) -> Side {
    match side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
    }
}

/// How it is written down is JavaScript's.
#[wasm_bindgen(skip_jsdoc)]
pub fn half(value: f64) -> f64 {
    value / 2.0
}

#[wasm_bindgen]
pub fn plus(
    value: i32,
    #[wasm_bindgen(unchecked_optional_param_type = "number", param_description = "one if there is none")]
    more: JsValue,
) -> i32 {
    value + more.as_f64().map_or(1, |more| more as i32)
}

#[wasm_bindgen(module = "host")]
extern "C" {
    #[wasm_bindgen(no_deref)]
    type Thing;
    #[wasm_bindgen(method, getter)]
    fn name(this: &Thing) -> String;

    fn total(values: &[u16]) -> u32;
}

#[wasm_bindgen]
pub fn name_of(thing: &Thing) -> String {
    thing.name()
}

#[wasm_bindgen]
pub fn total_of_two(a: u16, b: u16) -> u32 {
    total(&[a, b])
}

/* python
import sys
class Thing:
    name = "a thing"
class host:
    Thing = Thing
    def total(values):
        return sum(values)
sys.modules["host"] = host
import quiet
print(quiet.other(1), quiet.half(3.0), quiet.plus(1, 5), quiet.plus(1, None))
print(quiet.name_of(Thing()), quiet.total_of_two(40000, 40000))
*/
/* expect
2 1.5 6 2
a thing 80000
*/
