//! Writes the C code of the bindings.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use target_specs::Result;
use wasm_to_c::{CUnit, CodePlace, FlashTable, Growth, Interface, MemoryInfo};

use crate::bindings::{self, Bindings};
use crate::c::{Strings, comment, line, objects, parameters};
use crate::host_imports::{self, Needs, Type};
use crate::module_api::{Function, Import, ImportKind, ModuleApi, ShownGlobal};
use crate::stub::stub;
use crate::tables::{Storage, Tables};
use crate::wbindgen::Api;
use crate::writer::{MOST_FIXED, Registered};

/// The name of the memory in modules made by wasm2mpy.
const OTHER_NAME: &str = "_memory";

/// The bindings of a module.
#[derive(Debug, Clone)]
pub struct Glue {
    /// C code that is compiled after the module's own unit, in the same translation unit. It defines `mpy_init`.
    pub unit: CUnit,
    /// The strings of `mp_native_qstr_table[1..]`, in the order of their indices in C.
    pub qstrs: Vec<String>,
    /// The contents of `mp_native_obj_table`, as `bytes`.
    pub objects: Vec<FlashTable>,
    /// The text of `NAME.pyi`, for type checkers.
    pub stub: String,
    /// Python finds nothing in the module, and no `#[wasm_bindgen(start)]` runs when it is imported.
    pub is_empty: bool,
    /// Python reads attributes of the module by `mpy_shown_attribute`.
    pub shows_attributes: bool,
    /// How many functions the firmware can call, at most.
    pub entries: usize,
    /// Some function of the WebAssembly module runs when it is imported.
    pub has_start: bool,
}

/// Writes the bindings of the functions of `module_api` and, when the crate uses wasm-bindgen, of what
/// `api` says.
///
/// # Errors
/// `unsupported-bindings`, `invalid-bindings`.
pub(crate) fn write(
    module_name: &str,
    module_api: &ModuleApi,
    interface: &Interface,
    api: Option<&Api>,
    keywords: bool,
) -> Result<Glue> {
    let mut c = String::new();
    line!(c, "/* Bindings of {} to Python. */", comment(module_name));
    line!(c);

    let mut functions: Vec<Registered> = module_api.functions.iter().enumerate().map(registered).collect();
    let mut strings = Strings::default();
    let mut bindings = match api {
        Some(api) => {
            strings = Strings::of(api.functions.iter().map(|call| call.name.clone()).collect());
            bindings::bindings(interface, api, &mut strings, keywords)?
        }
        None => Bindings { tables: Tables::new(module_api.code), ..Bindings::default() },
    };
    functions.append(&mut bindings.functions);
    let (fixed, var): (Vec<_>, Vec<_>) = functions.iter().partition(|function| function.is_fixed());

    // If there are no other strings yet, the registration can use consecutive numbers.
    if api.is_none() {
        strings = Strings::of(fixed.iter().chain(&var).map(|function| function.name.clone()).collect());
    }

    let closes = closes(module_api, interface);
    headers(&mut c, module_api, api.is_some(), closes, &bindings, &mut strings);
    if !interface.flash_tables.is_empty() {
        line!(c, "#include \"mpy_flash.h\"");
    }
    for item in &module_api.imports {
        import(&mut c, item, &mut strings);
    }
    let mut written: Vec<&str> = Vec::new();
    for (at, function) in module_api.functions.iter().enumerate() {
        if function.types.is_some() {
            described(&mut c, function, at);
            continue;
        }
        // The same function may be exported under several names.
        if !written.contains(&function.c_name.as_str()) {
            written.push(&function.c_name);
            wrapper(&mut c, function, module_api.stack_ahead > 0);
        }
    }
    c.push_str(&bindings.code);
    let counted = api.is_none();
    let count = [fixed.len(), var.len()];
    tables(&mut c, &fixed, &var, closes, (!counted).then_some(&mut strings), &mut bindings.tables);
    bindings.tables.state(&mut c);
    if closes {
        close(&mut c, module_api, interface, &bindings, count);
    }
    show(&mut c, module_api, &mut strings);
    init(&mut c, module_api, &bindings, counted, closes, count, &mut strings);
    let offers = |api: &Api| {
        !(api.functions.is_empty() && api.classes.is_empty() && api.enums.is_empty() && api.start.is_empty())
    };
    let ModuleApi { functions, memories, globals, .. } = module_api;
    let is_empty = functions.is_empty() && memories.is_empty() && globals.is_empty();
    Ok(Glue {
        is_empty: is_empty && !api.is_some_and(offers),
        has_start: !module_api.start.is_empty(),
        entries: bindings.tables.entries + header_entries(module_api, api, closes),
        shows_attributes: !shown(module_api).is_empty(),
        unit: CUnit { file_name: "glue.c".to_owned(), source: c },
        qstrs: strings.into_texts(),
        objects: interface.flash_tables.clone(),
        stub: stub(module_api, api, keywords),
    })
}

fn registered((at, function): (usize, &Function)) -> Registered {
    let n = function.arity();
    let wrapper = match function.types {
        Some(_) => described_name(at),
        None => wrapper_name(function),
    };
    Registered { name: function.name.clone(), wrapper, arity: (n, n), unnamed: None }
}

/// The functions of the runtime's headers that the firmware can call: how many, by the header.
const HEADER_ENTRIES: [(&str, usize); 4] =
    [("mpy_classes.h", 1), ("mpy_close.h", 1), ("mpy_futures.h", 4), ("mpy_shown.h", 6)];

/// How many functions of the runtime's headers the firmware can call, at most: by the header and what it is included for.
fn header_entries(module_api: &ModuleApi, api: Option<&Api>, closes: bool) -> usize {
    let included = [
        api.is_some_and(|api| !api.classes.is_empty()),
        closes,
        module_api.needs(Needs::Futures),
        !shown(module_api).is_empty(),
    ];
    let of = included.iter().zip(HEADER_ENTRIES).filter(|(included, _)| **included);
    // What functions of a closed module become.
    of.map(|(_, (_, entries))| entries).sum::<usize>() + usize::from(closes)
}

/// Whether functions of the module can run Python code.
fn calls_python(module_api: &ModuleApi, has_api: bool) -> bool {
    has_api || !module_api.imports.is_empty()
}

/// The definitions that control the headers of the runtime, and the headers.
fn headers(
    c: &mut String,
    module_api: &ModuleApi,
    has_api: bool,
    closes: bool,
    bindings: &Bindings,
    strings: &mut Strings,
) {
    let kinds = || module_api.imports.iter().map(|import| &import.kind);
    let described = || module_api.functions.iter().filter(|function| function.types.is_some());
    let texts = || module_api.given().chain(module_api.taken()).any(|ty| ty.text);
    let builtins = || bindings.builtins.iter().copied();
    let needs = |needs: Needs| module_api.needs(needs) || builtins().any(|own| own.needs == needs);
    let calls_python = calls_python(module_api, has_api);
    if calls_python {
        line!(c, "#define MPY_CALLS_PYTHON 1");
    }
    if has_api {
        line!(c, "#define MPY_NAMES_ENTRIES 1");
    }
    if closes {
        line!(c, "#define MPY_CLOSES 1");
    }
    if let Some((lvalue, start)) = &module_api.stack_pointer {
        if calls_python {
            line!(c, "#include \"wasm.h\"");
            if module_api.code.has_state_block() {
                line!(c, "WASM_STATE(uint32_t, mpy_stack_base);");
                line!(c, "#define mpy_stack_base WASM_REACH(mpy_stack_base)");
            } else {
                line!(c, "WASM_STORAGE uint32_t mpy_stack_base = {start};");
            }
            line!(c, "#define MPY_STACK_BASE mpy_stack_base");
        } else {
            line!(c, "#define MPY_STACK_BASE ({start})");
        }
        line!(c, "#define MPY_STACK_POINTER {lvalue}");
    }
    if let Some([last, get, set, throw, catch]) = &module_api.unwinding {
        line!(c, "#define MPY_UNWINDS 1");
        line!(c, "#define MPY_LAST_PANIC() {last}()");
        line!(c, "#define MPY_PANICS() {get}()");
        line!(c, "#define MPY_SET_PANICS(count) {set}(count)");
        line!(c, "#define MPY_THROW(object) {throw}(object)");
        line!(c, "#define MPY_CATCH() {catch}()");
    }
    if let Some([swap, unlock, raise]) = &module_api.panics {
        line!(c, "#define MPY_PANICKING(panic) {swap}(panic)");
        line!(c, "#define MPY_HOOK_ENDS(panic) {unlock}(panic)");
        line!(c, "#define MPY_PANIC(panic) {raise}(panic)");
    }
    if let Some(Growth { lvalue, .. }) = module_api.memory.as_ref().and_then(|memory| memory.growth.as_ref())
    {
        line!(c, "#define MPY_HAS_MEMORY() ({lvalue}.data != NULL)");
    }
    c.push_str("#include <stdint.h>\n");
    c.push_str(&bindings.before);
    if module_api.memories.iter().any(|(_, memory)| memory.grows) {
        line!(c, "#define MPY_SHOWS_GROWTH 1");
    }
    line!(c, "#include \"mpy_unwind.h\"");
    line!(c, "#include \"mpy_memory.h\"");
    if module_api.stack_ahead > 0 {
        line!(c, "#define MPY_STACK_AHEAD {}", module_api.stack_ahead);
    }
    if let Some(lvalue) = &module_api.stack_limit {
        if !module_api.code.has_state_block() {
            line!(c, "WASM_STORAGE uintptr_t {lvalue} = UINTPTR_MAX;");
        }
        line!(c, "#define MPY_STACK_LIMIT {lvalue}");
    }
    if module_api.stack_limit.is_some() || module_api.stack_ahead > 0 {
        line!(c, "#include \"mpy_stack.h\"");
    }
    let shown = shown(module_api).len();
    if shown > 0 {
        line!(c, "#define MPY_SHOWN {shown}");
        let growing = module_api.memories.iter().filter(|(_, memory)| memory.grows).count();
        let fixed = module_api.memories.len() - growing;
        if growing > 0 {
            line!(c, "#define MPY_VIEWS {growing}");
        }
        if fixed > 0 {
            line!(c, "#define MPY_FIXED_VIEWS {fixed}");
            line!(c, "#define MPY_STRING_MEMORYVIEW {}", strings.index("memoryview"));
        }
        line!(c, "#include \"mpy_shown.h\"");
    }
    if !has_api && (texts() || kinds().any(ImportKind::is_text)) {
        // Without a memory, no function that uses it is called.
        let memory = module_api.memory.as_ref();
        let (base, size) = memory.map_or(("(uint8_t *)0", "0u"), |memory| (&memory.base, &memory.size));
        line!(c, "#define MPY_MEMORY ({base})");
        line!(c, "#define MPY_MEMORY_SIZE ({size})");
        line!(c, "#include \"mpy_text.h\"");
    }
    let modules = modules(module_api, bindings);
    if modules > 0 {
        line!(c, "#define MPY_MODULES {modules}");
    }
    let slots = |import: &Import| match &import.kind {
        ImportKind::Python { .. } => Some(import.params.len().max(import.results.len())),
        kind => matches!(kind.needs(), Needs::Shims | Needs::Wasi | Needs::Futures).then_some(1),
    };
    let called = described().next().map(|_| 1).or(builtins().next().map(|_| 1));
    if let Some(slots) = module_api.imports.iter().filter_map(slots).chain(called).max() {
        line!(c, "#define MPY_IMPORT_SLOTS {slots}");
        if module_api
            .imports
            .iter()
            .any(|i| i.results.len() > 1 && matches!(i.kind, ImportKind::Python { .. }))
        {
            line!(c, "#define MPY_IMPORT_MULTIPLE_RESULTS 1");
        }
        for ty in host_imports::own_types(module_api.given()) {
            line!(c, "#define MPY_GIVES_{} 1", ty.name.to_uppercase());
        }
        for ty in host_imports::own_types(module_api.taken()) {
            line!(c, "#define MPY_TAKES_{} 1", ty.name.to_uppercase());
        }
        if let Some(allocator) = &module_api.allocator {
            line!(c, "#define MPY_ALLOC(size) {}(size)", allocator.alloc);
            if let Some((free, sized)) = &allocator.free {
                let args = if *sized { "ptr, size" } else { "ptr" };
                line!(c, "#define MPY_GIVE_BACK(ptr, size) {free}({args})");
            }
        }
        if let Some([new, pin, unpin]) = &module_api.strings {
            line!(c, "#define MPY_NEW(size, id) {new}(size, id)");
            line!(c, "#define MPY_PIN(ptr) {pin}(ptr)");
            line!(c, "#define MPY_UNPIN(ptr) {unpin}(ptr)");
        }
        line!(c, "#include \"mpy_imports.h\"");
    }
    if let Some(slots) = described().map(|f| f.params.len().max(f.results.len())).max() {
        line!(c, "#define MPY_EXPORT_SLOTS {}", slots.max(1));
        line!(c, "#include \"mpy_exports.h\"");
    }
    if module_api.unwinding.is_some() && !has_api {
        // There is no table of objects.
        line!(c, "#include \"mpy_text.h\"");
        line!(c, "static bool mpy_throw_object(mp_obj_t exception) {{ return exception == NULL; }}");
        line!(c, "WASM_UNUSED static void mpy_exception_ends(uint32_t index) {{ (void)index; }}");
    }
    if has_api {
        line!(c, "#include \"mpy_calls.h\"");
        line!(c, "#include \"mpy_intrinsics.h\"");
        if bindings.keywords {
            line!(c, "#include \"mpy_keywords.h\"");
        }
    }
    if let Some(memory) = module_api.memory.as_ref().filter(|_| needs(Needs::Heap)) {
        if let Some(start) = memory.heap_base.filter(|_| !memory.direct) {
            line!(c, "#define MPY_HEAP_BASE ({})", memory.base);
            line!(c, "#define MPY_HEAP_START {start}u");
            line!(c, "#define MPY_HEAP_END ({})", memory.size);
            let first_end = match &memory.growth {
                Some(Growth { lvalue, page, minimum }) => {
                    line!(c, "#define MPY_HEAP_MEMORY {lvalue}");
                    line!(c, "#define MPY_HEAP_PAGE {page}u");
                    minimum.to_string()
                }
                None => memory.size.clone(),
            };
            line!(c, "#define MPY_HEAP_FIRST_END ({first_end})");
        }
        if memory.heap_reserve > 0 {
            line!(c, "#define MPY_HEAP_RESERVE {}u", memory.heap_reserve);
        }
        let header = if memory.direct && memory.heap_reserve == 0 && module_api.allocates_seldom {
            "mpy_blocks.h"
        } else {
            "mpy_heap.h"
        };
        line!(c, "#include \"{header}\"");
    }
    let mut known: Vec<&str> = Vec::new();
    let imported = kinds().filter_map(|kind| match kind {
        ImportKind::Builtin(own) => Some(*own),
        _ => None,
    });
    for own in imported.chain(builtins()) {
        for text in own.strings.iter().filter(|text| !known.contains(text)).collect::<Vec<_>>() {
            known.push(text);
            line!(c, "#define MPY_STRING_{text} {}", strings.index(text));
        }
    }
    let headers = [
        (Needs::Dsp, "mpy_dsp.h"),
        (Needs::Vectors, "mpy_dsp_vectors.h"),
        (Needs::Fourier, "mpy_dsp_fourier.h"),
        (Needs::Shims, "mpy_shims.h"),
        (Needs::Wasi, "mpy_wasi.h"),
        (Needs::Futures, "mpy_futures.h"),
    ];
    for (which, header) in headers {
        if needs(which) {
            line!(c, "#include \"{header}\"");
        }
    }
    if bindings.javascript {
        line!(c, "#include \"mpy_js.h\"");
    }
    line!(c);
}

/// The number of Python modules that are imported by name.
fn modules(module_api: &ModuleApi, bindings: &Bindings) -> usize {
    let mut modules: BTreeSet<&str> = bindings.modules.iter().map(String::as_str).collect();
    for import in &module_api.imports {
        match &import.kind {
            ImportKind::Python { module, .. } => modules.extend([module.as_str()]),
            ImportKind::Builtin(own) => modules.extend(own.modules()),
            ImportKind::Nothing(_) => {}
        }
    }
    modules.len()
}

/// Defines an imported function.
fn import(c: &mut String, import: &Import, strings: &mut Strings) {
    let Import { c_name, params, results, result_type, .. } = import;
    let names = (0..params.len()).map(|i| format!("p{i}")).collect::<Vec<_>>();
    let (module, field, takes, gives) = match &import.kind {
        ImportKind::Python { module, field, params, results } => (module, field, params, results),
        ImportKind::Builtin(own) => {
            let give = if results.is_empty() { "" } else { "return " };
            line!(c, "static {result_type} {c_name}({}) {{", parameters(params));
            line!(c, "    {give}mpy_{}({});", own.name, names.join(", "));
            line!(c, "}}");
            line!(c);
            return;
        }
        ImportKind::Nothing(result) => {
            line!(c, "static {result_type} {c_name}({}) {{", parameters(params));
            for name in names {
                line!(c, "    (void){name};");
            }
            if !results.is_empty() {
                line!(c, "    return {}u;", result.cast_unsigned());
            }
            line!(c, "}}");
            line!(c);
            return;
        }
    };
    line!(c, "/* {}.{} */", comment(module), comment(field));
    line!(c, "static {result_type} {c_name}({}) {{", parameters(params));
    line!(c, "    mpy_slot_t slots[{}];", params.len().max(results.len()).max(1));
    for (i, ty) in params.iter().enumerate() {
        line!(c, "    slots[{i}].{} = p{i};", ty.letter());
    }
    let types = spelled(takes, gives);
    line!(c, "    mpy_call_import({}, {}, \"{types}\", slots);", strings.index(module), strings.index(field));
    match results.as_slice() {
        [] => {}
        [ty] => line!(c, "    return slots[0].{};", ty.letter()),
        several => {
            let members = several.iter().enumerate().map(|(i, ty)| format!("slots[{i}].{}", ty.letter()));
            let members = members.collect::<Vec<_>>().join(", ");
            line!(c, "    return ({result_type}){{{members}}};");
        }
    }
    line!(c, "}}");
    line!(c);
}

/// The types as the contents of a string literal, "parameters>results".
fn spelled(takes: &[Type], gives: &[Type]) -> String {
    let letters = |types: &[Type]| types.iter().map(|ty| ty.letter).collect::<String>();
    // A trigraph starts with two question marks.
    format!("{}>{}", letters(takes), letters(gives)).replace('?', "\\?")
}

/// The C name of the function that Python calls for mapped function number `at`.
fn described_name(at: usize) -> String {
    format!("mpy_described_{at}")
}

/// Defines the function that Python calls for a mapped export, and the one that converts its values.
fn described(c: &mut String, function: &Function, at: usize) {
    let Some((takes, gives)) = &function.types else { return };
    let name = described_name(at);
    let args = function.params.iter().enumerate().map(|(i, ty)| format!("slots[{i}].{}", ty.letter()));
    let call = format!("{}({})", function.c_name, args.collect::<Vec<_>>().join(", "));
    line!(c, "/* {} */", comment(&function.name));
    line!(c, "static void {name}_call(mpy_slot_t *slots) {{");
    match function.results.as_slice() {
        [] if function.params.is_empty() => line!(c, "    (void)slots;\n    {call};"),
        [] => line!(c, "    {call};"),
        [ty] => line!(c, "    slots[0].{} = {call};", ty.letter()),
        several => {
            line!(c, "    {} r = {call};", function.result_type);
            for (i, ty) in several.iter().enumerate() {
                line!(c, "    slots[{i}].{} = r.r{i};", ty.letter());
            }
        }
    }
    line!(c, "}}");
    let n = takes.len();
    let given = if n > MOST_FIXED {
        line!(c, "static mp_obj_t {name}(size_t n, const mp_obj_t *a) {{");
        line!(c, "    (void)n;");
        "a"
    } else {
        line!(c, "static mp_obj_t {name}({}) {{", objects(n));
        if n > 0 {
            let args = (0..n).map(|i| format!("a{i}")).collect::<Vec<_>>().join(", ");
            line!(c, "    mp_obj_t args[] = {{{args}}};");
        }
        if n > 0 { "args" } else { "NULL" }
    };
    line!(c, "    return mpy_call_export({name}_call, \"{}\", {given});", spelled(takes, gives.as_slice()));
    line!(c, "}}");
    line!(c);
}

/// The C name of the function that Python calls for `function`.
fn wrapper_name(function: &Function) -> String {
    format!("mpy_export_{}", function.c_name)
}

/// The number of values in a call for which the native stack is not checked.
const FEW_VALUES: usize = 8;

/// Defines the function that Python calls: it converts arguments, calls, and converts the result.
fn wrapper(c: &mut String, function: &Function, checks_stack: bool) {
    let Function { c_name, params, results, result_type, .. } = function;
    let mut name = wrapper_name(function);
    line!(c, "/* {} */", comment(&function.name));
    let values = params.len() + results.len();
    let checks_stack = checks_stack && values > FEW_VALUES;
    let fixed = params.len() <= MOST_FIXED;
    if checks_stack {
        name += "_values";
        line!(c, "WASM_APART");
    }
    if fixed {
        line!(c, "static mp_obj_t {name}({}) {{", objects(params.len()));
    } else {
        line!(c, "static mp_obj_t {name}(size_t n, const mp_obj_t *a) {{");
        line!(c, "    (void)n;");
    }
    for (i, ty) in params.iter().enumerate() {
        let arg = if fixed { format!("a{i}") } else { format!("a[{i}]") };
        line!(c, "    {} p{i} = mpy_to_{}({arg});", ty.c_type(), ty.suffix());
    }
    let args = (0..params.len()).map(|i| format!("p{i}")).collect::<Vec<_>>().join(", ");
    match results.as_slice() {
        [] => {
            line!(c, "    {c_name}({args});");
            line!(c, "    return mp_const_none;");
        }
        [ty] => line!(c, "    return mpy_from_{}({c_name}({args}));", ty.suffix()),
        several => {
            line!(c, "    {result_type} r = {c_name}({args});");
            let items = several.iter().enumerate().map(|(i, ty)| format!("mpy_from_{}(r.r{i})", ty.suffix()));
            let items = items.collect::<Vec<_>>().join(", ");
            line!(c, "    mp_obj_t items[] = {{{items}}};");
            line!(c, "    return mp_fun_table.new_tuple({}, items);", several.len());
        }
    }
    line!(c, "}}");
    if checks_stack {
        // More than any compiler uses for the values, their objects, and the arguments of the called functions.
        let (outer, size) = (wrapper_name(function), 512 + 64 * values);
        let given = (0..params.len()).map(|i| format!("a{i}")).collect::<Vec<_>>().join(", ");
        let (takes, gives) = match fixed {
            true => (objects(params.len()), given),
            false => ("size_t n, const mp_obj_t *a".to_owned(), "n, a".to_owned()),
        };
        line!(c, "static mp_obj_t {outer}({takes}) {{");
        line!(c, "    MPY_USE_STACK({size}u);");
        line!(c, "    return {name}({gives});");
        line!(c, "}}");
    }
    line!(c);
}

/// Defines the function objects and adds their names to `strings`, unless they are its first entries.
fn tables(
    c: &mut String,
    fixed: &[&Registered],
    var: &[&Registered],
    closes: bool,
    strings: Option<&mut Strings>,
    tables: &mut Tables,
) {
    let storage = if closes { Storage::Changing } else { Storage::Constant };
    let rows: Vec<String> = fixed.iter().map(|function| function.object(tables)).collect();
    tables.array(c, storage, "mp_obj_fun_builtin_fixed_t", "mpy_fixed", &rows);
    let rows: Vec<String> = var.iter().map(|function| function.object(tables)).collect();
    tables.array(c, storage, "mp_obj_fun_builtin_var_t", "mpy_var", &rows);
    if let (Some(strings), false) = (strings, fixed.is_empty() && var.is_empty()) {
        let names = fixed.iter().chain(var).map(|function| strings.index(&function.name).to_string());
        line!(c, "static const uint16_t mpy_names[] = {{{}}};", names.collect::<Vec<_>>().join(", "));
    }
    line!(c);
}

/// Whether the module holds memory of MicroPython's heap that must be freed for the next instance.
fn closes(module_api: &ModuleApi, interface: &Interface) -> bool {
    // In a firmware, it has one instance until the next reset.
    module_api.code != CodePlace::Linked
        && (!interface.grown_memories.is_empty()
            || !interface.grown_tables.is_empty()
            || has_own_chunks(module_api))
}

/// Whether the heap of the bindings takes chunks of MicroPython's heap.
fn has_own_chunks(module_api: &ModuleApi) -> bool {
    module_api.memory.as_ref().is_some_and(|memory| memory.direct)
        && module_api.imports.iter().any(|import| import.kind.needs() == Needs::Heap)
}

/// Defines the functions that close an instance of the module.
fn close(
    c: &mut String,
    module_api: &ModuleApi,
    interface: &Interface,
    bindings: &Bindings,
    [fixed, var]: [usize; 2],
) {
    line!(c, "#include \"mpy_close.h\"");
    line!(c, "static void mpy_change_functions(void) {{");
    for (table, count, member) in [("mpy_fixed", fixed, "fun._0"), ("mpy_var", var, "fun._var")] {
        if count > 0 {
            line!(c, "    for (size_t i = 0; i < {count}; i++) {{");
            line!(c, "        {table}[i].{member} = (void *)(uintptr_t)MPY_ENTRY(mpy_closed);");
            line!(c, "    }}");
        }
    }
    line!(c, "}}");
    line!(c, "static void mpy_end(void) {{");
    for memory in &interface.grown_memories {
        line!(c, "    mpy_end_memory(&{memory});");
    }
    for table in &interface.grown_tables {
        line!(c, "    mpy_end_table(&{table});");
    }
    if has_own_chunks(module_api) {
        line!(c, "    mpy_end_heap();");
    }
    c.push_str(&bindings.end);
    line!(c, "}}");
    line!(c);
}

/// The names of a memory: its own, and for the first memory also the name that wasm2mpy uses.
fn memory_names(module_api: &ModuleApi, at: usize) -> Vec<&str> {
    let name = module_api.memories[at].0.as_str();
    let taken = |name: &str| {
        let names =
            module_api.functions.iter().map(|f| &f.name).chain(module_api.globals.iter().map(|g| &g.name));
        names.chain(module_api.memories.iter().map(|(name, _)| name)).any(|known| known == name)
    };
    if at == 0 && !taken(OTHER_NAME) { vec![name, OTHER_NAME] } else { vec![name] }
}

/// Attributes of the module that are not functions.
enum Shown<'a> {
    /// A memory, by its index among those that can grow, or those that cannot.
    Memory(usize, &'a MemoryInfo),
    Global(&'a ShownGlobal),
}

/// A memory and its names.
fn shown(module_api: &ModuleApi) -> Vec<(&str, Shown<'_>)> {
    let memories = module_api.memories.iter().enumerate().flat_map(|(at, (_, memory))| {
        let before =
            module_api.memories[..at].iter().filter(|(_, other)| other.grows == memory.grows).count();
        memory_names(module_api, at).into_iter().map(move |name| (name, Shown::Memory(before, memory)))
    });
    let globals = module_api.globals.iter().map(|global| (global.name.as_str(), Shown::Global(global)));
    memories.chain(globals).collect()
}

/// Defines how attributes of the module are read and written.
fn show(c: &mut String, module_api: &ModuleApi, strings: &mut Strings) {
    let shown = shown(module_api);
    if shown.is_empty() {
        return;
    }
    let names = shown.iter().map(|(name, _)| strings.index(name).to_string()).collect::<Vec<_>>();
    line!(c, "static const uint16_t mpy_shown_names[MPY_SHOWN] = {{{}}};", names.join(", "));
    line!(c, "static mp_obj_t mpy_get_shown(unsigned which) {{");
    line!(c, "    switch (which) {{");
    for (which, (_, item)) in shown.iter().enumerate() {
        match item {
            Shown::Memory(at, memory) if memory.grows => {
                line!(c, "        case {which}: return &mpy_views[{at}];");
            }
            Shown::Memory(at, MemoryInfo { base, size, .. }) => {
                line!(c, "        case {which}: return mpy_fixed_view({at}, {base}, {size});");
            }
            Shown::Global(ShownGlobal { c_name, ty, .. }) => {
                line!(c, "        case {which}: return mpy_from_{}({c_name});", ty.suffix());
            }
        }
    }
    line!(c, "    }}");
    line!(c, "    return MP_OBJ_NULL;");
    line!(c, "}}");
    line!(c);
    line!(c, "static bool mpy_set_shown(unsigned which, mp_obj_t value) {{");
    line!(c, "    (void)value;");
    line!(c, "    switch (which) {{");
    for (which, (_, item)) in shown.iter().enumerate() {
        if let Shown::Global(ShownGlobal { c_name, ty, mutable: true, .. }) = item {
            line!(c, "        case {which}: {c_name} = mpy_to_{}(value); return true;", ty.suffix());
        }
    }
    line!(c, "    }}");
    line!(c, "    return false;");
    line!(c, "}}");
    line!(c);
    let growing: Vec<&MemoryInfo> =
        module_api.memories.iter().map(|(_, memory)| memory).filter(|memory| memory.grows).collect();
    if growing.is_empty() {
        return;
    }
    line!(c, "static uint8_t *mpy_memory_of(size_t which, uint32_t *size) {{");
    line!(c, "    switch (which) {{");
    for (at, MemoryInfo { base, size, .. }) in growing.into_iter().enumerate() {
        line!(c, "        case {at}: *size = {size}; return {base};");
    }
    line!(c, "    }}");
    line!(c, "    __builtin_unreachable();");
    line!(c, "}}");
    line!(c);
}

/// The first values of state that does not lie by itself.
fn init_state(c: &mut String, module_api: &ModuleApi, has_api: bool) {
    if let Some((_, start)) = &module_api.stack_pointer
        && calls_python(module_api, has_api)
    {
        line!(c, "    mpy_stack_base = {start};");
    }
    if let Some(lvalue) = &module_api.stack_limit {
        line!(c, "    {lvalue} = UINTPTR_MAX;");
    }
}

/// Defines what runs when the module is imported. The loader has made the module's globals current, and ignores the
/// result.
fn init(
    c: &mut String,
    module_api: &ModuleApi,
    bindings: &Bindings,
    counted: bool,
    closes: bool,
    [fixed, var]: [usize; 2],
    strings: &mut Strings,
) {
    line!(c, "void mpy_init(void);");
    line!(c, "void mpy_init(void) {{");
    if module_api.code.has_state_block() {
        init_state(c, module_api, !counted);
    }
    c.push_str(&bindings.tables.fill);
    if closes {
        line!(c, "    mpy_close_others({}, {});", strings.index("sys"), strings.index("modules"));
    }
    let types = module_api.functions.iter().flat_map(|f| f.params.iter().chain(&f.results));
    let mut types = types.chain(module_api.imports.iter().flat_map(|i| i.params.iter().chain(&i.results)));
    if bindings.floats || types.any(|ty| ty.is_float()) || module_api.globals.iter().any(|g| g.ty.is_float())
    {
        line!(c, "    mpy_require_floats();");
    }
    if let Some((memory, _)) = module_api.memories.iter().find(|(_, memory)| memory.grows) {
        line!(c, "    mpy_init_views({});", strings.index(memory));
    }
    if !shown(module_api).is_empty() && module_api.code != CodePlace::Linked {
        // Python functions that the start function calls can use the module.
        line!(c, "    mpy_show({});", strings.index("__import__"));
    }
    if module_api.imports.iter().any(|import| import.kind.needs() == Needs::Heap)
        && module_api.memory.as_ref().is_some_and(|memory| memory.direct && memory.heap_reserve > 0)
    {
        line!(c, "    mpy_heap_reserve();");
    }
    for start in &module_api.start {
        line!(c, "    {start}();");
    }
    for (table, count, first) in [("mpy_fixed", fixed, 0), ("mpy_var", var, fixed)] {
        if count > 0 {
            line!(c, "    for (size_t i = 0; i < {count}; i++) {{");
            let name = if counted { format!("i + {}", first + 1) } else { format!("mpy_names[i + {first}]") };
            line!(
                c,
                "        mp_fun_table.store_global(mp_native_qstr_table[{name}], (mp_obj_t)&{table}[i]);"
            );
            line!(c, "    }}");
        }
    }
    c.push_str(&bindings.init);
    line!(c, "}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry that is not counted would be one too many when a module starts.
    #[test]
    fn entries_of_headers_are_counted() {
        for (name, text) in c_runtime::HEADERS {
            let used =
                ["MPY_ENTRY(", "MPY_OBJECT("].map(|word| text.matches(word).count()).iter().sum::<usize>();
            let counted = HEADER_ENTRIES.iter().find(|(known, _)| known == name).map_or(0, |known| known.1);
            // It defines them.
            assert!(used == counted || *name == "mpy.h", "{name}: {used}");
        }
    }
}
