//! Methods under Python's special names are operators.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
#[derive(Clone, PartialEq)]
pub struct Vector {
    items: Vec<i32>,
}

#[wasm_bindgen]
pub struct Items {
    items: Vec<i32>,
    next: usize,
}

#[wasm_bindgen]
impl Items {
    pub fn __next__(&mut self) -> Option<i32> {
        self.next += 1;
        self.items.get(self.next - 1).copied()
    }
}

#[wasm_bindgen]
impl Vector {
    #[wasm_bindgen(constructor)]
    pub fn new(items: Vec<i32>) -> Vector {
        Vector { items }
    }
    pub fn __repr__(&self) -> String {
        format!("Vector({:?})", self.items)
    }
    pub fn __str__(&self) -> String {
        format!("{:?}", self.items)
    }
    pub fn __len__(&self) -> usize {
        self.items.len()
    }
    pub fn __bool__(&self) -> bool {
        !self.items.is_empty()
    }
    pub fn __eq__(&self, other: &Vector) -> bool {
        self == other
    }
    pub fn __lt__(&self, other: &Vector) -> bool {
        self.items < other.items
    }
    pub fn __add__(&self, other: &Vector) -> Vector {
        Vector { items: self.items.iter().zip(&other.items).map(|(a, b)| a + b).collect() }
    }
    pub fn __mul__(&self, by: i32) -> Vector {
        Vector { items: self.items.iter().map(|item| item * by).collect() }
    }
    pub fn __neg__(&self) -> Vector {
        self.__mul__(-1)
    }
    pub fn __getitem__(&self, index: usize) -> Result<i32, JsValue> {
        self.items.get(index).copied().ok_or_else(|| IndexError::new("no such item").into())
    }
    pub fn __setitem__(&mut self, index: usize, value: i32) -> Result<(), JsValue> {
        *self.items.get_mut(index).ok_or_else(|| IndexError::new("no such item"))? = value;
        Ok(())
    }
    pub fn __delitem__(&mut self, index: usize) {
        self.items.remove(index);
    }
    pub fn __contains__(&self, value: i32) -> bool {
        self.items.contains(&value)
    }
    pub fn __iter__(&self) -> Items {
        Items { items: self.items.clone(), next: 0 }
    }
    pub fn __call__(&self, a: i32, b: Option<i32>) -> i32 {
        self.items.iter().sum::<i32>() * a + b.unwrap_or(0)
    }
    pub fn __enter__(&self) -> usize {
        self.items.len()
    }
    pub fn __exit__(&mut self, kind: JsValue, _value: JsValue, _traceback: JsValue) -> bool {
        self.items.clear();
        !kind.is_undefined()
    }
}

#[wasm_bindgen]
extern "C" {
    type IndexError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> IndexError;
}

/* python
import operators as m
v = m.Vector([1, 2, 3])
print(repr(v), str(v), len(v), bool(v), bool(m.Vector([])))
print(v == m.Vector([1, 2, 3]), v != m.Vector([1, 2, 3]), v == m.Vector([1]), v == 5, v < m.Vector([2]))
print(v + v, v * 3, -v, v[1], 2 in v, 9 in v)
v[0] = 10; del v[1]; print(v, list(v), [x * 2 for x in v])
for f in (lambda: v[9], lambda: v + 1, lambda: v["x"]):
    try: print(f())
    except Exception as e: print(type(e).__name__, e)
print(v(2), v(2, 1))
with v as n: print(n)
print(v)
with m.Vector([1]) as n: raise ValueError
v += m.Vector([]); print(v)
*/
/* expect
Vector([1, 2, 3]) [1, 2, 3] 3 True False
True False False False True
[2, 4, 6] [3, 6, 9] [-1, -2, -3] 2 True False
[10, 3] [10, 3] [20, 6]
IndexError no such item
TypeError unsupported types for __add__: 'Vector', 'int'
TypeError can't convert str to int
26 27
2
[]
[]
*/
