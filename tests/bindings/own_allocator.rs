//! A crate with an allocator of its own keeps it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use wasm_bindgen::prelude::*;

struct Counting(AtomicUsize);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting(AtomicUsize::new(0));

#[wasm_bindgen]
pub fn allocations() -> usize {
    let before = ALLOCATOR.0.load(Ordering::Relaxed);
    let boxes: Vec<Box<u32>> = (0..10).map(Box::new).collect();
    ALLOCATOR.0.load(Ordering::Relaxed) - before + boxes.len() - 10
}

/* python
import own_allocator as m
print(m.allocations(), m.allocations())
*/
/* expect
11 11
*/
