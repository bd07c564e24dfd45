//! boards: all
//! Rust functions as handlers of interrupts. Emulated boards with a timer call them in real interrupts.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use mpy::hal::{Adc, Pin};
use mpy::interrupt::{self, Edges, Handler, Kind, Ring};
use mpy::object::Object;
use wasm_bindgen::prelude::*;

static CALLS: AtomicU32 = AtomicU32::new(0);
static REFUSED: AtomicU32 = AtomicU32::new(0);
static SAMPLES: Ring<u16, 16> = Ring::new(0);

thread_local! {
    static HANDLERS: RefCell<Vec<Handler>> = const { RefCell::new(Vec::new()) };
}

fn keep(handler: Handler) {
    HANDLERS.with_borrow_mut(|handlers| handlers.push(handler));
}

/// Drops all handlers.
#[wasm_bindgen]
pub fn ends() {
    HANDLERS.with_borrow_mut(Vec::clear);
}

#[wasm_bindgen]
pub fn calls() -> u32 {
    CALLS.swap(0, Relaxed)
}

#[wasm_bindgen]
pub fn counts(timer: JsValue, hard: bool) -> mpy::Result<()> {
    let kind = if hard { Kind::Hard } else { Kind::Soft };
    keep(Handler::on_timer(timer, 1000, kind, || _ = CALLS.fetch_add(1, Relaxed))?);
    Ok(())
}

/// Waits for interrupts, which end the loop.
#[wasm_bindgen]
pub fn waits(count: u32) {
    while CALLS.load(Relaxed) < count {
        interrupt::fence();
    }
}

#[wasm_bindgen]
pub fn samples(timer: JsValue, mut adc: Adc) -> mpy::Result<()> {
    let mut producer = SAMPLES.producer().expect("one");
    keep(Handler::on_timer(timer, 1000, Kind::Hard, move || {
        if let Ok(sample) = adc.read_u16()
            && !producer.push(sample)
        {
            REFUSED.fetch_add(1, Relaxed);
        }
    })?);
    Ok(())
}

/// Takes so many samples as they come; whether each is one more than the last.
#[wasm_bindgen]
pub fn takes(count: u16, waits: bool) -> bool {
    let mut consumer = SAMPLES.consumer().expect("one");
    let mut expected = 0;
    while expected < count {
        match consumer.pop() {
            Some(sample) if sample == expected => expected += 1,
            None if waits => {}
            _ => return false,
        }
    }
    true
}

#[wasm_bindgen]
pub fn refused() -> u32 {
    REFUSED.swap(0, Relaxed)
}

/// A handler that asks for memory, whatever the program does, and gives it back.
#[wasm_bindgen]
pub fn allocates(timer: JsValue) -> mpy::Result<()> {
    let mut kept: Vec<u8> = Vec::with_capacity(100);
    keep(Handler::on_timer(timer, 1000, Kind::Hard, move || {
        let calls = CALLS.fetch_add(1, Relaxed);
        let mut bytes: Vec<u8> = Vec::new();
        match bytes.try_reserve_exact(20 + calls as usize % 60) {
            Ok(()) => bytes.resize(bytes.capacity(), calls as u8),
            Err(_) => _ = REFUSED.fetch_add(1, Relaxed),
        }
        core::mem::swap(&mut bytes, &mut kept);
    })?);
    Ok(())
}

/// Allocates all the time, until the handler was called so often; whether nobody else had the memory.
#[wasm_bindgen]
pub fn churns(count: u32) -> bool {
    let mut all: Vec<Vec<u32>> = Vec::new();
    let mut seed = 1_u32;
    let mut turns = 0;
    while CALLS.load(Relaxed) < count || turns < 1000 {
        interrupt::fence();
        turns += 1;
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        all.push(vec![seed; 1 + seed as usize % 40]);
        if all.len() > 20 {
            let old = all.swap_remove(seed as usize % 20);
            if old.iter().any(|word| *word != old[0]) {
                return false;
            }
        }
    }
    all.iter().all(|words| words.iter().all(|word| *word == words[0]))
}

#[wasm_bindgen]
pub fn pressed(pin: Pin, edges: u32, hard: bool) -> mpy::Result<()> {
    let edges = [Edges::Rising, Edges::Falling, Edges::Both][edges as usize];
    let kind = if hard { Kind::Hard } else { Kind::Soft };
    keep(Handler::on_pin(pin, edges, kind, || _ = CALLS.fetch_add(1, Relaxed))?);
    Ok(())
}

#[wasm_bindgen]
pub fn received(uart: JsValue) -> mpy::Result<()> {
    keep(Handler::on(uart, &[("trigger", 4.into())], Kind::Soft, || panic!("in a handler"))?);
    Ok(())
}

/// A function that takes any arguments.
#[wasm_bindgen]
pub fn callable(timer: JsValue) -> mpy::Result<JsValue> {
    let handler = Handler::on_timer(timer, 1, Kind::Soft, || _ = CALLS.fetch_add(1, Relaxed))?;
    let callable: Object = handler.callable();
    keep(handler);
    Ok(callable.into())
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
*/
/* python
import handlers as m, time
try:
    from machine import Timer
    real = True
except ImportError:
    real = False
class Fake:
    def init(self, freq, callback, hard=None):
        self.said, self.callback = (freq, hard), callback
    def deinit(self):
        self.said = "ended"
class Adc:
    count = -1
    def read_u16(self):
        Adc.count += 1
        return Adc.count

# What is said to Python.
fake = Fake(); m.counts(fake, True); print(fake.said); fake.callback(fake); fake.callback(); print(m.calls())
m.ends(); print(fake.said)
m.counts(fake, False); print(fake.said)
f = m.callable(Fake()); f(); f(1); f(1, 2); print(m.calls()); m.ends()
try: f()
except RuntimeError as e: print(e)
class Pin:
    IRQ_RISING, IRQ_FALLING = 8, 16
    def irq(self, **said): print(sorted((k, v if k != "handler" else v and v()) for k, v in said.items()))
for edges in range(3): m.pressed(Pin(), edges, edges == 2)
m.ends(); print(m.calls())
class Uart:
    def irq(self, trigger=None, handler=None):
        if handler:
            try: handler(self)
            except RuntimeError as e: print(trigger, "RuntimeError")
m.received(Uart()); m.ends()

# Whether it has room.
m.samples(fake, Adc())
for i in range(18): fake.callback(fake)
print(m.takes(16, False), m.refused()); m.ends(); Adc.count = -1
m.allocates(fake)
for i in range(100): fake.callback(fake)
print(m.churns(0), m.refused(), m.calls()); m.ends()

# Real interrupts, in the middle of anything. Emulated boards have them, but for Xtensa.
import sys
assert real or sys.platform != "qemu" or sys.implementation._mpy >> 10 & 15 in (9, 10)
if real:
    timer = Timer(-1)
    m.counts(timer, True); m.waits(20); m.ends(); n = m.calls(); assert n >= 20, n
    time.sleep_ms(5); assert m.calls() == 0
    m.counts(timer, False); n = 0
    while n < 5: time.sleep_ms(5); n += m.calls()
    m.ends()
    m.samples(timer, Adc()); assert m.takes(200, True); m.ends()
    m.refused(); m.calls()
    m.allocates(timer); assert m.churns(500); m.ends()
    # What was allocated is given back.
    assert m.churns(0)
print("good")
*/
/* expect
(1000, True)
2
ended
(1000, None)
3
closure called recursively or after it was dropped
[('handler', None), ('trigger', 8)]
[('handler', None), ('trigger', 16)]
[('handler', None), ('hard', True), ('trigger', 24)]
[('handler', None)]
[('handler', None)]
[('handler', None)]
3
4 RuntimeError
True 2
True 0 100
good
*/
