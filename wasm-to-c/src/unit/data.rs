//! Data segments of linear memory, and the data objects of direct memory.

use std::fmt::Write as _;

use super::rows::rows;
use super::state::Mutable;
use super::{SHADOW_STACK, Unit};
use crate::module::{Constant, Data, Memory, Place};
use crate::relocs::{DataObject, Reference, Relocations};

impl Unit<'_> {
    /// A passive data segment and the bytes it has left.
    pub fn data(&self, index: u32) -> (String, String) {
        match self.has_bytes(index) {
            true => (format!("data{index}"), format!("data{index}_bytes")),
            false => ("NULL".into(), "0".into()),
        }
    }

    /// Whether a data segment has bytes after the module has started.
    pub fn has_bytes(&self, index: u32) -> bool {
        let data = &self.module.data[index as usize];
        matches!(data.place, Place::Passive) && !data.bytes.is_empty()
    }

    /// How many bytes of each data segment are needed: those without a zero tail that is written where the memory has zeros.
    pub(super) fn needed_bytes(&self) -> Vec<usize> {
        // Behind what each memory may have other bytes than zeros.
        let imported = |memory: &Memory| if memory.import.is_some() { u64::MAX } else { 0 };
        let mut written: Vec<u64> = self.module.memories.iter().map(imported).collect();
        let needed = |data: &Data| {
            let Place::Active { index, offset } = &data.place else { return data.bytes.len() };
            let written = &mut written[*index as usize];
            let used = data.bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            // The first byte is nowhere or anywhere, if it is not known.
            let (first, end) = match offset {
                Constant::I32(offset) => (u64::from(*offset), u64::from(*offset) + used as u64),
                _ => (0, if used == 0 { 0 } else { u64::MAX }),
            };
            if first + used as u64 >= *written {
                *written = end;
                return used;
            }
            *written = end.max(*written);
            data.bytes.len()
        };
        self.module.data.iter().map(needed).collect()
    }

    /// Data segments of a linear memory.
    pub(super) fn segments(&self, c: &mut String) {
        for ((index, data), needed) in self.module.data.iter().enumerate().zip(self.needed_bytes()) {
            let passive = matches!(data.place, Place::Passive);
            let bytes = &data.bytes[..needed];
            if bytes.is_empty() {
                continue;
            }
            let _ = writeln!(c, "static const uint8_t data{index}[{}] = {{", bytes.len().max(1));
            rows(c, bytes, 24);
            c.push_str("};\n");
            if passive {
                let name = format!("data{index}_bytes");
                self.define(c, &Mutable::of("uint32_t", &name), Some(&format!("{}u", bytes.len())));
            }
        }
        c.push('\n');
    }

    /// The objects that functions refer to, directly or by the addresses in others. Functions have been written.
    fn live(&self) -> &[bool] {
        self.live.get_or_init(|| {
            let Some(relocations) = self.relocations else { return Vec::new() };
            let mut live = vec![false; relocations.objects.len()];
            let mut todo: Vec<usize> = self.used.borrow().iter().copied().collect();
            while let Some(object) = todo.pop() {
                if !std::mem::replace(&mut live[object], true) {
                    todo.extend(relocations.in_object(object).filter_map(|(_, reference)| match reference {
                        Reference::Data { object, .. } => Some(object),
                        Reference::Function(_) => None,
                    }));
                }
            }
            live
        })
    }

    /// The objects that stay in flash, in the order of their numbers there.
    pub(super) fn flash_tables(&self) -> Vec<usize> {
        let live = self.live();
        (0..live.len()).filter(|object| live[*object] && self.in_flash[*object]).collect()
    }

    /// The objects of a program whose addresses are the machine's.
    pub(super) fn objects(&self, c: &mut String) {
        let Some(relocations) = self.relocations else { return };
        if let (Some(_), Some(need)) = (self.stack_pointer, &self.need) {
            let elements = Some(need.size);
            let array = Mutable { ty: "uint8_t", name: SHADOW_STACK, elements, align: Some(16) };
            self.define(c, &array, None);
        }
        let is_const =
            |object: usize| relocations.is_read_only(object) && self.runtime_relocs(object).next().is_none();
        let shape = |object: usize| {
            let at = &relocations.objects[object];
            let name = &self.objects[object];
            if self.in_flash[object] {
                return Mutable::of("const uint8_t *", name);
            }
            let (ty, elements) =
                if self.by_words(object) { ("uint32_t", at.size.div_ceil(4)) } else { ("uint8_t", at.size) };
            Mutable { ty, name, elements: Some(elements.max(1)), align: Some(at.align.max(1)) }
        };
        let live = self.live();
        for object in (0..relocations.objects.len()).filter(|object| live[*object]) {
            let declared = if is_const(object) && !self.in_flash[object] {
                "static const"
            } else if self.block.is_none() {
                "WASM_STORAGE_DECLARE"
            } else {
                continue;
            };
            let _ = writeln!(c, "{declared} {};", shape(object).declarator());
        }
        c.push('\n');
        for (index, object) in relocations.objects.iter().enumerate().filter(|(index, _)| live[*index]) {
            let shape = shape(index);
            if self.in_flash[index] {
                self.define(c, &shape, None);
                continue;
            }
            let bytes = self.object_bytes(relocations, object).unwrap_or_default();
            let references: Vec<(u32, Reference)> = relocations.in_object(index).collect();
            if !relocations.is_read_only(index)
                && references.is_empty()
                && bytes.iter().all(|byte| *byte == 0)
            {
                self.define(c, &shape, None);
                continue;
            }
            let mut init = "{\n".to_owned();
            if self.by_words(index) {
                let mut references = references.into_iter().peekable();
                let items = bytes.chunks(4).zip((0u32..).step_by(4)).map(|(chunk, at)| {
                    match references.next_if(|(offset, _)| *offset == at) {
                        Some((_, reference)) if self.is_known_later(reference) => return "0".to_owned(),
                        Some((_, reference)) => return self.reference(reference),
                        None => {}
                    }
                    let mut padded = [0; 4];
                    padded[..chunk.len()].copy_from_slice(chunk);
                    format!("{:#x}u", u32::from_le_bytes(padded))
                });
                rows(&mut init, items, 6);
            } else {
                rows(&mut init, bytes, 24);
            }
            init.push('}');
            if is_const(index) {
                let _ = writeln!(c, "static const {}{} = {init};", shape.declarator(), shape.alignment());
            } else {
                self.define(c, &shape, Some(&init));
            }
        }
        c.push('\n');
    }

    /// Whether an address is only known when the module runs.
    fn is_known_later(&self, reference: Reference) -> bool {
        !self.has_addresses()
            || matches!(reference, Reference::Data { object, .. } if self.in_flash[object] || self.in_block[object])
    }

    /// The words of an object whose addresses are only known when the module runs.
    pub(super) fn runtime_relocs(&self, object: usize) -> impl Iterator<Item = (u32, Reference)> + '_ {
        let words = self.relocations.into_iter().flat_map(move |relocations| relocations.in_object(object));
        words.filter(|(_, reference)| self.is_known_later(*reference))
    }

    /// Finds what stays in flash, and writes the addresses that are only known now where they belong.
    pub(super) fn write_addresses(&self, c: &mut String) {
        let Some(relocations) = self.relocations else { return };
        let mut relocs = String::new();
        let live = self.live();
        for object in (0..relocations.objects.len()).filter(|object| live[*object]) {
            for (at, reference) in self.runtime_relocs(object) {
                let (name, value) = (&self.objects[object], self.reference(reference));
                let _ = writeln!(relocs, "{name}[{}] = {value};", at / 4);
            }
        }
        for (number, object) in self.flash_tables().into_iter().enumerate() {
            let (name, align) = (&self.objects[object], relocations.objects[object].align);
            let _ = writeln!(c, "{name} = wasm_flash_table({number}, {align});");
        }
        c.push_str(&relocs);
    }

    /// Whether an object holds addresses, and so is an array of words.
    pub(super) fn by_words(&self, object: usize) -> bool {
        self.relocations.is_some_and(|relocations| relocations.in_object(object).next().is_some())
    }

    /// What an object holds at the start; `None` when the module has it no longer.
    pub(super) fn object_bytes(&self, relocations: &Relocations, object: &DataObject) -> Option<&[u8]> {
        let segment = &relocations.segments[object.segment];
        let data = self.placed_data.get(&(segment.address, segment.size as usize));
        let range = object.offset as usize..(object.offset + object.size) as usize;
        self.module.data[*data?].bytes.get(range)
    }

    /// The address that a reference stands for.
    pub fn reference(&self, reference: Reference) -> String {
        match reference {
            Reference::Data { object, offset } => {
                self.used.borrow_mut().insert(object);
                let name = &self.objects[object];
                match offset {
                    0 => format!("(uint32_t)(uintptr_t){name}"),
                    1.. => format!("(uint32_t)(uintptr_t){name} + {offset}u"),
                    _ => format!("(uint32_t)(uintptr_t){name} - {}u", -offset),
                }
            }
            Reference::Function(index) => match self.table_function(index) {
                Some(function) => format!("(uint32_t)(uintptr_t){}", self.functions[function as usize]),
                // Taken out since: nothing can call it any more.
                None => "0u".to_owned(),
            },
        }
    }

    /// The function at an index of table 0.
    pub(super) fn table_function(&self, index: u32) -> Option<u32> {
        self.module.elements.iter().find_map(|element| {
            let Place::Active { index: 0, offset: Constant::I32(first) } = element.place else { return None };
            match element.items.get(index.checked_sub(first)? as usize) {
                Some(Constant::Function(function)) => Some(*function),
                _ => None,
            }
        })
    }
}
