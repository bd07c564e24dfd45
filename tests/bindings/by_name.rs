//! Arguments by their names, with the setting `keywords = true`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn smooth(samples: &[f32], factor: f32, start: Option<f32>) -> Vec<f32> {
    let mut last = start.unwrap_or(0.0);
    let next = |sample: &f32| {
        last += factor * (sample - last);
        last
    };
    samples.iter().map(next).collect()
}

/* dependencies
[package.metadata.mpy]
keywords = true
*/
/* python
from by_name import smooth
print(list(smooth([1, 3], factor=0.5)), list(smooth(start=1, factor=0.5, samples=[1, 3])))
try: smooth([1, 3], 0.5, stop=1)
except TypeError as error: print(error)
*/
/* expect
[0.5, 1.75] [1.0, 2.0]
unexpected keyword argument 'stop'
*/
