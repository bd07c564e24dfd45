//! The linker's relocations, kept in a linked module by `wasm-ld --emit-relocs`: which constants are
//! addresses of data or functions, so that they can mean something else than a number.
//!
//! Format: WebAssembly tool conventions, `Linking.md` ("Relocation Sections", "Symbol table subsection").

use std::collections::BTreeMap;
use std::ops::Range;

use target_specs::{Diagnostic, Place, Result};
use wasmparser::{
    DataKind, KnownCustom, Linking, Operator, Parser, Payload, RelocationEntry, RelocationType, SymbolInfo,
};

/// What a constant stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// Byte `offset` from the start of an object; past its end and before its start are possible.
    Data { object: usize, offset: i64 },
    /// A function, by its index in the module.
    Function(u32),
}

/// A run of bytes of a data segment that is addressed as one: a variable, a string, a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataObject {
    /// The symbol's name, mangled as the compiler wrote it.
    pub name: String,
    /// Index of the data segment it lies in.
    pub segment: u32,
    /// First byte within the segment.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// Its alignment in the segment, in bytes.
    pub align: u32,
}

/// A data segment as the linker named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `.rodata`, `.data`, `.bss`, …
    pub name: String,
    /// Where the linker placed it in linear memory.
    pub address: u32,
    pub size: u32,
}

/// Every relocation of a linked module.
#[derive(Debug, Clone, Default)]
pub struct Relocations {
    pub segments: Vec<Segment>,
    pub objects: Vec<DataObject>,
    /// By byte offset of the immediate in the module.
    code: BTreeMap<usize, Reference>,
    /// By data segment and byte offset in it; always four bytes.
    data: BTreeMap<(u32, u32), Reference>,
}

impl Relocations {
    /// What the immediate of the instruction that takes up these bytes of the module stands for.
    pub fn in_code(&self, instruction: Range<usize>) -> Option<Reference> {
        self.code.range(instruction).next().map(|(_, reference)| *reference)
    }

    /// The relocated words of these bytes of a segment, in order, as offsets in the segment.
    pub fn in_data(&self, segment: u32, bytes: Range<u32>) -> impl Iterator<Item = (u32, Reference)> + '_ {
        self.data
            .range((segment, bytes.start)..(segment, bytes.end))
            .map(|((_, offset), reference)| (*offset, *reference))
    }

    /// Address an object has in the linker's layout of linear memory.
    pub fn address(&self, object: usize) -> u32 {
        let object = &self.objects[object];
        self.segments[object.segment as usize].address.wrapping_add(object.offset)
    }
}

fn place(module: &str, offset: usize) -> Place {
    Place::Wasm { module: module.to_owned(), function: None, offset: Some(offset as u64) }
}

fn malformed(module: &str, offset: usize, what: impl Into<String>) -> Diagnostic {
    Diagnostic::new("invalid-relocations", what).at(place(module, offset)).help(
        "the module's `linking` and `reloc.*` sections disagree with its code; link it again with `--emit-relocs`",
    )
}

/// One symbol of the linker's table, as far as a relocation can refer to it.
enum Symbol {
    Data { segment: u32, offset: u32, size: u32, name: String },
    Function(u32),
    Other,
}

/// Reads the relocations of `module`; `None` when it carries none.
///
/// # Errors
/// `invalid-relocations` when they do not fit the module's code and data.
pub fn read(name: &str, bytes: &[u8]) -> Result<Option<Relocations>> {
    let mut segments = Vec::new();
    let mut segment_names = Vec::new();
    let mut symbols = Vec::new();
    let mut relocation_sections = Vec::new();
    // Sections are numbered in order of appearance; a relocation section names its target by number.
    let mut sections: Vec<Range<usize>> = Vec::new();
    let (mut code_section, mut data_section) = (None, None);
    let mut segment_ranges: Vec<Range<usize>> = Vec::new();
    let invalid =
        |error: wasmparser::BinaryReaderError| malformed(name, error.offset(), error.message().to_owned());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        if let Some((_, range)) = payload.as_section() {
            sections.push(range);
        }
        match payload {
            Payload::CodeSectionStart { .. } => code_section = Some(sections.len() - 1),
            Payload::DataSection(reader) => {
                data_section = Some(sections.len() - 1);
                for data in reader {
                    let data = data.map_err(invalid)?;
                    let address = match data.kind {
                        DataKind::Active { memory_index: 0, offset_expr } => {
                            match offset_expr.get_operators_reader().read().map_err(invalid)? {
                                Operator::I32Const { value } => Some(value as u32),
                                _ => None,
                            }
                        }
                        _ => None,
                    };
                    // What is not at a fixed place of memory 0 has no address to relocate.
                    let Some(address) = address else { return Ok(None) };
                    let size = u32::try_from(data.data.len()).unwrap_or(u32::MAX);
                    segments.push(Segment { name: String::new(), address, size });
                    segment_ranges.push(data.range.end - data.data.len()..data.range.end);
                }
            }
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Linking(linking) => {
                    for subsection in linking.subsections() {
                        match subsection.map_err(invalid)? {
                            Linking::SegmentInfo(map) => {
                                for segment in map {
                                    let segment = segment.map_err(invalid)?;
                                    segment_names.push((segment.name.to_owned(), segment.alignment));
                                }
                            }
                            Linking::SymbolTable(table) => {
                                for symbol in table {
                                    symbols.push(match symbol.map_err(invalid)? {
                                        SymbolInfo::Data { name, symbol: Some(data), .. } => Symbol::Data {
                                            segment: data.index,
                                            offset: data.offset,
                                            size: data.size,
                                            name: name.to_owned(),
                                        },
                                        SymbolInfo::Func { index, .. } => Symbol::Function(index),
                                        _ => Symbol::Other,
                                    });
                                }
                            }
                            _ => {}
                        }
                    }
                }
                KnownCustom::Reloc(reader) => {
                    let mut entries = Vec::new();
                    for entry in reader.entries() {
                        entries.push(entry.map_err(invalid)?);
                    }
                    relocation_sections.push((reader.section_index() as usize, entries));
                }
                _ => {}
            },
            _ => {}
        }
    }
    if symbols.is_empty() || relocation_sections.is_empty() {
        return Ok(None);
    }
    for (segment, (segment_name, _)) in segments.iter_mut().zip(&segment_names) {
        segment.name.clone_from(segment_name);
    }
    let (objects, object_of) = divide(&segments, &segment_names, &symbols, name)?;
    let mut relocations = Relocations { segments, objects, ..Relocations::default() };
    for (section, entries) in relocation_sections {
        let Some(range) = sections.get(section).cloned() else { continue };
        for entry in entries {
            let at = range.start + entry.offset as usize;
            let Some(reference) = reference(&relocations, &symbols, &object_of, &entry, name, at)? else {
                continue;
            };
            check(&relocations, bytes, &entry, reference, name, at)?;
            if Some(section) == code_section {
                relocations.code.insert(at, reference);
            } else if Some(section) == data_section {
                let Some(segment) = segment_ranges.iter().position(|r| r.contains(&at)) else {
                    return Err(malformed(name, at, "a data relocation lies outside every segment"));
                };
                let offset = (at - segment_ranges[segment].start) as u32;
                relocations.data.insert((segment as u32, offset), reference);
            }
        }
    }
    Ok(Some(relocations))
}

/// Divides the segments into objects at the symbols; symbols that overlap (strings that share a tail)
/// share an object. Also the object and offset in it of each symbol.
#[allow(clippy::type_complexity)]
fn divide(
    segments: &[Segment],
    names: &[(String, u32)],
    symbols: &[Symbol],
    module: &str,
) -> Result<(Vec<DataObject>, Vec<Option<(usize, u32)>>)> {
    let mut data: Vec<(u32, u32, u32, usize)> = Vec::new();
    for (index, symbol) in symbols.iter().enumerate() {
        if let Symbol::Data { segment, offset, size, .. } = symbol {
            let fits = segments
                .get(*segment as usize)
                .is_some_and(|s| offset.checked_add(*size).is_some_and(|end| end <= s.size));
            if !fits {
                return Err(malformed(module, 0, "a data symbol lies outside its segment"));
            }
            data.push((*segment, *offset, *size, index));
        }
    }
    // The larger first where two begin at one place, so that it gives the object its name.
    data.sort_by_key(|(segment, offset, size, _)| (*segment, *offset, std::cmp::Reverse(*size)));
    let mut objects: Vec<DataObject> = Vec::new();
    let mut object_of = vec![None; symbols.len()];
    for (segment, offset, size, index) in data {
        let joins = objects.last().is_some_and(|last| {
            last.segment == segment
                && (offset < last.offset + last.size || (size == 0 && offset == last.offset + last.size))
        });
        if !joins {
            let align = names.get(segment as usize).map_or(0, |(_, p2align)| (*p2align).min(31));
            let natural = if offset == 0 { 31 } else { offset.trailing_zeros() };
            let Symbol::Data { name, .. } = &symbols[index] else { unreachable!("a data symbol") };
            objects.push(DataObject {
                name: name.clone(),
                segment,
                offset,
                size: 0,
                align: 1 << align.min(natural),
            });
        }
        let object = objects.len() - 1;
        let last = &mut objects[object];
        last.size = last.size.max(offset + size - last.offset);
        object_of[index] = Some((object, offset - last.offset));
    }
    Ok((objects, object_of))
}

/// What an entry refers to; `None` where it is no address (an index of a function, a type, a global).
fn reference(
    relocations: &Relocations,
    symbols: &[Symbol],
    object_of: &[Option<(usize, u32)>],
    entry: &RelocationEntry,
    module: &str,
    at: usize,
) -> Result<Option<Reference>> {
    let symbol = || {
        symbols.get(entry.index as usize).ok_or_else(|| {
            malformed(module, at, format!("relocation refers to symbol {}, which is not there", entry.index))
        })
    };
    Ok(match entry.ty {
        RelocationType::MemoryAddrLeb | RelocationType::MemoryAddrSleb | RelocationType::MemoryAddrI32 => {
            symbol()?;
            let Some((object, offset)) = object_of[entry.index as usize] else {
                return Err(malformed(module, at, "an address of something that is not in a data segment"));
            };
            debug_assert!(object < relocations.objects.len());
            Some(Reference::Data { object, offset: i64::from(offset) + entry.addend })
        }
        RelocationType::TableIndexSleb | RelocationType::TableIndexI32 => match symbol()? {
            Symbol::Function(index) => Some(Reference::Function(*index)),
            _ => return Err(malformed(module, at, "the address of a function that is none")),
        },
        RelocationType::FunctionIndexLeb
        | RelocationType::TypeIndexLeb
        | RelocationType::GlobalIndexLeb
        | RelocationType::EventIndexLeb
        | RelocationType::TableNumberLeb
        | RelocationType::FunctionOffsetI32
        | RelocationType::SectionOffsetI32
        | RelocationType::FunctionIndexI32 => None,
        other => {
            return Err(malformed(
                module,
                at,
                format!("relocation {other:?} is not one of a linked 32-bit program"),
            ));
        }
    })
}

/// The value at the place must be what the symbol's address says: else symbols or offsets are not those of
/// this module, and nothing that follows could be trusted.
fn check(
    relocations: &Relocations,
    bytes: &[u8],
    entry: &RelocationEntry,
    reference: Reference,
    module: &str,
    at: usize,
) -> Result<()> {
    let Reference::Data { object, offset } = reference else { return Ok(()) };
    let expected = relocations.address(object).wrapping_add(offset as u32);
    let field = bytes.get(at..).unwrap_or_default();
    let found = if entry.ty == RelocationType::MemoryAddrI32 {
        field.first_chunk().map(|word| u32::from_le_bytes(*word))
    } else {
        // Both LEB forms of a linked module are padded to five bytes.
        field.first_chunk::<5>().map(|leb| {
            leb.iter().enumerate().fold(0u64, |value, (i, byte)| value | u64::from(byte & 0x7f) << (7 * i))
                as u32
        })
    };
    if found == Some(expected) {
        return Ok(());
    }
    Err(malformed(module, at, format!("relocated value is {found:#x?}, its symbol says {expected:#x}")))
}
