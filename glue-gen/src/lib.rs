//! MicroPython bindings in C for the exports and imports of a module.
//!
//! `module_api` is the border as plain data; `write` turns it into C that uses the headers `mpy*.h` of `c-runtime`, so
//! that only what differs between modules is generated.

mod bindings;
mod c;
mod classes;
mod host_imports;
mod intrinsics;
mod javascript;
pub mod keywords;
mod module_api;
mod stub;
mod tables;
mod types;
pub mod wbindgen;
mod write;
mod writer;

pub use bindings::import_runs_python;
pub use host_imports::{
    Imports, MAKES_FUTURES, Mappings, builtin_functions, check as check_import, check_export, touches_memory,
};
pub use javascript::{Doubt, Missing, is_library as is_javascript_library, missing as missing_imports};
pub use write::Glue;

use host_imports::Needs;
use module_api::ModuleApi;
use target_specs::{Diagnostic, Result};
use wasm_to_c::Interface;

/// Whether an import may throw an exception, in a module that unwinds.
pub fn throws(module: &str, name: &str) -> bool {
    const NEVER: [&str; 6] =
        ["alloc", "alloc_zeroed", "realloc", "dealloc", "raise_caught", "__wbindgen_object_drop_ref"];
    !NEVER.contains(&name) || !["mpy", wbindgen::MODULE].contains(&module)
}

/// Writes the bindings for `interface`, with the types that `api` gives to what wasm-bindgen made, and what
/// `mappings` say of its imports and exports.
///
/// # Errors
/// An export or import MicroPython cannot express (`inexpressible-export`, `inexpressible-import`,
/// `unsupported-bindings`), an import nobody answers (`unknown-import`), an export that is not there
/// (`unknown-export`).
pub fn glue(
    module_name: &str,
    interface: &Interface,
    api: Option<&wbindgen::Api>,
    mappings: &Mappings,
) -> Result<Glue> {
    let module_api = ModuleApi::of(interface, mappings)?;
    if api.is_none() && module_api.needs(Needs::Futures) {
        return Err(Diagnostic::new(
            "inexpressible-import",
            "futures are those of a crate that uses wasm-bindgen",
        ));
    }
    write::write(module_name, &module_api, interface, api, mappings.keywords)
}

/// Writes only the stub of the module.
///
/// # Errors
/// As [`glue`].
pub fn stub(interface: &Interface, api: Option<&wbindgen::Api>, mappings: &Mappings) -> Result<String> {
    Ok(stub::stub(&ModuleApi::of(interface, mappings)?, api, mappings.keywords))
}
