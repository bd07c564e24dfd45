//! Plain Rust, as one writes it first.

/// How a sum becomes an output: times `multiplier` / 2^31, and shifted.
#[derive(Clone, Copy)]
pub struct Scale {
    pub multiplier: i32,
    /// Bits to the left; if it is negative, to the right.
    pub shift: i32,
}

/// What is added to inputs and to outputs of layers.
const INPUT: i32 = 5;
const OUTPUT: i32 = 3;

impl Scale {
    /// The sum as an output, rounded as CMSIS-NN does.
    fn output(self, sum: i32) -> i8 {
        let (left, right) = (self.shift.max(0), (-self.shift).max(0));
        let product = i64::from(sum << left) * i64::from(self.multiplier);
        let high = ((product + (1 << 30)) >> 31) as i32;
        let (rest, half) = (high & ((1 << right) - 1), ((1 << right) - 1) >> 1);
        let up = rest > half + i32::from(high < 0);
        ((high >> right) + i32::from(up) + OUTPUT).clamp(-128, 127) as i8
    }
}

#[inline(never)]
pub fn dot_q15(a: &[i16], b: &[i16]) -> i64 {
    a.iter().zip(b).map(|(a, b)| i64::from(i32::from(*a) * i32::from(*b))).sum()
}

#[inline(never)]
pub fn dot_q7(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

#[inline(never)]
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[inline(never)]
pub fn fir_q15(x: &[i16], taps: &[i16], y: &mut [i16]) {
    for (y, x) in y.iter_mut().zip(x.windows(taps.len())) {
        let sum: i64 = x.iter().zip(taps).map(|(x, tap)| i64::from(i32::from(*x) * i32::from(*tap))).sum();
        *y = (sum >> 15).clamp(-32768, 32767) as i16;
    }
}

#[inline(never)]
pub fn fir_fast_q15(x: &[i16], taps: &[i16], y: &mut [i16]) {
    for (y, x) in y.iter_mut().zip(x.windows(taps.len())) {
        let products = x.iter().zip(taps).map(|(x, tap)| i32::from(*x) * i32::from(*tap));
        *y = (products.fold(0, i32::wrapping_add) >> 15).clamp(-32768, 32767) as i16;
    }
}

#[inline(never)]
pub fn fir_f32(x: &[f32], taps: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x.windows(taps.len())) {
        *y = x.iter().zip(taps).map(|(x, tap)| x * tap).sum();
    }
}

#[inline(never)]
pub fn mat_q7(a: &[i8], b: &[i8], c: &mut [i8], n: usize, _scratch: &mut [i8]) {
    for i in 0..n {
        for j in 0..n {
            let mut sum = 0;
            for k in 0..n {
                sum += i32::from(a[i * n + k]) * i32::from(b[k * n + j]);
            }
            c[i * n + j] = (sum >> 7).clamp(-128, 127) as i8;
        }
    }
}

#[inline(never)]
pub fn mat_q15(a: &[i16], b: &[i16], c: &mut [i16], n: usize, _scratch: &mut [i16]) {
    for i in 0..n {
        for j in 0..n {
            let mut sum = 0i64;
            for k in 0..n {
                sum += i64::from(i32::from(a[i * n + k]) * i32::from(b[k * n + j]));
            }
            c[i * n + j] = (sum >> 15).clamp(-32768, 32767) as i16;
        }
    }
}

#[inline(never)]
pub fn mat_fast_q15(a: &[i16], b: &[i16], c: &mut [i16], n: usize, _scratch: &mut [i16]) {
    for i in 0..n {
        for j in 0..n {
            let mut sum = 0i32;
            for k in 0..n {
                sum = sum.wrapping_add(i32::from(a[i * n + k]) * i32::from(b[k * n + j]));
            }
            c[i * n + j] = (sum >> 15) as i16;
        }
    }
}

#[inline(never)]
pub fn mat_f32(a: &[f32], b: &[f32], c: &mut [f32], n: usize) {
    for i in 0..n {
        for j in 0..n {
            let mut sum = 0.0;
            for k in 0..n {
                sum += a[i * n + k] * b[k * n + j];
            }
            c[i * n + j] = sum;
        }
    }
}

#[inline(never)]
pub fn biquad_f32(x: &[f32], y: &mut [f32], stages: &[[f32; 5]], state: &mut [[f32; 4]]) {
    y.copy_from_slice(x);
    for ([b0, b1, b2, a1, a2], state) in stages.iter().zip(state) {
        let [mut x1, mut x2, mut y1, mut y2] = *state;
        for value in y.iter_mut() {
            let x0 = *value;
            let y0 = b0 * x0 + b1 * x1 + b2 * x2 + a1 * y1 + a2 * y2;
            (x2, x1, y2, y1) = (x1, x0, y1, y0);
            *value = y0;
        }
        *state = [x1, x2, y1, y2];
    }
}

#[inline(never)]
pub fn cfft_f32(data: &mut [[f32; 2]; 256]) {
    // SAFETY: a complex number is its real and its imaginary part.
    let _ = microfft::complex::cfft_256(unsafe { &mut *core::ptr::from_mut(data).cast() });
}

#[inline(never)]
pub fn fully_connected_s8(x: &[i8], weights: &[i8], bias: &[i32], y: &mut [i8], scale: Scale) {
    for ((y, weights), bias) in y.iter_mut().zip(weights.chunks_exact(x.len())).zip(bias) {
        let products = x.iter().zip(weights).map(|(x, weight)| (i32::from(*x) + INPUT) * i32::from(*weight));
        *y = scale.output(bias + products.sum::<i32>());
    }
}

/// Filters of 3×3 over an image of 8×8, whose edge is zero.
#[inline(never)]
pub fn convolve_s8(
    x: &[i8],
    weights: &[i8],
    bias: &[i32],
    y: &mut [i8],
    scales: &[Scale],
    channels: usize,
    _scratch: &mut [i16],
) {
    const SIZE: usize = 8;
    let filters = bias.len();
    for row in 0..SIZE {
        for column in 0..SIZE {
            for filter in 0..filters {
                let mut sum = bias[filter];
                for down in 0..3 {
                    let from = (row + down).wrapping_sub(1);
                    if from >= SIZE {
                        continue;
                    }
                    for right in 0..3 {
                        let at = (column + right).wrapping_sub(1);
                        if at >= SIZE {
                            continue;
                        }
                        let x = &x[(from * SIZE + at) * channels..][..channels];
                        let weights = &weights[((filter * 3 + down) * 3 + right) * channels..][..channels];
                        let products = x
                            .iter()
                            .zip(weights)
                            .map(|(x, weight)| (i32::from(*x) + INPUT) * i32::from(*weight));
                        sum += products.sum::<i32>();
                    }
                }
                y[(row * SIZE + column) * filters + filter] = scales[filter].output(sum);
            }
        }
    }
}
