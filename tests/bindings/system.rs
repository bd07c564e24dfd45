//! What `std::alloc::System`, `std` itself and the bindings' heap hold of one memory is apart.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;
use wasm_bindgen::prelude::*;

/// Its handle comes from `System`.
static MAIN: OnceLock<std::thread::Thread> = OnceLock::new();

#[wasm_bindgen(start)]
pub fn start() {
    MAIN.get_or_init(std::thread::current);
}

fn whole(block: &(usize, *mut u8, usize), value: u8) -> bool {
    (0..block.2).all(|i| unsafe { *block.1.add(i) } == value)
}

/// Blocks of both, in turn: how many there were, and whether all is still what it was.
#[wasm_bindgen]
pub fn mix(count: usize, bytes: usize) -> String {
    let layout = Layout::from_size_align(bytes, 8).unwrap();
    let mut system: Vec<(usize, *mut u8, usize)> = Vec::new();
    let mut own: Vec<Vec<u8>> = Vec::new();
    for i in 0..count {
        let block = unsafe { System.alloc(layout) };
        let mut other: Vec<u8> = Vec::new();
        if block.is_null() || other.try_reserve_exact(bytes / (1 + i % 3)).is_err() {
            break;
        }
        other.resize(bytes / (1 + i % 3), i as u8);
        unsafe { block.write_bytes(!(i as u8), bytes) };
        system.push((i, block, bytes));
        own.push(other);
        if i % 4 == 3 {
            let (_, block, bytes) = system.remove(1);
            unsafe { System.dealloc(block, Layout::from_size_align(bytes, 8).unwrap()) };
            own.remove(1);
        }
    }
    let system_is_whole = system.iter().all(|block| whole(block, !(block.0 as u8)));
    let own_is_whole = own.iter().all(|block| block.iter().all(|byte| *byte == block[0]));
    for (_, block, bytes) in &system {
        unsafe { System.dealloc(*block, Layout::from_size_align(*bytes, 8).unwrap()) };
    }
    let thread = MAIN.get().unwrap();
    format!("{} {system_is_whole} {own_is_whole} {:?}", own.len() > 1, thread.id())
}

#[wasm_bindgen]
pub fn spawn() -> String {
    std::thread::Builder::new().spawn(|| 5).map_or_else(|error| error.to_string(), |_| "spawned".to_owned())
}

#[wasm_bindgen]
pub fn take(bytes: usize) -> usize {
    vec![1u8; bytes].len()
}

/* python
import system as m, gc
print(m.mix(4, 3000))
print(m.spawn())
for size in (10, 64000, 70000): print(m.take(size))
for count, size in ((30, 100), (12, 5000), (9, 1), (5, 40000)):
    print(m.mix(count, size))
    gc.collect()
for i in range(50):
    try: m.take(1 << 28)
    except MemoryError: pass
print(m.mix(6, 2000))
*/
/* expect
true true true ThreadId(1)
operation not supported on this platform
10
64000
70000
true true true ThreadId(1)
true true true ThreadId(1)
true true true ThreadId(1)
true true true ThreadId(1)
true true true ThreadId(1)
*/
