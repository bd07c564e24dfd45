//! The input of a cargo build.

use std::path::PathBuf;

/// A cargo build of a crate.
#[derive(Debug, Clone)]
pub struct CrateBuild {
    /// The name of the package.
    pub package: String,
    /// The name of its library, as rustc uses it.
    pub library: String,
    /// The path of its `Cargo.toml`.
    pub manifest: PathBuf,
    /// The folder of its workspace, to which compilers name files relatively.
    pub root: PathBuf,
    /// The name of the profile.
    pub profile: String,
    /// Flags that are passed on to cargo: features, `--locked`, …
    pub cargo_args: Vec<String>,
    /// A separate target folder, so that builds do not wait for those of the user.
    pub target_dir: PathBuf,
    /// What of the package is built.
    pub unit: Unit,
    /// The profile has `panic = "unwind"`.
    pub unwinds: bool,
    /// The program says which lines of the source its code is from.
    pub has_lines: bool,
    /// rustc makes vectors of loops.
    pub has_vectors: bool,
    /// The parts of the package that have `#[test]` functions.
    pub tests: Vec<Unit>,
}

/// What a program is linked with that only the program itself tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Bytes of the shadow stack.
    pub stack: u32,
    /// The functions of `std` that MicroPython implements.
    pub has_std: bool,
}

/// A part of a package that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// The library.
    Library,
    /// The `#[test]` functions of the library, or of this file in `tests/`.
    Tests(Option<String>),
}
