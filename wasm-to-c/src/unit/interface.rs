//! What the rest of the pipeline must know of a translated module.

use wasmparser::ExternalKind;

use super::{TABLE_ELEMENT, Unit};
use crate::interface::{
    ExportedFunc, ExportedItem, FlashTable, ImportedFunc, ImportedItem, Interface, Item, MemoryInfo,
};
use crate::memory::Memory;
use crate::module::{Constant, Global};
use crate::native_stack;
use crate::options::Options;

impl Unit<'_> {
    pub(super) fn interface(&self, imported: usize, init: Option<String>, options: &Options) -> Interface {
        let module = self.module;
        let functions = module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func);
        let exports = functions.map(|(name, _, index)| {
            let ty = module.functions[*index as usize].ty.clone();
            let result_type = self.result_type(&ty);
            let function = *index as usize;
            let within = self.functions[function].clone();
            ExportedFunc {
                name: name.clone(),
                c_name: self.entrance(*index),
                within,
                ty,
                result_type,
                function,
            }
        });
        let global = |global: &Global| Item::Global { ty: global.ty, mutable: global.mutable };
        let mut exported = Vec::new();
        for (name, kind, index) in &module.exports {
            let at = *index as usize;
            let (c_name, item) = match kind {
                ExternalKind::Global => (self.global(*index), global(&module.globals[at])),
                ExternalKind::Memory if options.linkable => (self.memories[at].name.clone(), Item::Memory),
                ExternalKind::Table if options.linkable => (self.tables[at].clone(), Item::Table),
                ExternalKind::Tag if options.linkable => (self.tags[at].clone(), Item::Tag),
                _ => continue,
            };
            let pointer = match item {
                Item::Tag => module.tags[at].import.is_some(),
                Item::Memory => module.memories[at].import.is_some(),
                Item::Table => module.tables[at].import.is_some(),
                Item::Global { .. } => false,
            };
            let c_name = if pointer { format!("(*{c_name})") } else { c_name };
            exported.push(ExportedItem { name: name.clone(), c_name, item });
        }
        let source = |import: &Option<(String, String)>, c_name: &str, item: Item| {
            let (module, field) = import.clone()?;
            Some(ImportedItem { module, field, c_name: c_name.to_owned(), item })
        };
        let mut items: Vec<Option<ImportedItem>> = Vec::new();
        items.extend(
            module.globals.iter().zip(&self.globals).map(|(g, name)| source(&g.import, name, global(g))),
        );
        items.extend(
            module
                .memories
                .iter()
                .zip(&self.memories)
                .map(|(m, at)| source(&m.import, &at.name, Item::Memory)),
        );
        items.extend(
            module.tables.iter().zip(&self.tables).map(|(t, name)| source(&t.import, name, Item::Table)),
        );
        items.extend(
            module.tags.iter().zip(&self.tags).map(|(tag, name)| source(&tag.import, name, Item::Tag)),
        );
        let imports = module.functions[..imported].iter().zip(&self.functions).map(|(function, c_name)| {
            let (module, field) = function.import.clone().unwrap_or_default();
            let result_type = self.returned_type(&function.ty);
            ImportedFunc { module, field, c_name: c_name.clone(), ty: function.ty.clone(), result_type }
        });
        let stack_pointer = self.stack_pointer.and_then(|index| match module.globals[index as usize].init {
            Constant::I32(_) => Some((self.globals[index as usize].clone(), self.initial(index).0)),
            _ => None,
        });
        let place = |memory: &Memory| MemoryInfo {
            base: memory.base(),
            size: memory.bytes(),
            direct: self.relocations.is_some(),
            grows: memory.grows(),
            heap_base: self.heap_base,
            heap_reserve: self.heap_reserve,
            growth: memory.growth(),
        };
        let memory = self.memories.first().map(place);
        let exported_memories = module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Memory);
        let exported_memories = exported_memories
            .map(|(name, _, at)| (name.clone(), place(&self.memories[*at as usize])))
            .collect();
        let has_memory = self.relocations.is_none();
        let grown_memories = self.memories.iter().filter(|_| has_memory).filter_map(Memory::growth);
        let grown_memories = grown_memories.map(|growth| growth.lvalue).collect();
        let grown_tables = (0..module.tables.len())
            .filter(|table| has_memory && self.table_grows(*table))
            .map(|table| self.tables[table].clone());
        let grown_tables = grown_tables.collect();
        let heap_bytes = self.memories.iter().map(Memory::heap_bytes).sum();
        let static_bytes = self.memories.iter().map(Memory::static_bytes).sum();
        let data: usize = module.data.iter().map(|data| data.bytes.len()).sum();
        // With native addresses, there are no tables.
        let tables = module.tables.iter().filter(|_| has_memory);
        let elements: u64 = tables.map(|table| u64::from(table.minimum)).sum();
        let constant_bytes = data as u64 + TABLE_ELEMENT * elements;
        let stack_limit = self.any_stack_check().then(|| "wasm_stack_limit".to_owned());
        let table = |object: &usize| {
            let object = &self.relocations?.objects[*object];
            let data = self.object_bytes(self.relocations?, object)?.to_vec();
            Some(FlashTable { name: object.name.clone(), data })
        };
        let flash_tables = self.flash_tables().iter().filter_map(table).collect();
        Interface {
            exports: exports.collect(),
            imports: imports.collect(),
            exported_items: exported,
            imported_items: items.into_iter().flatten().collect(),
            init,
            stack_pointer,
            stack_need: self.need.clone(),
            memory,
            exported_memories,
            grown_memories,
            grown_tables,
            heap_bytes,
            flash_tables,
            static_bytes,
            constant_bytes,
            stack_limit,
            code: options.code,
            stack_ahead: if self.stack_checks.is_some() { native_stack::AHEAD } else { 0 },
            unwinds: options.throwing.is_some(),
            calls: self.calls.clone(),
        }
    }
}
