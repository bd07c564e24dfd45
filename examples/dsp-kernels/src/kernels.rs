//! Dot products, filters, products of matrices, a Fourier transform and layers of neural networks, each written for processors with
//! instructions for signal processing: numbers are read in pairs or fours, and what was read is used for several outputs.
//!
//! Results are those of CMSIS-DSP and CMSIS-NN. Lengths need not be multiples of anything, unless a function says so.

use mpy::dsp::{
    has_vectors, mat_vec_q15, pair, pkhbt, smlad, smladx, smlald, smlaldx, ssat, sxtab16, sxtab16_ror8,
    sxtb16, sxtb16_ror8, vec_mat_f32, vfma,
};

/// How a sum becomes an output: times `multiplier` / 2^31, and shifted.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub multiplier: i32,
    /// Bits to the left; if it is negative, to the right.
    pub shift: i32,
}

/// What is added to inputs and to outputs of layers.
const INPUT: i16 = 5;
const OUTPUT: i32 = 3;

impl Scale {
    /// The sum as an output, rounded as CMSIS-NN does.
    #[inline(always)]
    fn output(self, sum: i32) -> i8 {
        let (left, right) = (self.shift.max(0), (-self.shift).max(0));
        let product = i64::from(sum << left) * i64::from(self.multiplier);
        let high = ((product + (1 << 30)) >> 31) as i32;
        let (rest, half) = (high & ((1 << right) - 1), ((1 << right) - 1) >> 1);
        let up = rest > half + i32::from(high < 0);
        ssat::<8>((high >> right) + i32::from(up) + OUTPUT) as i8
    }
}

/// Four signed bytes.
#[inline(always)]
fn four([a, b, c, d]: [i8; 4]) -> u32 {
    u32::from_le_bytes([a, b, c, d].map(i8::cast_unsigned))
}

/// The dot product of numbers in Q15, in Q30.
#[inline(always)]
pub fn dot_q15(a: &[i16], b: &[i16]) -> i64 {
    a.iter().zip(b).map(|(a, b)| i64::from(i32::from(*a) * i32::from(*b))).sum()
}

/// The dot product of numbers in Q15, in 32 bits, at which it wraps.
#[inline(always)]
fn dot_fast_q15(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).fold(0, |sum, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)))
}

/// The dot product of numbers in Q7, in Q14.
#[inline(always)]
pub fn dot_q7(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

/// As many numbers as are a multiple of four, of which a loop has no rest.
#[inline(always)]
fn fours<T>(numbers: &[T]) -> &[T] {
    numbers.as_chunks::<4>().0.as_flattened()
}

/// The dot product of inputs of a layer, to which the offset is added, and weights.
#[inline(always)]
fn dot_s8(x: &[i8], weights: &[i8]) -> i32 {
    let pairs = fours(x).iter().zip(fours(weights));
    pairs.map(|(x, weight)| (i32::from(*x) + i32::from(INPUT)) * i32::from(*weight)).sum()
}

/// The dot product of floats.
#[inline(always)]
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    mpy::dsp::dot_f32(a, b)
}

/// A sum in Q30 as an output in Q15, which saturates. It is one of less than 65536 products.
#[inline(always)]
fn q15(sum: i64) -> i16 {
    ssat::<16>((sum >> 15) as i32) as i16
}

/// A filter of numbers in Q15, whose sums have 64 bits: two outputs at once, as there are no registers for more sums. The numbers of
/// taps and of outputs are multiples of four, and `x` has as many numbers as both together.
#[inline(never)]
pub fn fir_q15(x: &[i16], taps: &[i16], y: &mut [i16]) {
    if has_vectors() {
        mat_vec_q15(x, 1, taps, y);
        return;
    }
    let (taps, _) = taps.as_chunks::<4>();
    let (x, _) = x.as_chunks::<2>();
    for (x, y) in x.windows(2 * taps.len() + 1).zip(y.as_chunks_mut::<2>().0) {
        let [first, rest @ ..] = x else { return };
        let mut x01 = pair(*first);
        let (mut even, mut odd) = (0, 0);
        for ([c0, c1, c2, c3], [x23, x45]) in taps.iter().zip(rest.as_chunks::<2>().0) {
            let (c01, x23) = (pair([*c0, *c1]), pair(*x23));
            even = smlald(x01, c01, even);
            odd = smlaldx(pkhbt(x23, x01), c01, odd);
            let (c23, x45) = (pair([*c2, *c3]), pair(*x45));
            even = smlald(x23, c23, even);
            odd = smlaldx(pkhbt(x45, x23), c23, odd);
            x01 = x45;
        }
        *y = [q15(even), q15(odd)];
    }
}

/// A filter of numbers in Q15, whose sums have 32 bits and wrap: four outputs at once. Lengths are as for [`fir_q15`].
#[inline(never)]
pub fn fir_fast_q15(x: &[i16], taps: &[i16], y: &mut [i16]) {
    let output = |sum: i32| ssat::<16>(sum >> 15) as i16;
    if has_vectors() {
        let taps = fours(taps);
        let sums = x.windows(taps.len().max(1)).map(|x| dot_fast_q15(x, taps));
        y.iter_mut().zip(sums).for_each(|(y, sum)| *y = output(sum));
        return;
    }
    let (taps, _) = taps.as_chunks::<4>();
    let (x, _) = x.as_chunks::<4>();
    for (x, y) in x.windows(taps.len() + 1).zip(y.as_chunks_mut::<4>().0) {
        let [[a, b, c, d], rest @ ..] = x else { return };
        let (mut x01, mut x23) = (pair([*a, *b]), pair([*c, *d]));
        let mut x21 = pkhbt(x23, x01);
        let mut sums = [0; 4];
        for ([c0, c1, c2, c3], [x4, x5, x6, x7]) in taps.iter().zip(rest) {
            let (c01, c23) = (pair([*c0, *c1]), pair([*c2, *c3]));
            let (x45, x67) = (pair([*x4, *x5]), pair([*x6, *x7]));
            let (x43, x65) = (pkhbt(x45, x23), pkhbt(x67, x45));
            sums[0] = smlad(x23, c23, smlad(x01, c01, sums[0]));
            sums[1] = smladx(x43, c23, smladx(x21, c01, sums[1]));
            sums[2] = smlad(x45, c23, smlad(x23, c01, sums[2]));
            sums[3] = smladx(x65, c23, smladx(x43, c01, sums[3]));
            (x01, x21, x23) = (x45, x65, x67);
        }
        *y = sums.map(output);
    }
}

/// A filter of floats: eight outputs at once. The numbers of taps and of outputs are multiples of eight, and `x` has as many numbers
/// as both together, less one.
#[inline(never)]
pub fn fir_f32(x: &[f32], taps: &[f32], y: &mut [f32]) {
    if has_vectors() {
        vec_mat_f32(taps, x, 1, y);
        return;
    }
    let (taps, _) = taps.as_chunks::<8>();
    for (at, y) in y.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let Some((first, rest)) = x[8 * at..].split_first_chunk::<7>() else { return };
        // Eight steps later, each number is where it was.
        let mut seen = [first[0], first[1], first[2], first[3], first[4], first[5], first[6], 0.0];
        let mut sums = [0.0; 8];
        for (taps, more) in taps.iter().zip(rest.as_chunks::<8>().0) {
            // Written out, as indices must be constants for numbers to be in registers.
            macro_rules! steps {
                ($($step:literal)*) => {$(
                    seen[($step + 7) % 8] = more[$step];
                    sums = [0, 1, 2, 3, 4, 5, 6, 7].map(|at| vfma(seen[($step + at) % 8], taps[$step], sums[at]));
                )*};
            }
            steps!(0 1 2 3 4 5 6 7);
        }
        *y = sums;
    }
}

/// A matrix of `n` rows and columns with its columns as rows.
#[inline(always)]
fn transpose<T: Copy>(b: &[T], n: usize, to: &mut [T]) {
    for (column, to) in to.chunks_exact_mut(n).enumerate().take(n) {
        for (b, to) in b.iter().skip(column).step_by(n).zip(to) {
            *to = *b;
        }
    }
}

/// Declares a product of matrices of `n` rows and columns: two rows and two columns at once, as the columns of `b` become rows in
/// `scratch`, which has room for them. `n` is even, or a multiple of four if the numbers are bytes.
macro_rules! product {
    ($(#[$doc:meta])* $name:ident, $number:ty, $sum:ty, $step:literal, $row:expr, $add:expr, $output:expr) => {
        $(#[$doc])*
        #[inline(never)]
        pub fn $name(a: &[$number], b: &[$number], c: &mut [$number], n: usize, scratch: &mut [$number]) {
            transpose(b, n, scratch);
            if has_vectors() {
                a.chunks_exact(n).zip(c.chunks_exact_mut(n)).for_each(|(a, c)| $row(a, &*scratch, c));
                return;
            }
            for (a, c) in a.chunks_exact(2 * n).zip(c.chunks_exact_mut(2 * n)) {
                let ((a0, a1), (c0, c1)) = (a.split_at(n), c.split_at_mut(n));
                let columns = scratch.chunks_exact(2 * n);
                for ((b, c0), c1) in columns.zip(c0.as_chunks_mut::<2>().0).zip(c1.as_chunks_mut::<2>().0) {
                    let (b0, b1) = b.split_at(n);
                    let [a0, a1, b0, b1] = [a0, a1, b0, b1].map(|x| x.as_chunks::<$step>().0);
                    let mut sums: [$sum; 4] = [0; 4];
                    for (((a0, a1), b0), b1) in a0.iter().zip(a1).zip(b0).zip(b1) {
                        sums = $add(*a0, *a1, *b0, *b1, sums);
                    }
                    let [s00, s01, s10, s11] = sums.map($output);
                    (*c0, *c1) = ([s00, s01], [s10, s11]);
                }
            }
        }
    };
}

product! {
    /// A product of matrices of numbers in Q7, whose results saturate.
    mat_q7, i8, i32, 4,
    |a: &[i8], columns: &[i8], c: &mut [i8]| for (b, c) in columns.chunks_exact(a.len()).zip(c) {
        *c = ssat::<8>(dot_q7(fours(a), fours(b)) >> 7) as i8;
    },
    |a0, a1, b0, b1, [s00, s01, s10, s11]: [i32; 4]| {
        let [a0, a1, b0, b1] = [a0, a1, b0, b1].map(|x| {
            let x = four(x);
            [sxtb16(x), sxtb16_ror8(x)]
        });
        let add = |a: [u32; 2], b: [u32; 2], sum| smlad(a[1], b[1], smlad(a[0], b[0], sum));
        [add(a0, b0, s00), add(a0, b1, s01), add(a1, b0, s10), add(a1, b1, s11)]
    },
    |sum: i32| ssat::<8>(sum >> 7) as i8
}

product! {
    /// A product of matrices of numbers in Q15, whose sums have 64 bits, and whose results saturate.
    mat_q15, i16, i64, 2,
    |a: &[i16], columns, c| mat_vec_q15(columns, a.len(), a, c),
    |a0, a1, b0, b1, [s00, s01, s10, s11]: [i64; 4]| {
        let [a0, a1, b0, b1] = [a0, a1, b0, b1].map(pair);
        [smlald(a0, b0, s00), smlald(a0, b1, s01), smlald(a1, b0, s10), smlald(a1, b1, s11)]
    },
    q15
}

product! {
    /// A product of matrices of numbers in Q15, whose sums have 32 bits and wrap.
    mat_fast_q15, i16, i32, 2,
    |a: &[i16], columns: &[i16], c: &mut [i16]| for (b, c) in columns.chunks_exact(a.len()).zip(c) {
        // Of whole chunks, the loop has no rest.
        let [a, b] = [a, b].map(|row| row.as_chunks::<2>().0.as_flattened());
        *c = (dot_fast_q15(a, b) >> 15) as i16;
    },
    |a0, a1, b0, b1, [s00, s01, s10, s11]: [i32; 4]| {
        let [a0, a1, b0, b1] = [a0, a1, b0, b1].map(pair);
        [smlad(a0, b0, s00), smlad(a0, b1, s01), smlad(a1, b0, s10), smlad(a1, b1, s11)]
    },
    |sum: i32| (sum >> 15) as i16
}

/// A product of matrices of floats of `n` rows and columns, a multiple of four: four columns of two rows at once.
#[inline(never)]
pub fn mat_f32(a: &[f32], b: &[f32], c: &mut [f32], n: usize) {
    if has_vectors() {
        a.chunks_exact(n).zip(c.chunks_exact_mut(n)).for_each(|(a, c)| vec_mat_f32(a, b, n, c));
        return;
    }
    for (a, c) in a.chunks_exact(2 * n).zip(c.chunks_exact_mut(2 * n)) {
        let ((a0, a1), (c0, c1)) = (a.split_at(n), c.split_at_mut(n));
        let outputs = c0.as_chunks_mut::<4>().0.iter_mut().zip(c1.as_chunks_mut::<4>().0);
        for (at, (c0, c1)) in outputs.enumerate() {
            let (mut s0, mut s1) = ([0.0; 4], [0.0; 4]);
            for ((b, a0), a1) in b.chunks_exact(n).zip(a0).zip(a1) {
                let b = b.as_chunks::<4>().0[at];
                for ((s0, s1), b) in s0.iter_mut().zip(&mut s1).zip(b) {
                    (*s0, *s1) = (vfma(*a0, b, *s0), vfma(*a1, b, *s1));
                }
            }
            (*c0, *c1) = (s0, s1);
        }
    }
}

/// Second-order filters, one after another: `stages` are their coefficients b0, b1, b2, a1 and a2, the last two with their signs
/// changed, and `state` the last inputs and outputs of each. The number of outputs is a multiple of four.
#[inline(never)]
pub fn biquad_f32(x: &[f32], y: &mut [f32], stages: &[[f32; 5]], state: &mut [[f32; 4]]) {
    y.copy_from_slice(x);
    for ([b0, b1, b2, a1, a2], state) in stages.iter().zip(state) {
        let [mut x1, mut x2, mut y1, mut y2] = *state;
        let output =
            |x0: f32, x1, x2, y1, y2| vfma(*a1, y1, vfma(*a2, y2, vfma(*b2, x2, vfma(*b1, x1, b0 * x0))));
        for four in y.as_chunks_mut::<4>().0 {
            let [p, q, r, s] = *four;
            four[0] = output(p, x1, x2, y1, y2);
            four[1] = output(q, p, x1, four[0], y1);
            four[2] = output(r, q, p, four[1], four[0]);
            four[3] = output(s, r, q, four[2], four[1]);
            (x1, x2, y1, y2) = (s, r, four[3], four[2]);
        }
        *state = [x1, x2, y1, y2];
    }
}

/// The Fourier transform of 256 complex numbers.
#[inline(never)]
pub fn cfft_f32(data: &mut [[f32; 2]; 256]) {
    mpy::dsp::cfft_f32(data);
}

/// A fully connected layer of signed bytes.
#[inline(never)]
pub fn fully_connected_s8(x: &[i8], weights: &[i8], bias: &[i32], y: &mut [i8], scale: Scale) {
    for ((y, weights), bias) in y.iter_mut().zip(weights.chunks_exact(x.len())).zip(bias) {
        *y = scale.output(bias + dot_s8(x, weights));
    }
}

/// Filters of 3×3 over an image of 8×8 pixels, whose edge is zero: two pixels and two filters at once. The numbers of channels and of
/// filters are multiples of four and two. `scratch` has 18 numbers for each channel.
#[inline(never)]
pub fn convolve_s8(
    x: &[i8],
    weights: &[i8],
    bias: &[i32],
    y: &mut [i8],
    scales: &[Scale],
    channels: usize,
    scratch: &mut [i16],
) {
    const SIZE: usize = 8;
    let (filters, seen) = (bias.len(), 9 * channels);
    if has_vectors() {
        for (at, y) in y.chunks_exact_mut(filters).enumerate().take(SIZE * SIZE) {
            let (row, column) = (at / SIZE, at % SIZE);
            // Pixels that lie beside one another do so in the weights too.
            let (left, right) = (column.saturating_sub(1), (column + 2).min(SIZE));
            let known = y.iter_mut().zip(bias).zip(scales).zip(weights.chunks_exact(seen));
            for (((y, bias), scale), weights) in known {
                let mut sum = *bias;
                for (down, weights) in weights.chunks_exact(3 * channels).enumerate() {
                    let from = (row + down).wrapping_sub(1);
                    if from < SIZE {
                        let x = &x[(from * SIZE + left) * channels..(from * SIZE + right) * channels];
                        sum += dot_s8(x, &weights[(left + 1 - column) * channels..]);
                    }
                }
                *y = scale.output(sum);
            }
        }
        return;
    }
    let (patches, _) = scratch.split_at_mut(2 * seen);
    for (at, y) in y.chunks_exact_mut(2 * filters).enumerate() {
        for (pixel, patch) in patches.chunks_exact_mut(seen).enumerate() {
            see(x, channels, (2 * at + pixel) / SIZE, (2 * at + pixel) % SIZE, patch);
        }
        let (first, second) = patches.split_at(seen);
        let [first, second] = [first, second].map(|patch| patch.as_chunks::<4>().0);
        let (y0, y1) = y.split_at_mut(filters);
        let outputs = y0.as_chunks_mut::<2>().0.iter_mut().zip(y1.as_chunks_mut::<2>().0);
        let known = bias.as_chunks::<2>().0.iter().zip(scales.as_chunks::<2>().0);
        for (((y0, y1), (bias, scales)), weights) in outputs.zip(known).zip(weights.chunks_exact(2 * seen)) {
            let (a, b) = weights.split_at(seen);
            let [a, b] = [a, b].map(|weights| weights.as_chunks::<4>().0);
            let [mut a0, mut b0] = *bias;
            let [mut a1, mut b1] = *bias;
            for (((x0, x1), a), b) in first.iter().zip(second).zip(a).zip(b) {
                let ([even0, odd0], [even1, odd1]) = (halves(*x0), halves(*x1));
                let (a, b) = (four(*a), four(*b));
                let (even, odd) = (sxtb16(a), sxtb16_ror8(a));
                a0 = smlad(odd0, odd, smlad(even0, even, a0));
                a1 = smlad(odd1, odd, smlad(even1, even, a1));
                let (even, odd) = (sxtb16(b), sxtb16_ror8(b));
                b0 = smlad(odd0, odd, smlad(even0, even, b0));
                b1 = smlad(odd1, odd, smlad(even1, even, b1));
            }
            *y0 = [scales[0].output(a0), scales[1].output(b0)];
            *y1 = [scales[0].output(a1), scales[1].output(b1)];
        }
    }
}

/// Two pairs of numbers.
#[inline(always)]
fn halves([a, b, c, d]: [i16; 4]) -> [u32; 2] {
    [pair([a, b]), pair([c, d])]
}

/// What a filter of 3×3 sees of the pixels around one, plus the offset of inputs. Of four channels, the first and the third come
/// before the second and the fourth.
#[inline(always)]
fn see(x: &[i8], channels: usize, row: usize, column: usize, patch: &mut [i16]) {
    const SIZE: usize = 8;
    let offsets = pair([INPUT, INPUT]);
    let mut places = patch.chunks_exact_mut(channels);
    for down in 0..3 {
        for right in 0..3 {
            let Some(place) = places.next() else { return };
            let (from, at) = ((row + down).wrapping_sub(1), (column + right).wrapping_sub(1));
            if from >= SIZE || at >= SIZE {
                place.fill(0);
                continue;
            }
            let x = &x[(from * SIZE + at) * channels..][..channels];
            for (x, to) in x.as_chunks::<4>().0.iter().zip(place.as_chunks_mut::<4>().0) {
                let x = four(*x);
                let [a, c] = mpy::dsp::halves_of(sxtab16(offsets, x));
                let [b, d] = mpy::dsp::halves_of(sxtab16_ror8(offsets, x));
                *to = [a, c, b, d];
            }
        }
    }
}
