//! Filters, and models that are not trees.

use mpy::dsp::{cfft_f32, dot_f32, vec_mat_f32, vfma, vfms};

use crate::{CLASSES, FEATURES, ITEMS, Row};

/// The Fourier transform.
pub fn fft<const N: usize>(data: Option<&mut [[f32; 2]; N]>) {
    if let Some(data) = data {
        cfft_f32(data);
    }
}

/// Filters of second order, one after another, in transposed direct form II. The number of samples is a multiple of four.
#[inline(never)]
pub fn iir(x: &[f32], y: &mut [f32], stages: &[[f32; 5]], state: &mut [[f32; 2]]) {
    y.copy_from_slice(x);
    for ([b0, b1, b2, a1, a2], state) in stages.iter().zip(state) {
        let [mut s1, mut s2] = *state;
        for four in y.as_chunks_mut::<4>().0 {
            for value in four {
                let x = *value;
                let y = vfma(*b0, x, s1);
                s1 = vfms(*a1, y, vfma(*b1, x, s2));
                s2 = vfms(*a2, y, b2 * x);
                *value = y;
            }
        }
        *state = [s1, s2];
    }
}

/// The mean of numbers.
#[inline(never)]
pub fn mean(x: &[f32]) -> f32 {
    let (eights, rest) = x.as_chunks::<8>();
    let sum = eights.iter().fold(0.0, |sum, eight| eight.iter().fold(sum, |sum, x| sum + x));
    rest.iter().fold(sum, |sum, x| sum + x) / x.len() as f32
}

/// Numbers times `scale`, without what is behind the point.
#[inline(never)]
pub fn quantize(x: &[f32], scale: f32, y: &mut [i16]) {
    for (x, y) in x.iter().zip(y) {
        *y = ((x * scale) as i32).clamp(-32767, 32767) as i16;
    }
}

/// The largest of some numbers.
fn most<T: PartialOrd>(scores: &[T]) -> u8 {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best as u8
}

/// A layer, whose weights are in a row for each input.
#[derive(Clone, Copy)]
pub struct Dense<'a> {
    pub weights: &'a [f32],
    pub bias: &'a [f32],
}

impl Dense<'_> {
    fn forward<const OUTPUTS: usize>(&self, x: &[f32]) -> [f32; OUTPUTS] {
        let mut y = [0.0; OUTPUTS];
        vec_mat_f32(x, self.weights, OUTPUTS, &mut y);
        y.iter_mut().zip(self.bias).for_each(|(y, bias)| *y += bias);
        y
    }
}

/// A network of three layers; what is negative becomes 0 behind the first two.
#[inline(never)]
pub fn net([first, second, third]: &[Dense; 3], row: &Row) -> u8 {
    let positive = |x: f32| if x > 0.0 { x } else { 0.0 };
    let hidden = first.forward::<32>(row).map(positive);
    let hidden = second.forward::<16>(&hidden).map(positive);
    most(&third.forward::<CLASSES>(&hidden))
}

/// A normal distribution in fixed point, with 16 bits behind the point: 1 / its standard deviation, and the binary logarithm of
/// that.
#[derive(Clone, Copy)]
pub struct Gaussian {
    pub mean: i32,
    pub scale: i32,
    pub offset: i32,
}

/// Naive Bayes: the binary logarithms of the densities are added, without what is the same for all.
#[inline(never)]
pub fn bayes(classes: &[[Gaussian; FEATURES]; CLASSES], row: &Row) -> u8 {
    let product = |a: i32, b: i32| ((i64::from(a) * i64::from(b)) >> 16) as i32;
    let row = row.map(|x| (x * 65536.0) as i32);
    let scores = classes.each_ref().map(|features| {
        features.iter().zip(row).fold(0, |sum: i32, (gaussian, x)| {
            let distance = product(x.wrapping_sub(gaussian.mean), gaussian.scale);
            // Half the binary logarithm of e.
            let density = -product(product(distance, distance), 47274) - gaussian.offset;
            sum.wrapping_add(density)
        })
    });
    most(&scores)
}

/// The class that most of the three nearest items are of.
#[inline(never)]
pub fn nearest(items: &[[i16; FEATURES]; ITEMS], labels: &[u8; ITEMS], row: &[i16; FEATURES]) -> u8 {
    let mut best = [(u32::MAX, 0); 3];
    for (item, label) in items.iter().zip(labels) {
        let square = |(a, b): (&i16, &i16)| {
            let difference = i32::from(*a) - i32::from(*b);
            difference.wrapping_mul(difference) as u32
        };
        let distance = item.iter().zip(row).map(square).fold(0, u32::wrapping_add);
        let mut candidate = (distance, *label);
        for known in &mut best {
            if candidate.0 < known.0 {
                core::mem::swap(known, &mut candidate);
            }
        }
    }
    let mut votes = [0; CLASSES];
    for (_, label) in best {
        votes[usize::from(label) % CLASSES] += 1;
    }
    most(&votes)
}

fn difference(row: &Row, mean: &Row) -> Row {
    core::array::from_fn(|at| row[at] - mean[at])
}

/// The square of Mahalanobis's distance.
#[inline(never)]
pub fn distance(row: &Row, mean: &Row, precision: &[Row; FEATURES]) -> f32 {
    let difference = difference(row, mean);
    // A copy, which is in registers, as all indices into it are constants.
    let [first, known @ ..] = difference;
    macro_rules! dot {
        ($row:expr; $($at:literal)*) => {{
            let [start, row @ ..] = $row;
            let mut sum = start * first;
            $(sum = vfma(row[$at], known[$at], sum);)*
            sum
        }};
    }
    macro_rules! add {
        ($sum:ident $x:ident $rows:ident; $($at:literal)*) => {
            $($sum = vfma($x[$at], dot!(&$rows[$at]; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14), $sum);)*
        };
    }
    let mut sum = 0.0;
    // Four rows an iteration.
    for (x, rows) in difference.as_chunks::<4>().0.iter().zip(precision.as_chunks::<4>().0) {
        add!(sum x rows; 0 1 2 3);
    }
    sum
}

/// The logarithms of the densities of normal distributions at a place, from the Cholesky decompositions of their precisions.
#[inline(never)]
pub fn mixture(
    row: &Row,
    means: &[Row; CLASSES],
    precisions: &[[Row; FEATURES]; CLASSES],
    offsets: &[f32; CLASSES],
) -> [f32; CLASSES] {
    core::array::from_fn(|class| {
        let mut y = [0.0; FEATURES];
        let difference = difference(row, &means[class]);
        vec_mat_f32(&difference, precisions[class].as_flattened(), FEATURES, &mut y);
        const LOG_2_PI: f32 = 1.837_877_1;
        offsets[class] - 0.5 * (FEATURES as f32 * LOG_2_PI + dot_f32(&y, &y))
    })
}
