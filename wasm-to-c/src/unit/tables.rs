//! Tables, element segments, and calls through them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Unit;
use super::rows::rows;
use super::state::Mutable;
use crate::module::{Constant, Place};

impl Unit<'_> {
    /// The callee of an indirect call.
    pub fn indirect(&self, table: u32, type_index: u32, index: &str) -> String {
        let pointer = self.pointer_type(&self.module.types[type_index as usize]);
        if self.relocations.is_some() {
            return format!("(({pointer})(uintptr_t){index})");
        }
        let id = self.type_id(type_index);
        if self.fixed[table as usize] {
            let Some(size) = self.module.tables.get(table as usize).map(|table| table.minimum) else {
                return String::new();
            };
            return format!("(({pointer})wasm_callee({}, {size}u, {index}, {id}u))", self.entries(table));
        }
        format!("(({pointer})wasm_callee_of({}, {index}, {id}u))", self.table_pointer(table))
    }

    /// The callee of a call by reference.
    pub fn by_reference(&self, ty: u32, reference: &str) -> String {
        let pointer = self.pointer_type(&self.module.types[ty as usize]);
        format!("(({pointer})wasm_function_of({reference}))")
    }

    pub(super) fn entries(&self, table: u32) -> &str {
        if self.module.tables[table as usize].minimum == 0 { "NULL" } else { &self.tables[table as usize] }
    }

    /// The `wasm_table_t *` of a table.
    pub fn table_pointer(&self, index: u32) -> String {
        let name = &self.tables[index as usize];
        match self.module.tables[index as usize].import {
            Some(_) => name.clone(),
            None => format!("&{name}"),
        }
    }

    /// An element segment and the elements it has left.
    pub fn element(&self, index: u32) -> (String, String) {
        match self.has_elements(index) {
            true => (format!("elem{index}"), format!("elem{index}_size")),
            false => ("NULL".into(), "0".into()),
        }
    }

    /// Whether an element segment has elements after the module has started.
    pub fn has_elements(&self, index: u32) -> bool {
        let element = &self.module.elements[index as usize];
        matches!(element.place, Place::Passive) && !element.items.is_empty()
    }

    /// The table is the module's own `wasm_table_t`.
    pub(super) fn table_grows(&self, index: usize) -> bool {
        self.module.tables[index].import.is_none() && !self.fixed[index]
    }

    pub(super) fn table(&self, c: &mut String, index: u32) {
        let table = &self.module.tables[index as usize];
        let name = &self.tables[index as usize];
        if table.import.is_some() {
            self.define(c, &Mutable::of("wasm_table_t *", name), None);
            c.push('\n');
            return;
        }
        if !self.fixed[index as usize] {
            self.define(c, &Mutable::of("wasm_table_t", name), None);
            c.push('\n');
            return;
        }
        if table.minimum == 0 {
            return;
        }
        let mut entries = BTreeMap::new();
        for element in &self.module.elements {
            let Place::Active { index: at, offset: Constant::I32(offset) } = &element.place else { continue };
            if *at == index {
                entries.extend((*offset..).zip(&element.items));
            }
        }
        let entries = entries.into_iter().filter_map(|(at, item)| match item {
            Constant::Function(function) => Some((at, self.funcref(*function))),
            _ => None,
        });
        if !self.has_addresses() {
            let elements = Some(table.minimum);
            self.define(c, &Mutable { ty: "wasm_funcref_t", name, elements, align: None }, None);
            entries.for_each(|(at, entry)| self.set(&format!("{name}[{at}]"), entry));
            return;
        }
        let _ = writeln!(c, "WASM_UNUSED static const wasm_funcref_t {name}[{}] = {{", table.minimum);
        for (at, (ty, function)) in entries {
            let _ = writeln!(c, "    [{at}] = {{{ty}, {function}}},");
        }
        c.push_str("};\n\n");
    }

    /// The members of a `wasm_funcref_t`.
    fn funcref(&self, function: u32) -> (String, String) {
        let id = self.type_id(self.module.functions[function as usize].type_index);
        (format!("{id}u"), format!("(wasm_function_t){}", self.functions[function as usize]))
    }

    /// Defines what references to functions point to.
    pub(super) fn references(&self, c: &mut String) {
        for index in &*self.referenced.borrow() {
            let name = format!("ref_{}", self.functions[*index as usize]);
            if self.has_addresses() {
                let (ty, function) = self.funcref(*index);
                let _ = writeln!(c, "WASM_UNUSED static const wasm_funcref_t {name} = {{{ty}, {function}}};");
            } else {
                self.define(c, &Mutable::of("wasm_funcref_t", &name), None);
                self.set(&name, self.funcref(*index));
            }
        }
    }

    /// Has a `wasm_funcref_t` of the block set before anything of the module runs.
    fn set(&self, place: &str, (ty, function): (String, String)) {
        if let Some(block) = &self.block {
            // One at a time: a compiler may make a constant of the whole, which cannot contain an address.
            let _ = writeln!(block.borrow_mut().init, "{place}.type = {ty};\n{place}.function = {function};");
        }
    }

    /// Element segments, but those that are in a table from the start.
    pub(super) fn elements(&self, c: &mut String, dynamic: &mut String) {
        for (index, element) in self.module.elements.iter().enumerate() {
            let placed = match element.place {
                Place::Active { index, .. } => self.fixed[index as usize],
                Place::Passive => false,
                Place::Declared => true,
            };
            if placed || element.items.is_empty() {
                continue;
            }
            let size = element.items.len();
            let items: Vec<(String, bool)> = element.items.iter().map(|item| self.constant(item)).collect();
            let mut init = "{\n".to_owned();
            rows(&mut init, items.iter().map(|(text, ok)| if *ok { text.clone() } else { "0".into() }), 4);
            init.push('}');
            let name = format!("elem{index}");
            let array = Mutable { ty: "uintptr_t", name: &name, elements: Some(size as u32), align: None };
            if items.iter().all(|(_, is_static)| *is_static) {
                let _ = writeln!(c, "static const {} = {init};", array.declarator());
            } else {
                self.define(c, &array, Some(&init));
            }
            for (at, (text, _)) in items.iter().enumerate().filter(|(_, (_, is_static))| !is_static) {
                let _ = writeln!(dynamic, "elem{index}[{at}] = {text};");
            }
            if matches!(element.place, Place::Passive) {
                let name = format!("elem{index}_size");
                self.define(c, &Mutable::of("uint32_t", &name), Some(&format!("{size}u")));
            }
        }
    }
}
