//! The end of objects: `free`, dropped by Rust, dropped by Python; and what Rust's `Drop` sees of it.

use std::cell::Cell;
use wasm_bindgen::prelude::*;

thread_local!(static ALIVE: Cell<i32> = const { Cell::new(0) });

#[wasm_bindgen]
pub struct Token {
    _memory: Vec<u8>,
}

#[wasm_bindgen]
impl Token {
    #[wasm_bindgen(constructor)]
    pub fn new(size: usize) -> Token {
        ALIVE.set(ALIVE.get() + 1);
        Token { _memory: vec![0; size] }
    }
    pub fn give(self) {}
}

impl Drop for Token {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

#[wasm_bindgen]
pub fn alive() -> i32 {
    ALIVE.get()
}

/* python
import gc
import lifetime as m
a, b = m.Token(1), m.Token(2)
print(m.alive()); a.free(); print(m.alive()); b.give(); print(m.alive())
keep = [m.Token(10) for i in range(20)]
for i in range(5000): m.Token(100)
print(20 <= m.alive() < 600 or m.alive())
keep = None
for i in range(5000): m.Token(100)
print(0 <= m.alive() < 600 or m.alive())
*/
/* expect
2
1
0
True
True
*/
