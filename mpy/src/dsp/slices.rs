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
    for (at, y) in y.iter_mut().enumerate() {
        *y = x.iter().enumerate().fold(0.0, |sum, (k, x)| vfma(*x, rows[k * stride + at], sum));
    }
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
