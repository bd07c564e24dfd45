//! A long life of collections in MicroPython's heap, and every way to fail. There is no allocator here, and no
//! `std`: the bindings' is linked.
#![no_std]

extern crate alloc;

mod work;

use alloc::vec::Vec;
use work::State;

#[link(wasm_import_module = "gc")]
unsafe extern "C" {
    safe fn collect();
}

#[link(wasm_import_module = "peer")]
unsafe extern "C" {
    /// Raises an exception when its argument is 0.
    safe fn check(value: i32) -> i32;
}

#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    fn panic(message: *const u8, len: usize) -> !;
}

#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo) -> ! {
    let message = info.message().as_str().unwrap_or("panic");
    unsafe { panic(message.as_ptr(), message.len()) }
}

static mut STATE: Option<State> = None;

fn state() -> &'static mut Option<State> {
    // SAFETY: a module runs one call at a time and no reference outlives a call.
    unsafe { &mut *(&raw mut STATE) }
}

#[unsafe(no_mangle)]
extern "C" fn start(seed: u32) {
    *state() = Some(State::new(seed));
}

/// Does so many operations, and collects garbage after each `every` of them.
#[unsafe(no_mangle)]
extern "C" fn work(operations: u32, every: u32) {
    let Some(state) = state() else { return };
    for number in 1..=operations {
        state.step();
        if number % every == 0 {
            collect();
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn end() -> u32 {
    state().take().map_or(0, State::end)
}

/// Uses up the stack.
#[unsafe(no_mangle)]
extern "C" fn recurse(depth: u32) -> u32 {
    let mut frame = [depth; 50];
    core::hint::black_box(&mut frame);
    if depth == 0 { frame[0] } else { recurse(depth - 1).wrapping_add(frame[49]) }
}

/// Asks for so many bytes.
#[unsafe(no_mangle)]
extern "C" fn reserve(bytes: u32) -> u32 {
    let mut bytes: Vec<u8> = Vec::with_capacity(bytes as usize);
    core::hint::black_box(&mut bytes);
    bytes.push(7);
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}

/// As [`reserve`], but what it cannot get is no reason to give up.
#[unsafe(no_mangle)]
extern "C" fn try_reserve(bytes: u32) -> u32 {
    let mut wanted: Vec<u8> = Vec::new();
    u32::from(wanted.try_reserve(bytes as usize).is_ok())
}

/// The `index`th of four.
#[unsafe(no_mangle)]
extern "C" fn index(index: u32) -> u32 {
    let table = core::hint::black_box([1, 2, 3, 4]);
    assert!(index < 4, "index out of range");
    table[index as usize]
}

/// Calls Python within so many frames of the stack.
#[unsafe(no_mangle)]
extern "C" fn call_back(depth: u32, value: i32) -> i32 {
    let mut frame = [depth as i32; 20];
    core::hint::black_box(&mut frame);
    let value = if depth == 0 { check(value) } else { call_back(depth - 1, value) };
    value + frame[19]
}
