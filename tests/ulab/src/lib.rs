//! Functions of arrays of floats, for doubles and for floats of single precision. Results are written into arrays that are there.

use wasm_bindgen::prelude::*;

/// Declares the functions for a type, whose names end in its own.
macro_rules! functions {
    ($number:ident: $dot:ident $mean:ident $convolve:ident $matmul:ident) => {
        /// The dot product of two arrays.
        #[wasm_bindgen]
        pub fn $dot(a: &[$number], b: &[$number]) -> $number {
            let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
            // Sums that do not wait for one another.
            let sums = a
                .iter()
                .zip(b)
                .fold([0.0; 4], |sums, (a, b)| [0, 1, 2, 3].map(|at| sums[at] + a[at] * b[at]));
            rest_a.iter().zip(rest_b).fold(sums.iter().sum(), |sum, (a, b)| sum + a * b)
        }

        /// The mean of an array.
        #[wasm_bindgen]
        pub fn $mean(x: &[$number]) -> $number {
            let (fours, rest) = x.as_chunks::<4>();
            let sums = fours.iter().fold([0.0; 4], |sums, x| [0, 1, 2, 3].map(|at| sums[at] + x[at]));
            sums.iter().chain(rest).sum::<$number>() / x.len() as $number
        }

        /// The convolution of an array and taps: `y` has as many numbers as both together, less one.
        #[wasm_bindgen]
        pub fn $convolve(x: &[$number], taps: &[$number], y: &mut [$number]) {
            y.fill(0.0);
            for (at, tap) in taps.iter().enumerate().take(y.len()) {
                y[at..].iter_mut().zip(x).for_each(|(y, x)| *y += tap * x);
            }
        }

        /// The product of two square matrices of `n` rows.
        #[wasm_bindgen]
        pub fn $matmul(a: &[$number], b: &[$number], c: &mut [$number], n: usize) {
            c.fill(0.0);
            for (a, c) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
                for (a, b) in a.iter().zip(b.chunks_exact(n)) {
                    c.iter_mut().zip(b).for_each(|(c, b)| *c += a * b);
                }
            }
        }
    };
}

functions! { f64: dot_f64 mean_f64 convolve_f64 matmul_f64 }
functions! { f32: dot_f32 mean_f32 convolve_f32 matmul_f32 }

/// The number of complex numbers of a transform.
const SIZE: usize = 256;

/// Makes `y` the Fourier transform of `x`, 256 complex numbers, the real and the imaginary parts in turns.
#[wasm_bindgen]
pub fn fft_f32(x: &[f32], y: &mut [f32]) {
    y.copy_from_slice(x);
    if let Some(y) = y.as_chunks_mut().0.first_chunk_mut::<SIZE>() {
        mpy::dsp::cfft_f32(y);
    }
}

/// The cosines and sines of half a circle.
const TURNS: [[f64; 2]; SIZE / 2] = {
    let mut turns = [[0.0; 2]; SIZE / 2];
    let mut at = 0;
    while at < turns.len() {
        let x = core::f64::consts::TAU * at as f64 / SIZE as f64;
        // Taylor's series.
        let (mut term, mut k) = (1.0, 0);
        while k < 40 {
            turns[at][k % 2] += if k % 4 < 2 { term } else { -term };
            k += 1;
            term *= x / k as f64;
        }
        at += 1;
    }
    turns
};

/// As [`fft_f32`], with doubles.
#[wasm_bindgen]
pub fn fft_f64(x: &[f64], y: &mut [f64]) {
    y.copy_from_slice(x);
    let Some(data) = y.as_chunks_mut().0.first_chunk_mut::<SIZE>() else { return };
    for i in 0..SIZE {
        let j = usize::from((i as u8).reverse_bits());
        if i < j {
            data.swap(i, j);
        }
    }
    let mut half = 1;
    while half < SIZE {
        for block in data.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), [cos, sin]) in low.iter_mut().zip(high).zip(TURNS.iter().step_by(SIZE / 2 / half)) {
                let turned = [b[0] * cos + b[1] * sin, b[1] * cos - b[0] * sin];
                *b = [a[0] - turned[0], a[1] - turned[1]];
                *a = [a[0] + turned[0], a[1] + turned[1]];
            }
        }
        half *= 2;
    }
}
