//! crate: biquad | IIR filters

use biquad::{Biquad, Coefficients, DirectForm2Transposed, Hertz, Q_BUTTERWORTH_F32, Type};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct LowPass(DirectForm2Transposed<f32>);

#[wasm_bindgen]
impl LowPass {
    #[wasm_bindgen(constructor)]
    pub fn new(rate: f32, cutoff: f32) -> Result<LowPass, String> {
        let hertz = |value| Hertz::<f32>::from_hz(value).map_err(|error| format!("{error:?}"));
        let made = Coefficients::from_params(Type::LowPass, hertz(rate)?, hertz(cutoff)?, Q_BUTTERWORTH_F32);
        Ok(LowPass(DirectForm2Transposed::new(made.map_err(|error| format!("{error:?}"))?)))
    }
    pub fn run(&mut self, samples: &mut [f32]) {
        samples.iter_mut().for_each(|sample| *sample = self.0.run(*sample));
    }
}

/* dependencies
biquad = "=0.6.0"
*/
/* python
import use_biquad as m, math, array
# The cookbook's low pass, computed here.
def reference(samples, rate, cutoff):
    w = 2 * math.pi * cutoff / rate
    alpha, c = math.sin(w) / math.sqrt(2), math.cos(w)
    a0 = 1 + alpha
    b, a = [(1 - c) / 2 / a0, (1 - c) / a0, (1 - c) / 2 / a0], [-2 * c / a0, (1 - alpha) / a0]
    x1 = x2 = y1 = y2 = 0
    out = []
    for x in samples:
        y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2
        x2, x1, y2, y1 = x1, x, y1, y
        out.append(y)
    return out
samples = [1] + [0] * 30 + [math.sin(i) for i in range(50)]
data = array.array("f", samples)
m.LowPass(1000, 100).run(data)
wanted = reference(samples, 1000, 100)
print(all(abs(x - y) < 1e-4 for x, y in zip(data, wanted)), "%.4f %.4f" % (data[0], data[40]))
for args in (1000, 600), (-1, 5):
    try: m.LowPass(*args)
    except RuntimeError as error: print(error)
*/
/* expect
True 0.0675 0.1425
OutsideNyquist
NegativeFrequency
*/
