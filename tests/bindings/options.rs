//! `Option`: None and left-out arguments.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn size(width: u32, height: Option<u32>, depth: Option<u32>) -> u32 {
    width * height.unwrap_or(2) * depth.unwrap_or(3)
}

#[wasm_bindgen]
pub fn all(a: Option<String>, b: Option<Vec<i32>>, c: Option<bool>, d: Option<f32>) -> String {
    format!("{a:?} {b:?} {c:?} {d:?}")
}

#[wasm_bindgen]
pub fn find(values: &[i32], wanted: i32) -> Option<usize> {
    values.iter().position(|value| *value == wanted)
}

/* python
import options as m
print(m.size(1), m.size(1, 5), m.size(1, None, 7), m.size(1, 2, 1))
print(m.all()); print(m.all("x", [1], False, 0.5)); print(m.all(None, [], None))
print(m.find([3, 4], 4), m.find([], 1))
try: m.size()
except TypeError as e: print("TypeError")
try: m.size(1, 2, 3, 4)
except TypeError as e: print("TypeError")
*/
/* expect
6 15 14 2
None None None None
Some("x") Some([1]) Some(false) Some(0.5)
None Some([]) None None
1 None
TypeError
TypeError
*/
