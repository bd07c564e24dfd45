//! boards: all
//! A filter in plain Rust, and by instructions for signal processing.

use mpy::dsp;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn plain(x: &[i16], taps: &[i16], out: &mut [i16]) {
    for (x, out) in x.windows(taps.len()).zip(out) {
        let sum: i32 = x.iter().zip(taps).map(|(x, tap)| i32::from(*x) * i32::from(*tap)).sum();
        *out = (sum >> 15).clamp(-32768, 32767) as i16;
    }
}

// ANCHOR: four_at_once
/// Four outputs at once, of sums of 32 bits. The numbers of taps and of outputs are multiples of four.
#[wasm_bindgen]
pub fn four_at_once(x: &[i16], taps: &[i16], out: &mut [i16]) {
    let (taps, _) = taps.as_chunks::<4>();
    let (x, _) = x.as_chunks::<4>();
    for (x, out) in x.windows(taps.len() + 1).zip(out.as_chunks_mut::<4>().0) {
        let [[a, b, c, d], rest @ ..] = x else { return };
        let (mut x01, mut x23) = (dsp::pair([*a, *b]), dsp::pair([*c, *d]));
        let mut x21 = dsp::pkhbt(x23, x01);
        let mut s = [0; 4];
        for ([c0, c1, c2, c3], [x4, x5, x6, x7]) in taps.iter().zip(rest) {
            let (c01, c23) = (dsp::pair([*c0, *c1]), dsp::pair([*c2, *c3]));
            let (x45, x67) = (dsp::pair([*x4, *x5]), dsp::pair([*x6, *x7]));
            let (x43, x65) = (dsp::pkhbt(x45, x23), dsp::pkhbt(x67, x45));
            s[0] = dsp::smlad(x01, c01, s[0]);
            s[1] = dsp::smladx(x21, c01, s[1]);
            s[2] = dsp::smlad(x23, c01, s[2]);
            s[3] = dsp::smladx(x43, c01, s[3]);
            s[0] = dsp::smlad(x23, c23, s[0]);
            s[1] = dsp::smladx(x43, c23, s[1]);
            s[2] = dsp::smlad(x45, c23, s[2]);
            s[3] = dsp::smladx(x65, c23, s[3]);
            (x01, x21, x23) = (x45, x65, x67);
        }
        *out = s.map(|s| (s >> 15).clamp(-32768, 32767) as i16);
    }
}
// ANCHOR_END: four_at_once

/* dependencies
mpy = { path = "ROOT/mpy" }
*/
/* python
import fir
from array import array
x = array("h", ((i * 7919) % 60000 - 30000 for i in range(168)))
for count in 4, 8, 32:
    taps = array("h", ((i * 331) % 2000 - 1000 for i in range(count)))
    outs = 168 - count
    a, b = array("h", bytes(2 * outs)), array("h", bytes(2 * outs))
    fir.plain(x, taps, a)
    fir.four_at_once(x, taps, b)
    sums = [sum(x[i + k] * taps[k] for k in range(count)) >> 15 for i in range(outs)]
    print(a == b, list(a) == [max(-32768, min(32767, s)) for s in sums], a[5])
*/
/* expect
True True -908
True True -1501
True True -1460
*/
