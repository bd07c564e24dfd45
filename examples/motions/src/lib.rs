//! What someone who wears a motion sensor at the wrist is doing: a convolutional network of two layers in 8-bit
//! numbers, whose weights are constants and so stay where the code is.

mod model;
mod network;

use model::*;
use network::Model;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type ValueError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> ValueError;
}

const CLASSES: [&str; 4] = ["standing", "running", "walking", "badminton"];

const MODEL: Model<'_> = Model {
    first: &FIRST,
    first_bias: &FIRST_BIAS,
    first_scale: FIRST_SCALE,
    second: &SECOND,
    second_bias: &SECOND_BIAS,
    second_scale: SECOND_SCALE,
    last: &LAST,
    last_bias: &LAST_BIAS,
};

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
    match recording.try_into() {
        Ok(recording) => Ok(network::infer(recording, &MODEL)),
        Err(_) => Err(ValueError::new("a recording is 100 times 6 numbers").into()),
    }
}
