//! Layout: the block and the address of each fragment.
//!
//! The loader (`py/persistentcode.c`, `load_raw_code`) allocates two blocks. The first is text, which is loaded from the
//! file. The second is `.bss` followed by "rodata", which is loaded from the file. It is writable memory, so it contains the
//! initialised data, and nothing has to be copied. The distance between the blocks is unknown until the module is loaded.
//!
//! If text can be read byte by byte, constants are part of text. Variables that text addresses PC-relatively (`static`
//! variables in position-independent code) have to be at a known distance, so they are part of text as well. Every loader
//! puts text in writable RAM. This has two disadvantages. Zeros take space in the file. And on the ESP32-C3, MicroPython's
//! garbage collector does not search text for pointers, so a variable with the only pointer to a Python object has to be
//! in the other block. A global variable with default visibility is.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use target_specs::{Diagnostic, Result};

use crate::model::Kind;
use crate::reloc::Formula;
use crate::resolve::{External, FragmentId, Program, Target};

/// The most bytes of text and data that a module's file may have, many times what boards can load.
pub const LARGEST_FILE: u64 = 1 << 26;

/// A part of a loaded module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Region {
    Text,
    /// Initialised data.
    Rodata,
    Bss,
}

/// What an address is relative to, in the order of the loader's kinds of relocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Base {
    Region(Region),
    External(External),
    /// Nothing: it is a number.
    Zero,
}

/// An address, relative to a base that only the loader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    pub base: Base,
    pub offset: i64,
}

/// The addresses of everything that is linked.
#[derive(Debug)]
pub struct Layout {
    /// By fragment; `None` if it is not linked.
    pub slots: Vec<Option<(Region, u32)>>,
    pub text: u32,
    pub rodata: u32,
    pub bss: u32,
    /// The address of the GOT in text.
    pub got: u32,
    /// The jump to the entry at the start of text. Empty if the entry is there.
    pub jump: Vec<u8>,
    /// The address in text of a word with the address of the data block, see [`place`].
    pub anchor: Option<u32>,
}

impl Layout {
    /// The address of `target`.
    pub fn value(&self, program: &Program, target: Target) -> Value {
        match program.canonical(target) {
            Target::Fragment(fragment, offset) => match self.slots[fragment] {
                Some((region, address)) => {
                    Value { base: Base::Region(region), offset: offset.wrapping_add(i64::from(address)) }
                }
                // All fragments that reachable ones refer to are reachable.
                None => Value { base: Base::Zero, offset: 0 },
            },
            Target::Absolute(offset) => Value { base: Base::Zero, offset },
            Target::External(external) => Value { base: Base::External(external), offset: 0 },
            Target::Got => Value { base: Base::Region(Region::Text), offset: i64::from(self.got) },
            Target::UndefWeak => Value { base: Base::Zero, offset: 0 },
        }
    }
}

/// The region of each fragment.
pub fn regions(program: &Program, byte_readable_text: bool) -> Vec<Option<Region>> {
    let mut regions: Vec<Option<Region>> = program
        .fragments
        .iter()
        .map(|fragment| {
            let kind = program.sections[fragment.section].section.kind;
            let region = match kind {
                Kind::Literals | Kind::Text => Region::Text,
                Kind::Rodata if byte_readable_text => Region::Text,
                Kind::Rodata | Kind::Data => Region::Rodata,
                Kind::Bss | Kind::Tls | Kind::Constructors => Region::Bss,
            };
            (fragment.live && fragment.alias.is_none()).then_some(region)
        })
        .collect();
    if byte_readable_text {
        join(program, &mut regions);
    }
    regions
}

/// Moves fragments to text if they have to be at a known distance from it.
fn join(program: &Program, regions: &mut [Option<Region>]) {
    // Sets of fragments at known distances from each other: a forest (union-find).
    let mut parents: Vec<FragmentId> = (0..regions.len()).collect();
    fn root(parents: &mut [FragmentId], mut id: FragmentId) -> FragmentId {
        while parents[id] != id {
            parents[id] = parents[parents[id]];
            id = parents[id];
        }
        id
    }
    let mut in_text: Vec<FragmentId> = Vec::new();
    for (id, fragment) in program.fragments.iter().enumerate() {
        if regions[id].is_none() {
            continue;
        }
        if regions[id] == Some(Region::Text) {
            in_text.push(id);
        }
        let owned = &program.sections[fragment.section];
        for reloc in &owned.section.relocs[fragment.relocs.clone()] {
            let Some(row) = program.arch.row(reloc.r_type) else { continue };
            let target = match row.formula {
                Formula::Relative(_) | Formula::Jump(_) | Formula::ThumbBranch | Formula::FromGot => {
                    program.resolve_reloc(owned.object, reloc, row.formula)
                }
                _ => continue,
            };
            let Some((Target::Fragment(target, _), _)) = target else { continue };
            let (target, _) = program.linked(target);
            if matches!(row.formula, Formula::FromGot) {
                in_text.push(target);
            } else if regions[target] != regions[id] {
                let (a, b) = (root(&mut parents, id), root(&mut parents, target));
                parents[a] = b;
            }
        }
    }
    let mut is_text = vec![false; regions.len()];
    for id in in_text {
        is_text[root(&mut parents, id)] = true;
    }
    for id in 0..regions.len() {
        if regions[id].is_some() && is_text[root(&mut parents, id)] {
            regions[id] = Some(Region::Text);
        }
    }
}

/// Assigns addresses.
///
/// MicroPython's garbage collector keeps a block if there is a pointer to its *start*. On most boards it searches text for
/// such pointers. So the data block starts with a variable whose address is in a word of text. If there is none, a word is
/// added for it: the anchor.
///
/// # Errors
/// `unsupported-alignment`, `too-large`, and `no-entry` if the entry is too far from the start of text.
pub fn place(program: &Program, regions: &[Option<Region>], got_len: usize, anchor: bool) -> Result<Layout> {
    let Some(Target::Fragment(entry_fragment, entry_offset)) = program.entry() else {
        return Err(Diagnostic::new("no-entry", "the entry of the module is not code"));
    };
    let first = first_of_block(program, regions);
    let mut orders: [Vec<FragmentId>; 3] = Default::default();
    for (id, region) in regions.iter().enumerate() {
        if let Some(region) = region {
            orders[*region as usize].push(id);
        }
    }
    orders[Region::Text as usize].sort_by_key(|&id| text_order(program, id, entry_fragment));
    for region in [Region::Rodata, Region::Bss] {
        orders[region as usize].sort_by_key(|&id| (Some(id) != first, Reverse(program.fragments[id].align)));
    }

    // Thumb functions have odd addresses.
    let entry_offset = entry_offset & !program.arch.code_bit;
    let mut jump = Vec::new();
    loop {
        let layout = assign(program, &orders, got_len, anchor, jump.clone())?;
        let Some((_, address)) = layout.slots[entry_fragment] else {
            return Err(Diagnostic::new("no-entry", "the entry of the module is not code"));
        };
        let distance = i64::from(address).wrapping_add(entry_offset);
        if distance == 0 {
            return Ok(layout);
        }
        let too_far = || Diagnostic::new("out-of-range", "the module's entry is too far from its start");
        let code = (program.arch.jump)(distance).ok_or_else(too_far)?;
        if code.len() <= jump.len() {
            return Ok(Layout { jump: code, ..layout });
        }
        // A longer jump moves the entry away, so this terminates.
        jump = code;
    }
}

fn text_order(program: &Program, id: FragmentId, entry: FragmentId) -> (u8, Reverse<u32>) {
    let fragment = &program.fragments[id];
    let owned = &program.sections[fragment.section];
    let has_words = !fragment.relocs.is_empty();
    let class = match owned.section.kind {
        // Literals that the loader relocates come first, so that a run of them needs one relocation.
        Kind::Literals if has_words => 0,
        Kind::Literals => 1,
        Kind::Text if id == entry => 2,
        Kind::Text => 3,
        _ if has_words => GOT_AFTER,
        Kind::Rodata => FILLER,
        Kind::Data => FILLER + 1,
        _ => FILLER + 2,
    };
    (class, Reverse(fragment.align))
}

/// The class in [`text_order`] that is followed by the GOT, so that all words that the loader relocates are together.
const GOT_AFTER: u8 = 4;
/// The class of constants that can be anywhere in text.
const FILLER: u8 = 5;

/// The fragment of the data block that should come first: one whose address is in a word of text.
fn first_of_block(program: &Program, regions: &[Option<Region>]) -> Option<FragmentId> {
    let mut best = None;
    for (id, fragment) in program.fragments.iter().enumerate() {
        if regions[id] != Some(Region::Text) {
            continue;
        }
        let owned = &program.sections[fragment.section];
        for reloc in &owned.section.relocs[fragment.relocs.clone()] {
            let Some(row) = program.arch.row(reloc.r_type) else { continue };
            let word = matches!(row.formula, Formula::Absolute | Formula::GotEntry | Formula::GotOffset);
            if !word {
                continue;
            }
            if let Some((target @ Target::Fragment(..), addend)) =
                program.resolve_reloc(owned.object, reloc, row.formula)
            {
                let Target::Fragment(target, offset) = program.canonical(target) else { continue };
                let addend = if matches!(row.formula, Formula::Absolute) { addend } else { 0 };
                let rank = match regions[target] {
                    Some(Region::Bss) => 2,
                    Some(Region::Rodata) => 1,
                    _ => 0,
                };
                if offset.wrapping_add(addend) == 0 && rank > best.map_or(0, |(rank, _)| rank) {
                    best = Some((rank, target));
                }
            }
        }
    }
    best.map(|(_, fragment)| fragment)
}

/// Assigns the addresses of all fragments in order.
fn assign(
    program: &Program,
    orders: &[Vec<FragmentId>; 3],
    got_len: usize,
    anchor: bool,
    jump: Vec<u8>,
) -> Result<Layout> {
    let word = u32::from(program.arch.word);
    let block_align = 4 * word;
    let mut slots = vec![None; program.fragments.len()];
    let mut layout = Layout { slots: Vec::new(), text: 0, rodata: 0, bss: 0, got: 0, jump, anchor: None };

    let mut end = Cursor { at: layout.jump.len() as u64 };
    let class = |id: FragmentId| text_order(program, id, FragmentId::MAX).0;
    let order = &orders[Region::Text as usize];
    // Constants without relocations fill the gaps that alignment leaves.
    let fillers = order.iter().filter(|&&id| class(id) == FILLER);
    let mut fillers: BTreeSet<(u32, FragmentId)> =
        fillers.map(|&id| (program.fragments[id].len, id)).collect();
    let mut got_done = false;
    for &id in order {
        if !got_done && class(id) > GOT_AFTER {
            end.fill(program, word, &mut fillers, &mut slots);
            layout.got = place_got(&mut end, got_len, anchor, word, &mut layout.anchor)?;
            got_done = true;
        }
        if class(id) == FILLER {
            if !fillers.remove(&(program.fragments[id].len, id)) {
                continue;
            }
        } else {
            end.fill(
                program,
                program.fragments[id].align.min(program.arch.text_align),
                &mut fillers,
                &mut slots,
            );
        }
        let at = end.put(program, id, program.arch.text_align)?;
        slots[id] = Some((Region::Text, at));
    }
    if !got_done {
        layout.got = place_got(&mut end, got_len, anchor, word, &mut layout.anchor)?;
    }
    layout.text = end.size_in_file()?;

    let mut end = Cursor { at: 0 };
    for &id in &orders[Region::Bss as usize] {
        slots[id] = Some((Region::Bss, end.put(program, id, block_align)?));
    }
    let rodata = &orders[Region::Rodata as usize];
    if !rodata.is_empty() && end.at > 0 {
        // "rodata" follows directly.
        let align = rodata.iter().map(|&id| program.fragments[id].align).max().unwrap_or(1).min(block_align);
        end.align(align.max(word));
    }
    layout.bss = end.size()?;

    let mut end = Cursor { at: 0 };
    for &id in rodata {
        slots[id] = Some((Region::Rodata, end.put(program, id, block_align)?));
    }
    layout.rodata = end.size_in_file()?;
    layout.slots = slots;
    Ok(layout)
}

fn place_got(end: &mut Cursor, got_len: usize, anchor: bool, word: u32, at: &mut Option<u32>) -> Result<u32> {
    if got_len > 0 || anchor {
        end.align(word);
    }
    let address = end.size()?;
    end.at += u64::from(word) * got_len as u64;
    if anchor {
        *at = Some(end.size()?);
        end.at += u64::from(word);
    }
    Ok(address)
}

/// The current end of a region.
struct Cursor {
    at: u64,
}

impl Cursor {
    fn align(&mut self, align: u32) {
        self.at = self.at.next_multiple_of(u64::from(align));
    }

    /// Fills the gap before the next multiple of `align` with the largest constants that fit.
    fn fill(
        &mut self,
        program: &Program,
        align: u32,
        fillers: &mut BTreeSet<(u32, FragmentId)>,
        slots: &mut [Option<(Region, u32)>],
    ) {
        /// The number of constants to try: one may be small enough, but not aligned.
        const TRIES: usize = 8;
        let end = self.at.next_multiple_of(u64::from(align));
        loop {
            let gap = end - self.at;
            let fits = |&&(len, id): &&(u32, FragmentId)| {
                self.at.is_multiple_of(u64::from(program.fragments[id].align)) && u64::from(len) <= gap
            };
            let largest = fillers.range(..(gap as u32 + 1, 0)).rev().take(TRIES);
            let Some(&(len, id)) = largest.into_iter().find(fits) else { return };
            fillers.remove(&(len, id));
            slots[id] = Some((Region::Text, self.at as u32));
            self.at += u64::from(len);
        }
    }

    fn put(&mut self, program: &Program, id: FragmentId, limit: u32) -> Result<u32> {
        let fragment = &program.fragments[id];
        if fragment.align > limit.max(program.arch.preferred_align) {
            return Err(Diagnostic::new(
                "unsupported-alignment",
                format!("an alignment of {} bytes: the loader guarantees only {limit} here", fragment.align),
            )
            .at(program.section_place(fragment.section, None))
            .help("lower the alignment, or align a pointer into a larger array at run time"));
        }
        self.align(fragment.align.min(limit));
        let at = self.size()?;
        self.at += u64::from(fragment.len);
        Ok(at)
    }

    /// The end of the region.
    fn size(&self) -> Result<u32> {
        const LIMIT: u64 = 1 << 28;
        if self.at > LIMIT {
            return Err(Diagnostic::new("too-large", format!("the module needs more than {LIMIT} bytes")));
        }
        Ok(self.at as u32)
    }

    /// The end of a region that is in the file.
    fn size_in_file(&self) -> Result<u32> {
        if self.at > LARGEST_FILE {
            let message = format!("the module's file needs more than {LARGEST_FILE} bytes");
            return Err(Diagnostic::new("too-large", message).help(
                "static variables of position-independent code are stored in the file, zeros included: give large ones default \
                 visibility",
            ));
        }
        self.size()
    }
}
