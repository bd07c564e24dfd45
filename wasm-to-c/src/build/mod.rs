//! A function's operators → its tree.
//!
//! Operands stay expressions until something they depend on is about to change, and are then kept in a variable. What may
//! trap is evaluated in WebAssembly's order.

mod atomics;
mod builder;
mod control;
mod exceptions;
mod open;
mod operand;
mod operators;

use std::collections::BTreeSet;

use target_specs::{Diagnostic, Result};

use crate::ir::Function;
use crate::module::{place, unsupported};
use crate::shadow_stack;
use crate::unit::Unit;

use builder::Builder;
use open::Open;

/// The most values that the blocks of a function pass. A few bytes of a module can say that it is a thousand.
const MOST: usize = 1 << 21;

/// Builds the tree of a function of the module. `proved` are the numbers of operators that passes over an earlier tree proved to
/// need no check, so that it does not matter when they are executed.
///
/// # Errors
/// `unsupported-wasm` for an operator that cannot be translated, and `too-large`.
pub(crate) fn function(
    unit: &Unit<'_>,
    index: u32,
    body: &wasmparser::FunctionBody<'_>,
    proved: &BTreeSet<usize>,
) -> Result<Function> {
    let ty = unit.module.functions[index as usize].ty.clone();
    let mut locals = ty.params.clone();
    let invalid =
        |error: wasmparser::BinaryReaderError| unsupported(unit.name, None, error.offset(), error.message());
    for group in body.get_locals_reader().map_err(invalid)? {
        let (count, local) = group.map_err(invalid)?;
        let local = crate::module::val_type(unit.name, local)?;
        locals.extend(std::iter::repeat_n(local, count as usize));
    }
    let mut this = Builder {
        unit,
        index,
        stack: Vec::new(),
        settled: 0,
        open: vec![Open::function(ty.results.clone())],
        labels: 0,
        locals,
        temps: Vec::new(),
        reachable: true,
        skipped: 0,
        after_tee: false,
        frame: unit.shadow_stack.and_then(|stack| shadow_stack::frame(body, stack.pointer)),
        native_frame: unit.native_frames[index as usize - unit.module.imported()],
        has_loops: false,
        exceptions: Vec::new(),
        number: 0,
        proved,
        operators: 0,
        passed: 0,
        at: 0,
    };
    let mut reader = body.get_operators_reader().map_err(invalid)?;
    // What a pass put before the function's own code is from no line.
    let mut line = None;
    while !reader.eof() {
        let start = reader.original_position();
        let op = reader.read().map_err(invalid)?;
        line = line.or_else(|| unit.line(start));
        this.number += 1;
        this.at = start;
        this.operators += 1;
        this.operator(&op, start)?;
        if this.passed > MOST {
            return Err(Diagnostic::new("too-large", "its blocks pass too many values")
                .at(place(unit.name, unit.module.functions[index as usize].name.as_deref(), start))
                .help("divide the function"));
        }
    }
    let body = std::mem::take(&mut this.open[0].body);
    Ok(Function {
        index,
        ty,
        locals: this.locals,
        temps: this.temps,
        body,
        labels: this.labels,
        exceptions: this.exceptions,
        has_loops: this.has_loops,
        line,
    })
}
