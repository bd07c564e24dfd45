//! `panic = "unwind"`: destructors run, whatever ends a call, and nothing is lost; TIMES exceptions of each kind.
//! boards: all
//! panic: unwind

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use wasm_bindgen::prelude::*;

thread_local! {
    static ENDED: Cell<u32> = const { Cell::new(0) };
}

#[wasm_bindgen]
extern "C" {
    fn host(n: u32) -> u32;
    #[wasm_bindgen(catch, js_name = host)]
    fn attempt(n: u32) -> Result<u32, JsValue>;
    #[wasm_bindgen(js_name = host)]
    fn host_text(text: String) -> String;
    #[wasm_bindgen(js_name = host)]
    fn lend(call: &dyn Fn(u32) -> u32) -> u32;
    pub type Thing;
    #[wasm_bindgen(method, getter)]
    fn size(this: &Thing) -> u32;
    #[wasm_bindgen(method, indexing_getter)]
    fn at(this: &Thing, index: u32) -> u32;
}

/// Counts how often it is dropped, and holds memory until then.
struct Held(Vec<u32>);

impl Held {
    fn new() -> Held {
        Held(std::hint::black_box(vec![1; 10]))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        ENDED.set(ENDED.get() + 1);
    }
}

/// Asks Python when it is dropped.
struct Asks(u32);

impl Drop for Asks {
    fn drop(&mut self) {
        ENDED.set(ENDED.get() + attempt(self.0).unwrap_or(100));
    }
}

#[inline(never)]
fn fail(kind: u32) -> u32 {
    let held = Held::new();
    let n = match kind {
        0 => panic!("a panic"),
        1 => Vec::<u64>::with_capacity(std::hint::black_box(1 << 27)).capacity() as u32,
        2 => std::hint::black_box([0_u32; 4]).get(kind as usize + 9).copied().unwrap(),
        3 => panic::panic_any(7_u32),
        n => host(n),
    };
    n + held.0[0]
}

#[wasm_bindgen]
pub fn ended() -> u32 {
    ENDED.replace(0)
}

#[wasm_bindgen]
pub fn is_panicking() -> bool {
    std::thread::panicking()
}

#[wasm_bindgen]
pub fn free(text: &str, samples: &[i16], kind: u32) -> u32 {
    let held = Held::new();
    fail(kind) + held.0[0] + text.len() as u32 + samples.len() as u32
}

#[wasm_bindgen]
pub fn owned(text: String, values: Vec<u32>, object: JsValue, kind: u32) -> u32 {
    fail(kind) + text.len() as u32 + values.len() as u32 + u32::from(object.is_null())
}

#[wasm_bindgen]
pub fn catches(kind: u32) -> String {
    match panic::catch_unwind(|| fail(kind)) {
        Ok(n) => format!("{n}"),
        Err(payload) => format!("caught {:?}", payload.downcast_ref::<&str>()),
    }
}

#[wasm_bindgen]
pub fn resumes(kind: u32) -> u32 {
    let held = AssertUnwindSafe(Held::new());
    match panic::catch_unwind(|| fail(kind) + held.0.0[0]) {
        Ok(n) => n,
        Err(payload) => panic::resume_unwind(payload),
    }
}

#[wasm_bindgen]
pub fn asks(kind: u32, n: u32) -> u32 {
    let asks = Asks(n);
    fail(kind) + asks.0
}

#[wasm_bindgen]
pub fn calls(kind: u32) -> u32 {
    let held = Held::new();
    lend(&|n| {
        let held = Held::new();
        fail(n) + held.0[0]
    }) + held.0[0] + kind
}

#[wasm_bindgen]
pub fn texts(text: String) -> String {
    let held = Held::new();
    let text = host_text(text);
    format!("{text}{}", held.0[0])
}

#[wasm_bindgen]
pub fn looks(thing: &Thing) -> u32 {
    let held = Held::new();
    thing.size() + thing.at(3) + held.0[0]
}

#[wasm_bindgen]
pub fn keep() -> JsValue {
    let held = Held::new();
    Closure::<dyn Fn(u32) -> u32>::new(move |kind| fail(kind) + held.0[0]).into_js_value()
}

#[wasm_bindgen]
pub struct Acc {
    values: Vec<u32>,
    held: Held,
}

#[wasm_bindgen]
impl Acc {
    #[wasm_bindgen(constructor)]
    pub fn new(kind: u32) -> Acc {
        let held = Held::new();
        if kind < 9 {
            fail(kind);
        }
        Acc { values: vec![1; 4], held }
    }
    pub fn fails(&mut self, text: &str, kind: u32) -> String {
        self.values[0] += 1;
        format!("{text}{}", fail(kind))
    }
    pub fn again(&self, kind: u32) -> u32 {
        let held = Held::new();
        host(kind) + held.0[0]
    }
    pub fn eat(self, kind: u32) -> u32 {
        fail(kind) + self.held.0[0]
    }
    pub fn check(&mut self) -> usize {
        self.values.len()
    }
}

/// As other languages' modules have them: no panic leaves it.
#[unsafe(no_mangle)]
pub extern "C" fn plain(kind: u32) -> u32 {
    let held = Held::new();
    fail(kind) + held.0[0]
}

#[wasm_bindgen]
pub fn calls_plain(kind: u32) -> u32 {
    plain(std::hint::black_box(kind))
}

/* python
import unwinding as m, builtins, gc
from array import array
answer = None
class Own(Exception): pass
OWN = Own("mine")
def raises(n):
    if n == 4: raise OWN
    if n == 6: raise OSError(5)
    if n == 5: raise KeyboardInterrupt
    raise ValueError(n)
def host(n): return answer(n)
builtins.host = host
def caught(f, *args):
    try: return f(*args)
    except BaseException as e: return OWN if e is OWN else repr(e)
acc, samples, kept = m.Acc(9), array("h", [1, 2]), m.keep()
class Thing:
    size = 1
    def __getitem__(self, index): raise IndexError("of Python")
PLACES = (
    ("free", lambda k: m.free("text", samples, k)),
    ("owned", lambda k: m.owned("text", [1, 2], b"bytes", k)),
    ("method", lambda k: acc.fails("text", k)),
    ("constructor", lambda k: m.Acc(k)),
    ("consumes", lambda k: m.Acc(9).eat(k)),
    ("closure", kept),
    ("resumes", m.resumes),
    ("catches", m.catches),
    ("plain", m.calls_plain),
)
usual = None
for name, place in PLACES:
    said, ended = [], []
    for k in range(6):
        answer = raises
        m.ended()
        said.append(caught(place, k))
        ended.append(m.ended())
        if (acc.check(), m.is_panicking()) != (4, False): print(name, k, "spoils something")
    if usual is None:
        usual = said
        for text in said: print("the same" if text is OWN else text)
    print(name, ended, [(k, said[k]) for k in range(6) if said[k] != usual[k]])
for k in (0, 4):
    answer = lambda f: f(k) if not isinstance(f, int) else raises(f)
    said = caught(m.calls, 0)
    print(k, said if said is not OWN else "the same", m.ended())
    # Python, Rust, Python, Rust.
    answer = lambda n: acc.fails("text", k) if n == 8 else raises(n)
    other = m.Acc(9)
    said = caught(other.again, 8)
    print(said if said is not OWN else "the same", m.ended(), other.check(), caught(other.free), m.ended())
answer = lambda text: raises(4)
print(caught(m.texts, "text") is OWN, m.ended())
print(caught(m.looks, Thing()), m.ended())
# Destructors that call Python, which raises again.
answer = lambda n: raises(n) if n != 8 else 1000
for k in (0, 1, 4):
    for n in (8, 7):
        print(caught(m.asks, k, n) is OWN, m.ended(), m.is_panicking())
# Great numbers.
answer = raises
KINDS = (
    ("panic", lambda acc: acc.fails("text", 0)),
    ("memory", lambda acc: acc.fails("text", 1)),
    ("python", lambda acc: acc.fails("text", 6)),
    ("consumed", lambda acc: m.Acc(9).eat(0)),
    ("owned", lambda acc: m.owned("text", [1, 2], b"bytes", 6)),
    ("caught", lambda acc: m.catches(0)),
    ("caught of Python", lambda acc: m.catches(6)),
    ("resumed", lambda acc: m.resumes(6)),
    ("closure", lambda acc: m.calls(6)),
)
def run(times, kind):
    locked = 0
    acc = m.Acc(9)
    for i in range(times):
        caught(kind, acc)
        try: acc.check()
        except RuntimeError: locked += 1
        if i % 2 == 1:
            acc.free()
            acc = m.Acc(9)
    acc.free()
    gc.collect()
    return locked, gc.mem_alloc()
for name, kind in KINDS:
    # Within a chunk of the heap.
    run(600, kind)
    before = run(600, kind)[1]
    locked, after = run(TIMES, kind)
    print(name, locked, "locked", "nothing lost" if after - before < 5000 else after - before)
*/
/* expect
RuntimeError('a panic, src/lib.rs:57',)
MemoryError('out of memory',)
RuntimeError('called `Option::unwrap()` on a `None` value, src/lib.rs:59',)
RuntimeError('No panic message available',)
the same
KeyboardInterrupt()
free [2, 2, 2, 2, 2, 2] []
owned [1, 1, 1, 1, 1, 1] []
method [1, 1, 1, 1, 1, 1] []
constructor [2, 2, 2, 2, 2, 2] []
consumes [2, 2, 2, 2, 2, 2] []
closure [1, 1, 1, 1, 1, 1] []
resumes [2, 2, 2, 2, 2, 2] []
catches [1, 1, 1, 1, 1, 1] [(0, 'caught Some("a panic")'), (2, 'caught Some("called `Option::unwrap()` on a `None` value")'), (3, 'caught None'), (4, 'caught None')]
plain [2, 2, 2, 2, 2, 2] [(3, "RuntimeError('Box<dyn Any>',)")]
0 RuntimeError('a panic, src/lib.rs:57',) 3
RuntimeError('a panic, src/lib.rs:57',) 2 4 None 1
4 the same 3
the same 2 4 None 1
True 1
IndexError('of Python',) 1
False 1001 False
False 101 False
False 1001 False
False 101 False
True 1001 False
True 101 False
panic 0 locked nothing lost
memory 0 locked nothing lost
python 0 locked nothing lost
consumed 0 locked nothing lost
owned 0 locked nothing lost
caught 0 locked nothing lost
caught of Python 0 locked nothing lost
resumed 0 locked nothing lost
closure 0 locked nothing lost
*/
