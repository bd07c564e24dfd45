//! The shadow stack is as large as calls need it, if that is known, and says how large it is when it is exhausted.
//!
//! boards: all

use std::hint::black_box;
use wasm_bindgen::prelude::*;

/// More than the usual size.
#[wasm_bindgen]
pub fn large(seed: u8) -> u32 {
    sum(black_box(&mut [seed; 9000]))
}

#[inline(never)]
fn sum(bytes: &mut [u8]) -> u32 {
    bytes[1] += 1;
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}

#[wasm_bindgen(module = "peer")]
extern "C" {
    fn call(depth: u32) -> u32;
}

/// Python calls the module again while a frame waits.
#[wasm_bindgen]
pub fn nested(depth: u32) -> u32 {
    let mut kept = [depth as u8; 2000];
    let more = if depth == 0 { 0 } else { call(depth - 1) };
    more + sum(black_box(&mut kept))
}

/* python
import sys
class peer: pass
sys.modules["peer"] = peer
import shadow_stack as m
peer.call = m.nested
print(m.large(1), m.large(2))
print(m.nested(0), m.nested(2))
try: print(m.nested(100))
except RuntimeError as e: print(str(e).split(" is ")[0])
print(m.nested(1), m.large(1))
*/
/* expect
9001 18001
1 6003
call stack exhausted: `stack`
2002 9001
*/
