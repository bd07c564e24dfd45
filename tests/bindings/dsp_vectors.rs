//! boards: all
//! also: qemu-armv81m
//! opt-level: 3
//! Sums of products of floats are the same with vectors and without, however many there are, wherever they lie.

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
print(wrong)
try:
    m.vec_mat(numbers(3), numbers(10), 4, numbers(3), 0)
except RuntimeError as error:
    print("the matrix is too short" in str(error))
print(m.either(array("h", [-32768, 3, 5]), array("h", [32767, 4, -6])))
*/
/* expect
[]
True
-1073709074
*/
