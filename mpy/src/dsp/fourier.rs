//! Fourier transforms.

use super::instructions::{vfma, vfms};

/// A complex number: its real and its imaginary part.
type Complex = [f32; 2];

/// Replaces complex numbers, each a real and an imaginary part, by their discrete Fourier transform: number `k` becomes the sum of
/// `data[n]` times `exp(-2πi·k·n/N)`. The sum is not divided by anything, so that numbers become up to `N` times as large.
///
/// `N` is a power of two from 4 to 32768; others are not compiled. Each `N` that is used has a table of `4 * N` bytes in the module,
/// which is made when the crate is compiled. Nothing is allocated.
///
/// The root mean square of all errors is less than 2^-22 times that of the results, for numbers that look random. Results are the same
/// everywhere but for how [`vfma`] rounds. A Cortex-M55 computes two at a time, and takes numbers nearer to 0 than 2^-126 for 0.
///
/// The algorithm is that of Cooley and Tukey (1965), in place, by decimation in frequency with radix 4.
///
/// ```
/// let mut data = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]];
/// mpy::dsp::cfft_f32(&mut data);
/// assert_eq!(data, [[10.0, 0.0], [-2.0, 2.0], [-2.0, 0.0], [-2.0, -2.0]]);
/// ```
///
/// Of a slice, such as an `array` of Python with the real and the imaginary parts in turns:
///
/// ```
/// fn transform(samples: &mut [f32]) -> Result<(), &'static str> {
///     let data: &mut [[f32; 2]] = samples.as_chunks_mut().0;
///     let data: &mut [[f32; 2]; 256] = data.try_into().map_err(|_| "256 complex numbers are needed")?;
///     mpy::dsp::cfft_f32(data);
///     Ok(())
/// }
///
/// assert!(transform(&mut [0.0; 512]).is_ok());
/// assert!(transform(&mut [0.0; 500]).is_err());
/// ```
///
/// ```compile_fail
/// mpy::dsp::cfft_f32(&mut [[0.0; 2]; 100]);
/// ```
#[inline]
pub fn cfft_f32<const N: usize>(data: &mut [Complex; N]) {
    const {
        assert!(N.is_power_of_two() && 4 <= N && N <= 32768, "the size is a power of two from 4 to 32768");
    }
    let sines: &'static [f32; N] = &Sines::<N>::TABLE;
    #[cfg(target_arch = "wasm32")]
    if N >= 16 && super::slices::has_vectors() {
        // SAFETY: so many numbers are in both.
        unsafe { dsp_cfft_f32(data.as_mut_ptr(), N, sines.as_ptr()) };
        return;
    }
    transform(data, sines);
}

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    fn dsp_cfft_f32(data: *mut Complex, len: usize, sines: *const f32);
}

/// The inverse of [`cfft_f32`]: number `n` becomes the sum of `data[k]` times `exp(2πi·k·n/N)`, divided by `N`.
///
/// ```
/// let mut data = [[10.0, 0.0], [-2.0, 2.0], [-2.0, 0.0], [-2.0, -2.0]];
/// mpy::dsp::cifft_f32(&mut data);
/// assert_eq!(data, [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]]);
/// ```
#[inline]
pub fn cifft_f32<const N: usize>(data: &mut [Complex; N]) {
    cfft_f32(data);
    reverse(data);
}

/// Divides by the number of numbers, and puts all but the first one in the opposite order: the angles of the inverse transform are those
/// of the transform with the other sign.
#[inline(never)]
fn reverse(data: &mut [Complex]) {
    let scale = 1.0 / data.len() as f32;
    let scaled = |x: Complex| x.map(|x| x * scale);
    let half = data.len() / 2;
    let (low, high) = data.split_at_mut(half);
    for one in [&mut low[0], &mut high[0]] {
        *one = scaled(*one);
    }
    for (a, b) in low[1..].iter_mut().zip(high[1..].iter_mut().rev()) {
        (*a, *b) = (scaled(*b), scaled(*a));
    }
}

/// The sines of the angles of a transform.
struct Sines<const N: usize>;

impl<const N: usize> Sines<N> {
    /// Of a whole circle, in `N` steps. The cosines begin a quarter later.
    const TABLE: [f32; N] = {
        let (mut table, quarter) = ([0.0; N], N / 4);
        let mut at = 0;
        while at <= quarter {
            let x = core::f64::consts::TAU * at as f64 / N as f64;
            // Taylor's series, whose next term is less than 2^-51.
            let (mut sine, mut term, mut k) = (0.0, x, 1.0);
            while k < 20.0 {
                sine += term;
                term *= -x * x / ((k + 1.0) * (k + 2.0));
                k += 2.0;
            }
            let sine = sine as f32;
            table[at] = sine;
            table[2 * quarter - at] = sine;
            if at != 0 {
                table[2 * quarter + at] = -sine;
                table[N - at] = -sine;
            }
            at += 1;
        }
        table
    };
}

/// Numbers of up to 7 bits with the opposite order of bits.
const REVERSED: [u8; 128] = {
    let mut table = [0; 128];
    let mut at = 0;
    while at < table.len() {
        table[at] = (at as u8).reverse_bits() >> 1;
        at += 1;
    }
    table
};

#[inline(always)]
fn add(a: Complex, b: Complex) -> Complex {
    [a[0] + b[0], a[1] + b[1]]
}

#[inline(always)]
fn sub(a: Complex, b: Complex) -> Complex {
    [a[0] - b[0], a[1] - b[1]]
}

/// A product with the conjugate of `w`.
#[inline(always)]
fn turn(x: Complex, w: Complex) -> Complex {
    [vfma(x[1], w[1], x[0] * w[0]), vfms(x[0], w[1], x[1] * w[0])]
}

/// Transforms of four numbers each, that are `stride` apart. Results are in the order of reversed bits. All but the first are
/// multiplied by the conjugates of the factors, if there are some. The first numbers are `step` apart.
///
/// # Safety
/// `data` has `3 * stride` numbers behind each `step` from `from` on.
#[inline(always)]
unsafe fn butterflies(
    data: &mut [Complex],
    from: usize,
    step: usize,
    stride: usize,
    factors: Option<[Complex; 3]>,
) {
    let (first, mut at) = (data.as_mut_ptr(), from);
    while at < data.len() {
        // SAFETY: as the caller says.
        let place = |i: usize| unsafe { first.add(at + i * stride) };
        // SAFETY: as above.
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| unsafe { *place(i) });
        let (s0, d0, s1, d1) = (add(a, c), sub(a, c), add(b, d), sub(b, d));
        let (mut second, mut third, mut fourth) =
            (sub(s0, s1), [d0[0] + d1[1], d0[1] - d1[0]], [d0[0] - d1[1], d0[1] + d1[0]]);
        if let Some([w1, w2, w3]) = factors {
            (second, third, fourth) = (turn(second, w2), turn(third, w1), turn(fourth, w3));
        }
        // Each part is written as the float that it is, and not both as one integer.
        let put = |i: usize, result: Complex| unsafe {
            let place = place(i).cast::<f32>();
            place.write(result[0]);
            place.add(1).write(result[1]);
        };
        put(0, add(s0, s1));
        put(1, second);
        put(2, third);
        put(3, fourth);
        at += step;
    }
}

/// The transform of a power of two of numbers, which is the number of sines.
#[inline(never)]
fn transform(data: &mut [Complex], sines: &[f32]) {
    let len = data.len();
    assert!(len == sines.len() && len.is_power_of_two() && len >= 4, "not the sines of this transform");
    let factor = |at: usize| {
        // SAFETY: the angle is less than three quarters of a circle.
        unsafe { [*sines.get_unchecked(at + len / 4), *sines.get_unchecked(at)] }
    };
    let mut block = len;
    while block > 4 {
        let stride = block / 4;
        let angle = len / block;
        // SAFETY: each block is four times the stride.
        unsafe { butterflies(data, 0, block, stride, None) };
        for j in 1..stride {
            let factors = [factor(j * angle), factor(2 * j * angle), factor(3 * j * angle)];
            // SAFETY: as above.
            unsafe { butterflies(data, j, block, stride, Some(factors)) };
        }
        block = stride;
    }
    if block == 4 {
        // SAFETY: the number of numbers is a multiple of four.
        unsafe { butterflies(data, 0, 4, 1, None) };
    } else {
        for pair in data.as_chunks_mut::<2>().0 {
            *pair = [add(pair[0], pair[1]), sub(pair[0], pair[1])];
        }
    }
    reorder(data);
}

/// Puts numbers whose indices have the bits in the opposite order where they belong: those with the bits `(s, i, t)` and `(t, j, s)`
/// are exchanged, where `s` and `t` are one bit, and `j` is the reverse of `i`.
#[inline(always)]
fn reorder(data: &mut [Complex]) {
    let half = data.len() / 2;
    // Of 14 bits, of which an index has all but the lowest and the highest.
    let too_many = 16 - data.len().trailing_zeros();
    let first = data.as_mut_ptr();
    for i in 0..data.len() / 4 {
        let reversed = |x: usize| usize::from(REVERSED[x & 127]);
        let j = (reversed(i) << 7 | reversed(i >> 7)) >> too_many;
        if i > j {
            continue;
        }
        // SAFETY: both are less than a quarter of the numbers.
        unsafe {
            let (a, b) = (first.add(2 * i), first.add(2 * j));
            a.add(1).swap(b.add(half));
            if i < j {
                a.swap(b);
                a.add(half).swap(b.add(1));
                a.add(half + 1).swap(b.add(half + 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use core::f64::consts::TAU;
    use std::boxed::Box;
    use std::vec::Vec;

    use super::*;

    /// Numbers that look random, from -1 to 1.
    fn signal<const N: usize>() -> Box<[Complex; N]> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..N).map(|_| [next(), next()]).collect::<Vec<_>>().try_into().expect("so many numbers")
    }

    /// The transform by its definition, with the sign of its angles.
    fn by_definition(data: &[Complex], sign: f64) -> Vec<[f64; 2]> {
        let len = data.len();
        let turns: Vec<_> = (0..len).map(|k| (sign * TAU * k as f64 / len as f64).sin_cos()).collect();
        let sum = |k: usize| {
            data.iter().enumerate().fold([0.0, 0.0], |[re, im], (n, [x, y])| {
                let ((sin, cos), x, y) = (turns[k * n % len], f64::from(*x), f64::from(*y));
                [re + x * cos - y * sin, im + x * sin + y * cos]
            })
        };
        (0..len).map(sum).collect()
    }

    /// The root of the sum of the squares of the differences, relative to the numbers.
    fn difference(found: &[Complex], wanted: &[[f64; 2]]) -> f64 {
        let (found, wanted) = (found.as_flattened(), wanted.as_flattened());
        let error: f64 = found.iter().zip(wanted).map(|(x, y)| (f64::from(*x) - y).powi(2)).sum();
        (error / wanted.iter().map(|y| y * y).sum::<f64>()).sqrt()
    }

    fn check<const N: usize>() {
        let (data, limit) = (signal::<N>(), f64::from(f32::EPSILON) * 2.0);
        let mut found = data.clone();
        cfft_f32(&mut found);
        let error = difference(&*found, &by_definition(&*data, -1.0));
        assert!(error < limit, "{N}: {error}");

        let mut found = data.clone();
        cifft_f32(&mut found);
        let wanted: Vec<_> =
            by_definition(&*data, 1.0).into_iter().map(|x| x.map(|x| x / N as f64)).collect();
        let error = difference(&*found, &wanted);
        assert!(error < limit, "inverse of {N}: {error}");
    }

    #[test]
    fn transforms_are_those_of_the_definition() {
        check::<4>();
        check::<8>();
        check::<16>();
        check::<32>();
        check::<64>();
        check::<128>();
        check::<256>();
        check::<512>();
        check::<1024>();
        check::<2048>();
    }

    /// Of all sizes: there and back, and of a single number, whose transform is a turn.
    #[test]
    fn the_inverse_is_one() {
        fn check<const N: usize>() {
            let data = signal::<N>();
            let mut found = data.clone();
            cfft_f32(&mut found);
            cifft_f32(&mut found);
            let wanted: Vec<_> = data.iter().map(|x| x.map(f64::from)).collect();
            assert!(difference(&*found, &wanted) < f64::from(f32::EPSILON) * 3.0, "{N}");

            let mut found = Box::new([[0.0; 2]; N]);
            found[3] = [1.0, 0.0];
            cfft_f32(&mut found);
            let turn = |k| (-TAU * (3 * k % N) as f64 / N as f64).sin_cos();
            let wanted: Vec<_> = (0..N).map(turn).map(|(sin, cos)| [cos, sin]).collect();
            assert!(difference(&*found, &wanted) < f64::from(f32::EPSILON), "{N}");
        }
        check::<4>();
        check::<256>();
        check::<4096>();
        check::<8192>();
        check::<16384>();
        check::<32768>();
    }
}
