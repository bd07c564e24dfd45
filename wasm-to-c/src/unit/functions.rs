//! Functions: their names, types and heads in C.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wasmparser::ExternalKind;

use super::Unit;
use crate::code::indent;
use crate::codegen::c_type;
use crate::ir::Callee;
use crate::names::{literal, path};
use crate::native_stack;
use crate::types::{FuncType, ValType};

/// Ends what [`Unit::here`] says.
const NOWHERE: &str = "#undef wasm_here\n";

fn returns_float(ty: &FuncType) -> bool {
    matches!(ty.results[..], [ValType::F32 | ValType::F64])
}

/// `ifd` for (i32, f32, f64).
fn letters(types: &[ValType]) -> String {
    types
        .iter()
        .map(|ty| match ty {
            ValType::I32 => 'i',
            ValType::I64 => 'q',
            ValType::F32 => 'f',
            ValType::F64 => 'd',
            ValType::V128 => 'v',
            ValType::FuncRef => 'r',
            ValType::ExternRef => 'e',
            ValType::ExnRef => 'x',
        })
        .collect()
}

impl Unit<'_> {
    /// The C type a function of type `ty` returns.
    pub fn result_type(&self, ty: &FuncType) -> String {
        match ty.results.as_slice() {
            [] => "void".into(),
            [one] => c_type(*one).into(),
            several => format!("struct wasm_{}", letters(several)),
        }
    }

    /// The same where a function is declared or defined.
    pub(super) fn returned_type(&self, ty: &FuncType) -> String {
        let attribute = if returns_float(ty) { "WASM_RETURNS_FLOAT " } else { "" };
        format!("{attribute}{}", self.result_type(ty))
    }

    /// A function's declarator, with or without the names of its parameters.
    pub fn prototype(&self, index: u32, named: bool) -> String {
        self.prototype_of(index, &self.functions[index as usize], named)
    }

    /// The declarator of a function of this name that has the parameters of another.
    fn prototype_of(&self, index: u32, name: &str, named: bool) -> String {
        let function = &self.module.functions[index as usize];
        let params: Vec<String> = function
            .ty
            .params
            .iter()
            .enumerate()
            .map(|(i, ty)| if named { format!("{} l{i}", c_type(*ty)) } else { c_type(*ty).to_owned() })
            .collect();
        let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        let apart = if self.is_not_inlined(index) { "WASM_APART " } else { "" };
        let looping = self.looping_exports[index as usize];
        format!(
            "{apart}{} {} {}({params})",
            if looping { "WASM_LOOPING_EXPORT" } else { "WASM_FUNCTION" },
            self.returned_type(&function.ty),
            name
        )
    }

    pub(super) fn pointer_type(&self, ty: &FuncType) -> String {
        let params: Vec<&str> = ty.params.iter().map(|ty| c_type(*ty)).collect();
        let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        let pointer = if returns_float(ty) { "WASM_RETURNS_FLOAT *" } else { "*" };
        format!("{} ({pointer})({params})", self.result_type(ty))
    }

    /// What tells functions of the type at an index from those of another; not 0.
    pub(super) fn type_id(&self, index: u32) -> u32 {
        let id = self.module.type_ids[index as usize];
        if self.linkable { id.hash | 1 } else { 1 + id.number }
    }

    /// The type that a call returns.
    pub fn called_type(&self, callee: &Callee) -> String {
        self.result_type(match callee {
            Callee::Function(function) => &self.module.functions[*function as usize].ty,
            Callee::Indirect { ty, .. } | Callee::Reference { ty, .. } => &self.module.types[*ty as usize],
        })
    }

    /// The function that Python calls for an exported one: exceptions that nobody caught end there.
    pub(super) fn entrance(&self, index: u32) -> String {
        let name = &self.functions[index as usize];
        if self.throws[index as usize] && !self.linkable { format!("x_{name}") } else { name.clone() }
    }

    pub(super) fn entrances(&self, c: &mut String) {
        let exported = self.module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func);
        let indices: BTreeSet<u32> = exported.map(|(_, _, index)| *index).collect();
        for index in
            indices.into_iter().filter(|index| self.entrance(*index) != self.functions[*index as usize])
        {
            let ty = &self.module.functions[index as usize].ty;
            let name = &self.functions[index as usize];
            let head = self.prototype_of(index, &self.entrance(index), true);
            let args: Vec<String> = (0..ty.params.len()).map(|at| format!("l{at}")).collect();
            let (keep, give) = match ty.results.len() {
                0 => (String::new(), ""),
                _ => (format!("{} r = ", self.result_type(ty)), "    return r;\n"),
            };
            let _ = writeln!(
                c,
                "{head} {{\n{}    {keep}{name}({});\n    WASM_UNCAUGHT();\n{give}}}\n",
                indent(&self.here(index)),
                args.join(", ")
            );
        }
    }

    /// The directives that tell what may trap which function it is in, when that is wanted. They hold until the next ones.
    pub fn here(&self, index: u32) -> String {
        if !self.trap_names {
            return String::new();
        }
        let function = &self.module.functions[index as usize];
        let name = function.name.as_deref().or_else(|| self.exported.get(&index).copied());
        let name = name.map_or_else(|| format!("function {index}"), path);
        format!("{NOWHERE}#define wasm_here WASM_SITE({})\n", literal(&name))
    }

    /// The directive behind the last function of the module, if [`Unit::here`] wrote some.
    pub fn nowhere(&self) -> &'static str {
        if self.trap_names { NOWHERE } else { "" }
    }

    /// A reference to a function.
    pub fn function_reference(&self, index: u32) -> String {
        self.referenced.borrow_mut().insert(index);
        format!("(uintptr_t)&ref_{}", self.functions[index as usize])
    }

    /// A function that checks the stack before it calls the one with the large frame, and the head of that one.
    pub fn before_large_frame(&self, index: u32, size: u32) -> (String, String) {
        let name = &self.functions[index as usize];
        let ty = &self.module.functions[index as usize].ty;
        let within = native_stack::within(name);
        let head = self.prototype(index, true);
        let inner = self.prototype_of(index, &within, true);
        let args: Vec<String> = (0..ty.params.len()).map(|at| format!("l{at}")).collect();
        let give = if ty.results.is_empty() { "" } else { "return " };
        let here = indent(&self.here(index));
        let call = format!("{give}{within}({});", args.join(", "));
        (format!("{head} {{\n{here}    WASM_STACK_CHECK_FOR({size}u);\n    {call}\n}}\n"), inner)
    }

    /// The address that stands for a tag.
    pub fn tag(&self, index: u32) -> String {
        let name = &self.tags[index as usize];
        match self.module.tags[index as usize].import {
            Some(_) => name.clone(),
            None => format!("&{name}"),
        }
    }
}
