//! Random numbers of Python's.

crate::import::import! {
    "mpy":
    fn wasi_random_get(bytes: *mut u8, len: usize) -> i32;
}

/// Fills the bytes with random numbers: of `os.urandom` where the port has it, which is the hardware's or the operating
/// system's source, and otherwise of the module `random`, which is not for secrets.
///
/// ```no_run
/// let mut key = [0; 16];
/// mpy::random::fill(&mut key);
/// ```
pub fn fill(bytes: &mut [u8]) {
    // SAFETY: it writes as many bytes. Its only failures are Python's exceptions, with which it does not return.
    unsafe { wasi_random_get(bytes.as_mut_ptr(), bytes.len()) };
}

/// A random number of 32 bits, from the same source.
pub fn u32() -> u32 {
    let mut bytes = [0; 4];
    fill(&mut bytes);
    u32::from_le_bytes(bytes)
}
