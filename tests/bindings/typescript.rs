//! What is only for TypeScript does no harm.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "export type Coordinates = { x: number };";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "Coordinates")]
    pub type Coordinates;
    #[wasm_bindgen(method, getter)]
    fn x(this: &Coordinates) -> i32;
}

#[wasm_bindgen(skip_typescript)]
pub fn first(at: Coordinates) -> i32 {
    at.x()
}

#[wasm_bindgen(unchecked_return_type = "Foo", return_description = "the text")]
pub fn described(#[wasm_bindgen(unchecked_param_type = "Bar", param_description = "a number")] value: i32) -> String {
    value.to_string()
}

#[wasm_bindgen(inspectable)]
pub struct Inspectable {
    pub value: u8,
}

#[wasm_bindgen]
pub fn inspect() -> Inspectable {
    Inspectable { value: 4 }
}

/* python
import typescript as m
class Point: x = 9
print(m.first(Point()), m.described(5), m.inspect().value)
*/
/* expect
9 5 4
*/
