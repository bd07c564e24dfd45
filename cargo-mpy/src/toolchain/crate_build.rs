//! What cargo is to build.

use std::path::PathBuf;

/// How cargo is to build the crate.
#[derive(Debug, Clone)]
pub struct CrateBuild {
    /// The name of the package.
    pub package: String,
    /// Its library, as rustc calls it.
    pub library: String,
    /// The path of its `Cargo.toml`.
    pub manifest: PathBuf,
    /// The name of the profile.
    pub profile: String,
    /// Cargo's own flags, passed on: features, `--locked`, …
    pub cargo_args: Vec<String>,
    /// Apart from the user's own target folder, so that neither waits for the other.
    pub target_dir: PathBuf,
    /// What of the package is built.
    pub unit: Unit,
    /// Its profile says that panics unwind.
    pub unwinds: bool,
    /// What of the package has `#[test]` functions.
    pub tests: Vec<Unit>,
}

/// What of a package is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// The library.
    Library,
    /// The `#[test]` functions of the library, or of this file in `tests/`.
    Tests(Option<String>),
}
