//! A function's tree → C.
//!
//! The tree says everything that matters. What is here decides about nothing but how it is written.

mod c;
mod expr;
mod printer;
mod stmt;

use std::fmt::Write as _;

use target_specs::Result;

use crate::code::{Code, indent, placed};
use crate::ir::Function;
use crate::memory::Uses;
use crate::types::ValType;
use crate::unit::Unit;

use printer::Printer;

pub use c::c_type;
pub(crate) use c::{number, vector};

/// Writes a function behind `c`.
///
/// # Errors
/// `too-large`
pub(crate) fn function(unit: &Unit<'_>, function: &Function, c: &mut String) -> Result<()> {
    let mut printer = Printer {
        unit,
        function,
        code: Code::new(1),
        nested: 0,
        labels: function.labels,
        uses: Uses::default(),
        before: c.len(),
    };
    printer.body(&function.body)?;
    printer.code.end_place();
    printer.finish(c);
    Ok(())
}

/// Declares the variables of one type.
fn declare(
    c: &mut String,
    ty: ValType,
    letter: char,
    init: &str,
    all: impl Iterator<Item = (usize, ValType)>,
) {
    let mut any = false;
    let mut before = format!("    WASM_UNUSED {} ", c_type(ty));
    for (at, _) in all.filter(|(_, of)| *of == ty) {
        let _ = write!(c, "{before}{letter}{at}{init}");
        ", ".clone_into(&mut before);
        any = true;
    }
    if any {
        c.push_str(";\n");
    }
}

impl Printer<'_, '_> {
    /// Writes the function around its statements.
    fn finish(self, c: &mut String) {
        let Printer { unit, function, .. } = self;
        let index = function.index;
        let large = unit.large_frame(index);
        let large = large.map(|size| unit.before_large_frame(index, size));
        let head = large.as_ref().map_or_else(|| unit.prototype(index, true), |(_, head)| head.clone());
        let mut begin = format!("{head} {{\n{}", indent(&unit.here(index)));
        let locals = || function.locals.iter().copied().enumerate().skip(function.ty.params.len());
        use ValType::{ExnRef, ExternRef, F32, F64, FuncRef, I32, I64, V128};
        for ty in [I32, I64, F32, F64, V128, FuncRef, ExternRef, ExnRef] {
            declare(&mut begin, ty, 'l', if ty == V128 { " = {0}" } else { " = 0" }, locals());
            declare(&mut begin, ty, 't', "", function.temps.iter().copied().enumerate());
        }
        if let Some(frame) = unit.native_frame(index) {
            let _ = writeln!(begin, "    uint8_t frame[{}] __attribute__((aligned(16)));", frame.size);
        }
        if large.is_none() && unit.checks_stack(index) {
            begin.push_str("    WASM_STACK_CHECK();\n");
        }
        for label in &function.exceptions {
            let _ = writeln!(begin, "    wasm_exception_t *x{label} = NULL;");
        }
        for memory in &unit.memories {
            for declaration in memory.declare_uses(&self.uses, function.has_loops) {
                let _ = writeln!(begin, "    {declaration}");
            }
        }
        let directive = function.line.and_then(|line| unit.line_directive(line));
        c.push_str(&placed(&begin, directive.as_deref()));
        c.push_str(self.code.text());
        c.push_str("}\n");
        if let Some((before, _)) = large {
            c.push_str(&placed(&before, directive.as_deref()));
        }
    }
}
