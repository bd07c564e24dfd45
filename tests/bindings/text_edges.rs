//! Text at its edges: NUL, the ends of UTF-8's lengths, long text, and text that is no UTF-8.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn describe(text: &str) -> String {
    text.chars().map(|c| format!("{:x}", c as u32)).collect::<Vec<_>>().join(" ")
}

#[wasm_bindgen]
pub fn make(code: u32) -> Result<String, String> {
    char::from_u32(code).map(String::from).ok_or_else(|| "no scalar value".to_owned())
}

#[wasm_bindgen]
pub fn reverse(text: String) -> String {
    text.chars().rev().collect()
}

#[wasm_bindgen]
pub fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

/* python
import text_edges as m
ends = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]
for code in ends:
    text = m.make(code)
    assert text == chr(code) and m.describe(text) == "%x" % code, code
try: m.make(0xd800)
except RuntimeError as e: print("RuntimeError", e)
print(m.reverse("aé€😀"), m.describe("\0a\0"), len(m.repeat("é", 5000)), m.repeat("x", 0) == "")
*/
/* expect
RuntimeError no scalar value
😀€éa 0 61 0 5000 True
*/
