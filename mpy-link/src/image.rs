//! Relocation: the contents of the regions, and the list of the relocations that are left to the loader.

use target_specs::{Diagnostic, Result};

use crate::got::Got;
use crate::layout::{Base, Layout, Region, Value};
use crate::model::{Kind, Reloc, Section};
use crate::reloc::{Field, Formula, Misfit, Range, Row};
use crate::resolve::{self, External, FragmentId, Program, SectionId, Target};

/// A word that the loader adds an address to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadReloc {
    /// Text or rodata.
    pub region: Region,
    /// The index of the word in that region.
    pub word: u32,
    pub base: Base,
}

/// The contents of a module.
#[derive(Debug)]
pub struct Contents {
    pub text: Vec<u8>,
    pub rodata: Vec<u8>,
    /// Sorted by address.
    pub relocs: Vec<LoadReloc>,
}

/// The range of the low part of an address.
static LOW: Field = Field::number(4, &[], Range::Signed(12));

/// What the formulas of relocations need.
pub struct Linker<'p, 'a> {
    pub program: &'p Program<'a>,
    pub layout: &'p Layout,
    pub got: &'p Got,
}

/// A relocation and its place.
#[derive(Clone, Copy)]
struct Site<'r> {
    section: SectionId,
    /// The index of the relocation in the section.
    index: usize,
    reloc: &'r Reloc,
    row: &'static Row,
    region: Region,
    /// The address of the field in its region.
    address: u32,
}

impl Linker<'_, '_> {
    /// The contents of text and rodata, and the relocations that are left to the loader.
    ///
    /// # Errors
    /// `out-of-range`, `unaligned-target`, `absolute-address`, `distant-data`, `malformed-object`.
    pub fn fill(&self) -> Result<Contents> {
        let mut contents = Contents {
            text: vec![0; self.layout.text as usize],
            rodata: vec![0; self.layout.rodata as usize],
            relocs: Vec::new(),
        };
        contents.text[..self.layout.jump.len()].copy_from_slice(&self.layout.jump);
        for (id, slot) in self.layout.slots.iter().enumerate() {
            let Some((region, address)) = *slot else { continue };
            let block = match region {
                Region::Text => &mut contents.text,
                Region::Rodata => &mut contents.rodata,
                Region::Bss => continue,
            };
            let bytes = resolve::bytes(self.program, id);
            let start = address as usize;
            block[start..start + bytes.len()].copy_from_slice(bytes);
            let end = start + self.program.fragments[id].len as usize;
            self.relocate(id, region, address, &mut block[start..end], &mut contents.relocs)?;
        }
        self.fill_got(&mut contents);
        contents.relocs.sort_unstable();
        Ok(contents)
    }

    fn fill_got(&self, contents: &mut Contents) {
        let word = usize::from(self.program.arch.word);
        let mut put = |address: u32, value: Value| {
            let address = address as usize;
            contents.text[address..address + word].copy_from_slice(&value.offset.to_le_bytes()[..word]);
            if value.base != Base::Zero {
                let word = (address / word) as u32;
                contents.relocs.push(LoadReloc { region: Region::Text, word, base: value.base });
            }
        };
        for (number, &target) in self.got.entries().iter().enumerate() {
            put(self.layout.got + (number * word) as u32, self.layout.value(self.program, target));
        }
        if let Some(anchor) = self.layout.anchor {
            put(anchor, Value { base: Base::Region(self.block()), offset: 0 });
        }
    }

    /// The region that the data block starts with.
    fn block(&self) -> Region {
        if self.layout.bss > 0 { Region::Bss } else { Region::Rodata }
    }

    /// Whether a word of text holds the address of the data block, or there is no such block.
    pub fn is_anchored(&self, contents: &Contents) -> bool {
        if self.layout.bss == 0 && self.layout.rodata == 0 {
            return true;
        }
        let word = usize::from(self.program.arch.word);
        contents.relocs.iter().any(|reloc| {
            let start = reloc.word as usize * word;
            reloc.region == Region::Text
                && reloc.base == Base::Region(self.block())
                && contents.text[start..start + word].iter().all(|&byte| byte == 0)
        })
    }

    fn relocate(
        &self,
        fragment: FragmentId,
        region: Region,
        address: u32,
        bytes: &mut [u8],
        loads: &mut Vec<LoadReloc>,
    ) -> Result<()> {
        let start = self.program.fragments[fragment].start;
        let section = self.program.fragments[fragment].section;
        for index in self.program.fragments[fragment].relocs.clone() {
            let reloc = &self.program.sections[section].section.relocs[index];
            // The types of all relocations of reachable fragments are known.
            let Some(row) = self.program.arch.row(reloc.r_type) else { continue };
            let at = (reloc.offset - start) as usize;
            let place = bytes.get_mut(at..).unwrap_or_default();
            let site = Site { section, index, reloc, row, region, address: address + at as u32 };
            if let Some(load) = self.apply(site, place)? {
                loads.push(load);
            }
        }
        Ok(())
    }

    /// Applies a relocation to `place`, the bytes of the fragment from its field on.
    fn apply(&self, site: Site, place: &mut [u8]) -> Result<Option<LoadReloc>> {
        let (formula, field) = match site.row.formula {
            Formula::ByInstruction(decode) => decode(place).ok_or_else(|| {
                Diagnostic::new(
                    "malformed-object",
                    format!("{} at an instruction without an address", site.row.name),
                )
                .at(self.place(site))
            })?,
            formula => (formula, site.row.field),
        };
        let value = match formula {
            Formula::None | Formula::Align | Formula::Refuse(_) | Formula::ByInstruction(_) => {
                return Ok(None);
            }
            Formula::Absolute => return self.absolute(site, field, place),
            Formula::Add | Formula::Set => {
                let value = self.half_of_difference(site)?;
                let old = if matches!(formula, Formula::Set) { 0 } else { field.read(place).unwrap_or(0) };
                old.wrapping_add(value)
            }
            Formula::Subtract => {
                let value = self.half_of_difference(site)?;
                field.read(place).unwrap_or(0).wrapping_sub(value)
            }
            Formula::LowOfPair => self.low_of_pair(site)?,
            Formula::Low => match self.high_part(site) {
                Some(high) => self.low_part(site, high)?,
                None => self.absolute_part(site)?,
            },
            Formula::High => self.absolute_part(site)?,
            _ => self.distance(site, formula)?,
        };
        self.write(site, field, place, value)?;
        Ok(None)
    }

    /// The value of a formula that needs no relocation by the loader, and no other relocation.
    fn distance(&self, site: Site, formula: Formula) -> Result<i64> {
        let (value, addend) = self.operands(site, formula)?;
        let here = i64::from(site.address);
        let got = i64::from(self.layout.got);
        let entry = || {
            let target = self.program.resolve_symbol(self.object(site), site.reloc.symbol as usize);
            let number = target.and_then(|target| self.got.number(self.program, target)).unwrap_or(0);
            number as i64 * i64::from(self.program.arch.word)
        };
        let addend_only = |value: i64| value.wrapping_add(addend);
        Ok(match formula {
            Formula::Relative(pc) | Formula::Jump(pc) => {
                if self.is_undef_weak(site) {
                    return match formula {
                        Formula::Jump(_) => Ok(0),
                        _ => Err(self.undef_weak(site)),
                    };
                }
                self.must_be_in(site, site.region, value)?;
                addend_only(value.offset).wrapping_sub(pc.of(here))
            }
            Formula::ThumbBranch => {
                if self.is_undef_weak(site) {
                    return Ok(0);
                }
                self.must_be_in(site, site.region, value)?;
                addend_only(value.offset & !1).wrapping_sub(here)
            }
            Formula::GotEntry => {
                self.must_be_in(site, site.region, Value { base: Base::Region(Region::Text), offset: 0 })?;
                addend_only(got.wrapping_add(entry())).wrapping_sub(here)
            }
            Formula::GotOffset => {
                let data = &self.program.sections[site.section].section.data;
                let before = data.get(..site.reloc.offset as usize).unwrap_or_default();
                if !(self.program.arch.got_is_based)(before) {
                    return Err(self.fixed_address(site));
                }
                addend_only(entry())
            }
            Formula::GotAddress => {
                self.must_be_in(site, site.region, Value { base: Base::Region(Region::Text), offset: 0 })?;
                addend_only(got).wrapping_sub(here)
            }
            Formula::FromGot => {
                self.must_be_in(site, Region::Text, value)?;
                addend_only(value.offset).wrapping_sub(got)
            }
            Formula::Size => {
                let symbol = self.program.objects[self.object(site)].symbols.get(site.reloc.symbol as usize);
                addend_only(symbol.map_or(0, |symbol| symbol.size as i64))
            }
            _ => 0,
        })
    }

    fn object(&self, site: Site) -> usize {
        self.program.sections[site.section].object
    }

    /// The address of the symbol, and the addend.
    fn operands(&self, site: Site, formula: Formula) -> Result<(Value, i64)> {
        match self.program.resolve_reloc(self.object(site), site.reloc, formula) {
            Some((target, addend)) => Ok((self.layout.value(self.program, target), addend)),
            None => Err(Diagnostic::new(
                "undefined-symbol",
                format!("undefined symbol `{}`", self.program.symbol_name(site.section, site.reloc)),
            )
            .at(self.place(site))),
        }
    }

    fn is_undef_weak(&self, site: Site) -> bool {
        self.program.resolve_symbol(self.object(site), site.reloc.symbol as usize) == Some(Target::UndefWeak)
    }

    fn fixed_address(&self, site: Site) -> Diagnostic {
        let name = self.program.symbol_name(site.section, site.reloc);
        Diagnostic::new(
            "absolute-address",
            format!("{} needs the address of `{name}`, which only the loader knows", site.row.name),
        )
        .at(self.place(site))
        .help(self.program.arch.absolute_help)
    }

    fn undef_weak(&self, site: Site) -> Diagnostic {
        let name = self.program.symbol_name(site.section, site.reloc);
        Diagnostic::new(
            "undefined-symbol",
            format!("undefined weak symbol `{name}`, addressed relative to code"),
        )
        .at(self.place(site))
        .help(self.program.arch.absolute_help)
    }

    fn absolute(&self, site: Site, field: &'static Field, place: &mut [u8]) -> Result<Option<LoadReloc>> {
        let (value, addend) = self.operands(site, Formula::Absolute)?;
        let address = value.offset.wrapping_add(addend);
        if value.base == Base::Zero {
            self.write(site, field, place, address)?;
            return Ok(None);
        }
        let word = self.program.arch.word;
        let name = self.program.symbol_name(site.section, site.reloc);
        let is_word = field.bytes == word && matches!(field.bits, [all] if all.count == word * 8);
        if !is_word {
            return Err(self.fixed_address(site));
        }
        if !site.address.is_multiple_of(u32::from(word)) {
            return Err(Diagnostic::new(
                "absolute-address",
                format!("the address of `{name}` is in a word that is not aligned, which the loader cannot relocate"),
            )
            .at(self.place(site))
            .help(match self.program.sections[site.section].section.kind {
                // An instruction is not an aligned word.
                Kind::Text => self.program.arch.absolute_help,
                _ => "a packed structure cannot contain an unaligned pointer",
            }));
        }
        // The loader's addition wraps in the same way.
        let Some(place) = place.get_mut(..usize::from(word)) else {
            return Err(self.misfit(site, field, address, Misfit::Truncated));
        };
        place.copy_from_slice(&address.to_le_bytes()[..usize::from(word)]);
        Ok(Some(LoadReloc { region: site.region, word: site.address / u32::from(word), base: value.base }))
    }

    /// S + A of one of the two relocations of a difference. Both symbols must be in the same region.
    fn half_of_difference(&self, site: Site) -> Result<i64> {
        let (value, addend) = self.operands(site, site.row.formula)?;
        let value_base = value.base;
        if value_base != Base::Zero {
            // Both are at the same offset, and relocations are sorted by offset.
            let relocs = &self.program.sections[site.section].section.relocs;
            let first = relocs.partition_point(|other| other.offset < site.reloc.offset);
            let here = relocs[first..].iter().take_while(|other| other.offset == site.reloc.offset);
            let is_other_half = |other: &&Reloc| {
                let formula = self.program.arch.row(other.r_type).map(|row| row.formula);
                match site.row.formula {
                    Formula::Subtract => matches!(formula, Some(Formula::Add | Formula::Set)),
                    _ => matches!(formula, Some(Formula::Subtract)),
                }
            };
            let fits = here.take(4).find(is_other_half).is_some_and(|other| {
                let value = self.operands(Site { reloc: other, ..site }, site.row.formula);
                value.is_ok_and(|(other, _)| other.base == value_base)
            });
            if !fits {
                return Err(self.distant(site));
            }
        }
        Ok(value.offset.wrapping_add(addend))
    }

    /// The value of the relocation at the symbol, which is the label of an `auipc`.
    fn low_of_pair(&self, site: Site) -> Result<i64> {
        let lost = || {
            Diagnostic::new(
                "malformed-object",
                format!("{} has no relocation with the high part", site.row.name),
            )
            .at(self.place(site))
        };
        let Some((Target::Fragment(fragment, offset), _)) =
            self.program.resolve_reloc(self.object(site), site.reloc, site.row.formula)
        else {
            return Err(lost());
        };
        let section = self.program.fragments[fragment].section;
        let start = self.program.fragments[fragment].start;
        let wanted = i64::from(start).wrapping_add(offset);
        let relocs = &self.program.sections[section].section.relocs;
        let first = relocs.partition_point(|reloc| i64::from(reloc.offset) < wanted);
        let (region, address) = self.layout.slots[fragment].ok_or_else(lost)?;
        for reloc in relocs[first..].iter().take(4).take_while(|reloc| i64::from(reloc.offset) == wanted) {
            let Some(row) = self.program.arch.row(reloc.r_type) else { continue };
            if matches!(row.formula, Formula::Relative(_) | Formula::GotEntry) {
                let address = address + (reloc.offset - start);
                return self
                    .distance(Site { section, index: first, reloc, row, region, address }, row.formula);
            }
        }
        Err(lost())
    }

    /// The relocation with the high part of the address, if the linker has found it (`Section::hi_lo_pairs`).
    fn high_part<'r>(&'r self, site: Site<'r>) -> Option<Site<'r>> {
        let Section { relocs, hi_lo_pairs, .. } = &self.program.sections[site.section].section;
        let at = hi_lo_pairs.binary_search_by_key(&(site.index as u32), |&(low, _)| low).ok()?;
        let index = hi_lo_pairs[at].1 as usize;
        let reloc = &relocs[index];
        let address = site.address.wrapping_add(reloc.offset).wrapping_sub(site.reloc.offset);
        Some(Site { index, reloc, row: self.program.arch.row(reloc.r_type)?, address, ..site })
    }

    /// The low part of the distance from the instruction with the high part.
    fn low_part(&self, site: Site, high: Site) -> Result<i64> {
        let upper = self.distance(high, high.row.formula)?.wrapping_add(0x800) & !0xfff;
        let whole = self.distance(Site { reloc: site.reloc, ..high }, high.row.formula)?;
        let low = whole.wrapping_sub(upper);
        if (-0x800..0x800).contains(&low) {
            return Ok(low);
        }
        Err(self.misfit(site, &LOW, low, Misfit::OutOfRange))
    }

    /// A part of an absolute address in two instructions. The address must be a number.
    fn absolute_part(&self, site: Site) -> Result<i64> {
        let (value, addend) = self.operands(site, site.row.formula)?;
        if value.base == Base::Zero {
            return Ok(value.offset.wrapping_add(addend));
        }
        Err(self.fixed_address(site))
    }

    fn must_be_in(&self, site: Site, region: Region, value: Value) -> Result<()> {
        if value.base == Base::Region(region) { Ok(()) } else { Err(self.distant(site)) }
    }

    fn distant(&self, site: Site) -> Diagnostic {
        let name = self.program.symbol_name(site.section, site.reloc);
        let kind = self.program.sections[site.section].section.kind;
        let base = self.operands(site, site.row.formula).map(|(value, _)| value.base);
        let external = matches!(base, Ok(Base::External(_)));
        let symbols = &self.program.objects[self.object(site)].symbols;
        let is_visible = symbols.get(site.reloc.symbol as usize).is_some_and(|symbol| symbol.is_visible);
        let help = if kind != Kind::Text {
            "a difference of addresses is known only within one part of the module"
        } else if base == Ok(Base::Zero) {
            "the address is fixed, and the distance is not: call it through a pointer, or compile with -mlong-calls (Xtensa: \
             -mlongcalls)"
        } else if is_visible {
            // The compiler assumed that it is in the same program.
            self.program.arch.absolute_help
        } else if external {
            "MicroPython's objects are accessed through the GOT: declare them with default visibility"
        } else {
            "only the loader knows its distance from the code: give it default visibility, so that it is accessed through the GOT"
        };
        Diagnostic::new("distant-data", format!("{} cannot reach `{name}`", site.row.name))
            .at(self.place(site))
            .help(help)
    }

    fn write(&self, site: Site, field: &Field, place: &mut [u8], value: i64) -> Result<()> {
        let value = if self.program.arch.word == 4 { field.range.wrap_32(value) } else { value };
        field.write(place, value).map_err(|misfit| self.misfit(site, field, value, misfit))
    }

    fn misfit(&self, site: Site, field: &Field, value: i64, misfit: Misfit) -> Diagnostic {
        let name = self.program.symbol_name(site.section, site.reloc);
        let (low, high) = field.range.bounds();
        let diagnostic = match misfit {
            Misfit::OutOfRange => Diagnostic::new(
                "out-of-range",
                format!("{} against `{name}`: {value} is not in the range {low} to {high}", site.row.name),
            )
            .help(
                "the module is too large for this instruction: split the function, or compile for long calls",
            ),
            Misfit::Misaligned => Diagnostic::new(
                "unaligned-target",
                format!("{} against `{name}`: {value} is not a multiple of {}", site.row.name, field.align),
            ),
            Misfit::Truncated => Diagnostic::new(
                "malformed-object",
                format!("{} is beyond the end of its section", site.row.name),
            ),
        };
        diagnostic.at(self.place(site))
    }

    fn place(&self, site: Site) -> target_specs::Place {
        self.program.section_place(site.section, Some(site.reloc.offset))
    }
}

/// The loader's number of a base (`mp_native_relocate`).
pub fn load_kind(base: Base) -> u8 {
    match base {
        Base::Region(Region::Text) => 0,
        Base::Region(Region::Rodata) => 1,
        Base::Region(Region::Bss) => 2,
        Base::External(External::Qstrs) => 6,
        Base::External(External::Objects) => 7,
        Base::External(External::FunTable) => 8,
        Base::External(External::FunEntry(entry)) => 9 + entry,
        // Never a load-time relocation.
        Base::Zero => 0,
    }
}
