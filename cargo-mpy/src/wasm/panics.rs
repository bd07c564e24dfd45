//! Connects the panics of `std` with the code that is linked for them: `c-runtime/src/panic.rs`.

use std::collections::BTreeMap;

use memchr::memmem;
use walrus::ir::{BinaryOp, LoadKind, MemArg, StoreKind};
use walrus::{
    ExportItem, FunctionBuilder, FunctionId, FunctionKind, GlobalId, Memory, MemoryId, Module, ValType,
};

use super::bindgen::replace_calls;
use super::names::rust_name;

/// The message of `set_hook` if it fails, wherever the compiler put the code.
const HOOK: &[u8] = b"cannot modify the panic hook";
/// Panics that do not start in the handler.
const OTHERS: [&str; 3] =
    ["std::panicking::begin_panic", "std::panic::panic_any", "std::panicking::rust_panic_without_hook"];

/// The panic handler of `std` cannot report to MicroPython, so ours replaces it. If the program sets a hook or unwinds,
/// ours runs before it, and before and after the hook, and tells the bindings whether a hook runs. A crate without
/// `std` has its own handler, which is kept. Returns whether the program unwinds.
pub fn raise(module: &mut Module, variables: &Variables, stack_pointer: Option<GlobalId>) -> bool {
    let mut take = |name: &str| {
        let export = module.exports.iter().find(|export| export.name == name)?;
        let (export, ExportItem::Function(id)) = (export.id(), export.item) else { return None };
        module.exports.delete(export);
        Some(id)
    };
    let unwinding = ["mpy:init_unwinding", "mpy:last_panic", "mpy:throw", "mpy:catch", "mpy:panic_unwinds"]
        .map(&mut take);
    let names = [
        "mpy:panic",
        "mpy:panicking",
        "mpy:panic_begins",
        "mpy:hook_begins",
        "mpy:panic_ends",
        "mpy:hook_ends",
        "mpy:panic_after_hook",
    ];
    let [
        Some(on_panic),
        Some(swap),
        Some(begins),
        Some(hook_begins),
        Some(ends),
        Some(hook_ends),
        Some(after_hook),
    ] = names.map(&mut take)
    else {
        return false;
    };
    if !module.funcs.iter().any(|function| rust_name(function).starts_with("std::panicking::")) {
        return false;
    }
    let handler = runtime(module, "rust_begin_unwind");
    let handler = handler.filter(|id| params(module, *id) == params(module, on_panic));
    let hooks = module.data.iter().any(|data| memmem::find(&data.value, HOOK).is_some());
    let unwinds = match unwinding {
        [Some(init), Some(last), Some(throw), Some(catch), Some(unwinds)] => {
            let kept = ["mpy:init_unwinding", "mpy:last_panic", "mpy:throw", "mpy:catch"];
            for (name, id) in kept.into_iter().zip([init, last, throw, catch]) {
                module.exports.add(name, id);
            }
            variables.export_count(module);
            Some(unwinds)
        }
        _ => None,
    };
    let others = || module.funcs.iter().any(|f| OTHERS.iter().any(|other| rust_name(f).starts_with(other)));
    let end = runtime(module, "rust_panic").filter(|end| {
        // An optimizer removes a payload that is not read.
        unwinds.is_some() || [vec![], params(module, after_hook)].contains(&params(module, *end))
    });
    let (Some(end), Some(stack_pointer), true) =
        (end, stack_pointer, hooks || (unwinds.is_none() && others()))
    else {
        if let Some(handler) = handler {
            let ours = if unwinds.is_some() { begins } else { on_panic };
            replace_calls(module, &BTreeMap::from([(handler, ours)]));
            variables.answer(module, handler);
        }
        return unwinds.is_some();
    };
    if let Some(handler) = handler {
        replace_calls(module, &BTreeMap::from([(handler, begins)]));
        // Several names, for different versions of the standard library.
        let calls_hook = named(module, "std::panicking::panic_with_hook")
            .or_else(|| named(module, "std::panicking::rust_panic_with_hook"))
            .unwrap_or(handler);
        let with_frame = with_frame(module, calls_hook, hook_begins, stack_pointer);
        replace_calls(module, &BTreeMap::from([(calls_hook, with_frame)]));
        call(module, with_frame, calls_hook);
        variables.answer(module, if calls_hook == handler { with_frame } else { handler });
    }
    match unwinds {
        None => become_call(module, end, after_hook),
        Some(unwinds) => {
            if let FunctionKind::Local(local) = &mut module.funcs.get_mut(end).kind {
                local.builder_mut().func_body().call_at(0, unwinds);
            }
        }
    }
    for (name, id) in [("mpy:panicking", swap), ("mpy:panic_ends", ends), ("mpy:hook_ends", hook_ends)] {
        module.exports.add(name, id);
    }
    unwinds.is_some()
}

/// A function like `function` that first calls `first` with the address of a frame of 32 bytes.
fn with_frame(
    module: &mut Module,
    function: FunctionId,
    first: FunctionId,
    stack_pointer: GlobalId,
) -> FunctionId {
    let ty = module.types.get(module.funcs.get(function).ty());
    let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    let arguments: Vec<_> = params.iter().map(|ty| module.locals.add(*ty)).collect();
    let mut body = builder.func_body();
    body.global_get(stack_pointer).i32_const(32).binop(BinaryOp::I32Sub).global_set(stack_pointer);
    body.global_get(stack_pointer).call(first);
    builder.finish(arguments, &mut module.funcs)
}

/// Makes `function` end in a call of `other`, which has the same parameters and does not return.
fn call(module: &mut Module, function: FunctionId, other: FunctionId) {
    let FunctionKind::Local(local) = &mut module.funcs.get_mut(function).kind else { return };
    let arguments = local.args.clone();
    let mut body = local.builder_mut().func_body();
    for argument in arguments {
        body.local_get(argument);
    }
    body.call(other).unreachable();
}

/// The function of the module with this path in Rust.
fn named(module: &Module, name: &str) -> Option<FunctionId> {
    let function = module.funcs.iter().find(|function| rust_name(function) == name)?;
    matches!(function.kind, FunctionKind::Local(_)).then_some(function.id())
}

/// The function of Rust's runtime with this name. Since Rust 1.87, these are in the module `__rustc`.
fn runtime(module: &Module, name: &str) -> Option<FunctionId> {
    named(module, &format!("__rustc::{name}")).or_else(|| named(module, name))
}

fn params(module: &Module, function: FunctionId) -> Vec<ValType> {
    module.types.get(module.funcs.get(function).ty()).params().to_vec()
}

/// Makes `function` only call `other`, with its arguments or zeros.
fn become_call(module: &mut Module, function: FunctionId, other: FunctionId) {
    let count = params(module, other).len();
    let FunctionKind::Local(local) = &mut module.funcs.get_mut(function).kind else { return };
    let arguments = local.args.clone();
    let mut body = local.builder_mut().func_body();
    body.instrs_mut().clear();
    for at in 0..count {
        match arguments.get(at) {
            Some(argument) => body.local_get(*argument),
            None => body.i32_const(0),
        };
    }
    body.call(other).unreachable();
}

/// Variables of `std::panicking` that nothing resets if an exception ends a panic, by address, as far as they are
/// known.
#[derive(Debug, Default)]
pub struct Variables {
    /// The number of panics in progress.
    counts: Vec<u32>,
    /// Whether a hook runs; a byte.
    in_hook: Vec<u32>,
    /// The hook and its lock, as words.
    hook: Vec<u32>,
}

impl Variables {
    /// Finds the variables by name among symbols with address and size. Optimizers split some variables into several.
    pub fn find(symbols: impl IntoIterator<Item = (String, u32, u32)>) -> Variables {
        let mut found = Variables::default();
        for (name, address, size) in symbols {
            let path = wasm_to_c::demangled(&name);
            let Some(path) = path.strip_prefix("std::panicking::") else { continue };
            let names: Vec<&str> = path.split("::").collect();
            match (&names[..], size) {
                (["panic_count", "GLOBAL_PANIC_COUNT", ..] | ["panic_count", "LOCAL_PANIC_COUNT", ..], 4) => {
                    found.counts.push(address);
                }
                (["panic_count", "LOCAL_PANIC_COUNT", ..], 8) => {
                    found.counts.push(address);
                    found.in_hook.push(address + 4);
                }
                (["panic_count", "LOCAL_PANIC_COUNT", ..], 1) => found.in_hook.push(address),
                ([hook], _) if hook.split('.').next() == Some("HOOK") => {
                    found.hook.extend((0..size / 4).map(|word| address + 4 * word));
                }
                _ => {}
            }
        }
        // A variable that is larger than `Hook` in `panic.rs` is a different one.
        found.hook.truncate(4);
        found
    }

    /// Replaces the imports of `mpy:std` by functions.
    fn answer(&self, module: &mut Module, handler: FunctionId) {
        let Some(memory) = module.memories.iter().next().map(Memory::id) else { return };
        let mut copy = |back: bool| {
            let mut builder = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[]);
            let there = module.locals.add(ValType::I32);
            let mut body = builder.func_body();
            let word = |offset| MemArg { align: 4, offset };
            for (at, address) in (0..).zip(&self.hook) {
                let address = address.cast_signed();
                if back {
                    body.i32_const(address).local_get(there);
                    body.load(memory, LoadKind::I32 { atomic: false }, word(4 * at));
                    body.store(memory, StoreKind::I32 { atomic: false }, word(0));
                } else {
                    body.local_get(there).i32_const(address);
                    body.load(memory, LoadKind::I32 { atomic: false }, word(0));
                    body.store(memory, StoreKind::I32 { atomic: false }, word(4 * at));
                }
            }
            builder.finish(vec![there], &mut module.funcs)
        };
        let (save, restore) = (copy(false), copy(true));
        let answers = [
            ("handler", handler),
            ("set_counts", self.set_counts(module, memory)),
            ("save_hook", save),
            ("restore_hook", restore),
        ];
        let import = |name| module.imports.get_func("mpy:std", name).ok();
        let answers = answers.into_iter().filter_map(|(name, id)| Some((import(name)?, id))).collect();
        replace_calls(module, &answers);
    }

    /// Exports functions that get and set the number of panics in progress.
    fn export_count(&self, module: &mut Module) {
        let (Some(memory), Some(first)) =
            (module.memories.iter().next().map(Memory::id), self.counts.first())
        else {
            return;
        };
        let word = MemArg { align: 4, offset: 0 };
        let mut get = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
        get.func_body().i32_const(first.cast_signed()).load(memory, LoadKind::I32 { atomic: false }, word);
        let get = get.finish(vec![], &mut module.funcs);
        let mut set = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[]);
        let count = module.locals.add(ValType::I32);
        for address in &self.counts {
            let mut body = set.func_body();
            body.i32_const(address.cast_signed()).local_get(count);
            body.store(memory, StoreKind::I32 { atomic: false }, word);
        }
        let set = set.finish(vec![count], &mut module.funcs);
        module.exports.add("mpy:panics", get);
        module.exports.add("mpy:set_panics", set);
    }

    /// A function that sets the number of panics in progress, and of running hooks (0 or 1), to its argument.
    fn set_counts(&self, module: &mut Module, memory: MemoryId) -> FunctionId {
        let mut builder = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[]);
        let count = module.locals.add(ValType::I32);
        let mut body = builder.func_body();
        let counts = self.counts.iter().map(|address| (address, StoreKind::I32 { atomic: false }, 4));
        let in_hook = self.in_hook.iter().map(|address| (address, StoreKind::I32_8 { atomic: false }, 1));
        for (address, kind, align) in counts.chain(in_hook) {
            body.i32_const(address.cast_signed()).local_get(count);
            body.store(memory, kind, MemArg { align, offset: 0 });
        }
        builder.finish(vec![count], &mut module.funcs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_whole_and_in_parts() {
        const HOOK: &str = "_RNvNtCsebHcaeoSrxy_3std9panicking4HOOK";
        const GLOBAL: &str = "_RNvNtNtCsebHcaeoSrxy_3std9panicking11panic_count18GLOBAL_PANIC_COUNT";
        const LOCAL: &str = "_RNvNCNvNtNtCsebHcaeoSrxy_3std9panicking11panic_count17LOCAL_PANIC_COUNT023___RUST_STD_INTERNAL_VAL";
        const OLD: &str = "_ZN3std9panicking11panic_count17LOCAL_PANIC_COUNT28_$u7b$$u7b$closure$u7d$$u7d$3VAL17h0123456789abcdefE";
        let find = |symbols: &[(&str, u32, u32)]| {
            let found =
                Variables::find(symbols.iter().map(|(name, at, size)| ((*name).to_owned(), *at, *size)));
            (found.counts, found.in_hook, found.hook)
        };
        let whole = find(&[(HOOK, 40, 12), (GLOBAL, 68, 4), (LOCAL, 24, 8), ("other", 0, 4)]);
        assert_eq!(whole, (vec![68, 24], vec![28], vec![40, 44, 48]));
        let (local_0, local_1, hook_1) = (format!("{LOCAL}.0"), format!("{LOCAL}.1"), format!("{HOOK}.1"));
        let parts = find(&[(&hook_1, 4, 4), (&local_0, 8, 4), (&local_1, 12, 1)]);
        assert_eq!(parts, (vec![8], vec![12], vec![4]));
        assert_eq!(find(&[(OLD, 8, 8)]), (vec![8], vec![12], vec![]));
    }
}
