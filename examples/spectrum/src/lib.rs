//! A spectrum analyser for samples of a microphone or an accelerometer. It computes in fixed point, so that a
//! processor without an FPU is quick too and every board says the same.

mod transform;

use transform::MAX;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type ValueError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> ValueError;
}

/// Spectra of blocks of samples, one after another.
#[wasm_bindgen]
pub struct Spectrum {
    rate: f32,
    re: Vec<i32>,
    im: Vec<i32>,
    /// By how many bits the last block was larger than what was measured.
    scale: i32,
}

#[wasm_bindgen]
impl Spectrum {
    /// `size` samples are a block, `rate` of them a second.
    #[wasm_bindgen(constructor)]
    pub fn new(size: usize, rate: f32) -> Result<Spectrum, JsValue> {
        if !size.is_power_of_two() || !(8..=MAX).contains(&size) {
            return Err(ValueError::new("the size is no power of two from 8 to 1024").into());
        }
        Ok(Spectrum { rate, re: vec![0; size], im: vec![0; size], scale: 0 })
    }

    /// Analyses a block.
    pub fn run(&mut self, samples: &[i16]) -> Result<(), JsValue> {
        if samples.len() != self.re.len() {
            return Err(ValueError::new("not as many samples as a block has").into());
        }
        self.scale = transform::load(samples, &mut self.re, &mut self.im);
        transform::transform(&mut self.re, &mut self.im);
        Ok(())
    }

    /// The frequency where it vibrates most, between the lines of the spectrum by a parabola.
    pub fn peak(&self) -> f32 {
        let last = self.re.len() / 2 - 1;
        let top = (1..=last).max_by_key(|&at| (self.power(at), last - at)).unwrap_or(1);
        let [left, middle, right] = [top - 1, top, top + 1].map(|at| self.power(at) as f32);
        let bend = left - 2.0 * middle + right;
        let aside = if bend == 0.0 { 0.0 } else { (left - right) / (2.0 * bend) };
        (top as f32 + aside) * self.rate / self.re.len() as f32
    }

    /// How much it vibrates from `low` to below `high` hertz: the root of the mean square, in units of the samples.
    pub fn band(&self, low: f32, high: f32) -> f32 {
        let step = self.rate / self.re.len() as f32;
        let within = (1..self.re.len() / 2).filter(|&at| (low..high).contains(&(at as f32 * step)));
        let sum: u64 = within.map(|at| u64::from(self.power(at))).sum();
        // A line stands for its mirror image too, and the window takes 5/8 of the power.
        let square = sum as f32 * (2.0 / 0.375);
        square.sqrt() * 4.0 / (1 << (self.scale + 2)) as f32
    }

    /// The power of each line, in units of the last block's own.
    pub fn powers(&self) -> Vec<u32> {
        (0..self.re.len() / 2).map(|at| self.power(at)).collect()
    }
}

impl Spectrum {
    fn power(&self, at: usize) -> u32 {
        (self.re[at] * self.re[at] + self.im[at] * self.im[at]) as u32
    }
}
