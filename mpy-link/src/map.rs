//! The layout of a module, for people.

use crate::layout::{Layout, Region};
use crate::model::SymbolDef;
use crate::options::Bytes;
use crate::resolve::{FragmentId, Program};

/// A contiguous range of a loaded module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapEntry {
    /// The part that it is in.
    pub part: Part,
    /// The offset from the start of the part, in bytes.
    pub address: u32,
    /// The size in bytes.
    pub size: u32,
    /// The symbol of the function or variable. Empty if it has none.
    pub symbol: String,
    /// The section of the object, or a description of what the linker has added.
    pub section: String,
    /// The object. Empty for what the linker has added.
    pub object: String,
}

/// A part of a loaded module. Their sizes are in [`Sizes`](crate::Sizes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Code, and if code memory can be read byte by byte, constants.
    Text,
    /// Initialised data, and if code memory cannot be read byte by byte, constants.
    Rodata,
    /// Zero-initialised data.
    Bss,
    /// Constant objects. Each is loaded into a separate block, or stays in ROM.
    Objects,
}

impl Part {
    /// The loader's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Part::Text => "text",
            Part::Rodata => "rodata",
            Part::Bss => "bss",
            Part::Objects => "objects",
        }
    }
}

/// The constant objects, in order.
pub(crate) fn objects(objects: &[Bytes]) -> impl Iterator<Item = MapEntry> {
    objects.iter().scan(0, |end, object| {
        let (address, size) = (*end, object.data.len() as u32);
        *end += size;
        Some(MapEntry {
            part: Part::Objects,
            address,
            size,
            symbol: object.name.clone(),
            section: ".rodata".to_owned(),
            object: "objects.o".to_owned(),
        })
    })
}

/// Everything that is linked, sorted by address, without padding.
pub(crate) fn map(program: &Program, layout: &Layout, got_len: usize) -> Vec<MapEntry> {
    let mut entries = Vec::new();
    let word = u32::from(program.arch.word);
    let made = |address: u32, size: u32, what: &str| MapEntry {
        part: Part::Text,
        address,
        size,
        symbol: String::new(),
        section: what.to_owned(),
        object: String::new(),
    };
    if !layout.jump.is_empty() {
        entries.push(made(0, layout.jump.len() as u32, "jump to the entry"));
    }
    if got_len > 0 {
        entries.push(made(layout.got, got_len as u32 * word, "GOT"));
    }
    if let Some(anchor) = layout.anchor {
        entries.push(made(anchor, word, "address of the data block"));
    }
    let names = names(program, layout);
    for (id, slot) in layout.slots.iter().enumerate() {
        let Some((region, address)) = *slot else { continue };
        let part = match region {
            Region::Text => Part::Text,
            Region::Rodata => Part::Rodata,
            Region::Bss => Part::Bss,
        };
        fragment(program, id, part, address, &names[id], &mut entries);
    }
    entries.sort_by_key(|entry| (entry.part, entry.address, entry.size));
    entries
}

/// By fragment, its symbols, sorted by offset.
fn names<'a>(program: &Program<'a>, layout: &Layout) -> Vec<Vec<(u32, &'a str)>> {
    let mut names = vec![Vec::new(); program.fragments.len()];
    for (object, ids) in program.objects.iter().zip(&program.section_ids) {
        for symbol in &object.symbols {
            let id = match symbol.def {
                SymbolDef::Section(section) => ids.get(section as usize).copied().flatten(),
                SymbolDef::Common => program.common_section(symbol.name),
                _ => None,
            };
            let Some(id) = id else { continue };
            // Local labels (`.L12`) and mapping symbols (`$t`) are not functions or variables.
            let is_thing =
                !symbol.is_section && !symbol.name.starts_with(['$', '.']) && !symbol.name.is_empty();
            // The value of a common symbol is its alignment.
            let value = if symbol.def == SymbolDef::Common { 0 } else { symbol.value };
            let Ok(offset) = i64::try_from(value) else { continue };
            let (fragment, offset) = program.fragment_at(id, offset & !program.arch.code_bit);
            let inside = (0..i64::from(program.fragments[fragment].len)).contains(&offset);
            if is_thing && inside && layout.slots[fragment].is_some() {
                names[fragment].push((offset as u32, symbol.name));
            }
        }
    }
    for symbols in &mut names {
        symbols.sort();
        symbols.dedup_by_key(|(offset, _)| *offset);
    }
    names
}

fn fragment(
    program: &Program,
    id: FragmentId,
    part: Part,
    address: u32,
    names: &[(u32, &str)],
    entries: &mut Vec<MapEntry>,
) {
    let fragment = &program.fragments[id];
    let owned = &program.sections[fragment.section];
    let mut push = |from: u32, to: u32, symbol: &str| {
        if from < to {
            entries.push(MapEntry {
                part,
                address: address + from,
                size: to - from,
                symbol: symbol.to_owned(),
                section: owned.section.name.to_owned(),
                object: program.objects[owned.object].name.clone(),
            });
        }
    };
    let first = names.first().map_or(fragment.len, |&(offset, _)| offset);
    push(0, first, "");
    for (at, &(offset, name)) in names.iter().enumerate() {
        let end = names.get(at + 1).map_or(fragment.len, |&(next, _)| next);
        push(offset, end, name);
    }
}
