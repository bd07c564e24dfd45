use wasm_bindgen::prelude::*;

/// A second-order filter section in transposed direct form II.
#[wasm_bindgen]
pub struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    state: [f32; 2],
}

#[wasm_bindgen]
impl Biquad {
    /// From the coefficients `b0 b1 b2 a1 a2`, as every design tool gives them.
    #[wasm_bindgen(constructor)]
    pub fn new(coefficients: &[f32]) -> Result<Biquad, JsError> {
        match *coefficients {
            [b0, b1, b2, a1, a2] => Ok(Biquad { b: [b0, b1, b2], a: [a1, a2], state: [0.0; 2] }),
            _ => Err(JsError::new("five coefficients are needed: b0 b1 b2 a1 a2")),
        }
    }

    /// Filters samples in place, such as an `array('f', …)`.
    pub fn run(&mut self, samples: &mut [f32]) {
        for sample in samples {
            let x = *sample;
            let y = self.b[0] * x + self.state[0];
            self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
            self.state[1] = self.b[2] * x - self.a[1] * y;
            *sample = y;
        }
    }
}

/// The root of the mean square.
#[wasm_bindgen]
pub fn rms(samples: &[f32]) -> f32 {
    let sum: f32 = samples.iter().map(|x| x * x).sum();
    (sum / samples.len().max(1) as f32).sqrt()
}
