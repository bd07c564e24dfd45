//! boards: all
//! also: qemu-armv81m
//! opt-level: 3
//! Fourier transforms of all sizes are those of the crate `microfft`, with vectors and without.

use microfft::Complex32;
use wasm_bindgen::prelude::*;

/// How far apart the transforms are, and the inverse of ours from what was transformed, in 2^-24ths of the numbers.
#[wasm_bindgen]
pub fn differences(size: usize) -> Result<Vec<f32>, JsValue> {
    macro_rules! sizes {
        ($($size:literal $theirs:ident)*) => {
            match size {
                $($size => {
                    let data: Box<[[f32; 2]; $size]> = signal(size).try_into().expect("so many numbers");
                    let (mut ours, mut theirs) = (data.clone(), data.clone().map(|[re, im]| Complex32::new(re, im)));
                    mpy::dsp::cfft_f32(&mut ours);
                    let _ = microfft::complex::$theirs(&mut theirs);
                    let transform = difference(&*ours, theirs.iter().map(|x| [x.re, x.im]));
                    mpy::dsp::cifft_f32(&mut ours);
                    Ok(vec![transform, difference(&*ours, data.into_iter())])
                })*
                _ => Err("no such size".into()),
            }
        };
    }
    sizes! {
        4 cfft_4 8 cfft_8 16 cfft_16 32 cfft_32 64 cfft_64 128 cfft_128 256 cfft_256 512 cfft_512
    }
}

/// Numbers that look random, from -1 to 1.
fn signal(size: usize) -> Vec<[f32; 2]> {
    let mut state = size as u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..size).map(|_| [next(), next()]).collect()
}

/// Of the numbers with the greatest difference, relative to the greatest number.
fn difference(ours: &[[f32; 2]], theirs: impl Iterator<Item = [f32; 2]>) -> f32 {
    let (mut most, mut greatest) = (0.0f32, 0.0f32);
    for (a, b) in ours.iter().zip(theirs) {
        for (a, b) in a.iter().zip(b) {
            (most, greatest) = (most.max((a - b).abs()), greatest.max(b.abs()));
        }
    }
    most / greatest * 16_777_216.0
}

/* dependencies
microfft = { version = "0.6", default-features = false, features = ["size-512"] }
mpy = { path = "ROOT/mpy" }
*/
/* python
import fourier as m
print([n for n in (4, 8, 16, 32, 64, 128, 256, 512) if not max(m.differences(n)) < 16])
try:
    m.differences(100)
except Exception as error:
    print(error)
*/
/* expect
[]
no such size
*/
