//! Functions of numbers, called from Python: every scalar type, a call back into MicroPython, and
//! what happens when something goes wrong.
#![no_std]

#[link(wasm_import_module = "time")]
unsafe extern "C" {
    /// MicroPython's `time.ticks_ms`.
    safe fn ticks_ms() -> i32;
}

#[link(wasm_import_module = "mpy")]
unsafe extern "C" {
    /// Raises the `len` bytes of text at `message` as a Python exception.
    fn panic(message: *const u8, len: usize) -> !;
}

#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo) -> ! {
    // Formatting a message with arguments costs kilobytes; a plain one costs its own bytes.
    let message = info.message().as_str().unwrap_or("panic in Rust");
    unsafe { panic(message.as_ptr(), message.len()) }
}

#[unsafe(no_mangle)]
extern "C" fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

/// The 90th Fibonacci number needs 62 bits.
#[unsafe(no_mangle)]
extern "C" fn fibonacci(n: i32) -> i64 {
    let (mut a, mut b) = (0_i64, 1_i64);
    for _ in 0..n {
        (a, b) = (b, a.wrapping_add(b));
    }
    a
}

/// Newton's square root, in double precision.
#[unsafe(no_mangle)]
extern "C" fn root(x: f64) -> f64 {
    assert!(x >= 0.0, "the root of a negative number");
    let mut y = if x > 1.0 { x } else { 1.0 };
    loop {
        let next = 0.5 * (y + x / y);
        if next >= y {
            return y;
        }
        y = next;
    }
}

#[unsafe(no_mangle)]
extern "C" fn fahrenheit(celsius: f32) -> f32 {
    celsius * 1.8 + 32.0
}

/// Milliseconds since `start`, which was `hello.elapsed(0)` once.
#[unsafe(no_mangle)]
extern "C" fn elapsed(start: i32) -> i32 {
    ticks_ms().wrapping_sub(start)
}
