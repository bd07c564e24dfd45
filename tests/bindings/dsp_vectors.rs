//! boards: all
//! also: qemu-armv81m
//! opt-level: 3
//! Sums of products are the same with vectors and without, however many there are, wherever they lie.

use wasm_bindgen::prelude::*;

/// Of arrays that begin so many numbers later.
#[wasm_bindgen]
pub fn dot(a: &[f32], b: &[f32], skip: usize) -> f32 {
    mpy::dsp::dot_f32(&a[skip..], b)
}

#[wasm_bindgen]
pub fn vec_mat(x: &[f32], rows: &[f32], stride: usize, y: &mut [f32], skip: usize) {
    mpy::dsp::vec_mat_f32(x, &rows[skip..], stride, &mut y[skip..]);
}

#[wasm_bindgen]
pub fn mat_vec(rows: &[i16], stride: usize, x: &[i16], y: &mut [i16], skip: usize) {
    mpy::dsp::mat_vec_q15(&rows[skip..], stride, x, &mut y[skip..]);
}

/// Both kinds of loops compute the same.
#[wasm_bindgen]
pub fn either(a: &[i16], b: &[i16]) -> i32 {
    if mpy::dsp::has_vectors() {
        return a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
    }
    a.iter().zip(b).fold(0, |sum, (a, b)| mpy::dsp::smlad((*a).cast_unsigned().into(), (*b).cast_unsigned().into(), sum))
}

/* dependencies
mpy = { path = "ROOT/mpy" }
*/
/* python
import dsp_vectors as m
from array import array
state = 1
def numbers(n):
    global state
    made = array("f", [0] * n)
    for i in range(n):
        state = (state * 1103515245 + 12345) & 0x7fffffff
        made[i] = (state >> 16 & 63) - 32
    return made
wrong = []
for n in 0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33:
    for skip in 0, 1, 3:
        a, b = numbers(n + skip), numbers(n + n % 3)
        if m.dot(a, b, skip) != sum(a[skip + i] * b[i] for i in range(n)):
            wrong.append(("dot", n, skip))
for x_len, y_len, stride in ((0, 5, 1), (1, 1, 7), (3, 4, 4), (5, 7, 1), (4, 16, 20), (3, 19, 19), (2, 33, 40), (9, 35, 1), (6, 3, 0), (7, 0, 2), (1, 17, 0)):
    for skip in 0, 1:
        x, y = numbers(x_len), numbers(y_len + skip + 1)
        rows = numbers(skip + max(0, x_len - 1) * stride + y_len + 1)
        before = list(y)
        part = memoryview(y)[:skip + y_len]
        m.vec_mat(x, rows, stride, part, skip)
        want = [sum(x[k] * rows[skip + k * stride + j] for k in range(x_len)) for j in range(y_len)]
        if list(y) != before[:skip] + want + before[skip + y_len:]:
            wrong.append(("vec_mat", x_len, y_len, stride, skip, list(y), want))
def integers(n):
    global state
    made = array("h", [0] * n)
    for i in range(n):
        state = (state * 1103515245 + 12345) & 0x7fffffff
        made[i] = (state >> 15 & 0xffff) - 32768
    return made
for x_len, y_len, stride in ((0, 5, 1), (1, 1, 7), (3, 4, 4), (5, 7, 1), (8, 2, 8), (16, 3, 20), (17, 4, 19), (9, 35, 1), (33, 5, 33), (6, 3, 0), (7, 0, 2), (7, 1, 0)):
    for skip in 0, 1:
        x, y = integers(x_len), integers(y_len + skip + 1)
        rows = integers(skip + max(0, y_len - 1) * stride + x_len + 1)
        before = list(y)
        m.mat_vec(rows, stride, x, memoryview(y)[:skip + y_len], skip)
        sums = [sum(x[k] * rows[skip + j * stride + k] for k in range(x_len)) >> 15 for j in range(y_len)]
        want = [max(-32768, min(32767, s)) for s in sums]
        if list(y) != before[:skip] + want + before[skip + y_len:]:
            wrong.append(("mat_vec", x_len, y_len, stride, skip, list(y), want))
y = array("h", [0, 0])
m.mat_vec(array("h", [-32768] * 41 + [32767]), 1, array("h", [-32768] * 40), y, 0)
if list(y) != [32767, 32767]:
    wrong.append(y)
m.mat_vec(array("h", [-32768] * 3 + [32767] * 3), 3, array("h", [32767, 32767, 32766]), y, 0)
if list(y) != [-32768, 32767]:
    wrong.append(y)
print(wrong)
try:
    m.vec_mat(numbers(3), numbers(10), 4, numbers(3), 0)
except RuntimeError as error:
    print("the matrix is too short" in str(error))
try:
    m.mat_vec(integers(10), 4, integers(3), integers(3), 0)
except RuntimeError as error:
    print("the matrix is too short" in str(error))
print(m.either(array("h", [-32768, 3, 5]), array("h", [32767, 4, -6])))
*/
/* expect
[]
True
True
-1073709074
*/
