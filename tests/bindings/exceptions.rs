//! TIMES exceptions of each kind in methods: no object stays locked, and no memory is lost but what Rust's frames hold.
//! panic: both
//! flash: usual

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    fn host(n: u32) -> u32;
}

#[wasm_bindgen]
pub struct Acc {
    values: Vec<u32>,
    sum: u32,
}

#[wasm_bindgen]
impl Acc {
    #[wasm_bindgen(constructor)]
    pub fn new(len: usize) -> Acc {
        Acc { values: vec![1; len], sum: 0 }
    }
    pub fn panic(&mut self, text: &str) -> usize {
        self.sum += 1;
        assert!(text.is_empty(), "not empty");
        self.values[self.values.len() + text.len()] as usize
    }
    pub fn memory(&mut self, samples: &mut [i16]) -> String {
        self.sum += 1;
        samples[0] = 1;
        "a text".repeat(std::hint::black_box(1 << 28))
    }
    pub fn python(&mut self, text: &str, samples: &[i16], other: &Acc) -> u32 {
        self.sum += 1;
        host(self.sum) + text.len() as u32 + samples.len() as u32 + other.sum
    }
    pub fn trap(&self) -> u32 {
        core::arch::wasm32::unreachable()
    }
    /// Holds memory in a frame when it ends.
    pub fn holds(&mut self) -> u32 {
        let held = vec![self.sum; 10];
        host(std::hint::black_box(&held)[0])
    }
    pub fn sum(&mut self) -> u32 {
        self.sum
    }
}

/* python
import exceptions as m, builtins, gc
from array import array
def host(n): raise ValueError("sensor")
builtins.host = host
samples, other = array("h", [1, 2, 3]), m.Acc(2)
KINDS = (
    ("panic", lambda acc: acc.panic("a text"), RuntimeError),
    ("memory", lambda acc: acc.memory(samples), MemoryError),
    ("python", lambda acc: acc.python("a text", samples, other), ValueError),
    ("trap", lambda acc: acc.trap(), RuntimeError),
)
def run(times, kind, wanted):
    locked = 0
    acc = m.Acc(8)
    for i in range(times):
        try: kind(acc)
        except wanted: pass
        try:
            acc.sum()
            # Some are freed, some are left to the collector.
            if i % 4 == 1: acc.free()
        except RuntimeError: locked += 1
        if i % 2 == 1: acc = m.Acc(8)
    acc = None
    gc.collect()
    return locked, gc.mem_alloc()
for name, kind, wanted in KINDS:
    # Within a chunk of the heap. The table of objects has grown as far as it does when all this has happened.
    run(600, kind, wanted)
    before = run(600, kind, wanted)[1]
    locked, after = run(TIMES, kind, wanted)
    print(name, locked, "locked", "nothing lost" if after - before < 5000 else after - before)
acc = m.Acc(8)
def held(times):
    for i in range(times):
        try: acc.holds()
        except ValueError: pass
    gc.collect()
    return gc.mem_alloc()
before = held(5)
print("40 bytes held, not more than 80 lost:", (held(205) - before) / 200 <= 80)
*/
/* expect
panic 0 locked nothing lost
memory 0 locked nothing lost
python 0 locked nothing lost
trap 0 locked nothing lost
40 bytes held, not more than 80 lost: True
*/
