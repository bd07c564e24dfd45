//! Lets Ctrl-C end loops of a crate: what its functions do is counted, and after a while they call `mpy.check_interrupt`.
//!
//! A function counts the iterations of its loops down in a local, which is cheap in registers. It begins with what is left in
//! a global, of which each call takes [`CALL`]. So at most `PATIENCE / CALL` calls of up to `PATIENCE` iterations pass between
//! two checks, however loops and calls are nested.
//!
//! An exception leaves what it passes through as it is at that moment. Functions that keep the order of memory or of a
//! collection are therefore left out: the allocator with all that it calls, and most of the standard library. Their loops end.

use std::collections::{BTreeMap, BTreeSet};

use walrus::ir::{BinaryOp, InstrSeqId, Loop, UnaryOp, Value, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, ExportItem, FunctionBuilder, FunctionId, FunctionKind, GlobalId, LocalFunction, Module,
    ValType,
};

use super::callers::{calls, crate_of};
use super::names::rust_name;

/// The iterations between two checks, and how many of them a call counts as.
const PATIENCE: i32 = 8192;
const CALL: i32 = 64;

/// What keeps something in order that an exception must not leave half changed, by the beginnings of paths.
const ORDERLY: [&str; 12] = [
    "alloc::",
    "compiler_builtins::",
    "core::ptr::",
    "core::slice::",
    "dlmalloc::",
    "hashbrown::",
    "mpy_allocator::",
    "mpy_panic::",
    "mpy_std::",
    "std::",
    "wasm_bindgen::__rt::",
    "__rustc::",
];
/// What of that only calls other functions or reads: code of the user's may be compiled into it.
const PLAIN: [&str; 3] = ["alloc::boxed::", "alloc::vec::into_iter::", "core::slice::iter::"];
/// Crates with traits that functions of [`ORDERLY`] implement.
const LIBRARY: [&str; 5] = ["alloc", "compiler_builtins", "core", "hashbrown", "std"];
/// The functions of an allocator, in Rust and in C.
const ALLOCATORS: [&str; 8] = [
    "__rust_alloc",
    "__rust_alloc_zeroed",
    "__rust_dealloc",
    "__rust_realloc",
    "calloc",
    "free",
    "malloc",
    "realloc",
];

/// Lets the functions of the user's crates be interrupted. `symbols` are the exports that `#[wasm_bindgen]` made. Returns
/// whether functions have names: of a stripped program, it is known of exported functions alone whose they are.
pub fn make(module: &mut Module, symbols: &BTreeSet<&str>) -> bool {
    let calls = calls(module);
    let own = own_functions(module, symbols, &calls);
    let counted: Vec<(FunctionId, Vec<InstrSeqId>)> = own
        .into_iter()
        .map(|id| (id, loops(module.funcs.get(id).kind.unwrap_local())))
        .filter(|(id, loops)| !loops.is_empty() || leads_to(&calls, *id, *id))
        .collect();
    if !counted.is_empty() {
        let left =
            module.globals.add_local(ValType::I32, true, false, ConstExpr::Value(Value::I32(PATIENCE)));
        module.globals.get_mut(left).name = Some("patience".to_owned());
        let pause = pause(module, left);
        for (id, loops) in counted {
            let patience = module.locals.add(ValType::I32);
            count(module.funcs.get_mut(id).kind.unwrap_local_mut(), &loops, left, patience, pause);
        }
    }
    module.funcs.iter_local().any(|(id, _)| rust_name(module.funcs.get(id)).contains("::"))
}

/// A function that checks, and returns how much patience there is again.
fn pause(module: &mut Module, left: GlobalId) -> FunctionId {
    let ty = module.types.add(&[], &[]);
    let (check, _) = module.add_import_func("mpy", "check_interrupt", ty);
    let mut builder = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
    builder.name("pause".to_owned());
    builder.func_body().call(check).i32_const(PATIENCE).global_set(left).i32_const(PATIENCE);
    builder.finish(Vec::new(), &mut module.funcs)
}

/// Makes a function count its calls and iterations.
fn count(
    function: &mut LocalFunction,
    loops: &[InstrSeqId],
    left: GlobalId,
    patience: walrus::LocalId,
    pause: FunctionId,
) {
    for at in loops {
        let mut body = function.builder_mut().instr_seq(*at);
        body.local_get_at(0, patience).const_at(1, Value::I32(1)).binop_at(2, BinaryOp::I32Sub);
        body.local_tee_at(3, patience).unop_at(4, UnaryOp::I32Eqz);
        body.if_else_at(5, None, |then| _ = then.call(pause).local_set(patience), |_| {});
    }
    let mut body = function.builder_mut().func_body();
    body.global_get_at(0, left).const_at(1, Value::I32(CALL)).binop_at(2, BinaryOp::I32Sub);
    body.local_tee_at(3, patience).const_at(4, Value::I32(0)).binop_at(5, BinaryOp::I32LeS);
    body.if_else_at(6, None, |then| _ = then.call(pause).local_set(patience), |_| {});
    body.local_get_at(7, patience).global_set_at(8, left);
}

/// The functions of the user's crates.
fn own_functions(
    module: &Module,
    symbols: &BTreeSet<&str>,
    calls: &BTreeMap<FunctionId, BTreeSet<FunctionId>>,
) -> Vec<FunctionId> {
    let exported: BTreeSet<FunctionId> = module
        .exports
        .iter()
        .filter_map(|export| match export.item {
            ExportItem::Function(id) => match export.name.strip_prefix("mpy:") {
                Some(name) => (symbols.contains(name) || name.starts_with("shim_")).then_some(id),
                None => Some(id),
            },
            _ => None,
        })
        .collect();
    let mut in_allocator = BTreeSet::new();
    let mut left: Vec<FunctionId> = module.funcs.iter().filter(allocates).map(walrus::Function::id).collect();
    while let Some(at) = left.pop() {
        if in_allocator.insert(at) {
            left.extend(calls.get(&at).into_iter().flatten());
        }
    }
    let functions = module.funcs.iter().filter(|function| matches!(function.kind, FunctionKind::Local(_)));
    let own = functions.filter(|function| !in_allocator.contains(&function.id())).filter(|function| {
        let path = rust_name(function);
        if path.contains("::") { !keeps_order(&path) } else { exported.contains(&function.id()) }
    });
    own.map(walrus::Function::id).collect()
}

/// Whether it is a function of an allocator.
fn allocates(function: &&walrus::Function) -> bool {
    let path = rust_name(function);
    let name = path.strip_prefix("__rustc::").unwrap_or(&path);
    let is_method = || path.contains("core::alloc::global::GlobalAlloc>::");
    ALLOCATORS.contains(&name) || is_method()
}

/// Whether the function with this path keeps something in order that an exception must not leave half changed.
fn keeps_order(path: &str) -> bool {
    let path = path.trim_start_matches(['<', '&', '*', '[', '(']);
    let (ty, of) = match path.split_once(" as ") {
        Some((ty, of)) => (ty, Some(of)),
        None => (path, None),
    };
    let ty = ["mut ", "const ", "dyn "].iter().fold(ty, |ty, word| ty.trim_start_matches(word));
    let begins = |path: &str, with: &[&str]| with.iter().any(|prefix| path.starts_with(prefix));
    let is_orderly = |path: &str| begins(path, &ORDERLY) && !begins(path, &PLAIN);
    // A type without a crate is a parameter or a primitive one, of which the trait decides.
    let of_trait = of.is_some_and(|of| is_orderly(of) && crate_of(ty).is_empty());
    let own_trait = of.is_some_and(|of| !LIBRARY.contains(&crate_of(of)));
    of_trait || is_orderly(ty) && !own_trait
}

/// Whether calls of one function may lead to one of the other.
fn leads_to(calls: &BTreeMap<FunctionId, BTreeSet<FunctionId>>, from: FunctionId, to: FunctionId) -> bool {
    let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(at) = left.pop() {
        for callee in calls.get(&at).into_iter().flatten() {
            if *callee == to {
                return true;
            }
            if seen.insert(*callee) {
                left.push(*callee);
            }
        }
    }
    false
}

/// The loops of a function.
fn loops(function: &LocalFunction) -> Vec<InstrSeqId> {
    let mut loops = Loops::default();
    dfs_in_order(&mut loops, function, function.entry_block());
    loops.0
}

#[derive(Default)]
struct Loops(Vec<InstrSeqId>);

impl Visitor<'_> for Loops {
    fn visit_loop(&mut self, looped: &Loop) {
        self.0.push(looped.seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the functions that are counted in a module of `functions`.
    fn counted(functions: &str, symbols: &[&str]) -> (Vec<String>, bool) {
        let text = format!("(module {functions})");
        let mut module = Module::from_buffer(&wat::parse_str(text).unwrap()).unwrap();
        let named = make(&mut module, &symbols.iter().copied().collect());
        // It stays valid.
        let module = Module::from_buffer(&module.emit_wasm()).unwrap();
        let pause = module.funcs.iter().find(|function| function.name.as_deref() == Some("pause"));
        let Some(pause) = pause.map(walrus::Function::id) else { return (Vec::new(), named) };
        let calls = calls(&module).into_iter().filter(|(_, callees)| callees.contains(&pause));
        let names = calls.map(|(id, _)| module.funcs.get(id).name.clone().unwrap_or_default());
        let mut names: Vec<String> = names.collect();
        names.sort();
        (names, named)
    }

    const LOOP: &str = "(local i32) (loop $again (br_if $again (local.get 0)))";

    #[test]
    fn loops_of_the_user_are_counted() {
        let functions = format!(
            r#"(func $user::f {LOOP}) (func $user::straight) (func $core::iter::fold {LOOP})
               (func $alloc::vec::retain {LOOP}) (func $memcpy {LOOP})
               (func (export "shown") {LOOP}) (func (export "mpy:described") {LOOP})
               (func (export "mpy:__wbindgen_malloc") {LOOP})"#
        );
        let (names, named) = counted(&functions, &["described"]);
        assert_eq!(names, ["", "", "core::iter::fold", "user::f"]);
        assert!(named);
        assert_eq!(counted("(func $user::straight)", &[]), (vec![], true));
        assert!(!counted(&format!(r#"(func (export "shown") {LOOP})"#), &[]).1);
    }

    #[test]
    fn calls_that_come_back_are_counted() {
        let (names, _) = counted(
            "(func $user::itself call $user::itself) (func $user::a call $user::b) (func $user::b call $user::c)
             (func $user::c call $user::a) (func $user::calls call $user::a)",
            &[],
        );
        assert_eq!(names, ["user::a", "user::b", "user::c", "user::itself"]);
    }

    #[test]
    fn an_allocator_is_left_out_with_what_it_calls() {
        let functions = format!(
            "(func $__rust_alloc call $mine::find) (func $mine::find {LOOP})
             (func $<mine::Heap_as_core::alloc::global::GlobalAlloc>::dealloc call $mine::merge)
             (func $mine::merge {LOOP}) (func $mine::other {LOOP})"
        );
        let text = format!("(module {functions})");
        let mut module = Module::from_buffer(&wat::parse_str(text).unwrap()).unwrap();
        for function in module.funcs.iter_mut() {
            function.name = function.name.take().map(|name| name.replace("_as_", " as "));
        }
        let own = own_functions(&module, &BTreeSet::new(), &calls(&module));
        let names: Vec<String> = own.iter().map(|id| rust_name(module.funcs.get(*id))).collect();
        assert_eq!(names, ["mine::other"]);
    }

    #[test]
    fn what_keeps_order_is_known_by_its_path() {
        for path in [
            "alloc::vec::Vec<T,A>::retain_mut",
            "<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop",
            "<alloc::collections::btree::map::BTreeMap<user::Key, u8>>::insert",
            "core::slice::sort::stable::driftsort_main",
            "core::slice::<impl [T]>::rotate_left",
            "core::ptr::drop_in_place<user::Thing>",
            "hashbrown::raw::RawTable<T,A>::reserve_rehash",
            "std::collections::hash::map::HashMap<K,V,S>::insert",
            "<[T] as alloc::slice::SpecCloneIntoVec<T,A>>::clone_into",
            "<T as alloc::string::ToString>::to_string",
            "__rustc::__rdl_alloc",
        ] {
            assert!(keeps_order(path), "{path}");
        }
        for path in [
            "user::f",
            "user::f::{closure#0}",
            "<user::Thing as core::clone::Clone>::clone",
            "<alloc::vec::Vec<T> as user::Trait>::run",
            "<core::iter::adapters::map::Map<I,F> as core::iter::traits::iterator::Iterator>::fold",
            "<core::slice::iter::Iter<T> as core::iter::traits::iterator::Iterator>::position",
            "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once",
            "<&mut I as core::iter::traits::iterator::Iterator>::next",
            "core::ops::function::FnOnce::call_once{{vtable.shim}}",
            "wasm_bindgen::convert::closures::_::invoke",
            "<dyn user::Trait>::run",
        ] {
            assert!(!keeps_order(path), "{path}");
        }
    }
}
