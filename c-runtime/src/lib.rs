//! The C sources every module is compiled with, carried inside the tool.
//!
//! `include/` is on the compiler's include path; each file of `src/` is compiled alone, once per
//! set of flags, and linked only where a symbol of it is needed.

/// A file of the runtime: path below its folder, and text.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder, "/", $name)))),*]
    };
}

/// Headers, to be put on the include path.
pub const HEADERS: &[File] = files!("include":
    "mpy.h"
    "mpy_calls.h"
    "mpy_classes.h"
    "mpy_exports.h"
    "mpy_flash.h"
    "mpy_heap.h"
    "mpy_imports.h"
    "mpy_intrinsics.h"
    "mpy_memory.h"
    "mpy_scalars.h"
    "mpy_sequences.h"
    "mpy_shims.h"
    "mpy_shown.h"
    "mpy_stack.h"
    "mpy_text.h"
    "mpy_unwind.h"
    "mpy_values.h"
    "mpy_wasi.h"
    "softfloat.h"
    "wasm.h"
);

/// The Rust crate that makes the heap of `mpy_heap.h` a crate's global allocator.
pub const RUST_ALLOCATOR: &str = include_str!("allocator.rs");

/// The Rust crate that stands in the place of `test` and runs `#[test]` functions in MicroPython.
pub const RUST_HARNESS: &str = include_str!("harness.rs");

/// The Rust crate that makes an exception of a panic.
pub const RUST_PANIC: &str = include_str!("panic.rs");

/// Sources, each an object of its own that the linker takes lazily.
pub const SOURCES: &[File] = files!("src":
    "memcmp.c"
    "memcpy.c"
    "memmove.c"
    "memset.c"
    "sqrt.c"
    "subtract.c"
);

/// What the compiler calls for operations its target has no instructions for, to be treated as
/// [`SOURCES`] are where no library comes with the compiler. A compiler's own is better tuned.
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

/// The same by the names that an architecture's ABI gives them; empty where it gives none.
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
    fn every_file_is_carried() {
        let names = |files: &[File]| files.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(HEADERS), on_disk("include", ".h"));
        assert_eq!(names(SOURCES), on_disk("src", ".c"));
        assert_eq!(names(COMPILER_HELPERS), on_disk("src/compiler", ".c"));
        assert_eq!(names(ABI_HELPERS), on_disk("src/abi", ".c"));
    }
}
