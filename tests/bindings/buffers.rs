//! boards: all
//! Buffers of Python's, which Rust works on where they are when addresses are the machine's.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn fill(bytes: &mut [u8], value: u8) {
    bytes.fill(value);
}

#[wasm_bindgen]
pub fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}

/// Both may be the same.
#[wasm_bindgen]
pub fn scale(from: &[f32], to: &mut [f32], by: f32) {
    for (from, to) in from.iter().zip(to) {
        *to = from * by;
    }
}

#[wasm_bindgen]
pub fn shift(from: &[i32], to: &mut [i32]) {
    for (at, to) in to.iter_mut().enumerate() {
        *to = if at == 0 { -1 } else { from[at - 1] };
    }
}

#[wasm_bindgen]
pub fn swap(a: &mut [u16], b: &mut [u16]) {
    a.swap_with_slice(b);
}

#[wasm_bindgen]
pub fn add(to: &mut [u8], more: &[u8], most: &[u8]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to = most.len().min(usize::from(*to + more)) as u8;
    }
}

#[wasm_bindgen]
pub fn vowels(text: &str, more: String) -> usize {
    text.chars().chain(more.chars()).filter(|letter| "aeiou".contains(*letter)).count()
}

#[wasm_bindgen]
pub fn grow(bytes: &[u8]) -> Vec<u8> {
    let mut more = bytes.to_vec();
    more.extend_from_slice(bytes);
    more
}

#[wasm_bindgen]
pub fn exhaust(bytes: &mut [u8]) -> usize {
    bytes[0] = 1;
    let mut all = Vec::new();
    loop {
        all.push(vec![bytes[0]; 100_000]);
    }
}

#[wasm_bindgen]
pub fn at(words: &[u16], index: usize) -> u16 {
    words[index]
}

/// What the caller does to the bytes meanwhile is none of Rust's business.
#[wasm_bindgen]
pub fn with(bytes: &mut [u8], call: &Caller) -> u32 {
    bytes[0] = 7;
    call.call();
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}

#[wasm_bindgen]
extern "C" {
    pub type Caller;
    #[wasm_bindgen(method, js_name = "__call__")]
    fn call(this: &Caller);
}

#[wasm_bindgen]
pub struct Sums(u32);

#[wasm_bindgen]
impl Sums {
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Sums {
        Sums(sum(bytes))
    }

    pub fn add(&mut self, bytes: &[u8]) -> u32 {
        self.0 += sum(bytes);
        self.0
    }
}

/* python
import buffers as m
import gc, sys
from array import array
b = bytearray(5)
m.fill(b, 9); print(b, m.sum(b), m.sum(b"\1\2"), m.sum(b""), m.sum([1, 2]), m.sum(memoryview(b)[1:3]))
m.fill(memoryview(b)[2:4], 1); print(b)
m.fill(bytearray(), 1)
f = array("f", [1, 2, 3]); t = array("f", [0, 0])
m.scale(f, t, 2); m.scale(f, f, 10); m.scale([1], t, .5); print(f, t)
i = array("i", [1, 2, 3]); m.shift(i, i); print(i)
m.shift(memoryview(i)[0:2], memoryview(i)[1:3]); print(i)
x = array("H", [1, 2]); y = array("H", [3, 4]); m.swap(x, y); print(x, y)
print(m.vowels("hello", "world"), m.vowels("", ""), m.vowels("é", "o" * 50))
print(m.grow(b"ab"), m.grow(b""))
for wrong in (lambda: m.scale(f, b"1234", 1), lambda: m.scale("f", t, 1), lambda: m.swap(x, 5), lambda: m.sum(5),
              lambda: m.vowels("a", 5), lambda: m.vowels(b"a", ""), lambda: m.fill(b, 256), lambda: m.fill(b"ab", 1)):
    try: wrong(); print("taken")
    except (TypeError, OverflowError) as e: print(type(e).__name__)
try: m.at(x, 5); print("taken")
except RuntimeError as e: print("panic")
print(m.at(x, 1))
s = m.Sums(b); print(s.add(b), s.add(bytearray(b"\1")))
def resize():
    global b
    for _ in range(100): b.extend(b"\2\2\2\2")
    gc.collect()
n = m.with_(b, resize) if hasattr(m, "with_") else getattr(m, "with")(b, resize)
print(n, b[0], len(b))
class Grows:
    def __len__(self):
        kept.append(bytearray(16))
        for buffer in (b, most): buffer.extend(bytes(100))
        kept.extend(b"\xff" * 100 for _ in range(20))
        return 3
    def __getitem__(self, i): return 10 * (i + 1)
kept = []
b = bytearray(b"\1\2\3\4"); most = bytearray(4)
m.add(b, Grows(), most); print(b[:5], len(b), len(most))
m.add(b, b, b); print(b[:5])
# A buffer there is no second of: only where Rust works on it where it is.
direct = sys.maxsize < 1 << 40
gc.collect()
big = bytearray(gc.mem_free() // 3 * 2 if direct else 1000)
m.fill(big, 1); print(m.sum(big) == len(big))
if direct:
    try: m.exhaust(big); print("endless")
    except MemoryError: print("MemoryError", big[0])
else:
    # A memory of the module's own has room for one copy of this, and not for a second.
    m.fill(whole := bytearray(40000), 1); assert m.sum(whole) == 40000
    print("MemoryError", 1)
big = None
gc.collect()
def loop(n):
    for _ in range(n):
        m.fill(b, 1); m.sum(b); m.vowels("hello", "world"); m.scale(f, t, 1)
        try: m.at(x, 9)
        except RuntimeError: pass
        try: m.swap(x, "no")
        except TypeError: pass
loop(50); gc.collect(); before = gc.mem_free(); loop(500); gc.collect()
print(before - gc.mem_free() < 200)
*/
/* expect
bytearray(b'\t\t\t\t\t') 45 3 0 3 18
bytearray(b'\t\t\x01\x01\t')
array('f', [10.0, 20.0, 30.0]) array('f', [0.5, 4.0])
array('i', [-1, 1, 2])
array('i', [-1, -1, -1])
array('H', [3, 4]) array('H', [1, 2])
3 0 50
b'abab' b''
TypeError
TypeError
TypeError
TypeError
TypeError
TypeError
OverflowError
TypeError
panic
4
58 59
27 7 405
bytearray(b'\x0b\x16!\x04\x00') 104 104
bytearray(b'\x16,B\x08\x00')
True
MemoryError 1
True
*/
