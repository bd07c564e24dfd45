//! Filters for samples, as a Python class. Nothing here knows of MicroPython: it is ordinary Rust with
//! `#[wasm_bindgen]` on what Python is to see.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type ValueError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> ValueError;
}

/// A median filter: each sample becomes the median of the last `width` ones.
#[wasm_bindgen]
pub struct Median {
    last: Vec<i16>,
    next: usize,
}

#[wasm_bindgen]
impl Median {
    /// `width` must be odd.
    #[wasm_bindgen(constructor)]
    pub fn new(width: usize) -> Result<Median, JsValue> {
        if width % 2 == 0 {
            return Err(ValueError::new("the width is even").into());
        }
        Ok(Median { last: vec![0; width], next: 0 })
    }

    /// Filters one sample.
    pub fn add(&mut self, sample: i16) -> i16 {
        self.last[self.next] = sample;
        self.next = (self.next + 1) % self.last.len();
        let mut sorted = self.last.clone();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    }

    /// Filters samples in place.
    pub fn run(&mut self, samples: &mut [i16]) {
        for sample in samples {
            *sample = self.add(*sample);
        }
    }

    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.last.len()
    }

    pub fn __repr__(&self) -> String {
        format!("Median({})", self.last.len())
    }
}

/// The samples as text, `width` characters each.
#[wasm_bindgen]
pub fn table(samples: &[i16], width: Option<usize>) -> String {
    let width = width.unwrap_or(6);
    samples.iter().map(|sample| format!("{sample:>width$}")).collect()
}

/// Where the samples rise above `level`.
#[wasm_bindgen]
pub fn crossings(samples: &[i16], level: i16) -> Vec<u32> {
    let above = |pair: &[i16]| pair[0] <= level && pair[1] > level;
    samples.windows(2).zip(1..).filter(|(pair, _)| above(pair)).map(|(_, at)| at).collect()
}
