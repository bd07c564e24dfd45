#![no_std]

#[cfg(not(test))]
#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo) -> ! {
    #[link(wasm_import_module = "mpy")]
    unsafe extern "C" {
        /// Raises the `len` bytes of text at `message`, and the line of a file, as a Python exception.
        fn panic_at(message: *const u8, len: usize, file: *const u8, file_len: usize, line: u32) -> !;
    }
    // Formatting a message with arguments costs kilobytes; a plain one costs its own bytes.
    let message = info.message().as_str().unwrap_or("panic in Rust");
    let (file, line) = info.location().map_or(("?", 0), |place| (place.file(), place.line()));
    unsafe { panic_at(message.as_ptr(), message.len(), file.as_ptr(), file.len(), line) }
}

/// The largest number whose square is not above `n`.
// Tests call this function: a panic that leaves an `extern "C"` function ends `cargo test`.
fn root(n: i32) -> i32 {
    assert!(n >= 0, "the root of a negative number");
    n.isqrt()
}

#[unsafe(no_mangle)]
pub extern "C" fn isqrt(n: i32) -> i32 {
    root(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_square_is_exact() {
        for n in 0..100 {
            assert_eq!(root(n * n), n);
        }
    }

    #[test]
    #[should_panic(expected = "negative")]
    fn a_negative_number_has_none() {
        root(-1);
    }
}
