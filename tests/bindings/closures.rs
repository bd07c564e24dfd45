//! Closures: lent for a call, owned, mutable, once, and callables of Python's kept by Rust.
//!
//! boards: all

use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "host")]
extern "C" {
    fn each(f: &dyn Fn(i32) -> i32) -> i32;
    #[wasm_bindgen(js_name = each)]
    fn each_mut(f: &mut dyn FnMut(i32) -> i32) -> i32;
    fn keep(f: &Closure<dyn FnMut(String) -> String>);
    #[wasm_bindgen(js_name = keep)]
    fn keep_value(f: JsValue);
    fn again();

    type Callable;
    #[wasm_bindgen(method, js_name = __call__)]
    fn call(this: &Callable, value: i32) -> i32;
    #[wasm_bindgen(method, js_name = __call__, catch)]
    fn try_call(this: &Callable, value: i32) -> Result<i32, JsValue>;
}

thread_local! {
    static KEPT: RefCell<Vec<Closure<dyn FnMut(String) -> String>>> = const { RefCell::new(Vec::new()) };
    static CALLABLE: RefCell<Option<Callable>> = const { RefCell::new(None) };
}

#[wasm_bindgen]
pub fn lend(by: i32) -> i32 {
    each(&|value| value * by)
}

#[wasm_bindgen]
pub fn lend_mut() -> i32 {
    let mut calls = 0;
    each_mut(&mut |value| {
        calls += 1;
        value
    });
    calls
}

#[wasm_bindgen]
pub fn store(prefix: String) {
    let mut count = 0;
    let closure = Closure::new(move |text: String| {
        count += 1;
        format!("{prefix}{text}{count}")
    });
    keep(&closure);
    KEPT.with_borrow_mut(|kept| kept.push(closure));
}

#[wasm_bindgen]
pub fn drop_all() {
    KEPT.with_borrow_mut(Vec::clear);
}

#[wasm_bindgen]
pub fn give() -> JsValue {
    let text = "owned by Python ".repeat(3);
    Closure::<dyn Fn(u32) -> usize>::new(move |n| text.len() + n as usize).into_js_value()
}

#[wasm_bindgen]
pub fn once() {
    let text = "once".to_owned();
    keep_value(Closure::once_into_js(move || text));
}

#[wasm_bindgen]
pub fn recursive() {
    keep_value(Closure::<dyn FnMut()>::new(again).into_js_value());
}

#[wasm_bindgen]
pub fn set_callable(f: Callable) {
    CALLABLE.with_borrow_mut(|callable| *callable = Some(f));
}

#[wasm_bindgen]
pub fn use_callable(value: i32) -> Result<i32, JsValue> {
    // An exception that passes runs no destructor: nothing is borrowed, and `catch` lets it be returned.
    let f: Option<JsValue> = CALLABLE.with_borrow(|callable| callable.as_ref().map(|f| f.into()));
    f.map_or(Ok(-1), |f| f.unchecked_into::<Callable>().try_call(value))
}

#[wasm_bindgen]
pub fn twice(f: &Callable, value: i32) -> i32 {
    f.call(f.call(value))
}

#[wasm_bindgen]
pub fn try_callable(f: &Callable, value: i32) -> String {
    match f.try_call(value) {
        Ok(value) => format!("ok {value}"),
        Err(error) => format!("failed {error:?}"),
    }
}

/* python
import sys, gc
class Host:
    def each(self, f):
        self.f = f
        return f(1) + f(2) + f(3)
    def keep(self, f): self.f = f
    def again(self): self.f()
host = Host()
sys.modules["host"] = host
import closures as m
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e)

print(m.lend(10), callable(host.f)); attempt(host.f, 1)
print(m.lend_mut()); attempt(host.f, 1)
m.store("a"); first = host.f; m.store("b")
print(first("x"), first("y"), host.f("z"))
attempt(first); attempt(first, 1); attempt(first, "p", "q")
m.drop_all(); attempt(first, "x"); attempt(host.f, "x")
f = m.give(); print(f(1), f(2))
m.once(); attempt(host.f); attempt(host.f)
m.recursive(); attempt(host.f); attempt(host.f)

m.set_callable(lambda n: n + 1); print(m.use_callable(4))
def bad(n): raise ValueError("bad %d" % n)
m.set_callable(bad); attempt(m.use_callable, 5)
print(m.twice(lambda n: n * n, 3)); attempt(m.twice, bad, 3)
print(m.try_callable(bad, 6), m.try_callable(abs, -6))
m.set_callable(lambda n: m.use_callable2(n)); attempt(m.use_callable, 5)
def deep(n): return 0 if n == 0 else 1 + m.use_callable(n - 1)
m.set_callable(deep); print(m.use_callable(10))

def work():
    for i in range(100):
        m.give(); m.lend(2); m.store("s"); m.drop_all(); m.try_callable(bad, 1)
        try: m.lend_mut() + host.f(1)
        except RuntimeError: pass
host.f = first = f = None
for i in range(5): work()
gc.collect(); before = gc.mem_alloc()
for i in range(10): work()
gc.collect(); grown = gc.mem_alloc() - before
print(grown < 4000 or grown)
*/
/* expect
60 True
RuntimeError closure called recursively or after it was dropped
3
RuntimeError closure called recursively or after it was dropped
ax1 ay2 bz1
TypeError function takes 1 positional arguments but 0 were given
TypeError expected a str
TypeError function takes 1 positional arguments but 2 were given
RuntimeError closure called recursively or after it was dropped
RuntimeError closure called recursively or after it was dropped
49 50
once
RuntimeError closure called recursively or after it was dropped
RuntimeError closure called recursively or after it was dropped
RuntimeError closure called recursively or after it was dropped
5
ValueError bad 5
81
ValueError bad 3
failed JsValue(ValueError('bad 6',)) ok 6
AttributeError 'module' object has no attribute 'use_callable2'
10
True
*/
