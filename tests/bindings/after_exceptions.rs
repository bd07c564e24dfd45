//! Objects after an exception, of every kind and from every place that may borrow or take one: usable, and freed.
//! boards: all

use std::cell::{Cell, RefCell};
use wasm_bindgen::prelude::*;

thread_local! {
    static LIVE: Cell<i32> = const { Cell::new(0) };
    static KEPT: RefCell<Vec<Closure<dyn Fn(u32) -> u32>>> = const { RefCell::new(Vec::new()) };
}

#[wasm_bindgen]
extern "C" {
    /// Python's: raises, or comes back to Rust.
    fn host(n: u32) -> u32;
    #[wasm_bindgen(js_name = host)]
    fn host_takes(ball: Ball);
    #[wasm_bindgen(js_name = host)]
    fn host_calls(call: &dyn Fn(u32) -> u32);
    #[wasm_bindgen(js_name = host)]
    fn host_calls_mut(call: &mut dyn FnMut(u32) -> u32);
}

#[inline(never)]
fn deep(n: u32) -> u32 {
    let frame = [n; 8];
    if std::hint::black_box(&frame)[0] == u32::MAX { 0 } else { deep(n + 1) + frame[7] }
}

/// Ends in an exception of one of the kinds.
#[inline(never)]
fn fail(kind: u32) -> u32 {
    match kind {
        0 => panic!("a panic"),
        1 => Vec::<u32>::with_capacity(std::hint::black_box(1 << 28)).capacity() as u32,
        2 => core::arch::wasm32::unreachable(),
        3 => deep(0),
        n => host(n),
    }
}

/// Fails when it is cloned, if it is to.
pub struct Fragile(u32);

impl Clone for Fragile {
    fn clone(&self) -> Fragile {
        if self.0 < 9 {
            fail(self.0);
        }
        Fragile(self.0)
    }
}

impl From<Fragile> for JsValue {
    fn from(value: Fragile) -> JsValue {
        value.0.into()
    }
}

#[wasm_bindgen]
#[derive(Clone)]
pub struct Inner(Fragile);

#[wasm_bindgen]
pub struct Ball {
    n: u32,
    #[wasm_bindgen(getter_with_clone)]
    pub inner: Inner,
    // The count before the object lies elsewhere when the object is aligned to more than two words.
    _aligned: Aligned,
}

#[repr(align(32))]
struct Aligned;

impl Drop for Ball {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - 1);
    }
}

#[wasm_bindgen]
impl Ball {
    #[wasm_bindgen(constructor)]
    pub fn new(kind: u32) -> Ball {
        if kind < 9 {
            fail(kind);
        }
        LIVE.set(LIVE.get() + 1);
        Ball { n: 1, inner: Inner(Fragile(9)), _aligned: Aligned }
    }
    pub fn shared(&self, kind: u32) -> u32 {
        fail(kind) + self.n
    }
    pub fn mutable(&mut self, kind: u32) -> u32 {
        self.n += fail(kind);
        self.n
    }
    pub fn text(&mut self, text: &str, kind: u32) -> String {
        fail(kind);
        self.n += text.len() as u32;
        text.to_owned()
    }
    pub fn words(&mut self, words: &mut [u16], more: Vec<String>, kind: u32) {
        words[0] = 7;
        fail(kind);
        self.n += words.len() as u32 + more.len() as u32;
    }
    pub fn with(&mut self, other: &Ball, kind: u32) -> u32 {
        self.n += fail(kind) + other.n;
        self.n
    }
    pub fn error(&mut self, kind: u32) -> Result<u32, String> {
        self.n += fail(kind);
        Err("an error".to_owned())
    }
    #[wasm_bindgen(getter)]
    pub fn got(&self) -> u32 {
        fail(self.inner.0.0)
    }
    #[wasm_bindgen(setter)]
    pub fn set_got(&mut self, kind: u32) {
        self.n = fail(kind);
    }
    pub fn __add__(&self, other: &Ball) -> u32 {
        fail(self.inner.0.0) + other.n
    }
    pub fn __call__(&mut self, kind: u32) -> u32 {
        fail(kind)
    }
    pub fn __getitem__(&self, kind: u32) -> u32 {
        fail(kind)
    }
    pub fn fixed(kind: u32) -> u32 {
        fail(kind)
    }
    pub fn again(&self, n: u32) -> u32 {
        host(n)
    }
    pub fn again_mut(&mut self, n: u32) -> u32 {
        host(n)
    }
    pub fn break_inner(&mut self, kind: u32) {
        self.inner.0.0 = kind;
    }
    pub fn eat(&mut self, other: Ball, kind: u32) -> u32 {
        fail(kind) + other.n
    }
    pub fn end(self, kind: u32) -> u32 {
        fail(kind)
    }
    /// Works only when nobody else has the object.
    pub fn check(&mut self) -> u32 {
        self.n = 1;
        self.inner.0.0 = 9;
        self.n
    }
}

#[wasm_bindgen]
pub fn live() -> i32 {
    LIVE.get()
}
#[wasm_bindgen]
pub fn free_shared(a: &Ball, b: &Ball, kind: u32) -> u32 {
    fail(kind) + a.n + b.n
}
#[wasm_bindgen]
pub fn free_mutable(a: &mut Ball, b: &Ball, kind: u32) -> u32 {
    a.n += fail(kind) + b.n;
    a.n
}
#[wasm_bindgen]
pub fn keep() -> JsValue {
    Closure::<dyn Fn(u32) -> u32>::new(|kind| fail(kind)).into_js_value()
}
#[wasm_bindgen]
pub fn keep_mut() -> JsValue {
    let mut n = 0;
    Closure::<dyn FnMut(u32) -> u32>::new(move |kind| {
        n += 1;
        if kind == 9 { n } else { fail(kind) }
    })
    .into_js_value()
}
#[wasm_bindgen]
pub fn takes_ball() -> JsValue {
    Closure::<dyn Fn(&Ball)>::new(|ball: &Ball| {
        fail(ball.inner.0.0);
    })
    .into_js_value()
}
#[wasm_bindgen]
pub fn lend(n: u32) -> u32 {
    let mut sum = n;
    host_calls(&|kind| fail(kind));
    host_calls_mut(&mut |kind| {
        sum += 1;
        fail(kind)
    });
    sum
}
#[wasm_bindgen]
pub fn give() {
    host_takes(Ball::new(9));
}

/* python
import after_exceptions as m, builtins, gc
calls = []
def host(n): return calls[-1](n)
builtins.host = host
def raises(n): raise ({4: ValueError("python"), 5: KeyboardInterrupt()}[n])
NAMES = "panic memory trap stack ValueError KeyboardInterrupt".split()
def caught(f, *args):
    try: f(*args)
    except BaseException as e: return type(e).__name__
    return "nothing"
WANTED = "RuntimeError MemoryError RuntimeError RuntimeError ValueError KeyboardInterrupt".split()
def broken(f):
    def run(a, b, k):
        a.break_inner(k)
        return f(a, b, k)
    return run
keep, keep_mut, takes_ball = m.keep(), m.keep_mut(), m.takes_ball()
from array import array
def setter(a, b, k): a.got = k
def lend(a, b, k):
    calls.append(lambda f: (calls.pop(), f(k))[1])
    m.lend(1)
def nested(method, inner):
    # Python, Rust, Python, Rust: the innermost fails.
    def run(a, b, k):
        calls.append(lambda n: (calls.pop(), inner(a, b, k))[1])
        method(a, b)
    return run
def deeper(a, b, k):
    def level(n):
        if n == 0:
            calls.append(raises)
            try: return b.shared(k)
            finally: calls.pop()
        return a.again(n - 1)
    calls.append(level)
    try: a.again(5)
    finally: calls.pop()
PLACES = (
    ("shared", lambda a, b, k: a.shared(k)),
    ("mutable", lambda a, b, k: a.mutable(k)),
    ("text", lambda a, b, k: a.text("a text that is copied", k)),
    ("words", lambda a, b, k: a.words(array("H", [1, 2]), ["x", "y"], k)),
    ("with", lambda a, b, k: a.with_(b, k) if hasattr(a, "with_") else getattr(a, "with")(b, k)),
    ("error", lambda a, b, k: a.error(k)),
    ("getter", broken(lambda a, b, k: a.got)),
    ("setter", setter),
    ("field", broken(lambda a, b, k: a.inner)),
    ("operator", broken(lambda a, b, k: a + b)),
    ("same", broken(lambda a, b, k: a + a)),
    ("call", lambda a, b, k: a(k)),
    ("item", lambda a, b, k: a[k]),
    ("constructor", lambda a, b, k: m.Ball(k)),
    ("static", lambda a, b, k: m.Ball.fixed(k)),
    ("function", lambda a, b, k: m.free_shared(a, b, k)),
    ("function of one", lambda a, b, k: m.free_shared(a, a, k)),
    ("function mut", lambda a, b, k: m.free_mutable(a, b, k)),
    ("closure", lambda a, b, k: keep(k)),
    ("closure mut", lambda a, b, k: keep_mut(k)),
    ("closure of ball", broken(lambda a, b, k: takes_ball(a))),
    ("lent closure", lend),
    ("nested same", nested(lambda a, b: a.again(0), lambda a, b, k: a.shared(k))),
    ("nested other", nested(lambda a, b: a.again_mut(0), lambda a, b, k: b.mutable(k))),
    ("nested function", nested(lambda a, b: b.again(0), lambda a, b, k: m.free_mutable(a, b, k))),
    ("nested closure", nested(lambda a, b: a.again_mut(0), lambda a, b, k: keep(k))),
    ("levels", deeper),
)
for name, place in PLACES:
    wrong = []
    for k in range(6):
        a, b = m.Ball(9), m.Ball(9)
        calls[:] = [raises]
        got = caught(place, a, b, k)
        if got != WANTED[k]: wrong.append((NAMES[k], got))
        state = (caught(a.check), caught(b.check), caught(m.free_mutable, a, b, 9), caught(a.free), caught(b.free), m.live())
        # `free_mutable` fails again, of itself.
        calls[:] = [lambda n: n]
        if state != ("nothing", "nothing", "KeyError", "nothing", "nothing", 0): wrong.append((NAMES[k], state))
    print(name, wrong or "well")
# The closure goes on after all that.
print(keep_mut(9))
# Objects given away: whoever has not taken it has it still, and nobody has it twice.
calls[:] = [raises]
a, b = m.Ball(9), m.Ball(9)
print(caught(a.eat, b, "x"), b.check(), m.live())
print(caught(a.eat, b, 0), caught(b.check), a.check())
print(caught(a.eat, a, 0), caught(a.check), m.live())
b = m.Ball(9)
print(caught(b.end, 0), caught(b.check))
before = m.live()
# In use it cannot be given away, and is as it was afterwards.
a = m.Ball(9)
for inner in (lambda n: a.free(), lambda n: a.end(9), lambda n: m.Ball(9).eat(a, 9)):
    calls[:] = [inner]
    print(caught(a.again, 0), a.check())
def free_in_vain(n):
    print(caught(a.free))
    return 0
calls[:] = [free_in_vain]
print(caught(a.again, 0), a.check(), a.free(), m.live() - before)
# An import that fails gives back what it was given.
calls[:] = [lambda n: raises(4)]
for i in range(3): print(caught(m.give))
for i in range(200): m.Ball(9); gc.collect()
print(m.live() - before < 150)
*/
/* expect
shared well
mutable well
text well
words well
with well
error well
getter well
setter well
field well
operator well
same well
call well
item well
constructor well
static well
function well
function of one well
function mut well
closure well
closure mut well
closure of ball well
lent closure well
nested same well
nested other well
nested function well
nested closure well
levels well
7
TypeError 1 2
RuntimeError ValueError 1
RuntimeError ValueError 1
RuntimeError ValueError
RuntimeError 1
RuntimeError 1
RuntimeError 1
RuntimeError
nothing 1 None 1
ValueError
ValueError
ValueError
True
*/
