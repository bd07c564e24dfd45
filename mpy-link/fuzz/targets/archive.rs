//! Looks for the entry in whatever bytes there are as an archive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mpy_link::{Input, InputKind, Options, link};

fuzz_target!(|data: &[u8]| {
    for arch in target_specs::archs() {
        let inputs = [Input { name: "fuzz.a", kind: InputKind::Lazy, data }];
        let _ = link(&inputs, &Options { file_name: "fuzz.mpy", ..Options::new(arch) });
    }
});
