//! boards: all
//! also: qemu-armv81m
//! memory: checked
//! opt-level: 3
//! Functions of `mpy` for numbers in memory read and write what the module has, whatever it asks for, with vectors too.

use wasm_bindgen::prelude::*;

#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    fn dsp_dot_f32(a: usize, b: usize, len: usize) -> f32;
    fn dsp_vec_mat_f32(x: usize, x_len: usize, rows: usize, stride: usize, y: usize, y_len: usize);
    fn dsp_mat_vec_q15(rows: usize, stride: usize, x: usize, x_len: usize, y: usize, y_len: usize);
    fn dsp_cfft_f32(data: usize, len: usize, sines: usize);
}

#[wasm_bindgen]
pub fn dot(a: usize, b: usize, len: usize) -> f32 {
    // SAFETY: memory is checked.
    unsafe { dsp_dot_f32(a, b, len) }
}

#[wasm_bindgen]
pub fn vec_mat(x: usize, x_len: usize, rows: usize, stride: usize, y: usize, y_len: usize) {
    // SAFETY: as above.
    unsafe { dsp_vec_mat_f32(x, x_len, rows, stride, y, y_len) }
}

#[wasm_bindgen]
pub fn mat_vec(rows: usize, stride: usize, x: usize, x_len: usize, y: usize, y_len: usize) {
    // SAFETY: as above.
    unsafe { dsp_mat_vec_q15(rows, stride, x, x_len, y, y_len) }
}

#[wasm_bindgen]
pub fn cfft(data: usize, len: usize, sines: usize) {
    // SAFETY: as above.
    unsafe { dsp_cfft_f32(data, len, sines) }
}

/// 512 complex numbers and as many sines, then a number that nobody writes.
static mut NUMBERS: [f32; 1540] = [0.0; 1540];

#[wasm_bindgen]
pub fn place() -> usize {
    (&raw mut NUMBERS) as usize
}

#[wasm_bindgen]
pub fn get(at: usize) -> f32 {
    // SAFETY: nothing else runs.
    unsafe { (*(&raw const NUMBERS))[at] }
}

#[wasm_bindgen]
pub fn set(at: usize, value: f32) {
    // SAFETY: as above.
    unsafe { (*(&raw mut NUMBERS))[at] = value }
}

/// Where memory ends.
#[wasm_bindgen]
pub fn end() -> usize {
    core::arch::wasm32::memory_size(0) << 16
}

/* dependencies
mpy = { path = "ROOT/mpy" }
*/
/* python
import dsp_hostile as m
from math import pi, sin, cos

at = m.place()

def refused(function, *args):
    try:
        function(*args)
        print("not refused", function, args)
    except RuntimeError as error:
        print(error)

def transform(n, start):
    for i in range(2 * n):
        m.set(start + i, 0)
    m.set(start + 2, 1)
    m.set(start + 7, 2)
    for i in range(n):
        m.set(1024 + i, sin(2 * pi * i / n))
    m.cfft(at + 4 * start, n, at + 4096)
    wrong = []
    for i in range(n):
        a, b = -2 * pi * i / n, -2 * pi * (3 * i % n) / n
        if abs(m.get(start + 2 * i) - cos(a) + 2 * sin(b)) > 1e-5 or abs(m.get(start + 2 * i + 1) - sin(a) - 2 * cos(b)) > 1e-5:
            wrong.append(i)
    return wrong

m.set(1536, 7)
for n in 16, 32, 64, 128, 256, 512:
    for start in (0, 1, 3) if n < 512 else (0,):
        wrong = transform(n, start)
        if wrong:
            print(n, start, wrong)
print(m.get(1536))
for n in 0, 1, 8, 15, 24, 65536, 0x80000000, 0xfffffff0:
    refused(m.cfft, at, n, at)
end = m.end() & 0xffffffff
for data, n, sines in (
    (0xfffffffc, 16, at), (0xffffff80, 16, at), (at, 16, 0xfffffffc), (at, 16, 0xffffffc0),
    (at + 1, 16, at + 4096), (at + 2, 16, at + 4096), (at, 16, at + 4097), (0x80000000, 32768, at), (at, 32768, 0x80000000),
):
    refused(m.cfft, data, n, sines)
if end:
    refused(m.cfft, end - 124, 16, at)
    refused(m.cfft, at, 16, end - 60)
else:
    print("out of bounds memory access\nout of bounds memory access")
# Sines that are changed while they are read.
m.cfft(at, 256, at + 4)
for args in (0xffffffff, at, 1), (at, 0xfffffffc, 4), (at, at, 0x40000001), (at, at, 0xffffffff):
    refused(m.dot, *args)
for args in (
    (at, 2, at, 0xffffffff, at, 2), (at, 2, at, 0x40000000, at, 2), (at, 1, at, 1, 0xfffffffc, 2),
    (at, 0, at, 1, at, 0x40000001), (0xfffffffc, 2, at, 1, at, 2), (at, 0x40000001, at, 0, at, 1), (at, 0xffffffff, at, 0xffffffff, at, 1),
):
    refused(m.vec_mat, *args)
for args in (
    (at, 0xffffffff, at, 2, at, 2), (at, 0x80000000, at, 2, at, 2), (at, 1, at, 1, 0xfffffffe, 2), (at, 0xffffffff, at, 1, at, 0xffffffff),
    (at, 1, at, 0, at, 0x80000001), (at, 1, 0xfffffffe, 2, at, 1), (at, 0, at, 0x80000001, at, 1), (0xfffffffe, 1, at, 2, at, 1),
    (at, 1, at, 0x80000000, at, 0),
):
    refused(m.mat_vec, *args)
# Rows, factors and results that are the same, and none of them.
m.mat_vec(at, 1, at, 100, at + 1, 100)
m.mat_vec(0xffffffff & at, 0xffffffff, at, 2, at, 1)
m.mat_vec(at, 7, at, 1, at, 0)
*/
/* expect
7.0
the size of a transform is a power of two from 16 to 32768
the size of a transform is a power of two from 16 to 32768
the size of a transform is a power of two from 16 to 32768
the size of a transform is a power of two from 16 to 32768
the size of a transform is a power of two from 16 to 32768
the size of a transform is a power of two from 16 to 32768
the size of a transform is a power of two from 16 to 32768
the size of a transform is a power of two from 16 to 32768
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
*/
