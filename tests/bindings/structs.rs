//! Structs: constructor, methods, fields, getters and setters, static methods, and their end.

use wasm_bindgen::prelude::*;

/// Counts.
#[wasm_bindgen]
pub struct Counter {
    count: i32,
    /// How much it goes up.
    pub step: i32,
    #[wasm_bindgen(readonly)]
    pub serial: u32,
    #[wasm_bindgen(skip)]
    pub hidden: u32,
    #[wasm_bindgen(getter_with_clone)]
    pub label: String,
}

#[wasm_bindgen]
impl Counter {
    #[wasm_bindgen(constructor)]
    pub fn new(start: i32) -> Counter {
        Counter { count: start, step: 1, serial: 7, hidden: 9, label: "none".to_owned() }
    }

    pub fn up(&mut self) -> i32 {
        self.count += self.step;
        self.count
    }

    #[wasm_bindgen(getter)]
    pub fn double(&self) -> i32 {
        self.count * 2
    }

    #[wasm_bindgen(setter)]
    pub fn set_double(&mut self, value: i32) {
        self.count = value / 2;
    }

    #[wasm_bindgen(getter = half)]
    pub fn the_half(&self) -> i32 {
        self.count / 2
    }

    pub fn of_two(a: &Counter, b: &Counter) -> Counter {
        Counter::new(a.count + b.count)
    }

    pub fn finish(self) -> String {
        format!("{} {}", self.label, self.count)
    }
}

/* python
import structs as m
c = m.Counter(5)
print(c.up(), c.step, c.serial, c.label, c.double, c.half)
c.step = 10; c.double = 100; c.label = "tens"
print(c.up(), c.label)
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e)
attempt(lambda: setattr(c, "serial", 1))
attempt(lambda: c.hidden)
attempt(lambda: setattr(c, "half", 1))
d = m.Counter.of_two(c, m.Counter(1))
print(d.up(), isinstance(d, m.Counter), type(d).__name__)
print(c.finish())
attempt(c.up); attempt(c.finish)
d.free(); attempt(d.up)
for other in 5, "d", d:
    # Most firmware looks at the type of `self` before it calls.
    try: print(m.Counter.free(other))
    except TypeError: print("TypeError")
print(hasattr(m.Counter, "up"), hasattr(m.Counter, "nothing"))
*/
/* expect
6 1 7 none 12 3
60 tens
AttributeError 'Counter' object has no attribute 'serial'
AttributeError 'Counter' object has no attribute 'hidden'
AttributeError 'Counter' object has no attribute 'half'
62 True Counter
tens 60
ValueError object was freed or given away
ValueError object was freed or given away
ValueError object was freed or given away
TypeError
TypeError
None
True False
*/
