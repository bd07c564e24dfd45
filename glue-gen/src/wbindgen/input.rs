//! The input of this module, and the version of wasm-bindgen that it must come from.

use std::collections::BTreeMap;

use target_specs::{Diagnostic, Place, Result};

/// The version whose data can be read.
pub const VERSION: &str = wasm_bindgen_shared::SCHEMA_VERSION;

/// Checks that `version` of wasm-bindgen can be read.
///
/// # Errors
/// `wasm-bindgen-version`, with the command that mends it.
pub fn check_version(version: &str) -> Result<()> {
    check_package("wasm-bindgen", version, VERSION)
}

/// Checks that a crate uses the one version of a package of wasm-bindgen's that is `known`.
///
/// # Errors
/// `wasm-bindgen-version`, with the command that mends it.
pub fn check_package(package: &str, version: &str, known: &str) -> Result<()> {
    if version == known {
        return Ok(());
    }
    Err(Diagnostic::new(
        "wasm-bindgen-version",
        format!("the crate uses {package} {version}, this tool knows {known} alone"),
    )
    .help(format!("run `cargo update -p {package} --precise {known}`")))
}

/// The results of the passes over a module.
#[derive(Debug, Clone, Default)]
pub struct Raw {
    /// The custom section `__wasm_bindgen_unstable`.
    pub section: Vec<u8>,
    /// The words of every `__wbindgen_describe_NAME`, by NAME.
    pub descriptors: BTreeMap<String, Vec<u32>>,
    /// The words of each function that ended in `__wbindgen_describe_generic_import`, by the name of the import that
    /// replaces it.
    pub generics: BTreeMap<String, Vec<u32>>,
}

pub(super) fn refuse(reason: impl Into<String>) -> Diagnostic {
    Diagnostic::new(
        "invalid-bindings",
        format!("wasm-bindgen's description of the crate is broken: {}", reason.into()),
    )
    .at(Place::None)
    .help("build the crate again; a tool between may have cut the module")
}
