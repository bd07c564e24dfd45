//! The linker's data: objects, sections, symbols and relocations, and the types of the functions that rewrite code.

use std::borrow::Cow;

use crate::abi::AbiInfo;

/// What a section holds, and thus where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Words that instructions load, which must lie before them (Xtensa).
    Literals,
    Text,
    /// Constants; also those that are so only after relocation.
    Rodata,
    Data,
    Bss,
    /// Thread-local: refused when something refers to it.
    Tls,
    /// Constructors and the like, which nobody would run: refused.
    Constructors,
}

/// A section's data are a list of equal things that may be kept once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// Bytes of an entry, or of a character.
    pub entry: u32,
    /// Entries are strings with a terminating zero.
    pub strings: bool,
}

/// A section that takes part in linking.
#[derive(Debug)]
pub struct Section<'a> {
    pub name: &'a str,
    pub kind: Kind,
    /// Empty for [`Kind::Bss`].
    pub data: Cow<'a, [u8]>,
    pub size: u32,
    pub align: u32,
    pub merge: Option<Merge>,
    /// `SHF_GNU_RETAIN`: linked although nothing refers to it.
    pub retain: bool,
    /// Sorted by offset.
    pub relocs: Vec<Reloc>,
    /// Low parts of addresses and their high parts, as indices of relocations in order; where the
    /// object does not say it.
    pub hi_lo_pairs: Vec<(u32, u32)>,
}

#[cfg(test)]
impl Section<'_> {
    /// Code for tests.
    pub fn of_text(data: Vec<u8>, relocs: Vec<Reloc>) -> Section<'static> {
        Section {
            name: ".text",
            kind: Kind::Text,
            size: data.len() as u32,
            data: data.into(),
            align: 4,
            merge: None,
            retain: false,
            relocs,
            hi_lo_pairs: Vec::new(),
        }
    }
}

/// A relocation as the object has it.
#[derive(Debug, Clone, Copy)]
pub struct Reloc {
    pub offset: u32,
    pub r_type: u32,
    /// Index into the object's symbols.
    pub symbol: u32,
    pub addend: i64,
}

/// How visible a symbol is to other objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    Local,
    Global,
    Weak,
}

/// Where a symbol is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolDef {
    Undefined,
    /// A plain number.
    Absolute,
    /// Room of the symbol's size, shared by all that ask; the value is its alignment.
    Common,
    /// Index into the object's sections.
    Section(u32),
    /// A section that is not linked: debugging information, the loser of a COMDAT group.
    Dropped,
}

/// A symbol as the object has it.
#[derive(Debug, Clone, Copy)]
pub struct Symbol<'a> {
    pub name: &'a str,
    pub binding: Binding,
    pub def: SymbolDef,
    /// Stands for its whole section (`STT_SECTION`).
    pub is_section: bool,
    pub is_function: bool,
    /// Other modules could see it (`STV_DEFAULT`): position-independent code looks it up in the GOT.
    pub is_visible: bool,
    pub value: u64,
    pub size: u64,
}

/// A COMDAT group: of all groups with one signature, one is linked.
#[derive(Debug)]
pub struct Group<'a> {
    pub signature: &'a str,
    /// Indices into the object's sections.
    pub members: Vec<u32>,
}

/// An object file.
#[derive(Debug)]
pub struct Object<'a> {
    /// Its name in messages.
    pub name: String,
    /// By ELF section index; `None` where a section is not linked.
    pub sections: Vec<Option<Section<'a>>>,
    /// By ELF symbol index.
    pub symbols: Vec<Symbol<'a>>,
    pub groups: Vec<Group<'a>>,
    /// What it says of how it was compiled.
    pub abi: AbiInfo<'a>,
}

/// What [`Section::hi_lo_pairs`] has to say; or the index of a low part that no one high part surely
/// belongs to.
pub type HiLoPairs = std::result::Result<Vec<(u32, u32)>, u32>;

/// Rewrites a section whose code is entered at `entries`; `near` says of each relocation whether its
/// symbol is part of the module, `symbols` and `here` are as in [`RelaxGot`].
pub type RewriteAbsolute = fn(
    section: &mut Section,
    symbols: &[Symbol],
    here: SymbolDef,
    entries: &[u32],
    near: &[bool],
) -> HiLoPairs;

/// What a machine can do about absolute addresses in instructions.
#[derive(Debug)]
pub struct MakeRelative {
    /// Whether code can be entered at what the relocation names, given the data of its section.
    pub is_entry: fn(reloc: &Reloc, data: &[u8]) -> bool,
    pub rewrite: RewriteAbsolute,
}

/// What a machine can do about look-ups in the GOT. `near` says for each relocation of the section
/// whether its symbol lies in text; `symbols` and `here` are the object's symbols and where those of
/// this section are at home. Rewrites instructions and relocations in place, nothing moves.
pub type RelaxGot = fn(section: &mut Section, symbols: &[Symbol], here: SymbolDef, near: &[bool]);

/// What a machine can do about offsets in the GOT that code loads from words of text; no offset is larger than
/// [`INLINE_GOT`] bytes. The words that go, in order; distances in the section are as if they had gone already.
pub type InlineGot = fn(section: &mut Section, symbols: &[Symbol], here: SymbolDef) -> Vec<Cut>;

/// What a machine can do about calls and padding: the bytes of a section that can go, as their place
/// and number, in order. `distance` is from each relocation to its symbol, where that is fixed, and
/// may still grow by less than `slack`. With `last` nothing will move afterwards.
pub type RelaxCode =
    fn(section: &mut Section, flags: u32, distance: &[Option<i64>], slack: i64, last: bool) -> Vec<Cut>;

/// Bytes to remove from a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub offset: u32,
    pub len: u32,
}
