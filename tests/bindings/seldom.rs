//! boards: all
//! Memory of a program that allocates in no loop: each block is one of MicroPython's heap.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Block {
    at: *mut u8,
    layout: Layout,
    first: u8,
}

#[wasm_bindgen]
impl Block {
    /// A block whose bytes count up from the first.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: usize, align: usize, first: u8) -> Block {
        let layout = Layout::from_size_align(bytes, align).unwrap();
        let block = Block { at: unsafe { alloc(layout) }, layout, first };
        assert!(!block.at.is_null() && block.at.addr() % align == 0);
        block.fill(0);
        block
    }

    pub fn resize(&mut self, bytes: usize) {
        let before = self.layout.size();
        self.at = unsafe { realloc(self.at, self.layout, bytes) };
        self.layout = Layout::from_size_align(bytes, self.layout.align()).unwrap();
        assert!(!self.at.is_null() && self.at.addr() % self.layout.align() == 0);
        self.fill(before);
    }

    fn fill(&self, from: usize) {
        for i in from..self.layout.size() {
            unsafe { self.at.add(i).write(self.first.wrapping_add(i as u8)) };
        }
    }

    pub fn is_right(&self) -> bool {
        (0..self.layout.size()).all(|i| unsafe { self.at.add(i).read() } == self.first.wrapping_add(i as u8))
    }

    /// Adds up a slice, which is a copy where it is no buffer of this type.
    pub fn sum(&self, values: &[i16]) -> i32 {
        values.iter().map(|value| i32::from(*value)).sum()
    }

    pub fn describe(&self, name: &str) -> Result<u32, JsError> {
        if name.is_empty() { Err(JsError::new("no name")) } else { Ok(self.layout.size() as u32) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        unsafe { dealloc(self.at, self.layout) };
    }
}

/// How many bytes of a block that must be zero are not.
#[wasm_bindgen]
pub fn dirt(bytes: usize, align: usize) -> usize {
    let layout = Layout::from_size_align(bytes, align).unwrap();
    let at = unsafe { alloc_zeroed(layout) };
    let dirty = (0..bytes).filter(|i| unsafe { at.add(*i).read() } != 0).count();
    unsafe { dealloc(at, layout) };
    dirty
}

/// Blocks that a handler of an interrupt gives back.
static OFFERED: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];
static FREED: AtomicUsize = AtomicUsize::new(0);
const OFFER: Layout = Layout::new::<[u32; 5]>();

#[wasm_bindgen]
pub fn offer(at: usize) {
    if OFFERED[at].load(Relaxed) == 0 {
        OFFERED[at].store(unsafe { alloc(OFFER) }.addr(), Relaxed);
    }
}

/// Gives back a block, and takes another, for which there is memory only outside of handlers.
#[wasm_bindgen]
pub fn tick(_timer: &JsValue) {
    let count = FREED.fetch_add(1, Relaxed);
    let at = OFFERED[count % 4].swap(0, Relaxed);
    if at != 0 {
        unsafe { dealloc(at as *mut u8, OFFER) };
        OFFERED[count % 4].store(unsafe { alloc(OFFER) }.addr(), Relaxed);
    }
}

#[wasm_bindgen]
pub fn freed() -> usize {
    FREED.load(Relaxed)
}

/* python
import seldom as m, gc
from array import array
state = 12345
def random(n):
    global state
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % n
def life(times):
    blocks = [None] * 12
    wrong = 0
    for i in range(times):
        at = random(12)
        block = blocks[at]
        if block is None:
            blocks[at] = m.Block(1 + random(90), 1 << random(8), random(256))
        elif random(3) == 0:
            block.free()
            blocks[at] = None
        else:
            block.resize(1 + random(120))
        if random(8) == 0:
            gc.collect()
        garbage = [bytearray(random(40)) for _ in range(3)]
        wrong += sum(not b.is_right() for b in blocks if b is not None)
        wrong += m.dirt(1 + random(60), 1 << random(6))
    for b in blocks:
        if b is not None:
            wrong += b.sum([1, -2, 3]) != 2
            wrong += b.sum(array("h", (5, 6))) != 11
            b.free()
    del blocks, garbage, b, block
    gc.collect()
    return wrong
print(life(300))
before = gc.mem_alloc()
print(life(300), gc.mem_alloc() - before < 1024)
# Interrupts in the middle of anything, where there are some.
try:
    from machine import Timer
    timer = Timer(-1)
except (ImportError, TypeError, ValueError):
    timer = None
if timer:
    timer.init(freq=2000, callback=m.tick, hard=True)
    # How many there are in a round depends on the machine.
    rounds = 0
    while rounds < 30 or m.freed() < 50:
        for j in range(4): m.offer(j)
        assert life(10) == 0
        rounds += 1
    timer.deinit()
else:
    for i in range(8): m.offer(i % 4), m.tick(None)
print(life(10))
block = m.Block(8, 8, 1)
for bad in ("x", [1, "x"], [1, 70000], 5):
    try: block.sum(bad)
    except Exception as e: print(type(e).__name__)
try: block.describe("")
except RuntimeError as e: print(e)
print(block.describe("n"), block.is_right())
for bad in (0, 3):
    try: m.Block(8, bad, 1)
    except RuntimeError as e: print("refused")
*/
/* expect
0
0 True
0
TypeError
TypeError
OverflowError
TypeError
no name
8 True
refused
refused
*/
