//! The description of an architecture.

use crate::abi::{AbiInfo, Property};
use crate::model::{InlineGot, MakeRelative, RelaxCode, RelaxGot};
use crate::reloc::Row;

/// Code that jumps to an address anywhere, and changes no register that contains an argument of a function with three.
#[derive(Debug)]
pub struct Stub {
    pub code: &'static [u8],
    /// The offset of the first instruction.
    pub entry: u8,
    /// The offset of the word with the address.
    pub word: u8,
    /// The relocation type of that word.
    pub r_type: u32,
}

/// An architecture, as the linker needs it. What the other stages need is in [`target_specs::Arch`].
#[derive(Debug)]
pub struct Arch {
    /// The name: [`target_specs::Arch::name`].
    pub name: &'static str,
    /// `e_machine`.
    pub machine: u16,
    /// The size in bytes of a word, which is what the loader relocates. If it is 8, ELF files are 64-bit ones.
    pub word: u8,
    /// Whether instructions load addresses and constants from `.literal` sections, which have to be before them.
    pub literals: bool,
    /// The relocation types, sorted by number.
    pub rows: &'static [Row],
    /// The relocation types whose addend is the sum of the field and the addend in the RELA section.
    pub in_place: &'static [u32],
    /// The largest alignment of the start of text that every loader guarantees. Blocks of MicroPython's heap start at a
    /// multiple of four words.
    pub text_align: u32,
    /// The largest alignment that compilers request only for speed. A smaller one is acceptable.
    pub preferred_align: u32,
    /// The part of a PC-relative addend that is not an offset from the symbol: on x86, the distance is relative to the end
    /// of the field. If the symbol is a section, the rest of the addend selects an object in it.
    pub relative_bias: i64,
    /// Code at the start of text that jumps forward by `distance` bytes; `None` if this is too far. It may be shorter for
    /// shorter distances.
    pub jump: fn(distance: i64) -> Option<Vec<u8>>,
    /// How code calls functions of MicroPython.
    pub stub: Stub,
    /// What to do about an absolute address that the loader cannot relocate.
    pub absolute_help: &'static str,
    /// The bit of a function's address that is not part of the address: 1 for Thumb.
    pub code_bit: i64,
    /// The properties of objects that have to match the architecture or each other.
    pub properties: &'static [Property],
    /// The extensions that the header of a `.mpy` file can name, and their bits.
    pub declared: &'static [(&'static str, u32)],
    /// The extensions that an object was compiled for, as those bits.
    pub extensions: fn(&AbiInfo) -> u32,
    /// Whether the code at a GOT offset adds a register with the address of the GOT. Without one, it would read from a fixed
    /// address.
    pub got_is_based: fn(code_before: &[u8]) -> bool,
    /// How absolute addresses in instructions are made PC-relative.
    pub make_relative: Option<MakeRelative>,
    /// How loads from the GOT are replaced.
    pub relax_got: Option<RelaxGot>,
    /// How GOT offsets are moved into instructions.
    pub inline_got: Option<InlineGot>,
    /// How code is shortened.
    pub relax_code: Option<RelaxCode>,
}

impl Arch {
    /// The row of relocation type `r_type`.
    pub fn row(&self, r_type: u32) -> Option<&'static Row> {
        let rows: &'static [Row] = self.rows;
        rows.binary_search_by_key(&r_type, |row| row.r_type).ok().map(|at| &rows[at])
    }
}
