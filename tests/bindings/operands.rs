//! Operands that may be left out, or are of other types; results that the firmware wants otherwise.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
#[derive(Clone)]
pub struct Bag {
    items: Vec<Option<i32>>,
}

#[wasm_bindgen]
impl Bag {
    #[wasm_bindgen(constructor)]
    pub fn new(count: Option<u32>) -> Bag {
        Bag { items: vec![None; count.unwrap_or(2) as usize] }
    }
    pub fn __getitem__(&self, at: Option<u32>) -> Option<i32> {
        self.items[at.unwrap_or(0) as usize]
    }
    pub fn __setitem__(&mut self, at: u32, item: Option<i32>) {
        self.items[at as usize] = item;
    }
    pub fn __delitem__(&mut self, at: Option<u32>) {
        self.items.remove(at.unwrap_or(0) as usize);
    }
    pub fn __add__(&self, item: Option<i32>) -> Bag {
        let mut more = self.clone();
        more.items.push(item);
        more
    }
    pub fn __pow__(&self, power: u32, modulus: Option<u32>) -> u32 {
        power.pow(self.items.len() as u32) % modulus.unwrap_or(100)
    }
    pub fn __eq__(&self, other: Option<i32>) -> bool {
        other.map_or(self.items.is_empty(), |count| count as usize == self.items.len())
    }
    pub fn __call__(&self, a: Option<u32>, b: Option<u32>) -> u32 {
        a.unwrap_or(10) + b.unwrap_or(20)
    }
    pub fn __contains__(&self, item: Option<i32>) -> bool {
        self.items.contains(&item)
    }
    pub fn __len__(&self) -> usize {
        self.items.len()
    }
    pub fn __hash__(&self) -> u64 {
        u64::MAX - self.items.len() as u64
    }
    /// No operator, as it knows no object.
    pub fn __neg__(item: Option<i32>) -> Option<i32> {
        item.map(|item| -item)
    }
}

#[wasm_bindgen]
pub struct Strange;

#[wasm_bindgen]
impl Strange {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Strange {
        Strange
    }
    pub fn __len__(&self) -> Option<u32> {
        None
    }
}

#[wasm_bindgen]
pub fn sum(items: Vec<i32>) -> i32 {
    items.iter().sum()
}

/* python
import operands as m
bag = m.Bag(3)
print(bag[1], bag[None]); bag[1] = 5; print(bag[1]); bag[1] = None; print(bag[1])
del bag[1]; print(len(bag)); del bag[None]; print(len(bag))
print(len(bag + 4), len(bag + None), (bag + 4).__getitem__(1), bag.__getitem__())
print(bag == 1, bag == 2, bag == None, bag != 1, 1 == bag)
print(bag(), bag(1), bag(1, 2), None in bag, 4 in bag)
print(m.Bag() ** 3, m.Bag().__pow__(3, 4))
print(hash(bag) == hash(bag + 1), {bag: 6}[bag], m.Bag.__neg__(7))
try: print(-bag)
except TypeError: print("TypeError")
try: print(m.sum(m.Strange()))
except TypeError as e: print(e)
*/
/* expect
None None
5
None
2
1
2 2 4 None
True False False False True
30 21 3 True False
9 1
False 6 -7
TypeError
expected a sequence
*/
