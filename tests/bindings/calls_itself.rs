//! A module that imports its own exports calls itself through Python without a function of Python's in between. It ends
//! as any endless recursion does, and the module goes on.
//!
//! boards: all

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "calls_itself")]
extern "C" {
    #[wasm_bindgen(js_name = count)]
    fn again(depth: u32) -> u32;
    #[wasm_bindgen(js_name = length)]
    fn length_again(text: &str) -> usize;
}

#[wasm_bindgen]
pub fn count(depth: u32) -> u32 {
    if depth == 0 { 0 } else { again(depth - 1) + 1 }
}

#[wasm_bindgen]
pub fn length(text: String) -> usize {
    if text.len() < 3 { text.len() } else { length_again(&text) + 1 }
}

/* python
import calls_itself as m, gc
kept = [bytearray(b"x" * 64) for _ in range(50)]
def says(call, argument):
    try: return call(argument)
    except RuntimeError: return "ended"
def deep(call, argument):
    found = says(call, argument)
    return found if found == "ended" else None
def everywhere(call, argument):
    # At each depth of Python's own stack.
    try:
        found = deep(call, argument)
        return everywhere(call, argument) or found
    except RuntimeError:
        return None
for call, argument in ((m.count, 1 << 30), (m.length, "long")):
    print(says(call, argument), everywhere(call, argument), everywhere(call, argument))
print(m.count(3), m.length("ab"), all(x == b"x" * 64 for x in kept))
*/
/* expect
ended ended ended
ended ended ended
3 2 True
*/
