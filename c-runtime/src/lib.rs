//! The C sources every module is compiled with, carried inside the tool.
//!
//! `include/` is on the compiler's include path; each file of `src/` is compiled alone, once per
//! set of flags, and linked only where a symbol of it is needed.

/// A file of the runtime: path below its folder, and text.
pub type File = (&'static str, &'static str);

/// Headers, to be put on the include path.
pub const HEADERS: &[File] = &[];

/// Sources, each an object of its own that the linker takes lazily.
pub const SOURCES: &[File] = &[];
