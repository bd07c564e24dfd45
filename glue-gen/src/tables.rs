//! Constants that contain addresses. Code in flash cannot contain them, so there they are state, which is set when the module
//! starts.

use std::fmt::Write as _;

use wasm_to_c::CodePlace;

use crate::c::line;

/// How an array of constants is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Constant,
    /// A header has declared it, with this number of elements.
    Declared(&'static str),
    /// The same, and it is state, with these first values.
    State(&'static str),
    /// It changes when the module is closed.
    Changing,
}

/// Writes constants that contain addresses.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    code: CodePlace,
    /// The statements that set them.
    pub fill: String,
    /// As state: their declarations, and their names.
    members: String,
    names: Vec<String>,
    /// How many functions are given to the firmware, at most.
    pub entries: usize,
}

impl Tables {
    /// None, for code that is there.
    pub fn new(code: CodePlace) -> Tables {
        Tables { code, ..Tables::default() }
    }

    /// A function as the firmware calls it.
    pub fn entry(&mut self, function: &str) -> String {
        self.entries += 1;
        format!("MPY_ENTRY({function})")
    }

    /// The address of a function or a string for the module's own code.
    pub fn address(&self, constant: &str) -> String {
        format!("MPY_ADDRESS({constant})")
    }

    /// Defines an object. `value` is its initializer.
    pub fn object(&mut self, c: &mut String, ty: &str, name: &str, value: &str) {
        if self.code != CodePlace::Anywhere {
            line!(c, "static const {ty} {name} = {value};");
            return;
        }
        line!(self.members, "    {ty} {name};");
        self.names.push(name.to_owned());
        line!(self.fill, "    {name} = ({ty}){value};");
    }

    /// Defines an array, if it has elements. `rows` are their initializers.
    pub fn array(&mut self, c: &mut String, storage: Storage, ty: &str, name: &str, rows: &[String]) {
        if rows.is_empty() {
            return;
        }
        let is_state = matches!(storage, Storage::State(_)) && self.code.has_state_block();
        if self.code == CodePlace::Anywhere || is_state {
            if !matches!(storage, Storage::Declared(_) | Storage::State(_)) {
                line!(self.members, "    {ty} {name}[{}];", rows.len());
                self.names.push(name.to_owned());
            }
            for (i, row) in rows.iter().enumerate() {
                line!(self.fill, "    {name}[{i}] = ({ty}){row};");
            }
            return;
        }
        let (words, count) = match storage {
            Storage::Constant => ("static const", ""),
            Storage::Declared(count) => ("static const", count),
            Storage::State(count) => ("WASM_STORAGE", count),
            Storage::Changing => ("WASM_STORAGE", ""),
        };
        line!(c, "{words} {ty} {name}[{count}] = {{");
        for row in rows {
            line!(c, "    {row},");
        }
        line!(c, "}};");
    }

    /// Defines what is state, behind all definitions.
    pub fn state(&self, c: &mut String) {
        if self.names.is_empty() {
            return;
        }
        line!(c, "struct mpy_tables {{\n{}}};", self.members);
        line!(c, "WASM_STATE(struct mpy_tables, mpy_tables);");
        for name in &self.names {
            line!(c, "#define {name} (WASM_REACH(mpy_tables).{name})");
        }
        line!(c);
    }
}
