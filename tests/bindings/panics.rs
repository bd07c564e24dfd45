//! Panics of a crate with `std` say what happened and where.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn third(bytes: &[u8]) -> u8 {
    bytes[2]
}

#[wasm_bindgen]
pub fn refuse(name: &str) {
    panic!("{name} is refused");
}

#[wasm_bindgen]
pub fn parse(text: &str) -> i32 {
    text.parse().expect("a number")
}

#[wasm_bindgen]
pub fn check(value: i32) {
    assert_eq!(value, 3, "so many");
}

#[wasm_bindgen]
extern "C" {
    pub type Callback;
    #[wasm_bindgen(method, js_name = "__call__")]
    fn call(this: &Callback, depth: i32) -> i32;
}

#[wasm_bindgen]
pub fn nested(callback: &Callback, depth: i32) -> i32 {
    if depth == 0 { panic!("at the bottom") } else { callback.call(depth - 1) + 1 }
}

/* python
import panics as m
def why(f, *args):
    try: f(*args)
    except RuntimeError as e: return str(e)
print(why(m.third, b"ab"))
print(why(m.refuse, "Jörg"))
print(why(m.parse, "x"))
print(why(m.check, 4))
long = why(m.refuse, "ü" * 300)
print(len(long.encode()), long == "ü" * 128)
def again(depth): return m.nested(again, depth)
print(why(m.nested, again, 5))
for i in range(1000): why(m.nested, again, 5)
print(why(m.nested, again, 5), m.third(b"abc"))
*/
/* expect
index out of bounds: the len is 2 but the index is 2, src/lib.rs:7
Jörg is refused, src/lib.rs:12
a number: ParseIntError { kind: InvalidDigit }, src/lib.rs:17
assertion `left == right` failed: so many
  left: 4
 right: 3, src/lib.rs:22
256 True
at the bottom, src/lib.rs:34
at the bottom, src/lib.rs:34 99
*/
