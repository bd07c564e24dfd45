//! Several values are returned where no function of the module uses the shadow stack.
//! boards: all

#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use wasm_bindgen::prelude::*;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

/// Has no memory, and no frames.
struct Nothing;

unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    unsafe fn realloc(&self, _: *mut u8, _: Layout, _: usize) -> *mut u8 {
        core::ptr::null_mut()
    }
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

#[wasm_bindgen]
pub fn echo(value: Option<u64>) -> Option<u64> {
    value
}

#[wasm_bindgen]
pub fn negate(value: i128) -> i128 {
    -value
}

/* dependencies
[dependencies.wasm-bindgen]
version = "=0.2.130"
default-features = false
*/
/* python
import bare_returns as m
print(m.echo(1 << 63), m.echo(0), m.echo(None), m.echo())
print(m.negate(1 << 100) == -(1 << 100), m.negate(-5))
*/
/* expect
9223372036854775808 0 None None
True 5
*/
