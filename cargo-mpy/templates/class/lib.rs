use wasm_bindgen::prelude::*;

/// A mean over everything seen so far.
#[wasm_bindgen]
#[derive(Default)]
pub struct Mean {
    sum: f64,
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
        self.sum += samples.iter().copied().map(f64::from).sum::<f64>();
        self.count += samples.len() as u32;
    }

    /// The mean; raises when there is nothing to take it of.
    #[wasm_bindgen(getter)]
    pub fn value(&self) -> Result<f64, JsError> {
        match self.count {
            0 => Err(JsError::new("no samples yet")),
            count => Ok(self.sum / f64::from(count)),
        }
    }
}
