#![no_std]

#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo) -> ! {
    #[link(wasm_import_module = "mpy")]
    unsafe extern "C" {
        /// Raises the `len` bytes of text at `message` as a Python exception.
        fn panic(message: *const u8, len: usize) -> !;
    }
    // Formatting a message with arguments costs kilobytes; a plain one costs its own bytes.
    let message = info.message().as_str().unwrap_or("panic in Rust");
    unsafe { panic(message.as_ptr(), message.len()) }
}

/// The largest number whose square is not above `n`.
#[unsafe(no_mangle)]
pub extern "C" fn isqrt(n: i32) -> i32 {
    assert!(n >= 0, "the root of a negative number");
    n.isqrt()
}
