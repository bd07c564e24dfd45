//! Small computations for benchmarks and differential tests. Each export runs its computation
//! `rounds` times over data it makes itself and returns a checksum; `kernels.c` holds the same in C and
//! must return the same.
#![cfg_attr(any(target_arch = "wasm32", target_os = "none"), no_std)]
// A kernel whose feature is off is not exported, so the linker leaves it out with its constants.
#![cfg_attr(not(feature = "all"), allow(dead_code))]

mod float;
mod integer;
mod text;

/// Numerical Recipes' linear congruential generator: the data of every kernel.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
    /// In [-1, 1), exactly representable.
    fn unit(&mut self) -> f32 {
        (self.next() & 0xffff) as f32 / 32768.0 - 1.0
    }
}

/// Folds a value into a checksum.
fn mix(sum: u32, value: u32) -> u32 {
    (sum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b1)
}

#[cfg(any(target_arch = "wasm32", target_os = "none"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    loop {}
}
