//! A hundred thousand times each on the host, ten times TIMES on boards, with collections in between: objects, exceptions in both directions, and callbacks
//! that come back to Rust.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Token(Vec<u8>);

#[wasm_bindgen]
impl Token {
    #[wasm_bindgen(constructor)]
    pub fn new(len: usize) -> Token {
        Token(vec![0; len])
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[wasm_bindgen]
extern "C" {
    pub type Caller;
    #[wasm_bindgen(method, js_name = "__call__")]
    fn call(this: &Caller, value: i32) -> i32;
    #[wasm_bindgen(method, catch, js_name = "__call__")]
    fn attempt(this: &Caller, value: i32) -> Result<i32, JsValue>;
}

#[wasm_bindgen]
pub fn refuse(value: i32) -> Result<i32, String> {
    Err(format!("no {value}"))
}

#[wasm_bindgen]
pub fn checked(value: usize) -> u8 {
    [1, 2, 3][value]
}

#[wasm_bindgen]
pub fn through(caller: &Caller, value: i32) -> i32 {
    caller.call(value) + 1
}

#[wasm_bindgen]
pub fn caught(caller: &Caller, value: i32) -> i32 {
    caller.attempt(value).unwrap_or(-1)
}

#[wasm_bindgen]
pub fn lend(caller: &Taker) -> i32 {
    let mut sum = 0;
    caller.take(&mut |value| {
        sum += value;
        sum
    });
    sum
}

#[wasm_bindgen]
extern "C" {
    pub type Taker;
    #[wasm_bindgen(method, js_name = "__call__")]
    fn take(this: &Taker, call: &mut dyn FnMut(i32) -> i32);
}

#[wasm_bindgen]
pub fn swallow() -> usize {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut len = 1 << 20;
    while len > 0 {
        all.push(vec![1; len]);
        len *= 2;
    }
    all.len()
}

/* python
import endurance as m, gc, sys
N = 100000 if sys.maxsize >> 32 else 10 * TIMES
def raising(n): raise ValueError
def panicking(n): return m.checked(n)
def nested(n): return 0 if n == 0 else m.through(nested, n - 1)
def objects(): t = m.Token(20); t.len()
def errors():
    try: m.refuse(3)
    except RuntimeError: pass
def panics():
    try: m.checked(9)
    except RuntimeError: pass
def exceptions():
    try: m.through(raising, 1)
    except ValueError: pass
def catching(): m.caught(raising, 1)
def callback_panics():
    try: m.through(panicking, 9)
    except RuntimeError: pass
def reentry(): m.through(nested, 2)
def closures(): m.lend(lambda f: f(1) + f(2))
def memory():
    try: m.swallow()
    except MemoryError: pass
def run(f, times):
    for i in range(times):
        f()
        if i % 5000 == 0: gc.collect()
    gc.collect()
    return gc.mem_alloc()
for f in (objects, errors, panics, exceptions, catching, callback_panics, reentry, closures, memory):
    before = run(f, 2000)
    # Each time memory runs out the collector is asked.
    grown = run(f, N // 20 if f is memory else N) - before
    print(f.__name__, "balanced" if grown < 2000 else grown)
print(m.through(nested, 5), m.checked(2), m.Token(7).len(), m.lend(lambda f: f(5)))
*/
/* expect
objects balanced
errors balanced
panics balanced
exceptions balanced
catching balanced
callback_panics balanced
reentry balanced
closures balanced
memory balanced
6 3 7 5
*/
