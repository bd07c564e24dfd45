use mpy::Exception;
use mpy::hal::Adc;
use mpy::interrupt::{Consumer, Handler, Kind, Ring};
use wasm_bindgen::prelude::*;

const MOST: usize = 256;

/// From the interrupt to the rest of the program.
static SAMPLES: Ring<u16, MOST> = Ring::new(0);

/// A low-pass filter: each sample moves its value by a 16th of the difference.
#[derive(Default)]
struct LowPass(i32);

impl LowPass {
    fn next(&mut self, sample: u16) -> u16 {
        self.0 += i32::from(sample) - self.0 / 16;
        (self.0 / 16) as u16
    }
}

/// Samples a pin in the interrupt of a timer, and filters what it sampled.
#[wasm_bindgen]
pub struct Sampler {
    _handler: Handler,
    samples: Consumer<'static, u16, MOST>,
    filter: LowPass,
}

#[wasm_bindgen]
impl Sampler {
    /// From a `machine.ADC` and a `machine.Timer`, so many times per second.
    #[wasm_bindgen(constructor)]
    pub fn new(mut adc: Adc, timer: JsValue, hz: u32) -> Result<Sampler, Exception> {
        let (Some(mut producer), Some(samples)) = (SAMPLES.producer(), SAMPLES.consumer()) else {
            return Err(Exception::new("RuntimeError", &["there is a sampler already".into()]));
        };
        // No memory can be allocated in here, and nothing that takes long is good.
        let handler = Handler::on_timer(timer, hz, Kind::Hard, move || {
            if let Ok(sample) = adc.read_u16() {
                producer.push(sample);
            }
        })?;
        Ok(Sampler { _handler: handler, samples, filter: LowPass::default() })
    }

    /// The samples since the last call, filtered. At most 256 are kept.
    pub fn read(&mut self) -> Vec<u16> {
        let mut filtered = Vec::with_capacity(self.samples.len());
        while let Some(sample) = self.samples.pop() {
            filtered.push(self.filter.next(sample));
        }
        filtered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_passes_and_noise_does_not() {
        let mut filter = LowPass::default();
        let last = (0..200).map(|_| filter.next(40_000)).last();
        assert!(last.is_some_and(|last| last.abs_diff(40_000) < 20));
        let noisy = (0..200).map(|at| filter.next(if at % 2 == 0 { 45_000 } else { 35_000 }));
        assert!(noisy.skip(100).all(|value| value.abs_diff(40_000) < 400));
    }
}
