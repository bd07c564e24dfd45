//! Many parameters, many results of each kind, and names that are shared by classes and functions.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn eight(a: u8, b: &str, c: &[u16], d: Option<i64>, e: f32, f: bool, g: char, h: Vec<String>) -> String {
    format!("{a} {b} {c:?} {d:?} {e} {f} {g} {h:?}")
}

macro_rules! classes {
    ($($name:ident $value:literal)*) => {
        $(
            #[wasm_bindgen]
            pub struct $name;

            #[wasm_bindgen]
            impl $name {
                #[wasm_bindgen(constructor)]
                pub fn new() -> $name { $name }
                pub fn value(&self) -> u32 { $value }
                pub fn make() -> $name { $name }
            }
        )*
    };
}

classes! { A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K 11 L 12 M 13 N 14 O 15 P 16 }

#[wasm_bindgen]
pub fn value() -> u32 {
    0
}

/* python
import many as m
print(m.eight(1, "b", [2, 3], -4, 0.5, True, "g", ["h", "i"]))
print(m.eight(1, "b", [], None, 0.5, False, "é", []))
print([getattr(m, name)().value() for name in "ABCDEFGHIJKLMNOP"], m.value(), m.P.make().value())
try: m.A().value(m.B())
except TypeError as e: print("TypeError")
try: m.eight(1, "b", [], None, 0.5, False, "é")
except TypeError as e: print("TypeError", e)
*/
/* expect
1 b [2, 3] Some(-4) 0.5 true g ["h", "i"]
1 b [] None 0.5 false é []
[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] 0 16
TypeError
TypeError function takes 8 positional arguments but 7 were given
*/
