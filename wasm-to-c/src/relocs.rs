//! The linker's relocations, kept in a linked module by `wasm-ld --emit-relocs`: which constants are
//! addresses of data or functions, so that they can mean something else than a number.
//!
//! Passes over a module move its code, and forget relocations. So every relocated constant of the code is
//! first replaced by a *stand-in*: a number from a window in which the module has no other constant. From
//! then on an address is told by its value, whatever happens to the instructions around it.
//!
//! Format: WebAssembly tool conventions, `Linking.md` ("Relocation Sections", "Symbol table subsection").

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use target_specs::{Diagnostic, Place, Result};
use wasmparser::{
    DataKind, ElementItems, ElementKind, KnownCustom, Linking, Operator, Parser, Payload, RelocationEntry,
    RelocationType, SymbolFlags, SymbolInfo,
};

use crate::ops;

/// What a constant stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// Byte `offset` from the start of an object; past its end and before its start are possible.
    Data {
        /// The object's index in [`Relocations::objects`].
        object: usize,
        /// Bytes from its start.
        offset: i64,
    },
    /// A function, by its index in table 0 once that was moved by [`Relocations::table_base`].
    Function(u32),
}

/// A run of bytes of a data segment that is addressed as one: a variable, a string, a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataObject {
    /// The symbol's name, mangled as the compiler wrote it.
    pub name: String,
    /// Index of the segment it lies in, in [`Relocations::segments`].
    pub segment: usize,
    /// First byte within the segment.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// Its alignment in the segment, in bytes.
    pub align: u32,
    /// The least and the greatest offset from its start that the program refers to.
    reach: (i64, i64),
    /// The stand-in of its first byte.
    stand_in: i64,
}

/// A data segment as the linker named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `.rodata`, `.data`, `.bss`, …
    pub name: String,
    /// Where the linker placed it in linear memory.
    pub address: u32,
    /// Bytes.
    pub size: u32,
}

/// Every relocation of a linked module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relocations {
    /// The data segments, in the order of the module.
    pub segments: Vec<Segment>,
    /// The objects in them, in the order of the segments and of their addresses there.
    pub objects: Vec<DataObject>,
    /// Words of data, always four bytes, by their address in the linker's layout.
    data: BTreeMap<u32, Reference>,
    /// Stand-ins of the indices of table 0.
    functions: Range<u32>,
}

/// Bytes between the stand-ins of two objects.
const GAP: i64 = 16;
/// Where the search for a window for data begins.
const WINDOW: i64 = 0x5000_0000;
/// Where that for functions begins, and ends: the validator's limit to the size of a table.
const TABLES: Range<i64> = 1 << 16..10_000_000;

impl Relocations {
    /// What a constant of the code stands for.
    pub fn of_constant(&self, value: u32) -> Option<Reference> {
        if self.functions.contains(&value) {
            return Some(Reference::Function(value));
        }
        let value = i64::from(value);
        // The objects' stand-ins are in their order.
        let after = self.objects.partition_point(|object| object.stand_in + object.reach.0 <= value);
        let object = after.checked_sub(1)?;
        let at = &self.objects[object];
        let offset = value - at.stand_in;
        (offset <= at.reach.1).then_some(Reference::Data { object, offset })
    }

    /// Whether an object is constant: rustc and LLVM place constants in sections of this name.
    pub fn is_read_only(&self, object: usize) -> bool {
        self.segments[self.objects[object].segment].name.starts_with(".rodata")
    }

    /// The relocated words of an object, in order, as offsets in it.
    pub fn in_object(&self, object: usize) -> impl Iterator<Item = (u32, Reference)> + '_ {
        let start = self.address(object);
        let end = start + self.objects[object].size;
        self.data.range(start..end).map(move |(address, reference)| (address - start, *reference))
    }

    /// How far the elements of table 0 must be moved, before any pass, for the stand-ins of functions to be
    /// their indices.
    pub fn table_base(&self) -> u32 {
        self.functions.start
    }

    /// The name, the stand-in and the size of every object.
    pub fn symbols(&self) -> Vec<(String, u32, u32)> {
        let symbol = |object: &DataObject| (object.name.clone(), object.stand_in as u32, object.size);
        self.objects.iter().map(symbol).collect()
    }

    /// Address an object has in the linker's layout of linear memory.
    fn address(&self, object: usize) -> u32 {
        let object = &self.objects[object];
        self.segments[object.segment].address.wrapping_add(object.offset)
    }
}

/// The refusal of a module that cannot do without its linear memory.
pub fn refuse(module: &str, offset: usize, what: impl Into<String>) -> Diagnostic {
    let offset = Some(offset as u64);
    Diagnostic::new("no-direct-memory", format!("addresses cannot be the machine's: {}", what.into()))
        .at(Place::Wasm { module: module.to_owned(), function: None, offset })
        .help("build it with a linear memory: `--memory checked`")
}

/// The name, the address and the size of the data symbols of a linked module, as far as it tells.
pub fn data_symbols(bytes: &[u8]) -> Vec<(String, u32, u32)> {
    let Ok(linked) = parse("", bytes) else { return Vec::new() };
    let symbols = linked.symbols.into_iter().filter_map(|symbol| match symbol {
        Symbol::Data { segment, offset, size, name } => {
            Some((name, linked.segments.get(segment)?.address.wrapping_add(offset), size))
        }
        _ => None,
    });
    symbols.collect()
}

/// One symbol of the linker's table, as far as a relocation can refer to it.
enum Symbol {
    Data {
        segment: usize,
        offset: u32,
        size: u32,
        name: String,
    },
    /// Defined by the linker itself, as `__heap_base`.
    Absolute(String),
    Function(u32),
    Other,
}

/// What of a module bears on its addresses.
#[derive(Default)]
struct Linked {
    segments: Vec<Segment>,
    /// Alignments, as exponents of two.
    aligns: Vec<u32>,
    symbols: Vec<Symbol>,
    /// Bytes of the code section, of the data section, and of each segment in the file.
    code: Range<usize>,
    data: Range<usize>,
    segment_bytes: Vec<Range<usize>>,
    /// Relocations of code and of data, with their places in the file.
    relocations: Vec<(usize, RelocationEntry)>,
    /// Functions of table 0, by index.
    table: BTreeMap<u32, u32>,
    /// Constants of the code: where an instruction's immediates lie in the file, and their value.
    constants: Vec<(Range<usize>, u32)>,
}

/// Reads the relocations of the module `bytes` and puts a stand-in for every relocated constant of its code.
///
/// # Errors
/// `no-direct-memory`, with the reason: no relocations, or such as cannot be followed to an object or a
/// function each.
pub fn read(name: &str, bytes: &[u8]) -> Result<(Vec<u8>, Relocations)> {
    let linked = parse(name, bytes)?;
    let refuse = |at: usize, what: String| refuse(name, at, what);
    let (mut objects, object_of) = divide(&linked).map_err(|what| refuse(0, what))?;
    let mut code: Vec<(usize, RelocationType, Reference)> = Vec::new();
    let mut data = BTreeMap::new();
    for (at, entry) in &linked.relocations {
        let at = *at;
        let reference = reference(&linked, &object_of, entry).map_err(|what| refuse(at, what))?;
        let Some(reference) = reference else { continue };
        check(&linked, &objects, bytes, entry, reference, at).map_err(|what| refuse(at, what))?;
        if let Reference::Data { object, offset } = reference {
            let reach = &mut objects[object].reach;
            *reach = (reach.0.min(offset), reach.1.max(offset));
        }
        if linked.code.contains(&at) {
            code.push((at, entry.ty, reference));
            continue;
        }
        // Both are in the order of their places.
        let segment = linked.segment_bytes.partition_point(|range| range.end <= at);
        let segment = Some(segment)
            .filter(|segment| linked.segment_bytes.get(*segment).is_some_and(|range| range.contains(&at)));
        let Some(segment) = segment else {
            return Err(refuse(at, "a relocation of data lies outside every segment".to_owned()));
        };
        let offset = (at - linked.segment_bytes[segment].start) as u32;
        let inside = |object: &&DataObject| {
            object.segment == segment
                && (object.offset..object.offset + object.size).contains(&offset)
                && (offset - object.offset).is_multiple_of(4)
                && object.align.is_multiple_of(4)
        };
        let after = objects.partition_point(|object| (object.segment, object.offset) <= (segment, offset));
        if objects[..after].last().filter(inside).is_none() {
            return Err(refuse(at, "an address in data is not at a place for one".to_owned()));
        }
        data.insert(linked.segments[segment].address + offset, reference);
    }

    // Constants that are no addresses, and those of passes to come, which are small.
    let relocated: BTreeSet<usize> = code.iter().map(|(at, ..)| *at).collect();
    let taken: BTreeSet<i64> = linked
        .constants
        .iter()
        .filter(|(place, _)| relocated.range(place.clone()).next().is_none())
        .map(|(_, value)| i64::from(*value))
        .collect();
    let length = |object: &DataObject| object.reach.1 - object.reach.0 + i64::from(object.align) + GAP;
    let length: i64 = objects.iter().map(length).sum();
    let functions = 1 + i64::from(linked.table.last_key_value().map_or(0, |(last, _)| *last));
    let window = |range: Range<i64>, length: i64| {
        let step = round_up(length + GAP, 1 << 12);
        let mut windows = (range.start..range.end - step).step_by(step as usize);
        windows
            .find(|start| taken.range(*start..start + step).next().is_none())
            .ok_or_else(|| refuse(0, "every range of numbers is taken by constants".to_owned()))
    };
    let mut next = window(WINDOW..i64::from(u32::MAX), length)?;
    for object in &mut objects {
        // As aligned as the object: what is known of the low bits of a constant stays true.
        object.stand_in = round_up(next + GAP - object.reach.0, i64::from(object.align));
        next = object.stand_in + object.reach.1;
    }
    let start = window(TABLES, functions)?;
    let functions = start as u32..(start + functions) as u32;
    for reference in data.values_mut().chain(code.iter_mut().map(|(.., reference)| reference)) {
        if let Reference::Function(index) = reference {
            *index += functions.start;
        }
    }

    let mut symbolic = bytes.to_vec();
    for (at, ty, reference) in code {
        let stand_in = match reference {
            Reference::Data { object, offset } => objects[object].stand_in + offset,
            Reference::Function(index) => i64::from(index),
        };
        let unsigned = ty == RelocationType::MemoryAddrLeb;
        symbolic[at..at + 5].copy_from_slice(&leb(stand_in as u32, unsigned));
    }
    let relocations = Relocations { segments: linked.segments, objects, data, functions };
    Ok((symbolic, relocations))
}

/// Whether the module `bytes` refers to a symbol that the linker itself defined and that is called one of `names`;
/// `None` when it carries no relocations to tell.
pub fn refers_to_linkers(bytes: &[u8], names: &[&str]) -> Option<bool> {
    let linked = parse("", bytes).ok()?;
    let is_named = |entry: &RelocationEntry| matches!(linked.symbols.get(entry.index as usize), Some(Symbol::Absolute(name)) if names.contains(&name.as_str()));
    Some(linked.relocations.iter().any(|(_, entry)| is_named(entry)))
}

fn round_up(value: i64, multiple: i64) -> i64 {
    (value + multiple - 1) & -multiple
}

/// LEB128 of five bytes, as the linker writes what it may have to write again.
fn leb(value: u32, unsigned: bool) -> [u8; 5] {
    let wide = if unsigned { i64::from(value) } else { i64::from(value.cast_signed()) };
    std::array::from_fn(|i| (wide >> (7 * i)) as u8 & 0x7f | if i < 4 { 0x80 } else { 0 })
}

fn parse(name: &str, bytes: &[u8]) -> Result<Linked> {
    let invalid = |error: wasmparser::BinaryReaderError| refuse(name, error.offset(), error.message());
    let mut linked = Linked::default();
    let mut relocation_sections = Vec::new();
    // Sections are numbered in order of appearance; a relocation section names its target by number.
    let mut sections: Vec<Range<usize>> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        if let Some((_, range)) = payload.as_section() {
            sections.push(range);
        }
        match payload {
            Payload::CodeSectionStart { range, .. } => linked.code = range,
            Payload::CodeSectionEntry(body) => {
                let mut reader = body.get_operators_reader().map_err(invalid)?;
                while !reader.eof() {
                    let start = reader.original_position();
                    let op = reader.read().map_err(invalid)?;
                    let value = match op {
                        Operator::I32Const { value } => value.cast_unsigned(),
                        _ => match ops::access(&op) {
                            Some(access) => access.memarg.offset as u32,
                            None => continue,
                        },
                    };
                    linked.constants.push((start..reader.original_position(), value));
                }
            }
            Payload::ElementSection(reader) => {
                for element in reader {
                    let element = element.map_err(invalid)?;
                    let ElementKind::Active { table_index: None | Some(0), offset_expr } = &element.kind
                    else {
                        continue;
                    };
                    let Operator::I32Const { value } =
                        offset_expr.get_operators_reader().read().map_err(invalid)?
                    else {
                        continue;
                    };
                    if let ElementItems::Functions(functions) = element.items {
                        for (at, function) in (0..).zip(functions) {
                            let function = function.map_err(invalid)?;
                            // No table is that large, and the module traps when it starts.
                            if let Some(index) = value.cast_unsigned().checked_add(at) {
                                linked.table.insert(index, function);
                            }
                        }
                    }
                }
            }
            Payload::DataSection(reader) => {
                linked.data = reader.range();
                for data in reader {
                    let data = data.map_err(invalid)?;
                    let address = match data.kind {
                        DataKind::Active { memory_index: 0, offset_expr } => {
                            match offset_expr.get_operators_reader().read().map_err(invalid)? {
                                Operator::I32Const { value } => Some(value.cast_unsigned()),
                                _ => None,
                            }
                        }
                        _ => None,
                    };
                    let Some(address) = address else {
                        return Err(refuse(name, data.range.start, "a data segment has no fixed place"));
                    };
                    let size = u32::try_from(data.data.len()).unwrap_or(u32::MAX);
                    if address.checked_add(size).is_none() {
                        return Err(refuse(name, data.range.start, "a data segment does not fit a memory"));
                    }
                    linked.segments.push(Segment { name: String::new(), address, size });
                    linked.segment_bytes.push(data.range.end - data.data.len()..data.range.end);
                }
            }
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Linking(linking) => {
                    for subsection in linking.subsections() {
                        linking_subsection(&mut linked, subsection.map_err(invalid)?).map_err(invalid)?;
                    }
                }
                KnownCustom::Reloc(reader) => {
                    for entry in reader.entries() {
                        relocation_sections.push((reader.section_index() as usize, entry.map_err(invalid)?));
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
    if linked.symbols.is_empty() || relocation_sections.is_empty() {
        return Err(refuse(name, 0, "the module carries no relocations; link it with `--emit-relocs`"));
    }
    for (section, entry) in relocation_sections {
        let Some(range) = sections.get(section) else { continue };
        // Those of debug information are nobody's business.
        if *range == linked.code || *range == linked.data {
            linked.relocations.push((range.start + entry.offset as usize, entry));
        }
    }
    Ok(linked)
}

fn linking_subsection(
    linked: &mut Linked,
    subsection: Linking<'_>,
) -> std::result::Result<(), wasmparser::BinaryReaderError> {
    match subsection {
        Linking::SegmentInfo(map) => {
            for (index, segment) in map.into_iter().enumerate() {
                let segment = segment?;
                linked.aligns.push(segment.alignment);
                if let Some(known) = linked.segments.get_mut(index) {
                    segment.name.clone_into(&mut known.name);
                }
            }
        }
        Linking::SymbolTable(table) => {
            for symbol in table {
                linked.symbols.push(match symbol? {
                    SymbolInfo::Data { name, flags, .. } if flags.contains(SymbolFlags::ABSOLUTE) => {
                        Symbol::Absolute(name.to_owned())
                    }
                    SymbolInfo::Data { name, symbol: Some(data), .. } => Symbol::Data {
                        segment: data.index as usize,
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
    Ok(())
}

type Parts = (Vec<DataObject>, Vec<Option<(usize, u32)>>);

/// Divides the segments into objects at the symbols; symbols that overlap (strings that share a tail)
/// share an object. Also the object and offset in it of each symbol.
fn divide(linked: &Linked) -> std::result::Result<Parts, String> {
    let mut data: Vec<(usize, u32, u32, usize)> = Vec::new();
    for (index, symbol) in linked.symbols.iter().enumerate() {
        if let Symbol::Data { segment, offset, size, name } = symbol {
            let fits = linked
                .segments
                .get(*segment)
                .is_some_and(|s| offset.checked_add(*size).is_some_and(|end| end <= s.size));
            if !fits {
                return Err(format!("the symbol `{name}` lies outside its segment"));
            }
            data.push((*segment, *offset, *size, index));
        }
    }
    // The larger first where two begin at one place, so that it gives the object its name.
    data.sort_by_key(|(segment, offset, size, _)| (*segment, *offset, std::cmp::Reverse(*size)));
    let mut objects: Vec<DataObject> = Vec::new();
    let mut object_of = vec![None; linked.symbols.len()];
    for (segment, offset, size, index) in data {
        let joins = objects.last().is_some_and(|last| {
            last.segment == segment
                && (offset < last.offset + last.size || (size == 0 && offset == last.offset + last.size))
        });
        if !joins {
            let align = linked.aligns.get(segment).map_or(0, |align| (*align).min(16));
            let natural = if offset == 0 { 16 } else { offset.trailing_zeros() };
            let Symbol::Data { name, .. } = &linked.symbols[index] else { unreachable!("a data symbol") };
            objects.push(DataObject {
                name: name.clone(),
                segment,
                offset,
                size: 0,
                align: 1 << align.min(natural),
                reach: (0, 0),
                stand_in: 0,
            });
        }
        let object = objects.len() - 1;
        let last = &mut objects[object];
        last.size = last.size.max(offset + size - last.offset);
        last.reach.1 = i64::from(last.size);
        object_of[index] = Some((object, offset - last.offset));
    }
    Ok((objects, object_of))
}

/// What an entry refers to; `None` where it is no address (an index of a function, a type, a global).
fn reference(
    linked: &Linked,
    object_of: &[Option<(usize, u32)>],
    entry: &RelocationEntry,
) -> std::result::Result<Option<Reference>, String> {
    let symbol = linked.symbols.get(entry.index as usize);
    Ok(match entry.ty {
        RelocationType::MemoryAddrLeb | RelocationType::MemoryAddrSleb | RelocationType::MemoryAddrI32 => {
            match (symbol, object_of.get(entry.index as usize).copied().flatten()) {
                (_, Some((object, offset))) => {
                    Some(Reference::Data { object, offset: i64::from(offset) + entry.addend })
                }
                (Some(Symbol::Absolute(name)), _) => return Err(format!("the program refers to `{name}`")),
                _ => return Err("a constant is the address of nothing that is known".to_owned()),
            }
        }
        RelocationType::TableIndexSleb | RelocationType::TableIndexI32 => {
            let Some(Symbol::Function(function)) = symbol else {
                return Err("a constant is the address of no function".to_owned());
            };
            let index = linked.table.iter().find(|(_, at)| *at == function);
            let Some((index, _)) = index else {
                return Err("a function's address is taken and it is in no table".to_owned());
            };
            Some(Reference::Function(*index))
        }
        RelocationType::FunctionIndexLeb
        | RelocationType::TypeIndexLeb
        | RelocationType::GlobalIndexLeb
        | RelocationType::EventIndexLeb
        | RelocationType::TableNumberLeb => None,
        other => return Err(format!("a relocation is of the kind {other:?}")),
    })
}

/// The value at the place must be what the symbol's address says: else symbols or offsets are not those of
/// this module, and nothing that follows could be trusted.
fn check(
    linked: &Linked,
    objects: &[DataObject],
    bytes: &[u8],
    entry: &RelocationEntry,
    reference: Reference,
    at: usize,
) -> std::result::Result<(), String> {
    let expected = match reference {
        Reference::Data { object, offset } => {
            let object = &objects[object];
            let address = linked.segments[object.segment].address + object.offset;
            address.wrapping_add(offset as u32)
        }
        Reference::Function(index) => index,
    };
    let field = bytes.get(at..).unwrap_or_default();
    let found = if matches!(entry.ty, RelocationType::MemoryAddrI32 | RelocationType::TableIndexI32) {
        field.first_chunk().map(|word| u32::from_le_bytes(*word))
    } else {
        // Both LEB forms of a linked module are padded to five bytes.
        field.first_chunk::<5>().filter(|leb| leb[4] < 0x80 && leb[..4].iter().all(|byte| *byte >= 0x80)).map(
            |leb| {
                let parts = leb.iter().enumerate();
                parts.fold(0u64, |value, (i, byte)| value | u64::from(byte & 0x7f) << (7 * i)) as u32
            },
        )
    };
    if found == Some(expected) {
        return Ok(());
    }
    Err(format!("a relocated value is {found:#x?}, its symbol says {expected:#x}"))
}
