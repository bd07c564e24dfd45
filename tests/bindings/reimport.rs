//! A module that is imported again: the memory of its last instance comes back, and what Python still holds of that
//! instance raises an exception.
//!
//! boards: all

use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "host")]
extern "C" {
    fn back(value: i32) -> String;
}

thread_local! {
    static BYTES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    static OBJECTS: RefCell<Vec<JsValue>> = const { RefCell::new(Vec::new()) };
}

#[wasm_bindgen]
pub fn fill(bytes: usize) -> usize {
    BYTES.with_borrow_mut(|all| {
        all.extend((0..bytes / 500).map(|i| vec![i as u8; 500]));
        all.len()
    })
}

#[wasm_bindgen]
pub fn keep(object: JsValue) {
    OBJECTS.with_borrow_mut(|all| all.push(object));
}

#[wasm_bindgen]
pub fn sum() -> u32 {
    BYTES.with_borrow(|all| all.iter().flatten().map(|byte| u32::from(*byte)).sum())
}

#[wasm_bindgen]
pub fn add(a: i32, b: f32) -> i32 {
    BYTES.with_borrow(Vec::len) as i32 + a + b as i32
}

#[wasm_bindgen]
pub fn long(a: i64) -> i64 {
    BYTES.with_borrow(Vec::len) as i64 + a
}

#[wasm_bindgen]
pub fn four(a: i32, b: i32, c: i32, d: i32) -> i32 {
    BYTES.with_borrow(Vec::len) as i32 + a + b + c + d
}

#[wasm_bindgen]
pub fn join(count: i32, text: &str) -> String {
    text.repeat(count as usize)
}

#[wasm_bindgen]
pub fn total(first: String, numbers: Vec<i32>) -> String {
    format!("{first}{}", numbers.iter().sum::<i32>())
}

#[wasm_bindgen]
pub fn call(value: i32) -> String {
    let text = "kept ".repeat(3);
    let given = back(value);
    format!("{text}{given}{}", sum())
}

#[wasm_bindgen]
pub fn closure() -> JsValue {
    let text = "closed over".to_owned();
    Closure::<dyn Fn(u32) -> String>::new(move |n| format!("{text} {n}")).into_js_value()
}

#[wasm_bindgen]
pub struct Counter {
    values: Vec<u32>,
}

#[wasm_bindgen]
impl Counter {
    #[wasm_bindgen(constructor)]
    pub fn new(size: usize) -> Counter {
        Counter { values: vec![1; size] }
    }
    pub fn count(&self) -> u32 {
        self.values.iter().sum()
    }
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> usize {
        self.values.len()
    }
    #[wasm_bindgen(setter)]
    pub fn set_size(&mut self, size: usize) {
        self.values.resize(size, 1);
    }
    pub fn twice(value: u32) -> u32 {
        2 * value + BYTES.with_borrow(Vec::len) as u32
    }
    pub fn ends(self) {}
    #[wasm_bindgen(js_name = __len__)]
    pub fn len(&self) -> usize {
        self.values.len()
    }
    #[wasm_bindgen(js_name = __repr__)]
    pub fn text(&self) -> String {
        format!("Counter({})", self.values.len())
    }
}

/* python
import sys, gc
class Host:
    def back(self, value):
        return host.f(value)
host = Host()
sys.modules["host"] = host
import reimport as m
NAME = m.__name__
def again():
    del sys.modules[NAME]
    return __import__(NAME)
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e)

# Code and state of an instance stay MicroPython's; the rest comes back.
def grown(use):
    free = []
    for i in range(4):
        use(again())
        gc.collect(); free.append(gc.mem_free())
    return free[1] - free[3]
def use(m):
    m.fill(40000); m.keep(bytearray(30000)); m.keep(m.Counter(2000)); m.keep(m.closure())
less = grown(lambda m: m.fill(500)); more = grown(use)
print(more - less < 8000 or (more, less))

m = again(); m.fill(1000)
c, f, g = m.Counter(3), m.closure(), m.call
print(c.count(), c.size, len(c), c, f(1), m.Counter.twice(4), m.add(1, 2.5), m.total("t", [1, 2]))
n = again()
for old in (lambda: m.sum(), lambda: m.add(1, 2.5), lambda: m.long(1), lambda: m.four(1, 2, 3, 4), lambda: m.join(1, "a"),
            lambda: g(1), lambda: f(1), lambda: c.count(), lambda: c.size, lambda: len(c), lambda: repr(c), c.free,
            c.ends, lambda: m.Counter(1), lambda: m.Counter.twice(1), lambda: m.keep(1), m.closure): attempt(old)
def resize(): c.size = 4
attempt(resize)
try: n.Counter.count(c)
except TypeError: print("of another instance")
print(n.sum(), n.Counter(2).count(), n.closure()(3))

# While it waits for Python, it stays what it is.
n.fill(5000)
def inside(value):
    global n2
    n2 = again()
    n2.fill(5000); gc.collect()
    junk = [bytearray(b"\xaa" * 500) for i in range(20)]
    return "%d %d " % (value, n2.sum())
host.f = inside
print(n.call(7)); attempt(n.sum)
old, n = n, again(); attempt(old.sum); attempt(n2.sum); print(n.sum())

# An argument whose conversion imports the module: its memory is gone before the call begins.
class At:
    def __init__(self, value): self.value = value
    def __int__(self): self.go(); return self.value
    def __float__(self): self.go(); return 1.0
    def __rshift__(self, by): return self.value >> by
    def __lt__(self, other): return self.value < other
    def go(self):
        global n
        if self.value:
            n = again(); gc.collect()
for function, args in (("add", (At(1), 2.5)), ("add", (1, At(1))), ("long", (At(1),)), ("four", (At(1), 2, 3, 4)),
                       ("four", (1, 2, 3, At(4))), ("join", (At(1), "abc")), ("fill", (At(500),))):
    n.fill(5000)
    attempt(getattr(n, function), *args)
attempt(n.total, "sum ", [1, At(2), 3])
class Length:
    def __len__(self): At(1).go(); return 2
    def __getitem__(self, key): return 5
attempt(n.total, "sum ", Length())
print(n.sum())
*/
/* expect
True
3 3 3 Counter(3) closed over 1 10 5 t3
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
of another instance
0 2 closed over 3
kept kept kept 7 22500 22500
22500
RuntimeError the module was imported again
RuntimeError the module was imported again
0
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
RuntimeError the module was imported again
sum 6
sum 10
0
*/
