//! Running out of memory is a MemoryError, and the module goes on.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn take(bytes: usize) -> usize {
    vec![1u8; bytes].len()
}

#[wasm_bindgen]
pub fn echo(bytes: Vec<u8>) -> usize {
    bytes.len()
}

/* python
import memory as m
print(m.take(100))
for i in range(100):
    try: m.take(1 << 29); print("taken")
    except MemoryError: pass
print(m.take(1000), m.echo(bytes(1000)))
*/
/* expect
100
1000 1000
*/
