//! boards: all
//! flash: usual
//! Arguments that have the names of parameters, with the setting `keywords = true`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn none() -> i32 {
    0
}

#[wasm_bindgen]
pub fn area(width: u32, height: u32) -> u32 {
    width * height
}

#[wasm_bindgen]
pub fn scale(value: f64, gain: Option<f64>, offset: Option<f64>) -> f64 {
    value * gain.unwrap_or(2.0) + offset.unwrap_or(0.5)
}

#[wasm_bindgen]
pub fn text(name: &str, values: &[i32], class: Option<String>) -> String {
    format!("{name} {values:?} {class:?}")
}

#[wasm_bindgen]
pub fn many(a: i32, b: i32, c: i32, d: Option<i32>, e: Option<i32>) -> Vec<i32> {
    vec![a, b, c, d.unwrap_or(-4), e.unwrap_or(-5)]
}

#[wasm_bindgen]
pub fn words(default: i32, r#in: i32, _unused: i32) -> i32 {
    default - r#in
}

#[wasm_bindgen]
pub fn fill(target: &mut [u8], value: u8) {
    target.fill(value);
}

#[wasm_bindgen]
pub async fn later(value: i32, factor: Option<i32>) -> i32 {
    value * factor.unwrap_or(10)
}

#[wasm_bindgen]
pub struct Filter {
    pub gain: i32,
    window: u32,
}

#[wasm_bindgen]
impl Filter {
    #[wasm_bindgen(constructor)]
    pub fn new(gain: i32, window: Option<u32>) -> Filter {
        Filter { gain, window: window.unwrap_or(8) }
    }
    #[wasm_bindgen(getter)]
    pub fn window(&self) -> u32 {
        self.window
    }
    #[wasm_bindgen(setter)]
    pub fn set_window(&mut self, window: u32) {
        self.window = window;
    }
    pub fn apply(&self, sample: i32, shift: Option<i32>) -> i32 {
        sample * self.gain + shift.unwrap_or(0)
    }
    pub fn reset(&mut self) {
        self.gain = 1;
    }
    pub fn merged(&self, other: &Filter, times: Option<i32>) -> Filter {
        Filter { gain: (self.gain + other.gain) * times.unwrap_or(1), window: self.window }
    }
    pub fn sum(first: i32, second: i32) -> i32 {
        first - second
    }
    pub fn __call__(&self, sample: i32, shift: Option<i32>) -> i32 {
        self.apply(sample, shift) + 1000
    }
    pub fn __add__(&self, other: i32) -> i32 {
        self.gain + other
    }
}

/// Its constructor has no parameters.
#[wasm_bindgen]
#[derive(Default)]
pub struct Empty;

#[wasm_bindgen]
impl Empty {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Empty {
        Empty
    }
    pub fn __call__(&self, a: i32, b: i32, c: i32, d: i32) -> i32 {
        a + 10 * b + 100 * c + 1000 * d
    }
}

/* dependencies
wasm-bindgen-futures = "0.4"
[package.metadata.mpy]
keywords = true
*/
/* python
import keyword_arguments as m, asyncio, gc
def attempt(f, *args, **named):
    try: r = f(*args, **named)
    except Exception as e: r = type(e).__name__, e.args[0]
    print(list(r) if isinstance(r, bytes) else r)
# The same functions in Python, which decide what calls are right, and what they return.
class python:
    def area(width, height): return width * height
    def scale(value, gain=None, offset=None): return value * (2 if gain is None else gain) + (.5 if offset is None else offset)
    def many(a, b, c, d=None, e=None): return [a, b, c, -4 if d is None else d, -5 if e is None else e]
    def sum(first, second): return first - second
    def apply(sample, shift=None): return sample * 3 + (shift or 0)
    def made(gain, window=None): return gain, 8 if window is None else window
    def digits(a, b, c, d): return a + 10 * b + 100 * c + 1000 * d
    def none(): return 0
f = m.Filter(3)
def made(*args, **named):
    f = m.Filter(*args, **named)
    return f.gain, f.window
digits = m.Empty()
rust = {"area": m.area, "scale": m.scale, "many": lambda *a, **k: list(m.many(*a, **k)), "sum": m.Filter.sum, "apply": f.apply,
    "made": made, "digits": digits, "none": m.none}
def outcome(f, args, named):
    try: return f(*args, **named)
    except TypeError: return "TypeError"
names = {"area": "width height", "scale": "value gain offset", "many": "a b c d e", "sum": "first second", "apply": "sample shift",
    "made": "gain window", "digits": "a b c d", "none": ""}
calls = good = 0
for name, params in names.items():
    params = params.split() + ["other"]
    for count in range(len(params) + 1):
        args = list(range(2, 2 + count))
        for chosen in range(1 << len(params)):
            named = {p: 10 + i for i, p in enumerate(params) if chosen >> i & 1}
            wanted = outcome(getattr(python, name), args, named)
            got = outcome(rust[name], args, named)
            assert got == wanted, (name, args, named, got, wanted)
            calls += 1
            good += wanted != "TypeError"
print(calls, good)
attempt(m.area, 3, height=4)
attempt(m.area, height=4)
attempt(m.area, 3)
attempt(m.area)
attempt(m.area, 3, width=4)
attempt(m.area, 3, 4, depth=4)
attempt(m.area, 1, 2, 3)
attempt(m.area, width="3", height=4)
attempt(m.area, width=-1, height=4)
attempt(m.scale, 1, offset=3)
attempt(m.scale, 1, gain=None, offset=None)
attempt(m.none, a=1)
attempt(m.text, values=[1, 2], name="n")
attempt(m.text, "n", [], class_="c")
attempt(m.text, "n", values=["x"], class_="c")
attempt(m.text, "n", [], **{"class": "c"})
attempt(m.words, default=5, in_=2, _unused=0)
target = bytearray(3); m.fill(value=7, target=target); print(target)
attempt(m.fill, value=7, target=b"abc")
print(asyncio.run(m.later(value=4)), asyncio.run(m.later(4, factor=5)))
attempt(f.apply, shift=1)
attempt(f.apply, 1, self=f)
attempt(f, shift=1)
attempt(f, 1, 2, 3)
attempt(f, 1, other=3)
print(f(2, shift=1), f(sample=2), f + 1)
attempt(f.__add__, other=1)
attempt(f.reset, x=1)
print(f.merged(times=2, other=m.Filter(gain=4)).gain)
attempt(f.merged, other=5)
attempt(m.Filter, window=1)
attempt(m.Filter, 1, 2, 3)
attempt(m.Filter, 1, gain=2)
attempt(m.Empty, a=1)
f.window = 3; print(f.window)
class Own(m.Filter):
    def __init__(self, **named): super().__init__(gain=5, **named)
own = Own(window=2); print(own.gain, own.window, own.apply(sample=1, shift=1))
# Nothing is kept of calls that were refused.
gc.collect(); before = gc.mem_alloc()
for i in range(TIMES):
    try: m.text("x" * 100, [1] * 100, other=1)
    except TypeError: pass
    try: m.text(values=[1] * 100)
    except TypeError: pass
    m.text(values=[1] * 100, name="x" * 100)
gc.collect(); print(gc.mem_alloc() - before < 2000)
*/
/* expect
852 52
12
('TypeError', "missing argument 'width'")
('TypeError', "missing argument 'height'")
('TypeError', "missing argument 'width'")
('TypeError', "multiple values for argument 'width'")
('TypeError', "unexpected keyword argument 'depth'")
('TypeError', 'function expected at most 2 arguments, got 3')
('TypeError', "can't convert str to int")
('OverflowError', 'integer out of range')
5.0
2.5
('TypeError', "function doesn't take keyword arguments")
n [1, 2] None
n [] Some("c")
('TypeError', "can't convert str to int")
('TypeError', "unexpected keyword argument 'class'")
3
bytearray(b'\x07\x07\x07')
('TypeError', 'expected a writable buffer of the right type')
40 20
('TypeError', "missing argument 'sample'")
('TypeError', "unexpected keyword argument 'self'")
('TypeError', "missing argument 'sample'")
('TypeError', 'function expected at most 2 arguments, got 3')
('TypeError', "unexpected keyword argument 'other'")
1007 1006 4
('TypeError', "function doesn't take keyword arguments")
('TypeError', "function doesn't take keyword arguments")
14
('TypeError', 'object of another class')
('TypeError', "missing argument 'gain'")
('TypeError', 'function expected at most 2 arguments, got 3')
('TypeError', "multiple values for argument 'gain'")
('TypeError', "function doesn't take keyword arguments")
3
5 2 6
True
*/
