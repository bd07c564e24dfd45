//! A heart rate from a noisy signal: two biquad filters over a block of samples in module memory, then
//! counting beats. The samples are a finger's, from an optical sensor (see README.md).
#![no_std]

use core::ptr::{addr_of, addr_of_mut};

#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo) -> ! {
    #[link(wasm_import_module = "mpy")]
    unsafe extern "C" {
        fn panic(message: *const u8, len: usize) -> !;
    }
    let message = info.message().as_str().unwrap_or("panic in Rust");
    unsafe { panic(message.as_ptr(), message.len()) }
}

/// Samples per second.
const RATE: f32 = 100.0;
const LEN: usize = 2483;
/// 25 seconds of a pulse, as the converter gave it.
static PULSE: [i16; LEN] = include!("pulse.in");

/// The block the filters work on.
static mut BLOCK: [f32; LEN] = [0.0; LEN];

/// Samples until the filters have forgotten their start.
const SETTLED: usize = 200;

/// A second-order section in transposed direct form II.
struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    state: [f32; 2],
}

impl Biquad {
    /// Butterworth high-pass at 0.7 Hz: takes the drift away.
    const HIGH_PASS: Biquad = Biquad {
        b: [0.969_378_35, -1.938_756_7, 0.969_378_35],
        a: [-1.937_818_8, 0.939_694_6],
        state: [0.0; 2],
    };
    /// Butterworth low-pass at 3 Hz: leaves the heart.
    const LOW_PASS: Biquad = Biquad {
        b: [0.007_820_208, 0.015_640_416, 0.007_820_208],
        a: [-1.734_725_8, 0.766_006_6],
        state: [0.0; 2],
    };

    fn run(mut self, block: &mut [f32]) {
        for sample in block {
            let x = *sample;
            let y = self.b[0] * x + self.state[0];
            self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
            self.state[1] = self.b[2] * x - self.a[1] * y;
            *sample = y;
        }
    }
}

fn block() -> &'static mut [f32; LEN] {
    // SAFETY: a module runs one call at a time and no reference outlives a call.
    unsafe { &mut *addr_of_mut!(BLOCK) }
}

/// Number of samples.
#[unsafe(no_mangle)]
extern "C" fn length() -> i32 {
    LEN as i32
}

/// The sample at `index` as it was measured.
#[unsafe(no_mangle)]
extern "C" fn measured(index: i32) -> i32 {
    PULSE[index as usize].into()
}

/// The sample at `index` as the filters left it.
#[unsafe(no_mangle)]
extern "C" fn filtered(index: i32) -> f32 {
    unsafe { (*addr_of!(BLOCK))[index as usize] }
}

/// Copies the measurement into the block and filters it there.
#[unsafe(no_mangle)]
extern "C" fn filter() {
    let block = block();
    let first = f32::from(PULSE[0]);
    for (sample, measured) in block.iter_mut().zip(&PULSE) {
        *sample = f32::from(*measured) - first;
    }
    Biquad::HIGH_PASS.run(block);
    Biquad::LOW_PASS.run(block);
}

/// Beats per minute in the filtered block: a beat is where it rises through a third of its highest
/// peak after it was below zero.
#[unsafe(no_mangle)]
extern "C" fn heart_rate() -> f32 {
    let settled = &block()[SETTLED..];
    let threshold = 0.3 * settled.iter().copied().fold(0.0, f32::max);
    let (mut first, mut last, mut beats) = (0, 0, 0);
    let mut below = false;
    for (index, sample) in settled.iter().enumerate() {
        if *sample < 0.0 {
            below = true;
        } else if below && *sample > threshold {
            below = false;
            if beats == 0 {
                first = index;
            }
            last = index;
            beats += 1;
        }
    }
    if beats < 2 {
        return 0.0;
    }
    60.0 * RATE * (beats - 1) as f32 / (last - first) as f32
}
