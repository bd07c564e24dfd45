//! What cargo is to build.

use std::path::PathBuf;

/// How cargo is to build the crate.
#[derive(Debug, Clone)]
pub struct CrateBuild {
    pub package: String,
    /// Its library, as rustc calls it.
    pub library: String,
    pub manifest: PathBuf,
    pub profile: String,
    /// Cargo's own flags, passed on: features, `--locked`, …
    pub cargo_args: Vec<String>,
    /// Apart from the user's own target folder, so that neither waits for the other.
    pub target_dir: PathBuf,
    pub unit: Unit,
    /// Its profile says that panics unwind.
    pub unwinds: bool,
    /// What of the package has `#[test]` functions.
    pub tests: Vec<Unit>,
}

/// What of a package is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    Library,
    /// The `#[test]` functions of the library, or of this file in `tests/`.
    Tests(Option<String>),
}
