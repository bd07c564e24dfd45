//! The linker's data: objects, sections, symbols and relocations, and the types of the functions that rewrite code.

use std::borrow::Cow;

use crate::abi::AbiInfo;

/// What a section contains, which decides where it is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Words that instructions load, which must be placed before them (Xtensa).
    Literals,
    Text,
    /// Constants, including those that are constant only after relocation.
    Rodata,
    Data,
    Bss,
    /// Thread-local data. Using it is an error.
    Tls,
    /// Constructors. They are an error, because the loader would not run them.
    Constructors,
}

/// The elements of a section whose equal elements may be merged (`SHF_MERGE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The size in bytes of an element, or of a character.
    pub entry: u32,
    /// Whether elements are zero-terminated strings (`SHF_STRINGS`).
    pub strings: bool,
}

/// A section that can be linked.
#[derive(Debug)]
pub struct Section<'a> {
    pub name: &'a str,
    pub kind: Kind,
    /// Empty for [`Kind::Bss`].
    pub data: Cow<'a, [u8]>,
    pub size: u32,
    pub align: u32,
    pub merge: Option<Merge>,
    /// `SHF_GNU_RETAIN`: it is linked even if nothing refers to it.
    pub retain: bool,
    /// Sorted by offset.
    pub relocs: Vec<Reloc>,
    /// Pairs of relocations, as indices: the low part of an address and its high part, sorted by the low part. Only pairs
    /// that the object does not specify.
    pub hi_lo_pairs: Vec<(u32, u32)>,
}

#[cfg(test)]
impl Section<'_> {
    /// Code, for tests.
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

/// A relocation of an object.
#[derive(Debug, Clone, Copy)]
pub struct Reloc {
    pub offset: u32,
    pub r_type: u32,
    /// Index into the object's symbols.
    pub symbol: u32,
    pub addend: i64,
}

/// Whether other objects can use a symbol.
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
    /// Its value is a number, not an address (`SHN_ABS`).
    Absolute,
    /// A common symbol (`SHN_COMMON`): all objects that declare it share one variable. Its value is the alignment.
    Common,
    /// Index into the object's sections.
    Section(u32),
    /// A section that is not linked: debugging information, or a section of a COMDAT group that is linked from another
    /// object.
    Dropped,
}

/// A symbol of an object.
#[derive(Debug, Clone, Copy)]
pub struct Symbol<'a> {
    pub name: &'a str,
    pub binding: Binding,
    pub def: SymbolDef,
    /// Whether it represents its section (`STT_SECTION`).
    pub is_section: bool,
    pub is_function: bool,
    /// Whether it has default visibility (`STV_DEFAULT`). Position-independent code loads the address of such a symbol from
    /// the GOT.
    pub is_visible: bool,
    pub value: u64,
    pub size: u64,
}

/// A COMDAT group: of all groups with the same signature, one is linked.
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
    /// What it says about how it was compiled.
    pub abi: AbiInfo<'a>,
}

/// The value for [`Section::hi_lo_pairs`], or the index of a low part without exactly one high part.
pub type HiLoPairs = std::result::Result<Vec<(u32, u32)>, u32>;

/// Rewrites a section whose code can be entered at `entries`. `near` says for each relocation whether its symbol is in the
/// module. `symbols` and `here` are as for [`RelaxGot`].
pub type RewriteAbsolute = fn(
    section: &mut Section,
    symbols: &[Symbol],
    here: SymbolDef,
    entries: &[u32],
    near: &[bool],
) -> HiLoPairs;

/// Makes code PC-relative that was compiled for absolute addresses.
#[derive(Debug)]
pub struct MakeRelative {
    /// Whether code can be entered at the target of a relocation, given the data of the relocation's section.
    pub is_entry: fn(reloc: &Reloc, data: &[u8]) -> bool,
    pub rewrite: RewriteAbsolute,
}

/// Replaces loads from the GOT by computations of the address, in place. `near` says for each relocation of the section
/// whether its symbol is in text. `symbols` are the object's symbols, and `here` is the definition of those in this
/// section.
pub type RelaxGot = fn(section: &mut Section, symbols: &[Symbol], here: SymbolDef, near: &[bool]);

/// Moves GOT offsets from words of text into instructions. All offsets are less than 256. Returns the words that are no
/// longer needed, in order. Distances in the section are already those without these words.
pub type InlineGot = fn(section: &mut Section, symbols: &[Symbol], here: SymbolDef) -> Vec<Cut>;

/// Shortens calls and padding. Returns the bytes of the section that can be removed, in order. `distance` is the distance
/// from each relocation to its symbol, if it is known; it can still grow by less than `slack`. If `last` is true, nothing
/// moves afterwards.
pub type RelaxCode =
    fn(section: &mut Section, flags: u32, distance: &[Option<i64>], slack: i64, last: bool) -> Vec<Cut>;

/// Bytes to remove from a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub offset: u32,
    pub len: u32,
}

/// Where offsets in a section are after cuts.
#[derive(Debug)]
pub struct Moves {
    cuts: Vec<Cut>,
    /// The number of bytes that are removed before each cut.
    before: Vec<u32>,
}

impl Moves {
    /// The effect of these cuts, which are in order.
    pub fn new(cuts: &[Cut]) -> Moves {
        let before = cuts.iter().scan(0, |total, cut| {
            let before = *total;
            *total += cut.len;
            Some(before)
        });
        Moves { cuts: cuts.to_vec(), before: before.collect() }
    }

    /// Where an offset is afterwards.
    pub fn of(&self, offset: i64) -> i64 {
        let next = self.cuts.partition_point(|cut| i64::from(cut.offset) < offset);
        let Some(at) = next.checked_sub(1) else { return offset };
        let inside = (offset - i64::from(self.cuts[at].offset)).min(i64::from(self.cuts[at].len));
        offset - i64::from(self.before[at]) - inside
    }
}
