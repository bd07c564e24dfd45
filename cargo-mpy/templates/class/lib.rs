use wasm_bindgen::prelude::*;

/// A mean over everything seen so far.
#[wasm_bindgen]
#[derive(Default)]
pub struct Mean {
    sum: i64,
    count: u32,
}

#[wasm_bindgen]
impl Mean {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Mean {
        Mean::default()
    }

    /// Takes in samples, such as an `array('h', …)`.
    pub fn add(&mut self, samples: &[i16]) {
        self.sum += samples.iter().copied().map(i64::from).sum::<i64>();
        self.count += samples.len() as u32;
    }

    /// The mean; raises when there is nothing to take it of.
    #[wasm_bindgen(getter)]
    pub fn value(&self) -> Result<f32, JsError> {
        match self.count {
            0 => Err(JsError::new("no samples yet")),
            // Most boards calculate with 32 bits.
            count => Ok(self.sum as f32 / count as f32),
        }
    }
}
