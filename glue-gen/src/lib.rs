//! What a module exports and imports → MicroPython bindings in C.

use target_specs::Result;
use wasm_to_c::{CUnit, Interface};

/// The bindings of a module.
#[derive(Debug, Clone)]
pub struct Glue {
    /// To be compiled after the module's own unit, in the same translation unit. Defines `mpy_init`.
    pub unit: CUnit,
    /// The strings of `mp_native_qstr_table[1..]`, in the order the C uses them.
    pub qstrs: Vec<String>,
}

/// Writes the bindings for `interface`.
///
/// # Errors
/// An export or import MicroPython cannot express (`inexpressible-export`, `inexpressible-import`).
pub fn glue(_module_name: &str, _interface: &Interface) -> Result<Glue> {
    todo!("bindings")
}
