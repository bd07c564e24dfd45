//! What a module exports and imports → MicroPython bindings in C.
//!
//! [`Surface`] is the border as plain data; `write` turns it into C that leans on the headers
//! `mpy*.h` of `c-runtime`, so that only what differs between modules is generated.

mod bindings;
mod c;
mod classes;
mod intrinsics;
mod shims;
mod stub;
mod surface;
mod types;
pub mod wbindgen;
mod write;

pub use shims::{Imports, Mappings, check as check_import, check_export, own_functions, touches_memory};
pub use surface::{Function, Import, ImportKind, ShownGlobal, Surface};
pub use types::Scalar;

use target_specs::Result;
use wasm_to_c::{CUnit, FlashTable, Interface};

/// Whether the import of that module and name may throw an exception, in a module that unwinds.
pub fn throws(module: &str, name: &str) -> bool {
    const NEVER: [&str; 6] =
        ["alloc", "alloc_zeroed", "realloc", "dealloc", "raise_caught", "__wbindgen_object_drop_ref"];
    !NEVER.contains(&name) || !["mpy", wbindgen::MODULE].contains(&module)
}

/// The bindings of a module.
#[derive(Debug, Clone)]
pub struct Glue {
    /// To be compiled after the module's own unit, in the same translation unit. Defines `mpy_init`.
    pub unit: CUnit,
    /// The strings of `mp_native_qstr_table[1..]`, in the order the C uses them.
    pub qstrs: Vec<String>,
    /// What `mp_native_obj_table` holds, as `bytes`.
    pub objects: Vec<FlashTable>,
    /// What a type checker is to know of the module: the text of `NAME.pyi`.
    pub stub: String,
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
    write::write(module_name, &Surface::of(interface, mappings)?, interface, api)
}

/// The stub of such a module alone, which needs nothing of `api`'s functions.
///
/// # Errors
/// As [`glue`].
pub fn stub(interface: &Interface, api: Option<&wbindgen::Api>, mappings: &Mappings) -> Result<String> {
    Ok(stub::stub(&Surface::of(interface, mappings)?, api))
}
