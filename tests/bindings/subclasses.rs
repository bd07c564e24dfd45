//! Classes in Python that are derived from Rust's.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Base {
    pub count: u32,
}

#[wasm_bindgen]
impl Base {
    #[wasm_bindgen(constructor)]
    pub fn new(count: u32) -> Base {
        Base { count }
    }
    pub fn up(&mut self) -> u32 {
        self.count += 1;
        self.count
    }
    pub fn same(&self, other: &Base) -> bool {
        self.count == other.count
    }
    pub fn __len__(&self) -> usize {
        self.count as usize
    }
}

/* python
import subclasses as m
class Derived(m.Base):
    def __init__(self, count, name):
        super().__init__(count)
        self.name = name
    def up(self):
        return super().up() * 10
class Plain(m.Base): pass
d = Derived(2, "d"); p = Plain(3)
print(d.name, d.count, d.up(), d.count, len(d), p.up(), isinstance(d, m.Base), issubclass(Derived, m.Base))
print(d.same(m.Base(3)), m.Base(4).same(p), p.same(d))
class Empty(m.Base):
    def __init__(self): pass
for f in (lambda: Empty().same(d), lambda: d.same(5), lambda: m.Base.up(5)):
    try: print(f())
    except Exception as e: print(type(e).__name__)
*/
/* expect
d 2 30 3 3 4 True True
True True False
TypeError
TypeError
TypeError
*/
