//! boards: all
//! interruptible
//! panic: both
//! Loops and recursive calls of a crate let scheduled functions run, and Ctrl-C end them.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use wasm_bindgen::prelude::*;

static STOP: AtomicBool = AtomicBool::new(false);

/// Ends what waits for it; returns whether it had ended already.
#[wasm_bindgen]
pub fn stop(is: bool) -> bool {
    STOP.swap(is, Relaxed)
}

/// The compiler believes that nothing changes an atomic in between, so it must not know which one this is.
fn is_stopped() -> bool {
    black_box(&STOP).load(Relaxed)
}

/// A loop without calls.
#[wasm_bindgen]
pub fn spins() {
    while !is_stopped() {}
}

#[inline(never)]
fn sum(values: &[u32]) -> u32 {
    values.iter().fold(0, |sum, value| sum.wrapping_mul(31).wrapping_add(*value))
}

/// Short loops in a function that a loop calls.
#[wasm_bindgen]
pub fn calls() -> u32 {
    let mut all = 0;
    while !is_stopped() {
        all += sum(black_box(&[1, 2, 3])) & 1;
    }
    all
}

/// A loop in a function of the standard library.
#[wasm_bindgen]
pub fn iterates() -> bool {
    (0_u64..).any(|_| is_stopped())
}

/// Calls without a loop, which would take longer than anyone waits.
#[wasm_bindgen]
pub fn recurses(depth: u32) -> u32 {
    if depth == 0 || is_stopped() { 1 } else { recurses(depth - 1).wrapping_add(recurses(black_box(depth) - 1)) }
}

/// Goes through the bytes again and again. What runs meanwhile may change Python's buffer, but not what Rust has.
#[wasm_bindgen]
pub fn adds(bytes: &[u8], times: u32) -> u32 {
    (0..times).fold(0, |sum, _| black_box(bytes).iter().fold(sum, |sum, byte| sum.wrapping_add(u32::from(*byte))))
}

/// It is interrupted while it is borrowed.
#[wasm_bindgen]
#[derive(Default)]
pub struct Log(Vec<Vec<u8>>);

#[wasm_bindgen]
impl Log {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Log {
        Log::default()
    }
    pub fn endless(&mut self) {
        for step in 0.. {
            if step % 16 == 0 {
                self.0.clear();
            }
            self.0.push(vec![step as u8; black_box(100)]);
        }
    }
    /// Whether all that it holds is whole.
    pub fn is_whole(&self) -> bool {
        self.0.iter().all(|bytes| bytes.len() == 100 && bytes.iter().all(|byte| *byte == bytes[0]))
    }
}

/* python
import interruptible as m, gc, micropython, os
for f, args in ((m.spins, ()), (m.calls, ()), (m.iterates, ()), (m.recurses, (200,))):
    micropython.schedule(m.stop, True)
    f(*args)
    print(m.stop(False))
data = bytearray(100)
data[:] = bytes(range(100))
def change(_):
    data[:] = b""
    gc.collect()
    for i in range(200): bytearray(b"\xff" * 100)
    done.append(len(data))
done = []
micropython.schedule(change, None)
print(m.adds(data, 1000), done)
log = m.Log()
if hasattr(os, "system"):
    # Ctrl-C of this machine's MicroPython.
    for i in range(5):
        os.system("(sleep 0.2; kill -INT $PPID) &")
        try: log.endless()
        except KeyboardInterrupt as e: done.append(type(e).__name__)
        assert log.is_whole()
    assert done[1:] == 5 * ["KeyboardInterrupt"], done
print(log.is_whole())
*/
/* expect
True
True
True
True
4950000 [0]
True
*/
