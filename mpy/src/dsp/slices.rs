//! Functions over slices.

use super::instructions::vfma;

/// Whether plain loops that add products of integers are computed by vectors (Helium, on a Cortex-M55), and the functions for
/// slices of floats here too. It is a constant of a module, so that what a function does otherwise is not part of it. It is false
/// in `cargo test`, and with `opt-level = "s"`.
///
/// ```
/// use mpy::dsp;
///
/// fn dot(a: &[i16], b: &[i16]) -> i32 {
///     if dsp::has_vectors() {
///         return a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
///     }
///     let (a, b) = (a.as_chunks().0, b.as_chunks().0);
///     a.iter().zip(b).fold(0, |sum, (a, b)| dsp::smlad(dsp::pair(*a), dsp::pair(*b), sum))
/// }
///
/// assert_eq!(dot(&[1, 2], &[10, 20]), 50);
/// ```
#[inline(always)]
#[must_use]
pub fn has_vectors() -> bool {
    #[cfg(target_arch = "wasm32")]
    return dsp_has_vectors() != 0;
    #[cfg(not(target_arch = "wasm32"))]
    false
}

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    safe fn dsp_has_vectors() -> u32;
    fn dsp_dot_f32(a: *const f32, b: *const f32, len: usize) -> f32;
    fn dsp_vec_mat_f32(
        x: *const f32,
        x_len: usize,
        rows: *const f32,
        stride: usize,
        y: *mut f32,
        y_len: usize,
    );
    fn dsp_mat_vec_q15(
        rows: *const i16,
        stride: usize,
        x: *const i16,
        x_len: usize,
        y: *mut i16,
        y_len: usize,
    );
}

/// The dot product of floats, as far as both have some. They are added in any order, and as [`vfma`] does it. A Cortex-M55 takes four at
/// a time, and numbers nearer to 0 than 2^-126 for 0.
///
/// ```
/// assert_eq!(mpy::dsp::dot_f32(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 32.0);
/// ```
#[inline]
#[must_use]
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    #[cfg(target_arch = "wasm32")]
    if has_vectors() {
        // SAFETY: both have so many numbers.
        return unsafe { dsp_dot_f32(a.as_ptr(), b.as_ptr(), len) };
    }
    let ((a, rest_a), (b, rest_b)) = (a[..len].as_chunks::<4>(), b[..len].as_chunks::<4>());
    let mut sums = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        sums = [0, 1, 2, 3].map(|at| vfma(a[at], b[at], sums[at]));
    }
    let sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    rest_a.iter().zip(rest_b).fold(sum, |sum, (a, b)| sum + a * b)
}

/// The product of a vector and a matrix of floats: `y[j]` is the sum of `x[k] * rows[k * stride + j]`. With a `stride` of 1, that is a
/// filter whose taps are `x`. Products are added in the order of `x`, and as [`vfma`] does it. A Cortex-M55 computes 16 at a time, and
/// takes numbers nearer to 0 than 2^-126 for 0.
///
/// ```
/// let mut y = [0.0; 2];
/// mpy::dsp::vec_mat_f32(&[1.0, 10.0], &[1.0, 2.0, 3.0, 4.0], 2, &mut y);
/// assert_eq!(y, [31.0, 42.0]);
/// mpy::dsp::vec_mat_f32(&[1.0, 10.0], &[1.0, 2.0, 3.0], 1, &mut y);
/// assert_eq!(y, [21.0, 32.0]);
/// ```
///
/// # Panics
/// If `rows` is too short.
#[inline]
pub fn vec_mat_f32(x: &[f32], rows: &[f32], stride: usize, y: &mut [f32]) {
    let Some(last) = x.len().checked_sub(1) else {
        y.fill(0.0);
        return;
    };
    let needed = last.checked_mul(stride).and_then(|last| last.checked_add(y.len()));
    assert!(needed.is_some_and(|needed| needed <= rows.len()), "the matrix is too short");
    #[cfg(target_arch = "wasm32")]
    if has_vectors() {
        // SAFETY: they have so many numbers, and `y` is no part of the others.
        unsafe { dsp_vec_mat_f32(x.as_ptr(), x.len(), rows.as_ptr(), stride, y.as_mut_ptr(), y.len()) };
        return;
    }
    // Sums of so many outputs are in registers.
    let (eights, rest) = y.as_chunks_mut::<8>();
    let (fours, ones) = rest.as_chunks_mut::<4>();
    let mut at = 0;
    macro_rules! outputs {
        ($chunks:expr, $count:literal) => {
            for y in $chunks {
                // SAFETY: behind `at` lie as many numbers as `y` has, in each row.
                *y = unsafe { block::<$count>(x, rows.as_ptr().add(at), stride) };
                at += $count;
            }
        };
    }
    outputs!(eights, 8);
    outputs!(fours, 4);
    outputs!(ones.as_chunks_mut::<1>().0, 1);
}

/// A part of a product of a vector and a matrix: the columns from `row` on.
///
/// # Safety
/// `row` points to `N` numbers, and so does each multiple of `stride` behind it, of as many as `x` has numbers.
#[inline(always)]
unsafe fn block<const N: usize>(x: &[f32], mut row: *const f32, stride: usize) -> [f32; N] {
    let mut sums = [0.0; N];
    for x in x {
        // SAFETY: as the caller says.
        let numbers = unsafe { row.cast::<[f32; N]>().read() };
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum = vfma(*x, number, *sum);
        }
        row = row.wrapping_add(stride);
    }
    sums
}

/// The product of a matrix and a vector in Q15: `y[j]` is the sum of `rows[j * stride + k] * x[k]`, which has 64 bits, divided by 2^15
/// and rounded down. It saturates. With a `stride` of 1, that is a filter whose taps are `x`. A Cortex-M55 multiplies eight numbers at a time.
///
/// ```
/// let mut y = [0; 2];
/// mpy::dsp::mat_vec_q15(&[16384, 0, 8192, -3], 2, &[100, 32767], &mut y);
/// assert_eq!(y, [50, 22]);
/// mpy::dsp::mat_vec_q15(&[32767, 32767, -32768], 1, &[32767, 32767], &mut y);
/// assert_eq!(y, [32767, -1]);
/// ```
///
/// # Panics
/// If `rows` is too short.
#[inline]
pub fn mat_vec_q15(rows: &[i16], stride: usize, x: &[i16], y: &mut [i16]) {
    let Some(last) = y.len().checked_sub(1) else { return };
    let needed = last.checked_mul(stride).and_then(|last| last.checked_add(x.len()));
    assert!(needed.is_some_and(|needed| needed <= rows.len()), "the matrix is too short");
    #[cfg(target_arch = "wasm32")]
    if has_vectors() {
        // SAFETY: they have so many numbers, and `y` is no part of the others.
        unsafe { dsp_mat_vec_q15(rows.as_ptr(), stride, x.as_ptr(), x.len(), y.as_mut_ptr(), y.len()) };
        return;
    }
    for (at, y) in y.iter_mut().enumerate() {
        let products =
            rows[at * stride..].iter().zip(x).map(|(a, b)| i64::from(i32::from(*a) * i32::from(*b)));
        *y = (products.sum::<i64>() >> 15).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::vec_mat_f32;

    /// Of all numbers of outputs, whose last ones are no whole block, and with rows that overlap.
    #[test]
    fn products_are_those_of_the_definition() {
        let rows: Vec<f32> = (0..400).map(|at| (at * 37 % 101) as f32 - 50.0).collect();
        let x: Vec<f32> = (0..7).map(|at| (at * 5 % 11) as f32 - 5.0).collect();
        for (len, stride) in (0..30).flat_map(|len| [0, 1, 3, 30, 50].map(|stride| (len, stride))) {
            for x in (0..=x.len()).map(|count| &x[..count]) {
                let mut y = std::vec![1.0; len];
                let needed = x.len().saturating_sub(1) * stride + len;
                vec_mat_f32(x, &rows[..needed], stride, &mut y);
                let sum = |at| x.iter().enumerate().map(|(k, x)| x * rows[k * stride + at]).sum::<f32>();
                assert_eq!(y, (0..len).map(sum).collect::<Vec<_>>(), "{len} outputs, {stride} apart, {x:?}");
            }
        }
    }
}
