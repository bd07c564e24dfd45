//! The symbol file of a module: an ELF file for debuggers, with text at address 0.
//!
//! Its debug information (DWARF) is that of an object. Compilers write it for sections at unknown addresses, of which the linker
//! here shortens some (`relax`). The debug information is therefore relocated for addresses that are made up, at which no section
//! overlaps another. Then it is read (`convert`), each address becomes a section and an offset, and these become the address in
//! the module. Code that is not in the module is left out.
//!
//! The data block follows text here. In a loaded module it is anywhere.

mod convert;
mod image;
mod sections;
mod symbols;

pub use symbols::Symbols;

use std::collections::HashMap;

use object::read::elf::{ElfFile, SectionHeader as _};
use object::{LittleEndian, Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget};
use target_specs::{Diagnostic, Place, Result};

use sections::{Sections, start};

use crate::image::Contents;
use crate::layout::{Layout, Region};
use crate::map::{MapEntry, Part};
use crate::options::Source;
use crate::reloc::Formula;
use crate::resolve::Program;

/// The first address of the sections of an object. It is above those of any module.
const FIRST: u64 = 0x1000_0000;
/// Bytes between two sections, so that the end of one is not the start of another.
const GAP: u64 = 64;
fn refuse(object: &str, why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new("debug-info", format!("cannot use the debug information: {why}"))
        .at(Place::Object { object: object.to_owned(), section: None, offset: None, symbol: None })
        .help("leave out `--debug`; please report it with the version of the C compiler")
}

/// The symbol file of a linked program. `data` is that of the object `object` of it, whose debug information is used.
///
/// # Errors
/// `debug-info`
pub(crate) fn symbols(
    program: &Program,
    layout: &Layout,
    contents: &Contents,
    map: &[MapEntry],
    (object, data): (usize, &[u8]),
    source: &Source,
) -> Result<Symbols> {
    let name = &program.objects[object].name;
    let found = if program.arch.word == 8 {
        read::<object::elf::FileHeader64<LittleEndian>>(program, layout, object, data, source)
    } else {
        read::<object::elf::FileHeader32<LittleEndian>>(program, layout, object, data, source)
    };
    let sections = found.map_err(|why| refuse(name, why))?;
    let parts = map.iter().filter(|entry| !entry.symbol.is_empty() && entry.part != Part::Objects);
    let named = parts.map(|entry| {
        let region = match entry.part {
            Part::Text => Region::Text,
            Part::Rodata => Region::Rodata,
            Part::Bss | Part::Objects => Region::Bss,
        };
        let is_function = entry.part == Part::Text && entry.section.starts_with(".text");
        let address = start(layout, region) + u64::from(entry.address);
        // Compilers mark their copies of a function: `f.constprop.0`.
        let (symbol, mark) = entry.symbol.split_at(entry.symbol.find('.').unwrap_or(entry.symbol.len()));
        let name = source.name(symbol).map_or(entry.symbol.clone(), |name| format!("{name}{mark}"));
        (name, address, u64::from(entry.size), is_function)
    });
    Ok(Symbols {
        machine: program.arch.machine,
        is_64: program.arch.word == 8,
        flags: program.objects[object].abi.flags,
        code_bit: program.arch.code_bit.unsigned_abs(),
        text: contents.text.clone(),
        names: named.collect(),
        sections,
    })
}

type NamedSections = Vec<(String, u32, Vec<u8>)>;

/// The debug information of an object for the addresses of the module, and what the object says about the processor.
fn read<E: object::read::elf::FileHeader<Endian = LittleEndian>>(
    program: &Program,
    layout: &Layout,
    object: usize,
    data: &[u8],
    source: &Source,
) -> std::result::Result<NamedSections, String> {
    let file = ElfFile::<E>::parse(data).map_err(|error| error.to_string())?;
    let mut places = Vec::new();
    let mut next = FIRST;
    for section in file.sections() {
        let is_loaded = program.section_ids[object].get(section.index().0).is_some_and(Option::is_some);
        if is_loaded {
            places.push((next, section.size(), section.index().0));
            next = (next + section.size() + GAP).next_multiple_of(GAP);
        }
    }
    let sections = Sections { program, layout, object, places };
    let mut debug: HashMap<String, Vec<u8>> = HashMap::new();
    let mut kept: NamedSections = Vec::new();
    for section in file.sections() {
        let name = section.name().map_err(|error| error.to_string())?;
        if name.ends_with(".attributes") {
            let object::SectionFlags::Elf { .. } = section.flags() else { continue };
            let data = section.data().map_err(|error| error.to_string())?;
            kept.push((name.to_owned(), section.elf_section_header().sh_type(LittleEndian), data.to_vec()));
        } else if name.starts_with(".debug_") {
            debug.insert(name.to_owned(), relocated(&file, &section, &sections)?);
        }
    }
    let converted = convert::convert(&debug, &sections, source).map_err(|error| error.to_string())?;
    let progbits = object::elf::SHT_PROGBITS;
    kept.extend(converted.into_iter().map(|(name, data)| (name.to_owned(), progbits, data)));
    Ok(kept)
}

/// The contents of a section with debug information, for made-up addresses.
fn relocated<E: object::read::elf::FileHeader<Endian = LittleEndian>>(
    file: &ElfFile<'_, E>,
    section: &object::read::elf::ElfSection<'_, '_, E>,
    sections: &Sections,
) -> std::result::Result<Vec<u8>, String> {
    let arch = sections.program.arch;
    let mut data = section.data().map_err(|error| error.to_string())?.to_vec();
    for (offset, reloc) in section.relocations() {
        let object::RelocationFlags::Elf { r_type } = reloc.flags() else { continue };
        let row = arch.row(r_type).ok_or_else(|| format!("unknown relocation {r_type}"))?;
        let symbol = match reloc.target() {
            RelocationTarget::Symbol(index) => {
                let symbol = file.symbol_by_index(index).map_err(|error| error.to_string())?;
                let place = symbol.section_index().map(|section| section.0);
                let start = sections.places.iter().find(|(.., index)| Some(*index) == place);
                start.map_or(0, |(start, ..)| *start).wrapping_add(symbol.address())
            }
            _ => 0,
        };
        let place = usize::try_from(offset).ok().and_then(|offset| data.get_mut(offset..));
        let Some(place) = place else { return Err("a relocation is outside of its section".to_owned()) };
        let old = row.field.read(place).unwrap_or(0);
        let is_in_field = reloc.has_implicit_addend() || arch.in_place.contains(&r_type);
        let addend = reloc.addend().wrapping_add(if is_in_field { old } else { 0 });
        let value = (symbol as i64).wrapping_add(addend);
        let value = match row.formula {
            Formula::None => continue,
            Formula::Absolute | Formula::Set => value,
            Formula::Add => old.wrapping_add(value),
            Formula::Subtract => old.wrapping_sub(value),
            // A number that is added to the address of the GOT, which is that of the module.
            Formula::FromGot => {
                let address =
                    sections.locate(value as u64).and_then(|(section, at)| sections.address(section, at));
                address.map_or(0, |address| address as i64).wrapping_sub(i64::from(sections.layout.got))
            }
            _ => return Err(format!("it has the relocation {}", row.name)),
        };
        let value = if arch.word == 4 { row.field.range.wrap_32(value) } else { value };
        row.field.write(place, value).map_err(|_| format!("the value of {} does not fit", row.name))?;
    }
    Ok(data)
}
