//! A spectrum analyser for samples of a microphone or an accelerometer. It computes in fixed point, so that a
//! processor without an FPU is quick too and every board says the same.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type ValueError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> ValueError;
}

/// Samples of the largest block.
const MAX: usize = 1024;
/// Three quarters of a sine in 15 bits, and a quarter further on the cosine. Constant, so it stays in flash.
static SINE: [i16; MAX * 3 / 4 + 1] = sine();

const fn sine() -> [i16; MAX * 3 / 4 + 1] {
    let mut table = [0; MAX * 3 / 4 + 1];
    let mut i = 0;
    while i < table.len() {
        // Of the angle's distance to the nearest zero of the sine.
        let angle = core::f64::consts::TAU * (i as f64 / MAX as f64);
        let x = if i <= MAX / 4 { angle } else { core::f64::consts::PI - angle };
        let (mut term, mut sum, mut n) = (x, x, 1.0);
        while n < 20.0 {
            term *= -x * x / ((n + 1.0) * (n + 2.0));
            sum += term;
            n += 2.0;
        }
        table[i] = (sum * 32767.0 + if sum < 0.0 { -0.5 } else { 0.5 }) as i16;
        i += 1;
    }
    table
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
        self.load(samples);
        self.transform();
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

    /// Takes the mean away, makes the most of 14 bits, and fades the block in and out (Hann's window).
    fn load(&mut self, samples: &[i16]) {
        let bits = samples.len().trailing_zeros();
        let mean = samples.iter().map(|&sample| i32::from(sample)).sum::<i32>() >> bits;
        let most = samples.iter().map(|&sample| (i32::from(sample) - mean).unsigned_abs()).max();
        self.scale = most.unwrap_or(0).max(1).leading_zeros() as i32 - 18;
        let step = MAX >> bits;
        for (at, &sample) in samples.iter().enumerate() {
            let value = i32::from(sample) - mean;
            let value = if self.scale < 0 { value >> -self.scale } else { value << self.scale };
            // The window is the same from both ends.
            let cosine = SINE[MAX / 4 + at.min(samples.len() - at) * step];
            let window = (32767 - i32::from(cosine)) >> 1;
            let to = at.reverse_bits() >> (usize::BITS - bits);
            self.re[to] = (value * window) >> 15;
            self.im[to] = 0;
        }
    }

    /// Cooley and Tukey's transform. Each step halves, so nothing overflows and the result is divided by the size.
    fn transform(&mut self) {
        let (re, im) = (&mut self.re[..], &mut self.im[..]);
        let size = re.len();
        let mut half = 1;
        while half < size {
            for turn in 0..half {
                let angle = turn * (MAX / 2 / half);
                let (cos, sin) = (i32::from(SINE[angle + MAX / 4]), i32::from(SINE[angle]));
                for a in (turn..size).step_by(2 * half) {
                    let b = a + half;
                    let x = (re[b] * cos + im[b] * sin + 0x4000) >> 15;
                    let y = (im[b] * cos - re[b] * sin + 0x4000) >> 15;
                    (re[b], im[b]) = ((re[a] - x + 1) >> 1, (im[a] - y + 1) >> 1);
                    (re[a], im[a]) = ((re[a] + x + 1) >> 1, (im[a] + y + 1) >> 1);
                }
            }
            half *= 2;
        }
    }
}
