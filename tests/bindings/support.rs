//! boards: all
//! `mpy`: time, random numbers, printing, logging, critical sections, and what waits for MicroPython.

use core::cell::Cell;
use mpy::time::{Duration, Instant};
use mpy::{dbg, print, println};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn prints(name: &str) -> i32 {
    print!("plain");
    println!();
    println!("{name:>8}|{:?}", Some(1));
    println!("{}\0{{}}.", name.len());
    dbg!(1 + 1) + dbg!(name.len() as i32, 2).1
}

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

#[wasm_bindgen]
pub fn begin() {
    START.set(Some(Instant::now()));
}

/// Microseconds since the beginning.
#[wasm_bindgen]
pub fn elapsed() -> u64 {
    let start = START.get().expect("a beginning");
    assert!(start + Duration::from_micros(1) > start && start - Instant::now() == Duration::ZERO);
    start.elapsed().as_micros() as u64
}

#[wasm_bindgen]
pub fn ticks() -> Vec<u32> {
    vec![mpy::time::ticks_us(), mpy::time::ticks_ms()]
}

#[wasm_bindgen]
pub fn sleep(seconds: u64, nanos: u32) {
    mpy::time::sleep(Duration::new(seconds, nanos));
}

#[wasm_bindgen]
pub fn random(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    mpy::random::fill(&mut bytes);
    bytes
}

#[wasm_bindgen]
pub fn logs(level: u8) {
    mpy::logger::init(log::LevelFilter::iter().nth(level.into()).unwrap_or(log::LevelFilter::Off));
    log::error!("one {level}");
    log::info!(target: "other", "two");
    log::trace!("three");
}

#[wasm_bindgen]
pub fn section() -> u32 {
    critical_section::with(|_| critical_section::with(|_| 7))
}

#[wasm_bindgen]
extern "C" {
    pub type Flag;
    #[wasm_bindgen(method, getter)]
    fn is_set(this: &Flag) -> bool;
}

/// How many checks there were before the flag was set: it is not more than a few.
#[wasm_bindgen]
pub fn wait(flag: Flag) -> bool {
    (0..1000).any(|_| {
        mpy::interrupt::check();
        flag.is_set()
    })
}

#[wasm_bindgen]
pub fn endless() {
    loop {
        mpy::interrupt::check();
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["critical-section", "log"] }
critical-section = "1.2"
log = "0.4"
*/
/* python
import support as m, os, sys
class Time:
    def ticks_us(): return Time.us & 0x3fffffff
    def ticks_ms(): return Time.us // 1000 & 0x3fffffff
    def sleep_us(us): print("us", us)
    def sleep_ms(ms): print("ms", ms)
sys.modules["time"] = Time
class Random:
    def getrandbits(bits): return 0x04030201
class Os: pass
class Machine:
    state = 0
    def disable_irq(): Machine.state += 1; print("off", Machine.state); return Machine.state
    def enable_irq(state): print("on", state); Machine.state = state - 1
print(m.prints("name"))
Time.us = (1 << 30) - 5; m.begin()
for step in 3, 10, 1, 100_000_000, 1 << 29, 1 << 30, (1 << 31) + 1, 10 * 86_400_000_000:
    Time.us += step; print(m.elapsed())
Time.us = (5 << 30) + 12; print(list(m.ticks()))
m.sleep(0, 0); m.sleep(0, 1); m.sleep(0, 2_003_000); m.sleep(600_000, 5_000_000)
m.logs(0); m.logs(3); m.logs(5)
sys.modules["os"] = Os; sys.modules["random"] = Random
print(len(m.random(0)), list(m.random(6)))
Os.urandom = lambda n: bytes(range(n)); print(list(m.random(3)))
sys.modules["machine"] = Machine
print(m.section(), Machine.state)
import micropython
class Flag: is_set = False
flag = Flag()
def set(value): flag.is_set = value
micropython.schedule(set, True)
print(m.wait(flag))
flag.is_set = False; print(m.wait(flag))
if hasattr(os, "system"):
    # Ctrl-C of this machine's MicroPython.
    os.system("(sleep 0.3; kill -INT $PPID) &")
    try: m.endless()
    except KeyboardInterrupt as e: flag.is_set = e
    assert type(flag.is_set) is KeyboardInterrupt
*/
/* expect
plain
    name|Some(1)
4\0{}.
[src/lib.rs:15:5] 1 + 1 = 2
[src/lib.rs:15:19] name.len() as i32 = 4
[src/lib.rs:15:19] 2 = 2
4
3
13
14
100000014
636870926
1710612750
3858096399
867858096399
[12, 5368709]
us 1
ms 2
us 3
ms 536870912
ms 63129093
ERROR support: one 3
INFO other: two
ERROR support: one 5
INFO other: two
TRACE support: three
0 [1, 1, 1, 1, 1, 1]
[0, 1, 2]
off 1
off 2
on 2
on 1
7 0
True
False
*/
