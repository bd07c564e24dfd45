//! Running out of memory is a MemoryError, wherever an argument or a result needs some, and the module goes on; nothing
//! is lost.
//! boards: all

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn text(text: String) -> usize {
    text.len()
}

#[wasm_bindgen]
pub fn lent(text: &str) -> usize {
    text.len()
}

#[wasm_bindgen]
pub fn bytes(bytes: Vec<u8>) -> usize {
    bytes.len()
}

#[wasm_bindgen]
pub fn two(shorts: &[i16], bytes: Vec<u8>) -> usize {
    shorts.len() + bytes.len()
}

#[wasm_bindgen]
pub fn change(numbers: &mut [f32], bytes: Vec<u8>) -> usize {
    numbers.len() + bytes.len()
}

#[wasm_bindgen]
pub fn boxed(numbers: Box<[u32]>) -> usize {
    numbers.len()
}

#[wasm_bindgen]
pub fn optional(numbers: Option<Vec<u64>>) -> usize {
    numbers.map_or(0, |numbers| numbers.len())
}

#[wasm_bindgen]
pub fn objects(objects: Vec<JsValue>) -> usize {
    objects.len()
}

#[wasm_bindgen]
pub fn texts(texts: Vec<String>) -> usize {
    texts.len()
}

#[wasm_bindgen]
pub fn make_text(length: usize) -> String {
    "x".repeat(length)
}

#[wasm_bindgen]
pub fn make_bytes(length: usize) -> Vec<u8> {
    vec![1; length]
}

#[wasm_bindgen]
pub fn make_shorts(length: usize) -> Option<Vec<i16>> {
    Some(vec![1; length])
}

#[wasm_bindgen]
pub fn make_bools(length: usize) -> Result<Vec<bool>, JsValue> {
    Ok(vec![true; length])
}

#[wasm_bindgen]
pub struct Thing(Vec<u8>);

#[wasm_bindgen]
impl Thing {
    #[wasm_bindgen(constructor)]
    pub fn new(length: usize) -> Thing {
        Thing(vec![0; length])
    }

    pub fn length(&self) -> usize {
        self.0.len()
    }
}

/// Asks for so much that there is never as much.
#[wasm_bindgen]
pub fn take(bytes: usize) -> usize {
    vec![1u8; bytes].len()
}

/* python
import memory as m, gc
from array import array
def free():
    gc.collect(); gc.collect()
    return gc.mem_free()
def fill():
    hold, n = [], 1 << 20
    while n >= 256:
        try: hold.append(bytearray(n))
        except MemoryError: n >>= 1
    return hold
text, data = "x" * 900, b"x" * 900
shorts, floats, ones, letters = array("h", bytes(900)), array("f", bytes(900)), [1] * 220, ["a"] * 220
calls = (
    ("text", m.text, text), ("bytes", m.bytes, data), ("two", m.two, shorts, data), ("change", m.change, floats, data),
    ("boxed", m.boxed, ones), ("optional", m.optional, ones), ("objects", m.objects, ones), ("texts", m.texts, letters),
    ("make_text", m.make_text, 900), ("make_bytes", m.make_bytes, 900), ("make_shorts", m.make_shorts, 450),
    ("make_bools", m.make_bools, 225), ("Thing", m.Thing, 900), ("take", m.take, 1 << 29), ("take", m.take, 0x7fffffff),
)
def kind(call):
    try: call[1](*call[2:])
    except MemoryError: return True
    except Exception as e: return repr(e)
def good():
    return (m.text("abc"), m.lent("ab"), m.bytes(b"12"), m.two(shorts[:2], b"1"), m.boxed([1, 2, 3]), m.optional(None),
        m.objects([1, "2"]), m.texts(["a", "b"]), m.make_text(3), m.make_bytes(2), list(m.make_shorts(2)),
        m.make_bools(2), m.Thing(3).length())
print(good())
# What fits, so that Rust has the memory when MicroPython has not.
for call in calls[:-2]: kind(call)
def turn():
    right = 0
    for call in calls:
        hold = fill()
        for _ in range(5): right += kind(call) in (True, None)
        hold.clear()
    return right
turn()
turn()
before = free()
print(turn(), before - free() < 600)
print(good())
*/
/* expect
(3, 2, 2, 3, 3, 0, 2, 2, 'xxx', b'\x01\x01', [1, 1], [True, True], 3)
75 True
(3, 2, 2, 3, 3, 0, 2, 2, 'xxx', b'\x01\x01', [1, 1], [True, True], 3)
*/
