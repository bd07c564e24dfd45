//! Handles wasm-bindgen's part of a module: reads the data of its macro, then lets wasm-bindgen's own library remove
//! what only its own tools use.
//!
//! What the bindings need is kept under other names: the exports behind Python's functions and wasm-bindgen's helper
//! functions as `mpy:NAME`, and the functions that Rust calls as imports of the module `mpy:bindgen`.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use glue_gen::wbindgen::{self, Api, Raw};
use target_specs::{Diagnostic, Place, Result};
use walrus::ir::{Value, VisitorMut};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId, ImportKind, Module,
};
use wasm_bindgen_cli_support::Bindgen;

use super::describe::{self, PLACEHOLDER};

/// Helper functions of wasm-bindgen that the bindings call.
const HELPERS: &[&str] =
    &["__wbindgen_malloc", "__wbindgen_free", "__wbindgen_exn_store", "__wbindgen_destroy_closure"];

/// The first index of an object that is not a constant (`wasm_bindgen::__rt::JSIDX_RESERVED`).
const FIRST_OBJECT: i32 = 1028;

/// Removes wasm-bindgen from `module`; `None` if the module does not use it.
///
/// # Errors
/// `wasm-bindgen-version`, `invalid-bindings`, `unsupported-bindings`.
pub fn bind(module: Module) -> Result<(Module, Option<Api>)> {
    let Some((raw, generics)) = describe::read(&module)? else { return Ok((module, None)) };
    let api = wbindgen::api(&raw)?;
    // Environment variables that change the output of wasm-bindgen.
    for name in ["WASM_BINDGEN_EXTERNREF", "WASM_BINDGEN_MULTI_VALUE"] {
        if std::env::var_os(name).is_some() {
            return Err(Diagnostic::new("invalid-environment", format!("`{name}` is set"))
                .help("unset it: it asks for WebAssembly that only a browser runs"));
        }
    }
    let mut module = module;
    plain_handles(&mut module);
    let own = exports_of_the_user(&module, &raw, &api);
    // It would require JavaScript's exceptions.
    module.exports.remove("__instance_terminated").ok();
    keep(&mut module, &api);
    import_casts(&mut module, generics);
    move_imports(&mut module);

    let broken = |why: String| {
        Diagnostic::new("invalid-bindings", format!("wasm-bindgen refuses the module: {why}")).at(Place::None)
    };
    let output = quietly(move || {
        let mut bindgen = Bindgen::new();
        bindgen.input_module("module", module).typescript(false).demangle(false).keep_lld_exports(true);
        bindgen.bundler(true)?.generate_output()
    });
    let mut output = output.map_err(&broken)?.map_err(|error| broken(format!("{error:#}")))?;
    // The generated JavaScript is not used.
    let mut module = std::mem::take(output.wasm_mut());

    let dropped: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !export.name.starts_with("mpy:") && !own.contains(&export.name))
        .map(walrus::Export::id)
        .collect();
    for id in dropped {
        module.exports.delete(id);
    }
    Ok((module, Some(api)))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs wasm-bindgen's library, and returns the message if it panics. It panics if descriptions contradict each other.
fn quietly<T>(run: impl FnOnce() -> T) -> std::result::Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                others(info);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given").to_owned()
    })
}

/// Turns objects into `i32` handles in a module that was compiled for `externref`. The code is the same; only
/// wasm-bindgen's tool would be told to rewrite it.
fn plain_handles(module: &mut Module) {
    module.customs.remove_raw("target_features");
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| export.name.starts_with("__externref"))
        .map(walrus::Export::id)
        .collect();
    for id in unused {
        module.exports.delete(id);
    }
    let end = module.imports.iter().find_map(|import| match import.kind {
        ImportKind::Function(id) if import.name == "__wbindgen_externref_statics_end" => Some(id),
        _ => None,
    });
    if let Some(id) = end {
        let mut builder = FunctionBuilder::new(&mut module.types, &[], &[walrus::ValType::I32]);
        builder.func_body().i32_const(FIRST_OBJECT);
        let constant = builder.finish(Vec::new(), &mut module.funcs);
        replace_calls(module, &BTreeMap::from([(id, constant)]));
    }
}

/// Names of exports that do not belong to wasm-bindgen.
fn exports_of_the_user(module: &Module, raw: &Raw, api: &Api) -> HashSet<String> {
    let symbols: HashSet<&str> = api.symbols().collect();
    module
        .exports
        .iter()
        .map(|export| &export.name)
        .filter(|name| {
            let described = raw.descriptors.contains_key(name.as_str()) || symbols.contains(name.as_str());
            let internal =
                ["__wb", "__externref", "__abort_handler", "__instance_"].iter().any(|p| name.starts_with(p));
            !described && !internal
        })
        .cloned()
        .collect()
}

/// Exports the functions that the bindings call, under names that wasm-bindgen's tool does not touch.
fn keep(module: &mut Module, api: &Api) {
    let named: Vec<(String, ExportItem)> = api
        .symbols()
        .chain(HELPERS.iter().copied())
        .filter_map(|symbol| {
            let export = module.exports.iter().find(|export| export.name == symbol)?;
            Some((format!("mpy:{symbol}"), export.item))
        })
        .collect();
    let shims = api.shims().into_iter().filter_map(|index| {
        Some((format!("mpy:shim_{index}"), ExportItem::Function(table_entry(module, index)?)))
    });
    let mut seen = HashSet::new();
    let kept: Vec<_> = named.into_iter().chain(shims).collect();
    for (name, item) in kept {
        // Names for people: wasm-bindgen distinguishes crates by a hash.
        if let ExportItem::Function(id) = item
            && let Some((symbol, hash)) = name.trim_start_matches("mpy:").rsplit_once('_')
            && hash.len() == 16
        {
            module.funcs.get_mut(id).name = Some(symbol.to_owned());
        }
        if seen.insert(name.clone()) {
            module.exports.add(&name, item);
        }
    }
}

/// The function at `index` of the function table.
fn table_entry(module: &Module, index: u32) -> Option<FunctionId> {
    module.elements.iter().find_map(|segment| {
        let ElementKind::Active { offset: ConstExpr::Value(Value::I32(start)), .. } = segment.kind else {
            return None;
        };
        let at = index.checked_sub(start.cast_unsigned())? as usize;
        match &segment.items {
            ElementItems::Functions(ids) => ids.get(at).copied(),
            ElementItems::Expressions(_, items) => match items.get(at)? {
                ConstExpr::RefFunc(id) => Some(*id),
                _ => None,
            },
        }
    })
}

/// Turns each function that only describes a conversion into an import that performs it.
fn import_casts(module: &mut Module, generics: describe::Generics) {
    let mut replaced = BTreeMap::new();
    for (name, id) in generics {
        let ty = module.funcs.get(id).ty();
        let (import, _) = module.add_import_func(wbindgen::MODULE, &name, ty);
        replaced.insert(id, import);
    }
    replace_calls(module, &replaced);
}

/// Replaces calls of some functions by calls of others.
pub fn replace_calls(module: &mut Module, replaced: &BTreeMap<FunctionId, FunctionId>) {
    struct Replace<'a>(&'a BTreeMap<FunctionId, FunctionId>);
    impl VisitorMut for Replace<'_> {
        fn visit_function_id_mut(&mut self, id: &mut FunctionId) {
            if let Some(other) = self.0.get(id) {
                *id = *other;
            }
        }
    }
    for (_, function) in module.funcs.iter_local_mut() {
        let entry = function.entry_block();
        walrus::ir::dfs_pre_order_mut(&mut Replace(replaced), function, entry);
    }
    for segment in module.elements.iter_mut() {
        if let ElementItems::Functions(ids) = &mut segment.items {
            for id in ids {
                if let Some(other) = replaced.get(id) {
                    *id = *other;
                }
            }
        }
    }
}

/// Hides the functions that Rust calls from wasm-bindgen's tool, which would import them from JavaScript.
fn move_imports(module: &mut Module) {
    for import in module.imports.iter_mut() {
        if import.module == PLACEHOLDER
            && matches!(import.kind, ImportKind::Function(_))
            && !import.name.starts_with("__wbindgen_describe")
        {
            wbindgen::MODULE.clone_into(&mut import.module);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_library_is_an_error() {
        assert_eq!(quietly(|| 3), Ok(3));
        assert_eq!(quietly(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(quietly(|| panic!("number {}", 5)), Err::<(), _>("number 5".to_owned()));
    }
}
