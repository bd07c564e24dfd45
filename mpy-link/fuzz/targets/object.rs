//! Links whatever bytes there are as an object, for the architecture that its header names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mpy_link::{Input, InputKind, Options, inspect, link};

fuzz_target!(|data: &[u8]| {
    for arch in target_specs::archs() {
        let inputs = [Input { name: "fuzz.o", kind: InputKind::Object, data }];
        match link(&inputs, &Options { file_name: "fuzz.mpy", ..Options::new(arch) }) {
            Ok(image) => {
                inspect::read(&image.bytes).expect("what is written can be read");
            }
            Err(error) => {
                let _ = error.to_string();
            }
        }
    }
});
