//! Reads whatever bytes there are as a module.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = mpy_link::inspect::read(data);
});
