//! Vectors in a crate: functions that ask for them by an attribute, over slices of any length and alignment.
//! boards: all

use core::arch::wasm32::*;
use wasm_bindgen::prelude::*;

#[target_feature(enable = "simd128")]
fn dot(a: &[i16], b: &[i16]) -> i32 {
    let mut sum = i32x4_splat(0);
    let (pairs, rest) = (a.chunks_exact(8).zip(b.chunks_exact(8)), a.len().min(b.len()) / 8 * 8);
    for (a, b) in pairs {
        // SAFETY: each chunk has eight numbers.
        let (a, b) = unsafe { (v128_load(a.as_ptr().cast()), v128_load(b.as_ptr().cast())) };
        sum = i32x4_add(sum, i32x4_dot_i16x8(a, b));
    }
    let sum = i32x4_add(sum, i32x4_shuffle::<2, 3, 0, 1>(sum, sum));
    let sum = i32x4_extract_lane::<0>(sum).wrapping_add(i32x4_extract_lane::<1>(sum));
    a[rest..].iter().zip(&b[rest..]).fold(sum, |sum, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)))
}

#[target_feature(enable = "simd128")]
fn clamp(values: &mut [f32], least: f32, most: f32) {
    let mut chunks = values.chunks_exact_mut(4);
    for chunk in &mut chunks {
        let at = chunk.as_mut_ptr().cast();
        // SAFETY: the chunk has four numbers.
        unsafe { v128_store(at, f32x4_pmax(f32x4_splat(least), f32x4_pmin(f32x4_splat(most), v128_load(at)))) };
    }
    chunks.into_remainder().iter_mut().for_each(|value| *value = value.clamp(least, most));
}

/// A vector through calls that are not inlined, and in a static.
static mut LAST: v128 = u8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

#[inline(never)]
#[target_feature(enable = "simd128")]
fn turn(bytes: v128, depth: u32) -> v128 {
    let turned = u8x16_swizzle(bytes, u8x16(15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14));
    if depth == 0 { turned } else { turn(turned, depth - 1) }
}

#[wasm_bindgen]
pub fn dot_i16(a: &[i16], b: &[i16]) -> i32 {
    // SAFETY: every module can use vectors.
    unsafe { dot(a, b) }
}

#[wasm_bindgen]
pub fn clamp_f32(values: &mut [f32], least: f32, most: f32) {
    // SAFETY: as above.
    unsafe { clamp(values, least, most) }
}

#[wasm_bindgen]
pub fn turned(times: u32) -> Vec<u8> {
    // SAFETY: as above, and there is one thread.
    unsafe {
        LAST = turn(LAST, times);
        let mut bytes = vec![0; 17];
        v128_store(bytes[1..].as_mut_ptr().cast(), LAST);
        bytes
    }
}

/* python
import array
import vectors as m
a = array.array("h", [7 * n % 301 - 150 for n in range(53)])
b = array.array("h", [11 * n % 257 - 128 for n in range(53)])
for n in (0, 1, 7, 8, 9, 16, 53):
    for at in (0, 1):
        x, y = a[at:n], b[at:n]
        if m.dot_i16(x, y) != sum(p * q for p, q in zip(x, y)):
            print("wrong", n, at)
f = array.array("f", [n - 3.5 for n in range(11)])
m.clamp_f32(f, -1.0, 4.25)
print(list(f))
print(bytes(m.turned(0))[1:6], bytes(m.turned(2))[1:6], bytes(m.turned(11))[1:6])
*/
/* expect
[-1.0, -1.0, -1.0, -0.5, 0.5, 1.5, 2.5, 3.5, 4.25, 4.25, 4.25]
b'\x0f\x00\x01\x02\x03' b'\x0c\r\x0e\x0f\x00' b'\x00\x01\x02\x03\x04'
*/
