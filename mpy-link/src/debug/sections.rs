//! Where the sections of an object are: at made-up addresses, and in the module.

use crate::layout::{Base, Layout, Region};
use crate::model::Kind;
use crate::resolve::{Program, Target};

/// The address of what is not in the module (as in LLVM's `dwarf::computeTombstoneAddress`).
pub const NOWHERE: u64 = u64::MAX;

/// Where the sections of an object are while its debug information is read.
pub struct Sections<'p, 'a> {
    pub program: &'p Program<'a>,
    pub layout: &'p Layout,
    /// The number of the object in the program.
    pub object: usize,
    /// Made-up address, size and ELF index of each loaded section, sorted.
    pub places: Vec<(u64, u64, usize)>,
}

impl Sections<'_, '_> {
    /// The section that a made-up address is in, and the offset there.
    pub fn locate(&self, address: u64) -> Option<(usize, u64)> {
        let after = self.places.partition_point(|(start, ..)| *start <= address);
        let (start, size, index) = *self.places.get(after.checked_sub(1)?)?;
        let offset = address - start;
        (offset <= size).then_some((index, offset))
    }

    /// The address in the module of an offset in a section, if that is linked.
    pub fn address(&self, section: usize, offset: u64) -> Option<u64> {
        let id = (*self.program.section_ids[self.object].get(section)?)?;
        let owned = &self.program.sections[id];
        let mut offset = i64::try_from(offset).ok()?;
        if owned.section.kind == Kind::Text {
            offset &= !self.program.arch.code_bit;
        }
        let offset = owned.moves.iter().fold(offset, |offset, moves| moves.of(offset));
        let (fragment, offset) = self.program.fragment_at(id, offset);
        let value = self.layout.value(self.program, Target::Fragment(fragment, offset));
        let Base::Region(region) = value.base else { return None };
        u64::try_from(value.offset).ok()?.checked_add(start(self.layout, region))
    }

    /// The addresses in the module of a range in a section. `None` if it is not linked, or empty.
    pub fn range(&self, section: usize, begin: u64, end: u64) -> Option<(u64, u64)> {
        let (begin, end) = (self.address(section, begin)?, self.address(section, end)?);
        (begin < end).then_some((begin, end))
    }
}

/// The address of a part in the symbol file.
pub fn start(layout: &Layout, region: Region) -> u64 {
    let block = u64::from(layout.text).next_multiple_of(16);
    match region {
        Region::Text => 0,
        Region::Bss => block,
        Region::Rodata => block + u64::from(layout.bss),
    }
}
