//! Passes over the linked WebAssembly module. They remove everything that is unused or invisible to Python, and record
//! what the linker knew about memory before that is lost.

mod bindgen;
pub mod callers;
mod describe;
mod interruptible;
mod lines;
mod names;
mod pages;
mod panics;
pub mod std_functions;
pub mod unavailable;
mod unreferenced;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use glue_gen::wbindgen::Api;
use target_specs::{Diagnostic, Place, Result};
use walrus::ir::{
    Call, Instr, InstrSeq, MemoryGrow, MemorySize, Value, Visitor, VisitorMut, dfs_in_order,
    dfs_pre_order_mut,
};
use walrus::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExportItem, FunctionId, FunctionKind, GlobalId,
    GlobalKind, Memory, Module, ModuleConfig, Table,
};
use wasm_to_c::WasmModule;
use wasm_to_c::relocs::{self, Relocations};

use names::rust_name;

/// The overhead of a block in the bindings' allocator, in bytes.
const HEAP_OVERHEAD: u32 = 32;

/// A module that is ready to be translated.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The module.
    pub module: WasmModule,
    /// The data of `#[wasm_bindgen]`, if the crate uses it.
    pub api: Option<Api>,
    /// Whether exceptions run destructors of Rust.
    pub unwinds: bool,
    /// Whether the program must be linked with functions of `std`.
    pub lacks_std: bool,
    /// The imports that run none of the user's Python code, by module and name.
    pub quiet_imports: HashSet<(String, String)>,
    /// Functions have names, or nobody had to know them.
    pub is_named: bool,
    /// It was optimised for speed, and so is its C.
    pub is_for_speed: bool,
}

/// Where a module comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A crate: Python sees what it exports, but not what its linker does.
    Crate {
        /// Ctrl-C and scheduled functions interrupt its loops.
        interruptible: bool,
    },
    /// Another toolchain: Python also sees exported memories and globals.
    Other,
}

impl Origin {
    /// A crate whose loops are as they are written.
    pub const CRATE: Origin = Origin::Crate { interruptible: false };
}

/// The binary module in a file that may be in the text format.
///
/// # Errors
/// `invalid-wat`, with line and column.
pub fn binary<'a>(path: &std::path::Path, contents: &'a [u8]) -> Result<std::borrow::Cow<'a, [u8]>> {
    if path.extension().is_none_or(|extension| extension != "wat") {
        return Ok(contents.into());
    }
    wat::parse_bytes(contents).map_err(|error| {
        let text = error.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        // "message", "--> file:line:column", and the line with a mark.
        let at = lines.iter().find_map(|line| line.strip_prefix("--> "));
        let mut numbers = at.unwrap_or_default().rsplit(':').map_while(|number| number.parse().ok());
        let (column, line) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        Diagnostic::new("invalid-wat", lines.first().copied().unwrap_or_default().to_owned())
            .at(Place::File { path: path.to_owned(), line, column })
            .help("it must be a module in WebAssembly's text format")
    })
}

/// The data of wasm-bindgen's macro in the module `bytes`; `None` if the crate does not use it.
///
/// # Errors
/// `invalid-bindings`, also if `bytes` is not a module.
pub fn descriptions(bytes: &[u8]) -> Result<Option<glue_gen::wbindgen::Raw>> {
    let module = Module::from_buffer(bytes)
        .map_err(|error| Diagnostic::new("invalid-bindings", format!("not a valid module: {error:#}")))?;
    Ok(describe::read(&module)?.map(|(raw, _)| raw))
}

/// Prepares the module `bytes` for translation. With `relocations`, addresses are those of the machine. Otherwise the
/// memory has exactly the size that is used, plus `heap` bytes, or the size `limit`. With
/// `lines_of`, the folder of the source, the result says which lines of it code is from, if the module does.
///
/// # Errors
/// `invalid-wasm`; `limit-too-small` if the data do not fit; `no-direct-memory` if addresses cannot be those of the
/// machine; and the errors of wasm-bindgen's part: `wasm-bindgen-version`, `invalid-bindings`, `unsupported-bindings`.
pub fn prepare(
    name: &str,
    bytes: &[u8],
    heap: u32,
    limit: Option<u32>,
    relocations: Option<Relocations>,
    origin: Origin,
    lines_of: Option<&Path>,
) -> Result<Prepared> {
    let invalid = |reason: String| {
        Diagnostic::new("invalid-wasm", format!("not a valid WebAssembly module: {reason}"))
            .at(Place::Wasm { module: name.to_owned(), function: None, offset: None })
            .help("it must be a core module (not a component, not text) of finished proposals")
    };
    if !bytes.starts_with(b"\0asm\x01\0\0\0") {
        return Err(invalid("it does not begin as one of version 1 does".to_owned()));
    }
    let variables = panics::Variables::find(match &relocations {
        Some(relocations) => relocations.symbols(),
        None => relocs::data_symbols(bytes),
    });
    let mut config = ModuleConfig::new();
    config.generate_producers_section(false);
    let custom = pages::take(bytes).map_err(|error| invalid(error.to_string()))?;
    let ordinary = custom.as_ref().map_or(bytes, |(ordinary, _)| ordinary);
    let lines = lines_of.and_then(|folder| lines::read(ordinary, folder));
    config.preserve_code_transform(lines.is_some());
    let mut module = config
        .parse(ordinary)
        .map_err(|error| invalid(error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")))?;
    if let Some((_, declared)) = custom {
        declared.put_back(&mut module);
    }

    let shown = origin == Origin::Other;
    // Names with our prefix have no meaning if they are in the input.
    if shown {
        let is_ours = |name: &str| name.starts_with("mpy:");
        let ours = module.exports.iter().filter(|export| is_ours(&export.name)).map(walrus::Export::id);
        for id in ours.collect::<Vec<_>>() {
            module.exports.delete(id);
        }
        if let Some(import) = module.imports.iter().find(|import| is_ours(&import.module)) {
            let message = format!("nothing answers the import `{}.{}`", import.module, import.name);
            return Err(Diagnostic::new("unknown-import", message)
                .at(Place::Item(format!("{}.{}", import.module, import.name)))
                .help("names that begin with `mpy:` are those of the bindings: give it another one"));
        }
    }

    if let Some(relocations) = &relocations {
        move_table(&mut module, relocations.table_base());
    }

    // The linker's symbols, before the exports that contain them are removed.
    let heap_base = exported_global(&module, "__heap_base")
        .and_then(|id| constant(&module, id))
        // A linker puts all data before it.
        .filter(|base| data_ends(&module).all(|end| end.is_some_and(|end| end <= u64::from(*base))));
    let stack_pointer = exported_global(&module, "__stack_pointer");
    if let Some(id) = stack_pointer {
        // A stripped module has no names, and this export says which global is the stack pointer.
        module.globals.get_mut(id).name = Some("__stack_pointer".to_owned());
    }

    name_functions(&mut module);
    raise_memory_errors(&mut module);
    let unwinds = panics::raise(&mut module, &variables, stack_pointer);

    let lacks_std = std_functions::are_missing(&module);
    std_functions::hide(&mut module);

    prepare_futures(&mut module, unwinds);
    let (mut module, api) = bindgen::bind(module)?;

    let exported_pointer = exported_global(&module, "__stack_pointer");
    // What only an export kept alive, and Python does not see, is dead.
    let shown = shown && api.is_none();
    let hidden: Vec<(walrus::ExportId, String, ExportItem)> = module
        .exports
        .iter()
        .filter(|export| match export.item {
            ExportItem::Function(_) => false,
            ExportItem::Global(_) => !shown || is_linkers(&export.name),
            // A memory without data may exist only because the compiler cannot leave it out.
            ExportItem::Memory(id) => !shown || module.memories.get(id).data_segments.is_empty(),
            _ => true,
        })
        .map(|export| (export.id(), export.name.clone(), export.item))
        .collect();
    for (id, ..) in &hidden {
        module.exports.delete(*id);
    }
    let sections: Vec<_> = module.customs.iter().map(|(id, _)| id).collect();
    for id in sections {
        module.customs.delete(id);
    }
    // An element segment that does not fit traps when the module starts, even if its table is not used.
    let traps: Vec<_> =
        module.tables.iter().filter(|table| may_overflow(&module, table)).map(Table::id).collect();
    let mut kept: Vec<_> = traps.into_iter().map(|table| module.exports.add("mpy:table", table)).collect();
    // The implementation of an import may use a memory that the module itself does not use.
    let memory = module.memories.iter().next().map(Memory::id);
    let touched = |import: &walrus::Import| glue_gen::touches_memory(&import.module, &import.name);
    let memory = memory.filter(|_| module.imports.iter().any(touched));
    kept.extend(memory.map(|memory| module.exports.add("mpy:memory", memory)));
    // wasm-bindgen's functions may return several values on a stack that no function of the module uses.
    let stack_pointer = exported_pointer.filter(|_| api.is_some() && relocations.is_none());
    kept.extend(stack_pointer.map(|pointer| module.exports.add("mpy:stack_pointer", pointer)));
    if let Some(relocations) = &relocations {
        unreferenced::remove(&mut module, relocations);
    }
    walrus::passes::gc::run(&mut module);
    for export in kept {
        module.exports.delete(export);
    }
    for (_, name, item) in hidden {
        if let ExportItem::Memory(id) = item
            && shown
            && module.memories.iter().any(|memory| memory.id() == id)
        {
            module.exports.add(&name, id);
        }
    }

    let is_named = match origin {
        Origin::Crate { interruptible: true } => {
            interruptible::make(&mut module, &api.iter().flat_map(Api::symbols).collect())
        }
        _ => true,
    };

    // The bindings' allocator uses the memory after the data, unless the program may use it too, and grows the memory,
    // unless that is limited.
    let allocates = module.imports.iter().any(|import| import.module == "mpy" && import.name == "alloc");
    let heap_grows = allocates && relocations.is_none() && limit.is_none();
    let heap = if heap > 0 && heap_grows { heap.saturating_add(HEAP_OVERHEAD) } else { heap };
    let (grows, measures) = asks_for_pages(&module);
    let memory_bytes = match (&relocations, limit) {
        (None, Some(limit)) => limited(&mut module, name, limit)?,
        (None, None) => memory_bytes(&mut module, heap_base, heap, heap_grows),
        (Some(_), _) if grows || measures => {
            return Err(relocs::refuse(name, 0, "the program asks for pages of memory"));
        }
        (Some(_), _) => None,
    };
    let disputed = || {
        let names = ["__heap_base", "__heap_end"];
        relocs::refers_to_linkers(bytes, &names).unwrap_or(grows || measures)
    };
    let heap_base = match heap_base {
        Some(_) if allocates && relocations.is_none() && disputed() => {
            let declared = module
                .memories
                .iter()
                .next()
                .map(|memory| memory.initial << memory.page_size_log2.unwrap_or(16));
            memory_bytes.map(u64::from).or(declared).and_then(|bytes| u32::try_from(bytes).ok())
        }
        other => other,
    };
    let heap_reserve = if allocates { heap } else { 0 };
    let no_api = Api::default();
    let runs_python = glue_gen::import_runs_python(api.as_ref().unwrap_or(&no_api));
    let quiet = module.imports.iter().filter(|import| !runs_python(&import.module, &import.name));
    let quiet_imports = quiet.map(|import| (import.module.clone(), import.name.clone())).collect();
    let name = name.to_owned();
    let (bytes, lines) = match &lines {
        Some(before) => {
            let (bytes, lines) = lines::emit(&mut module, before);
            (bytes, Some(lines))
        }
        None => (module.emit_wasm(), None),
    };
    let module =
        WasmModule { name, bytes, memory_bytes, relocations, heap_base, heap_grows, heap_reserve, lines };
    drop(runs_python);
    Ok(Prepared { module, api, unwinds, lacks_std, quiet_imports, is_named, is_for_speed: false })
}

/// Removes what the bindings call of the crate wasm-bindgen-futures (`c-runtime/src/futures.rs`) if no future is made, or
/// nothing is awaited. If futures are made, one that has ended and is polled again traps. Python does not do that, and the
/// panic would be the only one in small modules.
fn prepare_futures(module: &mut Module, unwinds: bool) {
    const PANIC: &str = "core::panicking::panic_const::panic_const_async_fn_resumed";
    let imports =
        |name: &str| module.imports.iter().any(|import| import.module == "mpy" && import.name == name);
    let makes_futures = glue_gen::MAKES_FUTURES.iter().any(|name| imports(name));
    let mut unused = Vec::new();
    if !makes_futures {
        unused.extend(["mpy:poll_future", "mpy:drop_future", "mpy:abandon_future"]);
    }
    if !imports("start_await") {
        unused.extend(["mpy:end_await", "mpy:drop_await"]);
    }
    for name in unused {
        module.exports.remove(name).ok();
    }
    let panics = module.funcs.iter_mut().filter(|function| rust_name(function) == PANIC);
    for function in panics.filter(|_| makes_futures && !unwinds) {
        if let FunctionKind::Local(function) = &mut function.kind {
            let mut body = function.builder_mut().func_body();
            body.instrs_mut().clear();
            body.unreachable();
        }
    }
}

/// Whether an active element segment may lie outside its table.
fn may_overflow(module: &Module, table: &Table) -> bool {
    table.elem_segments.iter().any(|id| {
        let element = module.elements.get(*id);
        let count = match &element.items {
            ElementItems::Functions(items) => items.len(),
            ElementItems::Expressions(_, items) => items.len(),
        };
        match &element.kind {
            ElementKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } => {
                u64::from(offset.cast_unsigned()) + count as u64 > table.initial
            }
            ElementKind::Active { .. } => true,
            _ => false,
        }
    })
}

/// Whether an exported global is the address of something that the linker placed (lld, `SymbolTable` and `Driver`).
fn is_linkers(name: &str) -> bool {
    const SYMBOLS: [&str; 4] = ["__data_end", "__dso_handle", "__stack_low", "__stack_high"];
    name.starts_with("__wasm_")
        || SYMBOLS.contains(&name)
        || ["_base", "_end", "_pointer"].iter().any(|end| name.starts_with("__") && name.ends_with(end))
}

/// Renumbers the elements of the function table. Constants in the code are the indices afterwards.
fn move_table(module: &mut Module, by: u32) {
    let Ok(Some(table)) = module.tables.main_function_table() else { return };
    let table = module.tables.get_mut(table);
    table.initial += u64::from(by);
    table.maximum = table.maximum.map(|maximum| maximum + u64::from(by));
    for element in module.elements.iter_mut() {
        if let ElementKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } = &mut element.kind {
            *offset += by.cast_signed();
        }
    }
}

/// Names the functions without a name after their exports or their index in the file, because passes change the
/// indices.
fn name_functions(module: &mut Module) {
    let exported: HashMap<FunctionId, String> = module
        .exports
        .iter()
        .filter_map(|export| match export.item {
            ExportItem::Function(id) => Some((id, export.name.clone())),
            _ => None,
        })
        .collect();
    let nameless = |function: &&mut walrus::Function| {
        function.name.is_none() && matches!(function.kind, FunctionKind::Local(_))
    };
    for function in module.funcs.iter_mut().filter(nameless) {
        let (id, exported) = (function.id(), exported.get(&function.id()).cloned());
        function.name = exported.or_else(|| Some(format!("function {}", id.index())));
    }
}

/// Makes the functions that end a Rust program without memory raise a MemoryError, and also those that allocate
/// arguments, which would trap.
fn raise_memory_errors(module: &mut Module) {
    const ENDS: [&str; 5] = [
        "alloc::alloc::handle_alloc_error",
        "__rustc::__rust_alloc_error_handler",
        "__rust_alloc_error_handler",
        "std::alloc::rust_oom",
        "wasm_bindgen::__rt::malloc_failure",
    ];
    const MALLOC: [&str; 2] = ["__wbindgen_malloc", "__wbindgen_realloc"];
    let local = |id: FunctionId| matches!(module.funcs.get(id).kind, FunctionKind::Local(_)).then_some(id);
    let functions = module.funcs.iter();
    let ends: Vec<_> = functions
        .filter(|function| ENDS.contains(&rust_name(function).as_str()))
        .filter_map(|function| local(function.id()))
        .collect();
    let mallocs = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(id) if MALLOC.contains(&export.name.as_str()) => local(id),
        _ => None,
    });
    let mallocs: Vec<_> = mallocs.collect();
    if ends.is_empty() && mallocs.is_empty() {
        return;
    }
    let traps: HashSet<FunctionId> =
        module.funcs.iter().map(walrus::Function::id).filter(|id| only_traps(module, *id, 4)).collect();
    let ty = module.types.add(&[], &[]);
    let (raise, _) = module.add_import_func("mpy", "out_of_memory", ty);
    for end in ends {
        let FunctionKind::Local(function) = &mut module.funcs.get_mut(end).kind else { continue };
        let mut body = function.builder_mut().func_body();
        body.instrs_mut().clear();
        body.call(raise).unreachable();
    }
    for malloc in mallocs {
        let FunctionKind::Local(function) = &mut module.funcs.get_mut(malloc).kind else { continue };
        let entry = function.entry_block();
        dfs_pre_order_mut(&mut Raiser { raise, traps: &traps }, function, entry);
    }
}

/// Whether a function only traps, by itself or in a function that it calls.
fn only_traps(module: &Module, id: FunctionId, depth: u32) -> bool {
    let FunctionKind::Local(function) = &module.funcs.get(id).kind else { return false };
    match function.block(function.entry_block()).instrs.as_slice() {
        [(Instr::Unreachable(_), _), ..] => true,
        [(Instr::Call(call), _), (Instr::Unreachable(_), _), ..] => {
            depth > 0 && only_traps(module, call.func, depth - 1)
        }
        _ => false,
    }
}

/// Inserts a call of `raise` before each `unreachable` that does not follow a call, and replaces calls of functions
/// that only trap.
struct Raiser<'a> {
    raise: FunctionId,
    traps: &'a HashSet<FunctionId>,
}

impl VisitorMut for Raiser<'_> {
    fn start_instr_seq_mut(&mut self, sequence: &mut InstrSeq) {
        let raise = Instr::Call(Call { func: self.raise });
        let mut at = 0;
        while at < sequence.instrs.len() {
            if matches!(sequence.instrs[at].0, Instr::Unreachable(_)) {
                let location = sequence.instrs[at].1;
                match at.checked_sub(1).map(|before| &mut sequence.instrs[before].0) {
                    Some(Instr::Call(call)) if self.traps.contains(&call.func) => call.func = self.raise,
                    Some(Instr::Call(_)) => {}
                    _ => {
                        sequence.instrs.insert(at, (raise.clone(), location));
                        at += 1;
                    }
                }
            }
            at += 1;
        }
    }
}

/// Shrinks the memory to the bytes that the program uses, if that can be known. The maximum of the memory then says
/// that it does not grow.
///
/// A program that uses the size of its memory, or grows it, expects pages of 65536 bytes and gets them.
fn memory_bytes(module: &mut Module, heap_base: Option<u32>, heap: u32, heap_grows: bool) -> Option<u32> {
    let id = module.memories.iter().next()?.id();
    if module.memories.len() != 1 || module.memories.get(id).import.is_some() {
        return None;
    }
    let (grows, measures) = asks_for_pages(module);
    let memory = module.memories.get_mut(id);
    let page = 1u64 << memory.page_size_log2.unwrap_or(16);
    let bytes = heap_base.map(|base| (u64::from(base) + u64::from(heap)).next_multiple_of(16));
    memory.initial = memory.initial.max(bytes.unwrap_or(0).div_ceil(page));
    if grows || heap_grows {
        memory.maximum = memory.maximum.map(|maximum| maximum.max(memory.initial));
    } else {
        memory.maximum = Some(memory.initial);
    }
    if grows || measures { None } else { u32::try_from(bytes?).ok() }
}

/// The end of each active data segment, if it is known.
fn data_ends(module: &Module) -> impl Iterator<Item = Option<u64>> {
    module.data.iter().filter_map(|data| match &data.kind {
        DataKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } => {
            Some(Some(u64::from(offset.cast_unsigned()) + data.value.len() as u64))
        }
        DataKind::Active { .. } => Some(None),
        DataKind::Passive => None,
    })
}

/// Sets the size of the memory to `limit`. It does not grow then.
fn limited(module: &mut Module, name: &str, limit: u32) -> Result<Option<u32>> {
    let Some(memory) = module.memories.iter().next().map(Memory::id) else { return Ok(None) };
    if module.memories.len() != 1 || module.memories.get(memory).import.is_some() {
        return Ok(None);
    }
    let end = data_ends(module).flatten().max().unwrap_or(0);
    if end > u64::from(limit) {
        let message =
            format!("the data of the module end at {end}, and its memory is limited to {limit} bytes");
        return Err(Diagnostic::new("limit-too-small", message)
            .at(Place::Item(name.to_owned()))
            .help("`limit` must have room for the data, the stack and what the program allocates"));
    }
    let memory = module.memories.get_mut(memory);
    let page = 1u64 << memory.page_size_log2.unwrap_or(16);
    memory.initial = memory.initial.max(u64::from(limit).div_ceil(page));
    memory.maximum = Some(memory.initial);
    Ok(Some(limit))
}

/// Whether any function grows the memory, and whether any reads its size.
fn asks_for_pages(module: &Module) -> (bool, bool) {
    #[derive(Default)]
    struct Finder {
        grows: bool,
        measures: bool,
    }
    impl<'instr> Visitor<'instr> for Finder {
        fn visit_memory_grow(&mut self, _: &MemoryGrow) {
            self.grows = true;
        }
        fn visit_memory_size(&mut self, _: &MemorySize) {
            self.measures = true;
        }
    }
    let mut finder = Finder::default();
    for function in module.funcs.iter() {
        if let FunctionKind::Local(local) = &function.kind {
            dfs_in_order(&mut finder, local, local.entry_block());
        }
    }
    (finder.grows, finder.measures)
}

fn exported_global(module: &Module, name: &str) -> Option<GlobalId> {
    module.exports.iter().find_map(|export| match export.item {
        ExportItem::Global(id) if export.name == name => Some(id),
        _ => None,
    })
}

fn constant(module: &Module, id: GlobalId) -> Option<u32> {
    match module.globals.get(id).kind {
        GlobalKind::Local(ConstExpr::Value(Value::I32(value))) => Some(value.cast_unsigned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str, heap: u32) -> (WasmModule, Module) {
        let bytes = wat::parse_str(text).unwrap();
        let ready = prepare("test", &bytes, heap, None, None, Origin::CRATE, None).unwrap().module;
        let module = Module::from_buffer(&ready.bytes).unwrap();
        (ready, module)
    }

    const LINKED: &str = r#"
        (module
          (memory (export "memory") 17)
          (global $__stack_pointer (mut i32) (i32.const 4096))
          (global (export "__heap_base") i32 (i32.const 5001))
          (global (export "__data_end") i32 (i32.const 5001))
          (table (export "table") 1 1 funcref)
          (data (i32.const 4096) "data")
          (func $unused)
          (func (export "f") (result i32)
            global.get $__stack_pointer i32.load))"#;

    #[test]
    fn memory_is_what_the_linker_laid_out() {
        let (ready, module) = prepared(LINKED, 0);
        assert_eq!(ready.memory_bytes, Some(5008));
        assert_eq!(module.exports.iter().map(|export| export.name.as_str()).collect::<Vec<_>>(), ["f"]);
        assert_eq!(module.funcs.iter().count(), 1);
        assert_eq!(module.tables.iter().count(), 0);
        assert_eq!(module.memories.iter().next().unwrap().maximum, Some(17));
        assert_eq!(module.globals.iter().next().unwrap().name.as_deref(), Some("__stack_pointer"));
        assert_eq!(prepared(LINKED, 2000).0.memory_bytes, Some(7008));
        let (large, module) = prepared(LINKED, 2 << 20);
        assert_eq!(large.memory_bytes, Some((2 << 20) + 5008));
        assert_eq!(module.memories.iter().next().unwrap().initial, 33);
    }

    #[test]
    fn memory_nobody_touches_goes() {
        let (ready, module) = prepared(
            r#"(module (memory (export "memory") 16) (global (export "__heap_base") i32 (i32.const 16))
                 (func (export "f")))"#,
            0,
        );
        assert_eq!((ready.memory_bytes, module.memories.len()), (None, 0));
    }

    #[test]
    fn a_table_nobody_uses_goes_unless_its_elements_trap() {
        let tables = |element: &str| {
            let text = format!(
                r#"(module (global $g i32 (i32.const 1)) (table 2 funcref) (elem {element} $f) (func $f (export "f")))"#
            );
            let (_, module) = prepared(&text, 0);
            (module.tables.iter().count(), module.exports.iter().count())
        };
        assert_eq!(tables("(i32.const 1)"), (0, 1));
        assert_eq!(tables("(i32.const 2)"), (1, 1));
        assert_eq!(tables("(global.get $g)"), (1, 1));
        assert_eq!(tables("func"), (0, 1));
    }

    #[test]
    fn a_program_that_counts_pages_gets_pages() {
        for asks in ["i32.const 1 memory.grow drop", "memory.size drop"] {
            let text = format!(
                r#"(module (memory 1) (global (export "__heap_base") i32 (i32.const 64))
                     (func (export "f") {asks}))"#
            );
            assert_eq!(prepared(&text, 0).0.memory_bytes, None, "{asks}");
        }
        // The same for one that does not say what it uses.
        let silent = r#"(module (memory 1) (func (export "f") (drop (i32.load (i32.const 0)))))"#;
        assert_eq!(prepared(silent, 0).0.memory_bytes, None);
    }

    #[test]
    fn a_heap_base_before_the_data_is_not_the_linkers() {
        let bytes = |fields: &str| {
            let text = format!(
                r#"(module (memory 1) (global (export "__heap_base") i32 (i32.const 100)) {fields}
                     (func (export "f") (drop (i32.load (i32.const 0)))))"#
            );
            let (ready, module) = prepared(&text, 0);
            (ready.heap_base, ready.memory_bytes, module.memories.iter().next().unwrap().initial)
        };
        let linked = (Some(100), Some(112), 1);
        assert_eq!(bytes(r#"(data (i32.const 96) "data")"#), linked);
        assert_eq!(bytes(r#"(data "0123456789")"#), linked);
        let of_another = (None, None, 1);
        assert_eq!(bytes(r#"(data (i32.const 97) "data")"#), of_another);
        assert_eq!(bytes(r#"(data (i32.const 0) "data") (data (i32.const 60000) "data")"#), of_another);
        assert_eq!(bytes(r#"(global $g i32 (i32.const 0)) (data (global.get $g) "data")"#), of_another);
    }

    #[test]
    fn a_limit_is_all_the_memory_there_is() {
        let text = r#"(module (memory 1) (data (i32.const 90) "0123456789")
            (func (export "f") (result i32) (memory.grow (memory.size))))"#;
        let bytes = wat::parse_str(text).unwrap();
        let with = |limit| prepare("test", &bytes, 0, Some(limit), None, Origin::CRATE, None);
        let ready = with(100).unwrap().module;
        assert_eq!(ready.memory_bytes, Some(100));
        let module = Module::from_buffer(&ready.bytes).unwrap();
        assert_eq!(module.memories.iter().next().unwrap().maximum, Some(1));
        let module = Module::from_buffer(&with(100_000).unwrap().module.bytes).unwrap();
        assert_eq!(module.memories.iter().next().unwrap().initial, 2);
        assert_eq!(with(99).unwrap_err().code, "limit-too-small");
    }

    #[test]
    fn a_stack_pointer_without_a_name_is_named() {
        let (_, module) = prepared(
            r#"(module (global (export "__stack_pointer") (mut i32) (i32.const 16))
                 (func (export "f") (result i32) global.get 0))"#,
            0,
        );
        assert_eq!(module.globals.iter().next().unwrap().name.as_deref(), Some("__stack_pointer"));
    }

    #[test]
    fn a_crate_of_wasm_bindgen_keeps_a_stack_that_it_does_not_use() {
        let schema = glue_gen::wbindgen::VERSION;
        let version = format!(r#"{{"schema_version":"{schema}","version":"{schema}"}}"#);
        // A program of the crate `c-1` without items.
        let section = [version.as_bytes(), b"\0\0\0\0\0\0\0\x03c-1\x01c\0\0"].map(|blob| {
            let length = u32::try_from(blob.len()).unwrap().to_le_bytes();
            [&length, blob].concat().iter().map(|byte| format!("\\{byte:02x}")).collect::<String>()
        });
        let (_, module) = prepared(
            &format!(
                r#"(module (memory (export "memory") 1)
                     (global (export "__stack_pointer") (mut i32) (i32.const 16))
                     (@custom "__wasm_bindgen_unstable" "{}"))"#,
                section.concat()
            ),
            0,
        );
        assert_eq!(module.globals.iter().next().unwrap().name.as_deref(), Some("__stack_pointer"));
        assert_eq!(module.exports.iter().count(), 0);
    }

    #[test]
    fn functions_without_a_name_are_named_before_they_move() {
        let (_, module) = prepared(
            r#"(module (import "a" "b" (func)) (func $dead)
                 (func $named (export "f") call 3) (func (export "g") call 4) (func) (func call 0)
                 (func (export "h") call 5))"#,
            0,
        );
        let mut names: Vec<_> = module.funcs.iter().filter_map(|function| function.name.as_deref()).collect();
        names.sort_unstable();
        assert_eq!(names, ["function 4", "function 5", "g", "h", "named"]);
    }

    #[test]
    fn text_becomes_a_binary_or_says_where_it_is_wrong() {
        let binary = |name: &str, text: &str| {
            binary(std::path::Path::new(name), text.as_bytes()).map(std::borrow::Cow::into_owned)
        };
        assert!(binary("a.wat", "(module)").unwrap().starts_with(b"\0asm"));
        assert_eq!(binary("a.wasm", "(module)").unwrap(), b"(module)");
        let error = binary("a.wat", "(module\n  (func i32.ad))").unwrap_err();
        assert_eq!(error.code, "invalid-wat");
        assert_eq!(error.at, Place::File { path: "a.wat".into(), line: 2, column: 9 });
    }

    #[test]
    fn names_of_the_bindings_mean_nothing_in_the_module_of_another_tool() {
        let shown =
            |text: &str| prepare("test", &wat::parse_str(text).unwrap(), 0, None, None, Origin::Other, None);
        let bytes = shown(
            r#"(module (func $f) (export "f" (func $f)) (export "mpy:panicking" (func $f))
                 (export "mpy:last_panic" (func $f)))"#,
        );
        let module = Module::from_buffer(&bytes.unwrap().module.bytes).unwrap();
        assert_eq!(module.exports.iter().map(|export| export.name.as_str()).collect::<Vec<_>>(), ["f"]);
        let error = shown(r#"(module (import "mpy:std" "g" (func $g)) (export "f" (func $g)))"#).unwrap_err();
        assert_eq!((error.code, error.at), ("unknown-import", Place::Item("mpy:std.g".to_owned())));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        for bytes in
            [&b""[..], b"\0asm", b"\0asm\x0d\0\x01\0", b"hello, this is text", b"\0asm\x01\0\0\0\x01"]
        {
            assert_eq!(
                prepare("test", bytes, 0, None, None, Origin::CRATE, None).unwrap_err().code,
                "invalid-wasm"
            );
        }
    }
}
