//! The objects that change while a module runs.

use std::fmt::Write as _;

use super::Unit;
use crate::code::indent;
use crate::options::CodePlace;

/// An object that changes, as C declares it.
pub(super) struct Mutable<'a> {
    /// The type of its elements, or its own.
    pub ty: &'a str,
    pub name: &'a str,
    /// The number of its elements, if it is an array.
    pub elements: Option<u32>,
    pub align: Option<u32>,
}

impl<'a> Mutable<'a> {
    /// A variable.
    pub fn of(ty: &'a str, name: &'a str) -> Self {
        Mutable { ty, name, elements: None, align: None }
    }

    /// The declaration without what it begins and ends with.
    pub fn declarator(&self) -> String {
        let Mutable { ty, name, elements, .. } = self;
        let gap = if ty.ends_with('*') { "" } else { " " };
        let array = elements.map(|elements| format!("[{elements}]")).unwrap_or_default();
        format!("{ty}{gap}{name}{array}")
    }

    /// What a definition ends with.
    pub fn alignment(&self) -> String {
        self.align.map(|align| format!(" __attribute__((aligned({align})))")).unwrap_or_default()
    }
}

impl Unit<'_> {
    /// Defines an object that changes. `init` is its first value; 0 if it is not given.
    pub(super) fn define(&self, c: &mut String, object: &Mutable, init: Option<&str>) {
        let (declarator, alignment) = (object.declarator(), object.alignment());
        let Some(block) = &self.block else {
            let init = init.map(|init| format!(" = {init}")).unwrap_or_default();
            let _ = writeln!(c, "WASM_STORAGE {declarator}{alignment}{init};");
            return;
        };
        let mut block = block.borrow_mut();
        let member =
            (object.elements.unwrap_or(0), format!("{declarator}{alignment};\n"), object.name.to_owned());
        block.members.push(member);
        match init {
            Some(init) if object.elements.is_some() => {
                let Mutable { ty, name, elements, .. } = object;
                let from = Mutable { ty, name: &format!("{name}_init"), elements: *elements, align: None };
                let _ = writeln!(c, "static const {} = {init};", from.declarator());
                let _ = writeln!(block.init, "__builtin_memcpy({name}, {}, sizeof {name});", from.name);
            }
            Some(init) => {
                let _ = writeln!(block.init, "{} = {init};", object.name);
            }
            None => {}
        }
    }

    /// Whether C's constants can contain the addresses of functions and of other constants.
    pub(super) fn has_addresses(&self) -> bool {
        self.code != CodePlace::Anywhere
    }

    /// The type of the block, and its members by their names alone. Where state lies by itself, nothing.
    pub(super) fn block_type(&self) -> String {
        let Some(block) = &self.block else { return String::new() };
        let mut members = block.borrow().members.clone();
        // Instructions reach what is near the beginning without another one.
        members.sort_by_key(|(elements, ..)| *elements);
        let declared: String = members.iter().map(|(_, declaration, _)| declaration.as_str()).collect();
        let mut c = format!("struct wasm_module {{\n    WASM_HEAD\n{}}};\n", indent(&declared));
        c.push_str("enum { wasm_end_0 = sizeof(struct wasm_module) };\n");
        for (.., name) in members {
            let _ = writeln!(c, "#define {name} (((struct wasm_module *)WASM_BASE)->{name})");
        }
        c.push('\n');
        c
    }

    /// The statements that give the members of the block their first values.
    pub(super) fn block_init(&self) -> String {
        self.block.as_ref().map(|block| block.borrow().init.clone()).unwrap_or_default()
    }
}
