//! A module, and its functions one after the other.

use target_specs::{Diagnostic, Result};

use crate::interface::Translation;
use crate::options::{Options, WasmModule};
use crate::passes::PASSES;
use crate::unit::Unit;
use crate::{ir, module};

/// Translates `module` to C.
///
/// # Errors
/// An invalid module (`invalid-wasm`, with the offset) or one that needs an unsupported proposal
/// (`unsupported-wasm`, naming operator, proposal and offset); a memory or table that no target has room for
/// (`memory-too-large`); an imported global or table, unless modules may be linked (`unknown-import`).
pub fn transpile(module: &WasmModule, options: &Options) -> Result<Translation> {
    with_unit(module, options, |unit| unit.write(options))
}

/// The names of the passes over a function's tree, in their order.
pub fn passes() -> impl Iterator<Item = &'static str> {
    PASSES.iter().map(|(name, _)| *name)
}

/// The trees of a module's functions as text, as they are after that many passes.
///
/// # Errors
/// As [`transpile`].
pub fn trees(module: &WasmModule, options: &Options, passes: usize) -> Result<String> {
    with_unit(module, options, |unit| {
        let mut text = String::new();
        for (body, index) in unit.module.bodies.iter().zip(unit.module.imported() as u32..) {
            let function = crate::passes::tree(unit, index, body, passes)?;
            ir::print::function(&unit.functions[index as usize], &function, &mut text);
        }
        Ok(text)
    })
}

/// Reads a module, and makes something of what its functions have in common.
fn with_unit<T: Send>(
    module: &WasmModule,
    options: &Options,
    make: impl Fn(&Unit<'_>) -> Result<T> + Sync,
) -> Result<T> {
    let translate = || {
        let mut read = module::read(module)?;
        if !options.linkable {
            read.own_imports(&module.name)?;
        }
        make(&Unit::new(module, &read, options)?)
    };
    // Trees are as deep as the module's blocks, up to a limit that this stack suffices for.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, translate);
        let thread = thread.map_err(|error| {
            Diagnostic::new("io", format!("cannot start a thread to translate `{}`: {error}", module.name))
        })?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Bytes of stack for a translation.
const STACK: usize = 64 << 20;
