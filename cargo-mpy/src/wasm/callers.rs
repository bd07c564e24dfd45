//! Which functions of a program lead to an import.

use std::collections::{BTreeMap, BTreeSet};

use walrus::ir::{Visitor, dfs_in_order};
use walrus::{FunctionId, ImportKind, LocalFunction, Module};

/// Crates whose functions call an import for others.
const BETWEEN: [&str; 6] = ["alloc", "core", "js_sys", "std", "wasm_bindgen", "web_sys"];

/// By import of wasm-bindgen, the paths of the functions that call it, themselves or through functions of wasm-bindgen and
/// the standard library. An export has a name without a crate. The optimizer may have made a function part of its callers.
/// A module that cannot be read has none.
pub fn callers(bytes: &[u8], symbols: &BTreeSet<&str>) -> BTreeMap<String, BTreeSet<String>> {
    let Ok(module) = Module::from_buffer(bytes) else { return BTreeMap::new() };
    let callers = callers_of_all(&module);
    let wanted = module.imports.iter().filter_map(|import| match import.kind {
        ImportKind::Function(id) if symbols.contains(import.name.as_str()) => Some((import.name.clone(), id)),
        _ => None,
    });
    wanted.map(|(symbol, id)| (symbol, leading_to(&module, &callers, id))).collect()
}

/// The paths of these functions, and of the callers of those that belong to the standard library.
pub fn outside_of_std(module: &Module, functions: &BTreeSet<FunctionId>) -> BTreeSet<String> {
    let callers = callers_of_all(module);
    let of = |id: &FunctionId| {
        let path = wasm_to_c::demangled(module.funcs.get(*id).name.as_deref().unwrap_or_default());
        match ["alloc", "core", "std"].contains(&crate_of(&path)) {
            true => leading_to(module, &callers, *id),
            false => BTreeSet::from([path]),
        }
    };
    functions.iter().flat_map(of).filter(|path| !path.is_empty()).collect()
}

/// By function, those that call it by name.
fn callers_of_all(module: &Module) -> BTreeMap<FunctionId, BTreeSet<FunctionId>> {
    let mut callers: BTreeMap<FunctionId, BTreeSet<FunctionId>> = BTreeMap::new();
    for (id, callees) in calls(module) {
        for callee in callees {
            callers.entry(callee).or_default().insert(id);
        }
    }
    callers
}

/// By function, those that it calls by name.
pub fn calls(module: &Module) -> BTreeMap<FunctionId, BTreeSet<FunctionId>> {
    let of = |function: &LocalFunction| {
        let mut called = Called::default();
        dfs_in_order(&mut called, function, function.entry_block());
        called.0
    };
    module.funcs.iter_local().map(|(id, function)| (id, of(function))).collect()
}

fn leading_to(
    module: &Module,
    callers: &BTreeMap<FunctionId, BTreeSet<FunctionId>>,
    id: FunctionId,
) -> BTreeSet<String> {
    let (mut found, mut seen, mut left) = (BTreeSet::new(), BTreeSet::from([id]), vec![id]);
    while let Some(at) = left.pop() {
        for caller in callers.get(&at).into_iter().flatten().filter(|caller| seen.insert(**caller)) {
            let name = module.funcs.get(*caller).name.as_deref().unwrap_or_default();
            let path = wasm_to_c::demangled(name);
            let between = crate_of(&path).is_empty() || BETWEEN.contains(&crate_of(&path));
            if between && callers.contains_key(caller) {
                left.push(*caller);
            } else {
                found.insert(path);
            }
        }
    }
    found
}

/// The crate of a path such as `<gloo_timers::callback::Timeout as core::ops::drop::Drop>::drop`. A function that was
/// compiled for a closure, as in `futures::run::<own::main::{closure#0}>`, is mostly what the closure does: the crate of that.
pub fn crate_of(path: &str) -> &str {
    let argument = path.split_once("::<").and_then(|(_, arguments)| {
        let (path, _) = arguments.split_once("{closure")?;
        path.rsplit(['<', '>', ' ', '(', '&']).next().filter(|path| !path.starts_with("::"))
    });
    let path = argument.unwrap_or(path);
    let path = path.trim_start_matches(['<', '&', '*', '[', '(']);
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    if path[end..].starts_with("::") { &path[..end] } else { "" }
}

#[derive(Default)]
struct Called(BTreeSet<FunctionId>);

impl Visitor<'_> for Called {
    fn visit_function_id(&mut self, id: &FunctionId) {
        self.0.insert(*id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_are_those_of_other_crates() {
        let text = r#"(module
            (import "mpy:bindgen" "a" (func $a)) (import "mpy:bindgen" "b" (func $b))
            (func $js_sys::call (call $a)) (func $one::f (call $js_sys::call)) (func $two::g (call $one::f) (call $b))
            (func $shown (call $b)))"#;
        let bytes = wat::parse_str(text).unwrap();
        let found = callers(&bytes, &BTreeSet::from(["a", "b"]));
        assert_eq!(found["a"], BTreeSet::from(["one::f".to_owned()]));
        assert_eq!(found["b"], BTreeSet::from(["shown".to_owned(), "two::g".to_owned()]));
        assert_eq!(crate_of("<one::T as core::clone::Clone>::clone"), "one");
        assert_eq!(crate_of("memcpy"), "");
        assert_eq!(crate_of("two::run::<one::main::{closure#0}>::{closure#1}"), "one");
        assert_eq!(crate_of("two::run::<alloc::boxed::Box<one::main::{closure#0}>>"), "one");
        assert_eq!(crate_of("two::run::<u32>::{closure#1}"), "two");
    }
}
