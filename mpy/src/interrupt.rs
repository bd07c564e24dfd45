//! Ctrl-C in long computations.

crate::import::import! {
    "mpy":
    fn check_interrupt();
}

/// Lets MicroPython do what waits for it: Ctrl-C ends the call by a `KeyboardInterrupt`, and functions that were given to
/// `micropython.schedule` run.
///
/// MicroPython does this between instructions of Python, but not in native code. A loop that takes long should call
/// this every few milliseconds. It calls a Python function, which takes some microseconds.
///
/// The exception does not return here. In a crate with `panic = "unwind"` it runs destructors, and otherwise it does not.
///
/// ```no_run
/// use wasm_bindgen::prelude::*;
///
/// #[wasm_bindgen]
/// pub fn search(limit: u32) -> Option<u32> {
///     (0..limit).find(|candidate| {
///         if candidate % 1024 == 0 {
///             mpy::interrupt::check();
///         }
///         candidate.wrapping_mul(2_654_435_761) == 12345
///     })
/// }
/// ```
pub fn check() {
    // SAFETY: it has no conditions.
    unsafe { check_interrupt() };
}
