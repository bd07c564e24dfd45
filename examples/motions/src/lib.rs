//! What someone who wears a motion sensor at the wrist is doing: a convolutional network of two layers in 8-bit
//! numbers, whose weights are constants and so stay where the code is.

mod model;

use model::*;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type ValueError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> ValueError;
}

const CLASSES: [&str; 4] = ["standing", "running", "walking", "badminton"];
/// Three axes of acceleration and three of rotation, ten times a second for ten seconds.
const CHANNELS: usize = 6;
const STEPS: usize = 100;

/// How many times a layer sees, each filter `WIDTH` times at once, and `STRIDE` further with each.
const WIDTH: usize = 5;
const STRIDE: usize = 2;
const fn times(steps: usize) -> usize {
    (steps - WIDTH) / STRIDE + 1
}

/// What a sensor measures as the model takes it.
#[wasm_bindgen]
pub fn quantise(samples: &[f32]) -> Vec<i8> {
    samples.iter().map(|sample| (sample / UNIT).round().clamp(-127.0, 127.0) as i8).collect()
}

/// What is done in a recording, by name.
#[wasm_bindgen]
pub fn classify(recording: &[i8]) -> Result<String, JsValue> {
    let scores = infer(recording)?;
    let best = (0..CLASSES.len()).max_by_key(|&class| scores[class]).unwrap_or(0);
    Ok(CLASSES[best].to_owned())
}

/// How much speaks for each class.
#[wasm_bindgen]
pub fn scores(recording: &[i8]) -> Result<Vec<i32>, JsValue> {
    Ok(infer(recording)?.to_vec())
}

fn infer(recording: &[i8]) -> Result<[i32; 4], JsValue> {
    if recording.len() != STEPS * CHANNELS {
        return Err(ValueError::new("a recording is 100 times 6 numbers").into());
    }
    let mut first = [0; times(STEPS) * FIRST.len()];
    convolve(recording, CHANNELS, &FIRST, &FIRST_BIAS, FIRST_SCALE, &mut first);
    let mut second = [0; times(times(STEPS)) * SECOND.len()];
    convolve(&first, FIRST.len(), &SECOND, &SECOND_BIAS, SECOND_SCALE, &mut second);
    let mut sums = [0; SECOND.len()];
    for step in second.chunks_exact(sums.len()) {
        sums.iter_mut().zip(step).for_each(|(sum, &value)| *sum += i32::from(value));
    }
    let mut scores = LAST_BIAS.map(|bias| bias * times(times(STEPS)) as i32);
    for (score, weights) in scores.iter_mut().zip(&LAST) {
        *score += weights.iter().zip(&sums).map(|(&weight, sum)| i32::from(weight) * sum).sum::<i32>();
    }
    Ok(scores)
}

/// Each filter over `channels` of `input` at each time, scaled back to 8 bits; below zero is zero.
fn convolve<const SIZE: usize, const FILTERS: usize>(
    input: &[i8],
    channels: usize,
    filters: &[[i8; SIZE]; FILTERS],
    biases: &[i32; FILTERS],
    (multiply, shift): (i32, u32),
    output: &mut [i8],
) {
    let seen = input.windows(SIZE).step_by(STRIDE * channels);
    for (seen, results) in seen.zip(output.chunks_exact_mut(FILTERS)) {
        for ((filter, bias), result) in filters.iter().zip(biases).zip(results) {
            let products = filter.iter().zip(seen).map(|(&a, &b)| i32::from(a) * i32::from(b));
            let total = bias + products.sum::<i32>();
            *result = ((total * multiply + (1 << (shift - 1))) >> shift).clamp(0, 127) as i8;
        }
    }
}
