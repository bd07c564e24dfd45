//! Functions of signal processing and of neural networks for Python, whose arrays are changed where they are.

pub mod kernels;

use kernels::Scale;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type ValueError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> ValueError;
}

fn check(holds: bool, message: &str) -> Result<(), JsValue> {
    if holds { Ok(()) } else { Err(ValueError::new(message).into()) }
}

/// The dot product of two arrays of numbers in Q15, as a number in Q30.
#[wasm_bindgen]
pub fn dot_q15(a: &[i16], b: &[i16]) -> i64 {
    kernels::dot_q15(a, b)
}

/// The dot product of two arrays of numbers in Q7, as a number in Q14.
#[wasm_bindgen]
pub fn dot_q7(a: &[i8], b: &[i8]) -> i32 {
    kernels::dot_q7(a, b)
}

/// The dot product of two arrays of floats.
#[wasm_bindgen]
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    kernels::dot_f32(a, b)
}

/// Filters numbers in Q15: each output is the sum of the products of `taps` and as many inputs from its own on. `x` has as many
/// numbers as `taps` and `y` together.
#[wasm_bindgen]
pub fn fir_q15(x: &[i16], taps: &[i16], y: &mut [i16]) -> Result<(), JsValue> {
    let fours = taps.len().is_multiple_of(4) && y.len().is_multiple_of(4);
    check(fours, "the numbers of taps and of outputs are multiples of 4")?;
    check(x.len() == taps.len() + y.len(), "there are as many inputs as taps and outputs")?;
    kernels::fir_q15(x, taps, y);
    Ok(())
}

/// The product of two square matrices of `n` rows of numbers in Q15; `n` is even.
#[wasm_bindgen]
pub fn mat_q15(a: &[i16], b: &[i16], c: &mut [i16], n: usize) -> Result<(), JsValue> {
    check(n > 0 && n.is_multiple_of(2), "the number of rows is even")?;
    let numbers = n.checked_mul(n);
    let all = [a.len(), b.len(), c.len()];
    check(all.into_iter().all(|len| Some(len) == numbers), "a matrix has n * n numbers")?;
    kernels::mat_q15(a, b, c, n, &mut vec![0; b.len()]);
    Ok(())
}

// ANCHOR: transform
/// The Fourier transform of 256 complex numbers: their real and imaginary parts in turns. Sums are not divided by anything.
#[wasm_bindgen]
pub fn cfft_f32(data: &mut [f32]) -> Result<(), JsValue> {
    let data: Result<&mut [[f32; 2]; 256], _> = data.as_chunks_mut().0.try_into();
    let data = data.map_err(|_| ValueError::new("there are 256 complex numbers"))?;
    mpy::dsp::cfft_f32(data);
    Ok(())
}
// ANCHOR_END: transform

/// A fully connected layer of signed bytes: the sum of each row of `weights` times the inputs plus 5, and of its bias. It is
/// multiplied by `multiplier` / 2^31 and shifted left by `shift`, and 3 are added.
#[wasm_bindgen]
pub fn fully_connected_s8(
    x: &[i8],
    weights: &[i8],
    bias: &[i32],
    y: &mut [i8],
    multiplier: i32,
    shift: i32,
) -> Result<(), JsValue> {
    check(x.len() >= 4 && x.len().is_multiple_of(4), "the number of inputs is a multiple of 4")?;
    check(bias.len() == y.len(), "each output has a bias")?;
    check(weights.len() == x.len() * y.len(), "each output has a weight for each input")?;
    check((-30..=30).contains(&shift), "the shift is from -30 to 30")?;
    kernels::fully_connected_s8(x, weights, bias, y, Scale { multiplier, shift });
    Ok(())
}
