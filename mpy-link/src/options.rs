//! What to link, and how.

use std::collections::HashMap;

use target_specs::Arch;

/// How an [`Input`] is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Always linked, unless it is an archive.
    Object,
    /// An `ar` archive, or an object that is treated like a member of one: it is linked if it defines a symbol that is
    /// otherwise undefined.
    Lazy,
}

/// One file to link.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// How it is linked.
    pub kind: InputKind,
    /// Its contents.
    pub data: &'a [u8],
}

/// How to link.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The architecture of the objects.
    pub arch: &'a Arch,
    /// The name of the source file, which is the first qstr of the module. Native code does not use it. The empty name
    /// takes one byte, because every MicroPython has that string.
    pub file_name: &'a str,
    /// The strings of `mp_native_qstr_table[1..]`, in this order.
    pub qstrs: &'a [String],
    /// The contents of `mp_native_obj_table`.
    pub objects: &'a [Bytes],
    /// Symbols outside of the module, and their fixed addresses. They are used where no object and no archive defines the
    /// symbol.
    pub externs: &'a [(String, u32)],
    /// The source of the first object. If it is given, the result has symbols for debuggers, with the debug information of that
    /// object.
    pub source: Option<&'a Source<'a>>,
    /// Extensions of the architecture that the module needs, as bits of [`extensions`](crate::extensions), besides those that
    /// its objects were compiled for.
    pub arch_flags: u32,
}

impl<'a> Options<'a> {
    /// A module of this architecture with nothing but code.
    pub fn new(arch: &'a Arch) -> Options<'a> {
        Options { arch, file_name: "", qstrs: &[], objects: &[], externs: &[], source: None, arch_flags: 0 }
    }
}

/// What debuggers show of the source of an object.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What symbols are called in it.
    pub names: &'a HashMap<String, String>,
    /// The folder to which paths in the debug information are relative.
    pub folder: &'a str,
}

impl Source<'_> {
    /// The name of a symbol in the source.
    pub(crate) fn name(&self, symbol: &str) -> Option<&str> {
        // Names end with a zero in files.
        self.names.get(symbol).map(String::as_str).filter(|name| !name.contains('\0'))
    }
}

/// A constant `bytes` object. The loader does not copy it if the file is in ROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    /// Its name in maps.
    pub name: String,
    /// Its contents.
    pub data: Vec<u8>,
}
