//! Signal processing and layers of neural networks: functions whose arrays and sizes are arguments, as those of a library are.
//! `cmsis.c` does the same by CMSIS-DSP; layers are not there.
//!
//! `start` makes the data, each other function does the work that is measured, once, and `result` is a checksum of what it has
//! computed. Its argument is a size: of vectors (512), filters (32 taps), matrices (24, and 20 of floats) and layers.
#![cfg_attr(any(target_arch = "wasm32", target_os = "none"), no_std)]
// A function whose feature is off is not exported, so the linker leaves it out with its data.
#![cfg_attr(not(feature = "all"), allow(dead_code))]

#[cfg(feature = "by_hand")]
#[path = "../../../examples/dsp-kernels/src/kernels.rs"]
mod kernels;
#[cfg(not(feature = "by_hand"))]
#[path = "plain.rs"]
mod kernels;
#[path = "../../../examples/motions/src/network.rs"]
mod network;
#[path = "../../../examples/spectrum/src/transform.rs"]
mod transform;

use kernels::Scale;
use network::Model;

/// All arrays. Each function uses those that its data fits into.
struct Data {
    words: [u32; 9],
    a8: [i8; 8192],
    b8: [i8; 2304],
    y8: [i8; 1024],
    a16: [i16; 576],
    b16: [i16; 576],
    y16: [i16; 576],
    scratch16: [i16; 576],
    af: [f32; 512],
    bf: [f32; 512],
    yf: [f32; 400],
    complex: [[f32; 2]; 256],
    state: [[f32; 4]; 4],
    bias: [i32; 64],
    scales: [Scale; 16],
    recording: [i8; 600],
    first: [[i8; 30]; 16],
    second: [[i8; 80]; 16],
    last: [[i8; 16]; 4],
    model_bias: [i32; 16],
    samples: [i16; 256],
    re: [i32; 256],
    im: [i32; 256],
}

static mut DATA: Data = Data {
    words: [0; 9],
    a8: [0; 8192],
    b8: [0; 2304],
    y8: [0; 1024],
    a16: [0; 576],
    b16: [0; 576],
    y16: [0; 576],
    scratch16: [0; 576],
    af: [0.0; 512],
    bf: [0.0; 512],
    yf: [0.0; 400],
    complex: [[0.0; 2]; 256],
    state: [[0.0; 4]; 4],
    bias: [0; 64],
    scales: [Scale { multiplier: 0, shift: 0 }; 16],
    recording: [0; 600],
    first: [[0; 30]; 16],
    second: [[0; 80]; 16],
    last: [[0; 16]; 4],
    model_bias: [0; 16],
    samples: [0; 256],
    re: [0; 256],
    im: [0; 256],
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
}

/// Makes the data. Numbers in floats are small and whole, so that no order of sums matters.
#[unsafe(no_mangle)]
pub extern "C" fn start(seed: u32) {
    let mut random = Random(seed);
    let data = data();
    // SAFETY: as in `data`.
    unsafe { MOVED = [(seed >> 31) as usize; 6] };
    data.a8.iter_mut().chain(&mut data.b8).for_each(|x| *x = random.next() as i8);
    data.a16.iter_mut().chain(&mut data.b16).for_each(|x| *x = random.next() as i16);
    data.af.iter_mut().chain(&mut data.bf).for_each(|x| *x = (random.next() & 63) as f32 - 32.0);
    data.complex.as_flattened_mut().iter_mut().for_each(|x| *x = (random.next() & 1023) as f32 - 512.0);
    data.bias.iter_mut().for_each(|x| *x = (random.next() & 4095) as i32 - 2048);
    for (at, scale) in data.scales.iter_mut().enumerate() {
        *scale = Scale { multiplier: 0x4000_0000 + 0x0200_0000 * at as i32, shift: -9 };
    }
    let (first, second) = (data.first.as_flattened_mut(), data.second.as_flattened_mut());
    let weights = first.iter_mut().chain(second).chain(data.last.as_flattened_mut());
    data.recording.iter_mut().chain(weights).for_each(|x| *x = random.next() as i8);
    data.model_bias.iter_mut().for_each(|x| *x = (random.next() & 255) as i32 - 128);
    for (at, x) in data.samples.iter_mut().enumerate() {
        // A square wave, and noise.
        let wave = if at * 21 / 128 % 2 == 0 { 12000 } else { -12000 };
        *x = (random.next() as i16 >> 4) + wave;
    }
    data.words = [0; 9];
}

/// A checksum.
#[unsafe(no_mangle)]
pub extern "C" fn result(seed: u32) -> u32 {
    let data = data();
    let mix = |sum: u32, value: u32| (sum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b1);
    let near = |x: &f32| (*x / 64.0) as i32 as u32;
    let mut sum = data.words.iter().fold(seed, |sum, word| mix(sum, *word));
    sum = data.y8.iter().fold(sum, |sum, y| mix(sum, *y as u32));
    sum = data.y16.iter().fold(sum, |sum, y| mix(sum, *y as u32));
    sum = data.yf.iter().fold(sum, |sum, y| mix(sum, near(y)));
    data.complex.as_flattened().iter().fold(sum, |sum, y| mix(sum, near(y)))
}

/// By how many bytes arrays are moved, which is 0, but no compiler knows that. Otherwise it would know how far apart they are.
static mut MOVED: [usize; 6] = [0; 6];

/// An array that is read, and one that is written.
fn read<T>(which: usize, array: &[T]) -> &[T] {
    // SAFETY: it is not moved.
    unsafe { core::slice::from_raw_parts(array.as_ptr().byte_add(MOVED[which]), array.len()) }
}

fn write<T>(which: usize, array: &mut [T]) -> &mut [T] {
    // SAFETY: it is not moved.
    unsafe { core::slice::from_raw_parts_mut(array.as_mut_ptr().byte_add(MOVED[which]), array.len()) }
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
    "dot_q15" dot_q15(data, n) {
        let sum = kernels::dot_q15(read(0, &data.a16[..n]), read(1, &data.b16[..n]));
        (data.words[0], data.words[1]) = (sum as u32, (sum >> 32) as u32);
    }
    "dot_q7" dot_q7(data, n) {
        data.words[0] = kernels::dot_q7(read(0, &data.a8[..n]), read(1, &data.b8[..n])) as u32;
    }
    "dot_f32" dot_f32(data, n) {
        data.words[0] = kernels::dot_f32(read(0, &data.af[..n]), read(1, &data.bf[..n])) as i32 as u32;
    }
    "fir_q15" fir_q15(data, n) {
        kernels::fir_q15(read(0, &data.a16[..n + 128]), read(1, &data.b16[..n]), write(2, &mut data.y16[..128]));
    }
    "fir_fast_q15" fir_fast_q15(data, n) {
        kernels::fir_fast_q15(read(0, &data.a16[..n + 128]), read(1, &data.b16[..n]), write(2, &mut data.y16[..128]));
    }
    "fir_f32" fir_f32(data, n) {
        kernels::fir_f32(read(0, &data.af[..n + 127]), read(1, &data.bf[..n]), write(2, &mut data.yf[..128]));
    }
    "mat_q7" mat_q7(data, n) {
        let (a, scratch) = data.a8.split_at_mut(4096);
        kernels::mat_q7(read(0, &a[..n * n]), read(1, &data.b8[..n * n]), write(2, &mut data.y8[..n * n]), n, scratch);
    }
    "mat_q15" mat_q15(data, n) {
        kernels::mat_q15(read(0, &data.a16[..n * n]), read(1, &data.b16[..n * n]), write(2, &mut data.y16[..n * n]), n, write(3, &mut data.scratch16));
    }
    "mat_fast_q15" mat_fast_q15(data, n) {
        kernels::mat_fast_q15(read(0, &data.a16[..n * n]), read(1, &data.b16[..n * n]), write(2, &mut data.y16[..n * n]), n, write(3, &mut data.scratch16));
    }
    "mat_f32" mat_f32(data, n) {
        kernels::mat_f32(read(0, &data.af[..n * n]), read(1, &data.bf[..n * n]), write(2, &mut data.yf[..n * n]), n);
    }
    "biquad_f32" biquad_f32(data, n) {
        const STAGES: [[f32; 5]; 4] = [
            [0.25, 0.5, 0.25, 0.5, -0.25],
            [0.5, 0.25, 0.125, 0.25, -0.125],
            [0.375, 0.5, 0.25, 0.75, -0.5],
            [0.5, 0.5, 0.5, -0.25, -0.25],
        ];
        kernels::biquad_f32(read(0, &data.af[..n]), write(1, &mut data.yf[..n]), &STAGES, write(2, &mut data.state));
    }
    "cfft_f32" cfft_f32(data, _n) {
        kernels::cfft_f32(&mut data.complex);
    }
    "fully_connected_s8" fully_connected_s8(data, n) {
        let (x, weights) = (read(0, &data.b8[..n]), read(1, &data.a8[..64 * n]));
        kernels::fully_connected_s8(x, weights, read(2, &data.bias), write(3, &mut data.y8[..64]), data.scales[1]);
    }
    "convolve_s8" convolve_s8(data, n) {
        let (x, weights) = (read(0, &data.a8[..64 * n]), read(1, &data.b8[..9 * n * 16]));
        kernels::convolve_s8(x, weights, read(2, &data.bias[..16]), write(3, &mut data.y8), read(4, &data.scales), n, write(5, &mut data.scratch16));
    }
    "motions" motions(data, _n) {
        let model = Model {
            first: &data.first,
            first_bias: &data.model_bias,
            first_scale: (1993, 19),
            second: &data.second,
            second_bias: &data.model_bias,
            second_scale: (1620, 19),
            last: &data.last,
            last_bias: &[30, -23, 11, -16],
        };
        let scores = network::infer(&data.recording, &model);
        data.words.iter_mut().zip(scores).for_each(|(word, score)| *word = score as u32);
    }
    "spectrum" spectrum(data, n) {
        let (re, im) = (write(0, &mut data.re[..n]), write(1, &mut data.im[..n]));
        transform::load(read(2, &data.samples[..n]), re, im);
        transform::transform(re, im);
        let power = |line: usize| (re[line] * re[line] + im[line] * im[line]) as u32;
        data.words[0] = (1..n / 2).max_by_key(|&line| power(line)).unwrap_or(0) as u32;
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
