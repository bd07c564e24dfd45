//! Signal processing and machine learning, as one writes them in Rust. `emlearn.c` does the same by emlearn.
//!
//! `start` makes the data, each other function does the work that is measured, once, and `result` is a checksum of what it has
//! computed. Its argument is how many inputs there are: complex numbers, samples, or rows of features.
#![cfg_attr(any(target_arch = "wasm32", target_os = "none"), no_std)]
// A function whose feature is off is not exported, so the linker leaves it out with its data.
#![cfg_attr(not(feature = "all"), allow(dead_code))]

#[macro_use]
mod forest;
mod models;

use forest::Node;
use models::{Dense, Gaussian};

/// Of all models.
const FEATURES: usize = 16;
const CLASSES: usize = 4;
const ROWS: usize = 16;
const TREES: usize = 10;
const ITEMS: usize = 64;

type Row = [f32; FEATURES];

/// All arrays. Each function uses those that its data fits into.
struct Data {
    complex: [[f32; 2]; 1024],
    signal: [f32; 512],
    output: [f32; 512],
    whole: [i16; 512],
    rows: [Row; ROWS],
    small_rows: [[i16; FEATURES]; ROWS],
    stages: [[f32; 5]; 4],
    state: [[f32; 2]; 4],
    nodes: [Node; 15 * TREES],
    roots: [usize; TREES],
    weights: [f32; 32 * FEATURES + 32 * 16 + 16 * CLASSES],
    bias: [f32; 52],
    gaussians: [[Gaussian; FEATURES]; CLASSES],
    items: [[i16; FEATURES]; ITEMS],
    labels: [u8; ITEMS],
    means: [Row; CLASSES],
    precisions: [[Row; FEATURES]; CLASSES],
    classes: [u8; ROWS],
}

static mut DATA: Data = Data {
    complex: [[0.0; 2]; 1024],
    signal: [0.0; 512],
    output: [0.0; 512],
    whole: [0; 512],
    rows: [[0.0; FEATURES]; ROWS],
    small_rows: [[0; FEATURES]; ROWS],
    stages: [[0.0; 5]; 4],
    state: [[0.0; 2]; 4],
    nodes: [Node { feature: 0, limit: 0.0, below: 0, above: 0 }; 15 * TREES],
    roots: [0; TREES],
    weights: [0.0; 32 * FEATURES + 32 * 16 + 16 * CLASSES],
    bias: [0.0; 52],
    gaussians: [[Gaussian { mean: 0, scale: 0, offset: 0 }; FEATURES]; CLASSES],
    items: [[0; FEATURES]; ITEMS],
    labels: [0; ITEMS],
    means: [[0.0; FEATURES]; CLASSES],
    precisions: [[[0.0; FEATURES]; FEATURES]; CLASSES],
    classes: [0; ROWS],
};

fn data() -> &'static mut Data {
    let data = &raw mut DATA;
    // SAFETY: nothing here runs at the same time as something else, and no reference outlives an export.
    unsafe { &mut *data }
}

/// Numerical Recipes' linear congruential generator.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    /// A whole number from -`half` to `half` - 1; `half` is a power of two.
    fn around(&mut self, half: u32) -> f32 {
        (self.next() & (2 * half - 1)) as f32 - half as f32
    }
}

/// Makes the data. Numbers in floats are small and whole, or few bits behind the point, so that no order of sums matters.
#[unsafe(no_mangle)]
pub extern "C" fn start(seed: u32) {
    let mut random = Random(seed);
    let data = data();
    data.complex.as_flattened_mut().iter_mut().for_each(|x| *x = random.around(512));
    data.signal.iter_mut().for_each(|x| *x = random.around(32));
    for [b0, b1, b2, a1, a2] in &mut data.stages {
        [b0, b1, b2].into_iter().for_each(|b| *b = random.around(8) / 8.0);
        [a1, a2].into_iter().for_each(|a| *a = random.around(2) / 8.0);
    }
    data.rows.as_flattened_mut().iter_mut().for_each(|x| *x = random.around(32));
    data.weights.iter_mut().for_each(|x| *x = random.around(8) / 8.0);
    data.bias.iter_mut().for_each(|x| *x = random.around(8));
    for gaussian in data.gaussians.as_flattened_mut() {
        let (mean, log2) = (random.around(16) as i32, random.next() & 3);
        *gaussian = Gaussian { mean: mean << 16, scale: 0x4000 >> log2, offset: (2 + log2 as i32) << 16 };
    }
    for (at, (item, label)) in data.items.iter_mut().zip(&mut data.labels).enumerate() {
        // Those of a class are near to one another.
        *label = (at % CLASSES) as u8;
        for (at, x) in item.iter_mut().enumerate() {
            *x = centre(usize::from(*label), at) + (random.next() & 255) as i16;
        }
    }
    for (row, features) in data.small_rows.iter_mut().enumerate() {
        for (at, x) in features.iter_mut().enumerate() {
            *x = centre(row * 5 % CLASSES, at) + (random.next() & 255) as i16;
        }
    }
    data.means.as_flattened_mut().iter_mut().for_each(|x| *x = random.around(16));
    for precision in &mut data.precisions {
        for i in 0..FEATURES {
            for j in 0..=i {
                let x = random.around(4) / 16.0;
                (precision[i][j], precision[j][i]) = (x, x);
            }
        }
    }
    for (tree, (root, nodes)) in data.roots.iter_mut().zip(data.nodes.chunks_exact_mut(15)).enumerate() {
        *root = 15 * tree;
        forest::table(tree, nodes);
    }
    data.state = [[0.0; 2]; 4];
    data.output.fill(0.0);
    data.whole.fill(0);
    data.classes.fill(0);
}

/// What a feature of the rows of a class is near to.
fn centre(class: usize, feature: usize) -> i16 {
    ((class * 7 + feature * 3) % 11 * 100) as i16
}

/// A checksum.
#[unsafe(no_mangle)]
pub extern "C" fn result(seed: u32) -> u32 {
    let data = data();
    let mix = |sum: u32, value: u32| (sum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b1);
    let near = |x: &f32| (*x / 64.0) as i32 as u32;
    let mut sum = data.classes.iter().fold(seed, |sum, class| mix(sum, (*class).into()));
    sum = data.whole.iter().fold(sum, |sum, y| mix(sum, *y as u32));
    sum = data.output.iter().fold(sum, |sum, y| mix(sum, *y as i32 as u32));
    data.complex.as_flattened().iter().fold(sum, |sum, y| mix(sum, near(y)))
}

/// Declares an export, which returns nothing of interest.
macro_rules! exports {
    ($($feature:literal $name:ident($data:ident, $n:ident) $body:block)*) => {
        $(
            #[cfg_attr(feature = $feature, unsafe(no_mangle))]
            pub extern "C" fn $name($n: u32) -> u32 {
                let ($data, $n) = (data(), $n as usize);
                $body
                0
            }
        )*
    };
}

exports! {
    "fft_64" fft_64(data, _n) {
        models::fft(data.complex.first_chunk_mut::<64>());
    }
    "fft_256" fft_256(data, _n) {
        models::fft(data.complex.first_chunk_mut::<256>());
    }
    "fft_1024" fft_1024(data, _n) {
        models::fft(data.complex.first_chunk_mut::<1024>());
    }
    "iir" iir(data, n) {
        models::iir(&data.signal[..n], &mut data.output[..n], &data.stages, &mut data.state);
    }
    "mean" mean(data, n) {
        data.output[0] = models::mean(&data.signal[..n]) * 512.0;
    }
    "quantize" quantize(data, n) {
        models::quantize(&data.signal[..n], 1500.0, &mut data.whole[..n]);
    }
    "trees_table" trees_table(data, n) {
        for (class, row) in data.classes.iter_mut().zip(&data.rows).take(n) {
            *class = forest::by_table(&data.nodes, &data.roots, row);
        }
    }
    "trees_code" trees_code(data, n) {
        for (class, row) in data.classes.iter_mut().zip(&data.rows).take(n) {
            *class = forest::by_code(row);
        }
    }
    "net" net(data, n) {
        let (first, rest) = data.weights.split_at(32 * FEATURES);
        let (second, third) = rest.split_at(32 * 16);
        let (first_bias, rest) = data.bias.split_at(32);
        let (second_bias, third_bias) = rest.split_at(16);
        let layers = [
            Dense { weights: first, bias: first_bias },
            Dense { weights: second, bias: second_bias },
            Dense { weights: third, bias: third_bias },
        ];
        for (class, row) in data.classes.iter_mut().zip(&data.rows).take(n) {
            *class = models::net(&layers, row);
        }
    }
    "bayes" bayes(data, n) {
        for (class, row) in data.classes.iter_mut().zip(&data.rows).take(n) {
            *class = models::bayes(&data.gaussians, row);
        }
    }
    "neighbors" neighbors(data, n) {
        for (class, row) in data.classes.iter_mut().zip(&data.small_rows).take(n) {
            *class = models::nearest(&data.items, &data.labels, row);
        }
    }
    "envelope" envelope(data, n) {
        for (distance, row) in data.output.iter_mut().zip(&data.rows).take(n) {
            *distance = models::distance(row, &data.means[0], &data.precisions[0]);
        }
    }
    "mixture" mixture(data, n) {
        for (scores, row) in data.output.as_chunks_mut().0.iter_mut().zip(&data.rows).take(n) {
            *scores = models::mixture(row, &data.means, &data.precisions, &[0.5; CLASSES]);
        }
    }
}

#[cfg(any(target_arch = "wasm32", target_os = "none"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    loop {}
}
