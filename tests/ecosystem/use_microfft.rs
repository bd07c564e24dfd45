//! crate: microfft | Fourier transforms

use wasm_bindgen::prelude::*;

/// The squares of the magnitudes of 128 frequencies.
#[wasm_bindgen]
pub fn power(samples: &[f32]) -> Result<Vec<f32>, JsError> {
    let mut samples: [f32; 256] = samples.try_into()?;
    let spectrum = microfft::real::rfft_256(&mut samples);
    // The real parts of the first and the last frequency are together.
    spectrum[0].im = 0.0;
    Ok(spectrum.iter().map(|bin| bin.norm_sqr()).collect())
}

/* dependencies
microfft = "=0.6.0"
*/
/* python
import use_microfft as m, math
# Three tones and a constant, whose spectrum is known.
samples = [0.5 + math.sin(2 * math.pi * 5 * i / 256) + 0.25 * math.cos(2 * math.pi * 40 * i / 256) for i in range(256)]
power = m.power(samples)
wanted = {0: (0.5 * 256) ** 2, 5: 128 ** 2, 40: 32 ** 2}
print(all(abs(x - wanted.get(i, 0)) < 0.001 * 128 ** 2 for i, x in enumerate(power)), len(power), [round(power[i]) for i in sorted(wanted)])
try: m.power([0])
except RuntimeError as error: print(error)
*/
/* expect
True 128 [16384, 16384, 1024]
could not convert slice to array
*/
