//! Constants, data, zeros and a stack, of known sizes.
#![no_std]

const fn size(small: usize, large: usize) -> usize {
    if cfg!(feature = "large") { large } else { small }
}

const fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = (at * 7 + 1) as u8;
        at += 1;
    }
    bytes
}

static CONSTANTS: [u8; size(64, 1024)] = bytes();
static mut DATA: [u8; size(128, 2176)] = bytes();
static mut ZEROS: [u8; size(256, 3328)] = [0; size(256, 3328)];

/// Adds to a byte of data and to one of the zeros, and tells them and a constant.
#[unsafe(no_mangle)]
extern "C" fn step(at: usize, by: u8) -> u32 {
    // SAFETY: one call at a time, and no reference outlives it.
    let (data, zeros) = unsafe { (&mut *(&raw mut DATA), &mut *(&raw mut ZEROS)) };
    let (data, zero) = (&mut data[at & 63], &mut zeros[at & 63]);
    *data = data.wrapping_add(by);
    *zero = zero.wrapping_add(by);
    // Something that lies on the stack, and is too large for the machine's.
    core::hint::black_box(&mut [at; 32]);
    u32::from_be_bytes([0, CONSTANTS[at & 63], *data, *zero])
}

#[panic_handler]
fn on_panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
