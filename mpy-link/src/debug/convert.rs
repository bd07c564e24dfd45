//! Debug information for made-up addresses → for those of the module.

use std::collections::HashMap;

use gimli::read::UnwindSection as _;
use gimli::write::{
    Address, AttributeValue, CallFrameInstruction, LineProgram, LineString, Location, LocationList, Range,
    RangeList, Writer as _,
};
use gimli::{EndianSlice, LineEncoding, LittleEndian, constants as dw, read, write};

use super::sections::{NOWHERE, Sections};
use crate::options::Source;

type Slice<'a> = EndianSlice<'a, LittleEndian>;
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Converts sections.
pub fn convert(
    debug: &HashMap<String, Vec<u8>>,
    sections: &Sections,
    source: &Source,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let slice = |id: gimli::SectionId| -> std::result::Result<Slice<'_>, gimli::Error> {
        Ok(EndianSlice::new(debug.get(id.name()).map_or(&[][..], |data| data), LittleEndian))
    };
    let from = read::Dwarf::load(slice)?;
    // Addresses stay sections and offsets until all that is relative to them is known.
    let symbolic = |address: u64| {
        Some(match sections.locate(address) {
            Some((section, offset)) => Address::Symbol { symbol: section, addend: offset as i64 },
            None => Address::Constant(address),
        })
    };
    let mut dwarf = write::Dwarf::from(&from, &symbolic)?;
    let mut headers = from.units();
    let folder = source.folder.replace('\0', "").into_bytes();
    for at in 0..dwarf.units.count() {
        let Some(header) = headers.next()? else { break };
        let of_unit = from.unit(header)?;
        let unit = dwarf.units.get_mut(dwarf.units.id(at));
        if let Some(program) = &of_unit.line_program {
            let old = Files::of(&unit.line_program, &dwarf.strings, &dwarf.line_strings);
            let file = |file: &read::FileEntry<Slice>, header: &read::LineProgramHeader<Slice>| {
                let text = |value| Some(from.attr_string(&of_unit, value).ok()?.slice().to_vec());
                old.find(&text(file.path_name())?, &text(file.directory(header)?)?)
            };
            let new = old.line_program(unit.encoding(), &folder, &mut dwarf.line_strings);
            unit.line_program = lines(new, program.clone(), &file, sections)?;
        }
        let root = unit.root();
        unit.get_mut(root).set(dw::DW_AT_comp_dir, AttributeValue::String(folder.clone()));
        let base = match unit.get(root).get(dw::DW_AT_low_pc) {
            Some(AttributeValue::Address(address)) => Some(*address),
            _ => None,
        };
        let mut entries = vec![root];
        while let Some(id) = entries.pop() {
            entries.extend(unit.get(id).children());
            entry(unit, id, base, sections);
            name(unit.get_mut(id), &dwarf.strings, source);
        }
    }

    let section = Section { sections, bytes: write::EndianVec::new(LittleEndian) };
    let mut written = write::Sections::new(section);
    dwarf.write(&mut written)?;
    let frame = slice(gimli::SectionId::DebugFrame)?;
    if !frame.is_empty() {
        let mut frame = read::DebugFrame::from(frame);
        frame.set_address_size(sections.program.arch.word);
        frames(&frame, sections)?.write_debug_frame(&mut written.debug_frame)?;
    }
    let mut result = Vec::new();
    written.for_each(|id, section: &Section| -> Result<()> {
        if section.len() > 0 {
            result.push((id.name(), section.bytes.slice().to_vec()));
        }
        Ok(())
    })?;
    Ok(result)
}

/// A section that is written. Addresses that are still sections and offsets are in expressions.
#[derive(Clone)]
struct Section<'s, 'p, 'a> {
    sections: &'s Sections<'p, 'a>,
    bytes: write::EndianVec<LittleEndian>,
}

impl write::Writer for Section<'_, '_, '_> {
    type Endian = LittleEndian;

    fn endian(&self) -> LittleEndian {
        LittleEndian
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn write(&mut self, bytes: &[u8]) -> write::Result<()> {
        self.bytes.write(bytes)
    }

    fn write_at(&mut self, offset: usize, bytes: &[u8]) -> write::Result<()> {
        self.bytes.write_at(offset, bytes)
    }

    fn write_address(&mut self, address: Address, size: u8) -> write::Result<()> {
        let value = final_address(address, self.sections).unwrap_or(NOWHERE);
        // The largest address, in whatever size.
        let mask = u64::MAX >> (64 - 8 * u32::from(size.clamp(1, 8)));
        self.bytes.write_udata(value & mask, size)
    }
}

/// The address in the module; `None` if what is there is not linked.
fn final_address(address: Address, sections: &Sections) -> Option<u64> {
    match address {
        Address::Constant(value) => Some(value),
        Address::Symbol { symbol, addend } => sections.address(symbol, addend.cast_unsigned()),
    }
}

/// The range in the module of `begin` plus these two offsets.
fn range(begin: Address, from: u64, to: u64, sections: &Sections) -> Option<(u64, u64)> {
    let Address::Symbol { symbol, addend } = begin else { return None };
    let start = addend.cast_unsigned();
    sections.range(symbol, start.wrapping_add(from), start.wrapping_add(to))
}

/// The range in the module between two addresses, which are in one section.
fn between(begin: Address, end: Address, sections: &Sections) -> Option<(u64, u64)> {
    match (begin, end) {
        (
            Address::Symbol { symbol: section, addend: from },
            Address::Symbol { symbol: other, addend: to },
        ) if section == other => sections.range(section, from.cast_unsigned(), to.cast_unsigned()),
        _ => None,
    }
}

/// Gives an entry the addresses of the module. An entry about code that is not in the module keeps no address.
fn entry(unit: &mut write::Unit, id: write::UnitEntryId, base: Option<Address>, sections: &Sections) {
    let mut changes: Vec<(gimli::DwAt, Option<AttributeValue>)> = Vec::new();
    let attributes: Vec<_> =
        unit.get(id).attrs().map(|attribute| (attribute.name(), attribute.get().clone())).collect();
    let low = attributes.iter().find_map(|(name, value)| match value {
        AttributeValue::Address(address @ Address::Symbol { .. }) if *name == dw::DW_AT_low_pc => {
            Some(*address)
        }
        _ => None,
    });
    for (name, value) in attributes {
        let changed = match value {
            AttributeValue::Udata(length) if name == dw::DW_AT_high_pc => match low {
                None => continue,
                Some(low) => match range(low, 0, length, sections) {
                    Some((begin, end)) => Some(AttributeValue::Udata(end - begin)),
                    None => {
                        // After the change of the address itself, which comes first.
                        changes.push((dw::DW_AT_low_pc, None));
                        None
                    }
                },
            },
            AttributeValue::Address(address @ Address::Symbol { .. }) => final_address(address, sections)
                .map(|address| AttributeValue::Address(Address::Constant(address))),
            AttributeValue::RangeListRef(list) => {
                let ranges = ranges(unit.ranges.get(list), base, sections);
                (!ranges.0.is_empty()).then(|| AttributeValue::RangeListRef(unit.ranges.add(ranges)))
            }
            AttributeValue::LocationListRef(list) => {
                let locations = locations(unit.locations.get(list), base, sections);
                (!locations.0.is_empty())
                    .then(|| AttributeValue::LocationListRef(unit.locations.add(locations)))
            }
            _ => continue,
        };
        changes.push((name, changed));
    }
    let entry = unit.get_mut(id);
    for (name, value) in changes {
        match value {
            Some(value) => entry.set(name, value),
            None => entry.delete(name),
        }
    }
}

fn ranges(list: &RangeList, mut base: Option<Address>, sections: &Sections) -> RangeList {
    let mut found = Vec::new();
    for entry in &list.0 {
        let range = match *entry {
            Range::BaseAddress { address } => {
                base = Some(address);
                continue;
            }
            Range::OffsetPair { begin, end } => base.and_then(|base| range(base, begin, end, sections)),
            Range::StartEnd { begin, end } => between(begin, end, sections),
            Range::StartLength { begin, length } => range(begin, 0, length, sections),
        };
        found.extend(
            range.map(|(begin, end)| Range::StartLength {
                begin: Address::Constant(begin),
                length: end - begin,
            }),
        );
    }
    RangeList(found)
}

fn locations(list: &LocationList, mut base: Option<Address>, sections: &Sections) -> LocationList {
    let mut found = Vec::new();
    for entry in &list.0 {
        let (range, data) = match entry {
            Location::BaseAddress { address } => {
                base = Some(*address);
                continue;
            }
            Location::DefaultLocation { .. } => {
                found.push(entry.clone());
                continue;
            }
            Location::OffsetPair { begin, end, data } => {
                (base.and_then(|base| range(base, *begin, *end, sections)), data)
            }
            Location::StartEnd { begin, end, data } => (between(*begin, *end, sections), data),
            Location::StartLength { begin, length, data } => (range(*begin, 0, *length, sections), data),
        };
        found.extend(range.map(|(begin, end)| Location::StartLength {
            begin: Address::Constant(begin),
            length: end - begin,
            data: data.clone(),
        }));
    }
    LocationList(found)
}

/// Gives a function the name that it has in the source.
fn name(entry: &mut write::DebuggingInformationEntry, strings: &write::StringTable, source: &Source) {
    if entry.tag() != dw::DW_TAG_subprogram {
        return;
    }
    let name = match entry.get(dw::DW_AT_name) {
        Some(AttributeValue::String(name)) => name.clone(),
        Some(AttributeValue::StringRef(id)) => strings.get(*id).to_vec(),
        _ => return,
    };
    if let Some(known) = std::str::from_utf8(&name).ok().and_then(|name| source.name(name)) {
        entry.set(dw::DW_AT_name, AttributeValue::String(known.as_bytes().to_vec()));
    }
}

/// The files of a line table.
struct Files {
    /// The folder that others are relative to.
    folder: Vec<u8>,
    /// Name and folder, in their order.
    files: Vec<(write::FileId, Vec<u8>, Vec<u8>)>,
}

impl Files {
    fn of(
        program: &LineProgram,
        strings: &write::StringTable,
        line_strings: &write::LineStringTable,
    ) -> Files {
        let text = |string: &LineString| string.get(strings, line_strings).to_vec();
        let folder = text(program.get_directory(program.default_directory()));
        let files = program.files();
        let files = files.map(|(id, name, folder)| (id, text(name), text(program.get_directory(folder))));
        Files { folder, files: files.collect() }
    }

    fn find(&self, name: &[u8], folder: &[u8]) -> Option<write::FileId> {
        self.files.iter().find(|(_, known, of)| known == name && of == folder).map(|(id, ..)| *id)
    }

    /// An empty line table, in which the files have the same numbers, and are relative to another folder.
    fn line_program(
        &self,
        encoding: gimli::Encoding,
        folder: &[u8],
        strings: &mut write::LineStringTable,
    ) -> LineProgram {
        let mut string = |text: &[u8]| LineString::new(text, encoding, strings);
        let renamed = |of: &'_ [u8]| if of == self.folder { folder.to_vec() } else { of.to_vec() };
        let unnamed = (b"?".to_vec(), self.folder.clone());
        let (name, of) = self.files.first().map_or(unnamed, |(_, name, of)| (name.clone(), of.clone()));
        let (root, of, name) = (string(folder), string(&renamed(&of)), string(&name));
        let mut program = LineProgram::new(encoding, LineEncoding::default(), root, Some(of), name, None);
        // The first of DWARF 5 is there already.
        for (_, name, of) in self.files.iter().skip(usize::from(encoding.version >= 5)) {
            let of = program.add_directory(string(&renamed(of)));
            program.add_file(string(name), of, None);
        }
        program
    }
}

/// The file of an entry in the table that is read.
type FileOf<'f> =
    dyn Fn(&read::FileEntry<Slice>, &read::LineProgramHeader<Slice>) -> Option<write::FileId> + 'f;

/// Fills the line table of a unit, whose rows are relative to the start of their section in `program`.
fn lines(
    mut new: LineProgram,
    program: read::IncompleteLineProgram<Slice>,
    file_of: &FileOf,
    sections: &Sections,
) -> Result<LineProgram> {
    let mut known: HashMap<u64, Option<write::FileId>> = HashMap::new();
    let mut rows = program.rows();
    let mut start = None;
    let mut last = 0;
    while let Some((header, row)) = rows.next_row()? {
        let address = sections.locate(row.address()).and_then(|(section, at)| sections.address(section, at));
        let Some(address) = address else {
            // All of a sequence is in one section.
            if let Some(start) = start.take() {
                new.end_sequence(last - start);
            }
            continue;
        };
        if row.end_sequence() {
            if let Some(start) = start.take() {
                new.end_sequence(address.max(last) - start);
            }
            continue;
        }
        let first = *start.get_or_insert_with(|| {
            new.begin_sequence(Some(Address::Constant(address)));
            last = address;
            address
        });
        last = last.max(address);
        let file = *known.entry(row.file_index()).or_insert_with(|| file_of(row.file(header)?, header));
        let Some(file) = file else { continue };
        let to = new.row();
        to.address_offset = last - first;
        to.file = file;
        to.line = row.line().map_or(0, std::num::NonZeroU64::get);
        to.is_statement = row.is_stmt();
        to.prologue_end = row.prologue_end();
        to.epilogue_begin = row.epilogue_begin();
        new.generate_row();
    }
    if let Some(start) = start {
        new.end_sequence(last - start);
    }
    Ok(new)
}

/// How functions keep registers, for debuggers that show who called them.
fn frames(frame: &read::DebugFrame<Slice>, sections: &Sections) -> Result<write::FrameTable> {
    let bases = read::BaseAddresses::default();
    let mut table = write::FrameTable::default();
    let mut cies = HashMap::new();
    let mut entries = frame.entries(&bases);
    while let Some(entry) = entries.next()? {
        let read::CieOrFde::Fde(partial) = entry else { continue };
        let fde = partial.parse(read::DebugFrame::cie_from_offset)?;
        let cie = fde.cie();
        let id = match cies.get(&cie.offset()) {
            Some(id) => *id,
            None => {
                let (code, data) = (cie.code_alignment_factor(), cie.data_alignment_factor());
                let mut to = write::CommonInformationEntry::new(
                    cie.encoding(),
                    u8::try_from(code).unwrap_or(1),
                    i8::try_from(data).unwrap_or(1),
                    cie.return_address_register(),
                );
                let mut instructions = cie.instructions(frame, &bases);
                while let Some(from) = instructions.next()? {
                    if let Some(instruction) = instruction(from, data) {
                        to.add_instruction(instruction);
                    }
                }
                let id = table.add_cie(to);
                cies.insert(cie.offset(), id);
                id
            }
        };
        let Some((section, start)) = sections.locate(fde.initial_address()) else { continue };
        let Some((begin, end)) = sections.range(section, start, start + fde.len()) else { continue };
        let Ok(length) = u32::try_from(end - begin) else { continue };
        let mut to = write::FrameDescriptionEntry::new(Address::Constant(begin), length);
        let mut at = start;
        let mut instructions = fde.instructions(frame, &bases);
        while let Some(from) = instructions.next()? {
            if let read::CallFrameInstruction::AdvanceLoc { delta } = from {
                at += u64::from(delta) * cie.code_alignment_factor();
            } else if let Some(instruction) = instruction(from, cie.data_alignment_factor()) {
                let address = sections.address(section, at).unwrap_or(end);
                to.add_instruction((address - begin) as u32, instruction);
            }
        }
        table.add_fde(id, to);
    }
    Ok(table)
}

/// An instruction of a frame, without those that C compilers do not use for functions in C: they have expressions.
fn instruction(from: read::CallFrameInstruction<usize>, data: i64) -> Option<CallFrameInstruction> {
    use read::CallFrameInstruction as From;
    let plain = |offset: u64| i32::try_from(offset).ok();
    let factored = |offset: i64| i32::try_from(offset.checked_mul(data)?).ok();
    Some(match from {
        From::DefCfa { register, offset } => CallFrameInstruction::Cfa(register, plain(offset)?),
        From::DefCfaSf { register, factored_offset } => {
            CallFrameInstruction::Cfa(register, factored(factored_offset)?)
        }
        From::DefCfaRegister { register } => CallFrameInstruction::CfaRegister(register),
        From::DefCfaOffset { offset } => CallFrameInstruction::CfaOffset(plain(offset)?),
        From::DefCfaOffsetSf { factored_offset } => {
            CallFrameInstruction::CfaOffset(factored(factored_offset)?)
        }
        From::Undefined { register } => CallFrameInstruction::Undefined(register),
        From::SameValue { register } => CallFrameInstruction::SameValue(register),
        From::Offset { register, factored_offset } => {
            CallFrameInstruction::Offset(register, factored(i64::try_from(factored_offset).ok()?)?)
        }
        From::OffsetExtendedSf { register, factored_offset } => {
            CallFrameInstruction::Offset(register, factored(factored_offset)?)
        }
        From::Register { dest_register, src_register } => {
            CallFrameInstruction::Register(dest_register, src_register)
        }
        From::Restore { register } => CallFrameInstruction::Restore(register),
        From::RememberState => CallFrameInstruction::RememberState,
        From::RestoreState => CallFrameInstruction::RestoreState,
        From::ArgsSize { size } => CallFrameInstruction::ArgsSize(u32::try_from(size).ok()?),
        _ => return None,
    })
}
