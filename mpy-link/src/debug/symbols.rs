//! What a symbol file contains.

/// What a symbol file contains.
#[derive(Debug, Clone)]
pub struct Symbols {
    pub(super) machine: u16,
    pub(super) is_64: bool,
    pub(super) flags: u32,
    /// The bit of a function's address that is not part of it.
    pub(super) code_bit: u64,
    pub(super) text: Vec<u8>,
    /// Name, address, size, and whether it is a function, sorted by address.
    pub(super) names: Vec<(String, u64, u64, bool)>,
    /// The sections with debug information, and the section about the processor: the name, the type, the contents.
    pub(super) sections: Vec<(String, u32, Vec<u8>)>,
}
