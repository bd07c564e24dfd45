//! How the linker describes an architecture.

use crate::abi::{AbiInfo, Property};
use crate::model::{InlineGot, MakeRelative, RelaxCode, RelaxGot};
use crate::reloc::Row;

/// A machine as the linker sees it; [`target_specs::Arch`] holds what the other stages see.
#[derive(Debug)]
pub struct Arch {
    /// As in [`target_specs::Arch::name`].
    pub name: &'static str,
    /// `e_machine`.
    pub machine: u16,
    /// Bytes of a word, which is what the loader relocates; 8 goes with ELF's 64-bit class.
    pub word: u8,
    /// Instructions load addresses and constants from `.literal` sections that lie before them.
    pub literals: bool,
    /// Sorted by number.
    pub rows: &'static [Row],
    /// Relocations whose field counts besides the addend of their RELA entry.
    pub in_place: &'static [u32],
    /// Largest alignment that every loader gives the start of text. Blocks from MicroPython's heap
    /// start at a multiple of four words.
    pub text_align: u32,
    /// Alignments up to this are the compiler's wish for speed, which need not be granted in full.
    pub preferred_align: u32,
    /// What a PC-relative addend holds besides the distance from the symbol: on x86 it is relative
    /// to the end of the instruction's last field. Needed to find the datum meant when the symbol
    /// is a section of mergeable data.
    pub relative_bias: i64,
    /// Code at the start of text that continues `distance` bytes further on; `None` when that is
    /// too far. A shorter distance may give shorter code.
    pub jump: fn(distance: i64) -> Option<Vec<u8>>,
    /// What to do about an absolute address that the loader cannot write.
    pub absolute_help: &'static str,
    /// The bit of a function's address that is not part of it: 1 for Thumb.
    pub code_bit: i64,
    /// What of objects has to fit the machine, or each other.
    pub properties: &'static [Property],
    /// Extensions of the instruction set that an object was compiled for and the loader is to be told of.
    pub extensions: fn(&AbiInfo) -> u32,
    /// Whether the code at a look-up in the GOT counts from a register that holds its address; a
    /// look-up without one would read from a fixed address.
    pub got_is_based: fn(code_before: &[u8]) -> bool,
    pub make_relative: Option<MakeRelative>,
    pub relax_got: Option<RelaxGot>,
    pub inline_got: Option<InlineGot>,
    pub relax_code: Option<RelaxCode>,
}

impl Arch {
    /// The row of relocation number `r_type`.
    pub fn row(&self, r_type: u32) -> Option<&'static Row> {
        let rows: &'static [Row] = self.rows;
        rows.binary_search_by_key(&r_type, |row| row.r_type).ok().map(|at| &rows[at])
    }
}
