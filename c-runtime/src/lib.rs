//! The C and Rust sources of the runtime, which are part of the program.
//!
//! [`HEADERS`] are on the include path of the module's C code. Each file of [`SOURCES`] and [`COMPILER_HELPERS`] is
//! compiled separately, once per set of flags, and linked only if one of its symbols is needed. The Rust sources are
//! crates that every Rust module is linked with.
//!
//! ```
//! let (_, abi) = c_runtime::HEADERS.iter().find(|(name, _)| *name == "mpy.h").unwrap();
//! assert!(abi.contains("mp_fun_table"));
//! ```

/// A file of the runtime: its path in its folder, and its text.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder, "/", $name)))),*]
    };
}

/// Headers for the include path.
pub const HEADERS: &[File] = files!("include":
    "mpy.h"
    "mpy_blocks.h"
    "mpy_calls.h"
    "mpy_classes.h"
    "mpy_close.h"
    "mpy_convert.h"
    "mpy_dsp.h"
    "mpy_dsp_fourier.h"
    "mpy_dsp_vectors.h"
    "mpy_exports.h"
    "mpy_flash.h"
    "mpy_futures.h"
    "mpy_heap.h"
    "mpy_imports.h"
    "mpy_in_flash.h"
    "mpy_intrinsics.h"
    "mpy_js.h"
    "mpy_keywords.h"
    "mpy_lend.h"
    "mpy_memory.h"
    "mpy_modules.h"
    "mpy_scalars.h"
    "mpy_sequences.h"
    "mpy_shims.h"
    "mpy_shown.h"
    "mpy_stack.h"
    "mpy_start_in_flash.h"
    "mpy_state.h"
    "mpy_stub.h"
    "mpy_text.h"
    "mpy_unwind.h"
    "mpy_values.h"
    "mpy_wasi.h"
    "softfloat.h"
    "softfloat32.h"
    "softfloat64.h"
    "wasm.h"
    "wasm_dot_products.h"
    "wasm_lines.h"
    "wasm_simd.h"
    "wasm_simd_mve.h"
    "wasm_state.h"
);

/// The C source that makes a module a part of a MicroPython firmware, with `@NAME@` and other places to fill in.
pub const REGISTER: &str = include_str!("../firmware/register.c");

/// The C source of the part in RAM of a module whose code is in flash.
pub const STUB: &str = include_str!("../flash/stub.c");

/// The Rust crate that makes the heap of `mpy_heap.h` the global allocator.
pub const RUST_ALLOCATOR: &str = include_str!("allocator.rs");

/// The Rust crate that takes the place of `wasm-bindgen-futures`.
pub const RUST_FUTURES: &str = include_str!("futures.rs");

/// The Rust crate that replaces `test` and runs `#[test]` functions in MicroPython.
pub const RUST_HARNESS: &str = include_str!("harness.rs");

/// The Rust crate that turns a panic into an exception.
pub const RUST_PANIC: &str = include_str!("panic.rs");

/// The Rust crate that implements functions of `std` by MicroPython's.
pub const RUST_STD: &str = include_str!("std.rs");

/// C sources. Each becomes an object that is linked if it is needed.
pub const SOURCES: &[File] = files!("src":
    "arithmetic32.c"
    "arithmetic64.c"
    "memcmp.c"
    "memcpy.c"
    "memmove.c"
    "memset.c"
    "sqrt.c"
);

/// C sources of the functions that compilers call for operations without an instruction. They are linked like [`SOURCES`]
/// if the compiler has no library of its own, whose functions are faster.
pub const COMPILER_HELPERS: &[File] = files!("src/compiler":
    "bits.c"
    "divide32.c"
    "divide64.c"
    "float32.c"
    "float64.c"
    "float_convert.c"
    "multiply.c"
    "shift64.c"
);

/// C sources that define the same functions under the names of an architecture's ABI.
pub const ABI_HELPERS: &[File] = files!("src/abi":
    "arm_eabi.c"
);

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the files in `folder` that end in `extension`.
    fn on_disk(folder: &str, extension: &str) -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(extension))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_file_is_included() {
        let names = |files: &[File]| files.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(HEADERS), on_disk("include", ".h"));
        assert_eq!(names(SOURCES), on_disk("src", ".c"));
        assert_eq!(names(COMPILER_HELPERS), on_disk("src/compiler", ".c"));
        assert_eq!(names(ABI_HELPERS), on_disk("src/abi", ".c"));
    }
}
