//! Links ELF objects and archives into a native MicroPython `.mpy` module (version 6.3).
//!
//! `py/persistentcode.c` of MicroPython is the loader this must satisfy, `tools/mpy_ld.py` the
//! linker it stands in for.

use target_specs::{Arch, Result};

/// What kind of file an [`Input`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Always linked.
    Object,
    /// An `ar` archive, or a single object treated as one: a member is linked when it defines a
    /// symbol that is still undefined.
    Lazy,
}

/// One file to link.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Its name in messages.
    pub name: &'a str,
    pub kind: InputKind,
    pub data: &'a [u8],
}

/// How to link.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    pub arch: &'a Arch,
    /// File name recorded in the module (the first qstr), `NAME.mpy`.
    pub file_name: &'a str,
    /// The strings of `mp_native_qstr_table[1..]`, in this order.
    pub qstrs: &'a [String],
}

/// Bytes of the parts of a module once it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    pub text: u32,
    pub rodata: u32,
    pub bss: u32,
}

/// A linked module.
#[derive(Debug, Clone)]
pub struct Image {
    /// The `.mpy` file.
    pub bytes: Vec<u8>,
    pub sizes: Sizes,
}

/// Links `inputs`; the module starts at the function `mpy_init`.
///
/// # Errors
/// Malformed or foreign objects, undefined and duplicate symbols, relocations out of range.
pub fn link(_inputs: &[Input], _options: &Options) -> Result<Image> {
    todo!("linker")
}
