//! What to link, and how.

use target_specs::Arch;

/// What kind of file an [`Input`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Always linked, unless it is an archive.
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
    /// Recorded in the module as the name of its source (the first qstr). Native code has no use for it,
    /// and the empty name, which every MicroPython has, takes a byte.
    pub file_name: &'a str,
    /// The strings of `mp_native_qstr_table[1..]`, in this order.
    pub qstrs: &'a [String],
    /// What `mp_native_obj_table` holds.
    pub objects: &'a [Bytes],
}

/// A constant `bytes` object. The loader leaves it where it is when the file lies in ROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    /// Its name in maps.
    pub name: String,
    pub data: Vec<u8>,
}
