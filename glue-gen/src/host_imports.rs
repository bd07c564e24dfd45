//! What an import means: a mapping of the user, an entry of `host_imports.toml`, or the Python module with that name.
//! The types in the user's mappings of exports are the same.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use target_specs::{Diagnostic, Place, Result};
use toml::Value;

use crate::types::Scalar;

/// The user's mappings of imports: `module.name` → a value as in `host_imports.toml`.
pub type Imports = BTreeMap<String, Value>;

/// The user's mappings of imports and exports.
#[derive(Debug, Clone, Default)]
pub struct Mappings {
    /// Mappings of imports.
    pub imports: Imports,
    /// Mappings of exports: name → the types in Python, such as "(str) -> i32".
    pub exports: BTreeMap<String, String>,
    /// The exports that allocate and free memory for texts. If empty, `malloc` and `free`.
    pub allocator: Vec<String>,
    /// Whether Python can give the parameters of functions that wasm-bindgen describes by name.
    pub keywords: bool,
}

/// The types of a function in Python: those of its parameters, and that of its result.
pub type Types = (Vec<Type>, Option<Type>);

/// What an import means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A call of `field` in the Python module `module`. Without types, those of WebAssembly are used.
    Python { module: String, field: String, types: Option<Types> },
    /// A function of the bindings.
    Builtin(&'static Builtin),
    /// Nothing happens. This is the result, if there is one.
    Nothing(i32),
}

/// A function of the bindings: the C function `mpy_NAME`.
#[derive(Debug, PartialEq, Eq)]
pub struct Builtin {
    pub name: &'static str,
    /// Its parameters and results, as in "ii>i".
    pub signature: &'static str,
    pub needs: Needs,
    /// Whether it reads or writes the module's memory.
    pub memory: bool,
    /// The strings that it uses in Python. In C they are `MPY_STRING_x`.
    pub strings: &'static [&'static str],
}

/// What a function of the bindings requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// Text in memory.
    Text,
    /// Unused memory.
    Heap,
    /// `mpy_dsp.h`.
    Dsp,
    /// `mpy_dsp_vectors.h`.
    Vectors,
    /// `mpy_dsp_fourier.h`.
    Fourier,
    /// `mpy_shims.h`.
    Shims,
    /// `mpy_wasi.h`.
    Wasi,
    /// `mpy_futures.h`.
    Futures,
}

/// The type of a value in `[imports]` and `[exports]`, by its name there.
#[derive(Debug, PartialEq, Eq)]
pub struct TypeOf {
    pub name: &'static str,
    /// Its letter in `mpy_imports.h`.
    pub letter: char,
    /// Its WebAssembly values.
    pub values: &'static [Scalar],
    /// Whether it is in memory.
    pub text: bool,
    /// Its types for type checkers: as an argument and as a result.
    pub python: (&'static str, &'static str),
}

pub type Type = &'static TypeOf;

const fn number(name: &'static str, letter: char, values: &'static [Scalar]) -> TypeOf {
    let python = match letter {
        'f' | 'd' => "float",
        '?' => "bool",
        _ => "int",
    };
    TypeOf { name, letter, values, text: false, python: (python, python) }
}

const fn text(
    name: &'static str,
    letter: char,
    values: &'static [Scalar],
    python: (&'static str, &'static str),
) -> TypeOf {
    TypeOf { name, letter, values, text: true, python }
}

/// All types. `low32` is the lower half of a number that may be larger. Texts are copied: `str` and `bytes` are a
/// pointer and a length in bytes, `cstr` is a pointer to text that ends with a zero byte, and `utf16` is a string of
/// AssemblyScript.
static TYPES: &[TypeOf] = &[
    number("i32", 'i', &[Scalar::I32]),
    number("i64", 'q', &[Scalar::I64]),
    number("f32", 'f', &[Scalar::F32]),
    number("f64", 'd', &[Scalar::F64]),
    number("u32", 'I', &[Scalar::I32]),
    number("u64", 'Q', &[Scalar::I64]),
    number("bool", '?', &[Scalar::I32]),
    number("low32", 'l', &[Scalar::I32]),
    text("str", 's', &[Scalar::I32, Scalar::I32], ("str", "str")),
    text("bytes", 'y', &[Scalar::I32, Scalar::I32], ("bytes | bytearray | memoryview", "bytes")),
    text("cstr", 'z', &[Scalar::I32], ("str", "str")),
    text("utf16", 'w', &[Scalar::I32], ("str | None", "str | None")),
];

/// The type of a value that is passed unchanged.
pub(crate) fn type_of(scalar: Scalar) -> Type {
    TYPES.iter().find(|ty| ty.letter == scalar.letter()).expect("every number is a type")
}

/// A function that may use memory.
const fn builtin(
    name: &'static str,
    signature: &'static str,
    needs: Needs,
    strings: &'static [&'static str],
) -> Builtin {
    Builtin { name, signature, needs, memory: true, strings }
}

impl Builtin {
    /// The Python modules that it imports.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &str> {
        self.strings.iter().copied().filter(|text| is_module(text))
    }

    /// It does not use memory.
    const fn without_memory(self) -> Builtin {
        Builtin { memory: false, ..self }
    }
}

/// The functions of the bindings, which are exported as `mpy:NAME` and imported from the module `mpy`:
/// - `panic(ptr, len)` raises RuntimeError with that text, `print(ptr, len)` writes it to the standard output and
///   `print_error(ptr, len)` to that for errors, `panic_at(ptr, len, file, file_len, line)` adds a place in the source;
/// - `alloc(size, align)`, `alloc_zeroed(size, align)` and `realloc(ptr, old_size, size, align)` return memory or 0;
/// - `dealloc(ptr)` gives it back; `out_of_memory()` raises MemoryError;
/// - `pin_mode(pin, mode)` and `digital_write(pin, value)` are Arduino's, on `machine.Pin`;
/// - `check_interrupt()` lets MicroPython raise KeyboardInterrupt and run scheduled functions; `disable_irq()` and
///   `enable_irq(state)` are those of `machine`, and do nothing where there are none;
/// - `barrier()` orders accesses of memory, also for handlers of interrupts;
/// - `dsp_NAME` compute what the instruction NAME for signal processing does; `dsp_has_vectors()` is 1 where the processor has
///   such instructions for vectors, `dsp_dot_f32(a, b, len)` is a dot product of floats,
///   `dsp_vec_mat_f32(x, x_len, rows, stride, y, y_len)` the product of a vector and a matrix,
///   `dsp_mat_vec_q15(rows, stride, x, x_len, y, y_len)` that of a matrix and a vector, and `dsp_cfft_f32(data, len, sines)` the Fourier
///   transform of `len` complex numbers, a power of two from 16 to 32768;
/// - `unix_time()` is the time since 1970 in nanoseconds;
/// - `new_future(future)` returns an object for a future, `spawn_future(future)` makes a task of it, `wake_future(number)` wakes
///   the task that waits for it, `start_await(object, state)` begins to await an object and returns its task, and
///   `cancel_await(task)` ends that, for `c-runtime/src/futures.rs`;
/// - `assembly_*`, `date_now`, `performance_now` are AssemblyScript's, `wasi_*` those of WASI.
static BUILTINS: &[Builtin] = &[
    builtin("panic", "ii>", Needs::Text, &[]),
    builtin("panic_at", "iiiii>", Needs::Text, &[]),
    builtin("print", "ii>", Needs::Text, &[]),
    builtin("print_error", "ii>", Needs::Shims, &["sys", "stderr", "write"]),
    builtin("alloc", "ii>i", Needs::Heap, &[]),
    builtin("alloc_zeroed", "ii>i", Needs::Heap, &[]),
    builtin("realloc", "iiii>i", Needs::Heap, &[]),
    builtin("dealloc", "i>", Needs::Heap, &[]),
    builtin("out_of_memory", ">", Needs::Nothing, &[]).without_memory(),
    builtin("barrier", ">", Needs::Nothing, &[]).without_memory(),
    builtin("dsp_sxtb16", "i>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_sxtb16_ror8", "i>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_uxtb16", "i>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_uxtb16_ror8", "i>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_sxtab16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_sxtab16_ror8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smuad", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smuadx", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smusd", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smusdx", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smulwb", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smulwt", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smmul", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smmulr", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_qadd", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_qsub", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_qadd16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_qsub16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_sadd16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_ssub16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_shadd16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_shsub16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_qadd8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_qsub8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_sadd8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_ssub8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_uqadd8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_uqsub8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_uhadd8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_usad8", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_pkhbt", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_pkhbt_lsl16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_pkhtb_asr16", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlad", "iii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smladx", "iii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlsd", "iii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlsdx", "iii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlawb", "iii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlawt", "iii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smmla", "iii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_usada8", "iii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlald", "iiq>q", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlaldx", "iiq>q", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlsld", "iiq>q", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_smlsldx", "iiq>q", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_ssat", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_usat", "ii>i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_vfma", "fff>f", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_vfms", "fff>f", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_has_vectors", ">i", Needs::Dsp, &[]).without_memory(),
    builtin("dsp_dot_f32", "iii>f", Needs::Vectors, &[]),
    builtin("dsp_vec_mat_f32", "iiiiii>", Needs::Vectors, &[]),
    builtin("dsp_mat_vec_q15", "iiiiii>", Needs::Vectors, &[]),
    builtin("dsp_cfft_f32", "iii>", Needs::Fourier, &[]),
    builtin("throw_again", ">", Needs::Nothing, &[]).without_memory(),
    builtin("exception_ends", "i>", Needs::Nothing, &[]).without_memory(),
    builtin("raise_caught", ">", Needs::Nothing, &[]).without_memory(),
    builtin("pin_mode", "ii>", Needs::Shims, &["machine", "Pin", "IN", "OUT", "PULL_UP"]).without_memory(),
    builtin("digital_write", "ii>", Needs::Shims, &["machine", "Pin", "value"]).without_memory(),
    builtin("assembly_abort", "iiii>", Needs::Shims, &[]),
    builtin("assembly_trace", "iiddddd>", Needs::Shims, &["builtins", "print"]),
    builtin("date_now", ">d", Needs::Shims, &["time", "time_ns", "gmtime"]).without_memory(),
    builtin("unix_time", ">q", Needs::Shims, &["time", "time_ns", "gmtime"]).without_memory(),
    builtin("performance_now", ">d", Needs::Shims, &["time", "ticks_us"]).without_memory(),
    builtin("check_interrupt", ">", Needs::Shims, &["builtins", "exec"]).without_memory(),
    builtin("disable_irq", ">i", Needs::Shims, &["machine", "disable_irq"]).without_memory(),
    builtin("enable_irq", "i>", Needs::Shims, &["machine", "enable_irq"]).without_memory(),
    builtin("new_future", "i>i", Needs::Futures, &[]),
    builtin("spawn_future", "i>", Needs::Futures, &["create_task"]),
    builtin("wake_future", "i>", Needs::Futures, &[]),
    builtin("start_await", "ii>i", Needs::Futures, &["Task"]),
    builtin("cancel_await", "i>", Needs::Futures, &["cancel"]),
    builtin("wasi_no_strings", "ii>i", Needs::Wasi, &[]),
    builtin("wasi_clock_res_get", "ii>i", Needs::Wasi, &[]),
    builtin("wasi_clock_time_get", "iqi>i", Needs::Wasi, &["time", "time_ns", "gmtime", "ticks_us"]),
    builtin("wasi_fd_fdstat_get", "ii>i", Needs::Wasi, &[]),
    builtin("wasi_fd_read", "iiii>i", Needs::Wasi, &[]),
    builtin("wasi_fd_write", "iiii>i", Needs::Wasi, &[]),
    builtin(
        "wasi_poll_oneoff",
        "iiii>i",
        Needs::Wasi,
        &["time", "time_ns", "gmtime", "ticks_us", "sleep_ms", "sleep_us"],
    ),
    builtin("wasi_proc_exit", "i>", Needs::Wasi, &[]).without_memory(),
    builtin("wasi_random_get", "ii>i", Needs::Wasi, &["os", "urandom", "random", "getrandbits"]),
];

/// The strings that `mpy_futures.h` itself uses.
pub(crate) const FUTURE_STRINGS: [&str; 6] =
    ["asyncio.core", "_task_queue", "cur_task", "data", "push", "Future"];

/// The functions that make futures, or await objects.
pub const MAKES_FUTURES: [&str; 3] = ["new_future", "spawn_future", "start_await"];

/// Whether the function `name` of the bindings may run the user's Python code.
pub(crate) fn runs_python(name: &str) -> bool {
    let own = builtin_function(name);
    name == "print" || own.is_some_and(|own| matches!(own.needs, Needs::Shims | Needs::Wasi | Needs::Futures))
}

/// The function `name` of the bindings.
pub(crate) fn builtin_function(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|own| own.name == name)
}

/// Whether this string, which a function of the bindings uses, is the name of a Python module.
pub(crate) fn is_module(text: &str) -> bool {
    ["builtins", "machine", "os", "random", "sys", "time"].contains(&text)
}

/// The names and types of the functions of the bindings that any program can import.
pub fn builtin_functions() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILTINS.iter().filter(|own| own.needs != Needs::Futures).map(|own| (own.name, own.signature))
}

/// `host_imports.toml`, read.
fn host_imports() -> &'static toml::Table {
    static SHIMS: OnceLock<toml::Table> = OnceLock::new();
    // The data is compiled in, and a test reads all of it, so this cannot fail for users.
    SHIMS.get_or_init(|| include_str!("host_imports.toml").parse().expect("host_imports.toml is TOML"))
}

/// The meaning of the import `field` of `module`; `None` if it has none.
///
/// # Errors
/// `bad-value`: what `imports` say of it means nothing.
pub(crate) fn answer(module: &str, field: &str, imports: &Imports) -> Result<Option<Answer>> {
    let name = format!("{module}.{field}");
    if let Some(value) = imports.get(&name) {
        return parse(&name, value).map(Some);
    }
    if module == "mpy" {
        return Ok(builtin_function(field).map(Answer::Builtin));
    }
    if let Some(table) = host_imports().get(module).and_then(Value::as_table) {
        return table.get(field).map(|value| parse(&name, value)).transpose();
    }
    let is_module = module.split('.').all(is_identifier);
    let python = || Answer::Python { module: module.to_owned(), field: field.to_owned(), types: None };
    Ok(is_module.then(python))
}

/// Whether the import `field` of `module` reads or writes the module's memory, unless the user maps it to something
/// else. The memory is used then, even if the module's own code does not use it.
pub fn touches_memory(module: &str, field: &str) -> bool {
    matches!(answer(module, field, &Imports::new()), Ok(Some(Answer::Builtin(own))) if own.memory)
}

/// The types among `types` that `mpy_imports.h` supports only if they are requested, without duplicates.
pub(crate) fn own_types(types: impl Iterator<Item = Type>) -> Vec<Type> {
    let mut found: Vec<Type> = Vec::new();
    // The others are types of MicroPython's `binary_get_val_array`.
    for ty in types.filter(|ty| "?lsyzw".contains(ty.letter)) {
        if !found.contains(&ty) {
            found.push(ty);
        }
    }
    found
}

/// The types in the user's mapping of the export `name`.
///
/// # Errors
/// `bad-value`.
pub(crate) fn types_of_export(name: &str, text: &str) -> Result<Types> {
    let types = match text.trim().strip_prefix('(') {
        Some(rest) => signature(rest),
        None => Err(format!("`{text}` does not begin with a `(`")),
    };
    types.map_err(|what| {
        let names: Vec<_> = TYPES.iter().map(|ty| ty.name).collect();
        Diagnostic::new("bad-value", format!("the export `{name}`: {what}"))
            .at(Place::Item(name.to_owned()))
            .help(format!("write `(i32, str) -> i32`, of the types {}", names.join(", ")))
    })
}

/// Checks a mapping of an export. Used when settings are read, before there is a module.
///
/// # Errors
/// `bad-value`.
pub fn check_export(name: &str, text: &str) -> Result<()> {
    types_of_export(name, text).map(|_| ())
}

/// The error about imports without a meaning.
pub(crate) fn nobody(missing: &[String]) -> Diagnostic {
    let list = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut modules: Vec<&str> =
        missing.iter().map(|name| name.split('.').next().unwrap_or_default()).collect();
    modules.dedup();
    let provided: Vec<String> = modules
        .into_iter()
        .map(|module| (module, provided_by(module)))
        .filter(|(_, names)| !names.is_empty())
        .map(|(module, names)| format!("; `{module}` has {}", names.join(", ")))
        .collect();
    let all: Vec<&str> =
        host_imports().keys().map(String::as_str).filter(|module| !provided_by(module).is_empty()).collect();
    let first = missing.first().map_or("", String::as_str);
    let plural = if missing.len() == 1 { "the import" } else { "the imports" };
    Diagnostic::new("unknown-import", format!("nothing answers {plural} {list}")).at(Place::Item(first.to_owned())).help(
        format!(
            "name a function of Python's in `[imports]` of mpy.toml beside the file, or in \
             `[package.metadata.mpy.imports]`: `\"{first}\" = \"my_module.my_function\"`; there are imports of {}, mpy{}",
            all.join(", "),
            provided.concat()
        ),
    )
}

/// The names that a program can import from `module`.
fn provided_by(module: &str) -> Vec<&'static str> {
    if module == "mpy" {
        return builtin_functions().map(|(name, _)| name).collect();
    }
    let table = host_imports().get(module).and_then(Value::as_table);
    table.into_iter().flat_map(|table| table.keys().map(String::as_str)).collect()
}

/// Checks a mapping of an import. Used when settings are read, before there is a module.
///
/// # Errors
/// `bad-value`.
pub fn check(name: &str, value: &Value) -> Result<()> {
    parse(name, value).map(|_| ())
}

fn parse(name: &str, value: &Value) -> Result<Answer> {
    let refuse = |what: String, help: &str| {
        Err(Diagnostic::new("bad-value", format!("the import `{name}`: {what}"))
            .at(Place::Item(name.to_owned()))
            .help(help))
    };
    let text = match value {
        Value::String(text) => text,
        Value::Integer(number) if i32::try_from(*number).is_ok() => {
            return Ok(Answer::Nothing(*number as i32));
        }
        other => {
            return refuse(
                format!("`{other}` is no answer"),
                "write `\"my_module.my_function(i32, str) -> i32\"`, or a number that is always the result",
            );
        }
    };
    if let Some(own_name) = text.strip_prefix("mpy:") {
        return match builtin_function(own_name) {
            Some(own) => Ok(Answer::Builtin(own)),
            None => {
                let names: Vec<_> = BUILTINS.iter().map(|own| own.name).collect();
                refuse(
                    format!("the bindings have no `{own_name}`"),
                    &format!("they have {}", names.join(", ")),
                )
            }
        };
    }
    let (path, types) = match text.split_once('(') {
        None => (text.as_str(), None),
        Some((path, rest)) => match signature(rest) {
            Ok(types) => (path, Some(types)),
            Err(what) => {
                let names: Vec<_> = TYPES.iter().map(|ty| ty.name).collect();
                let help = format!("write `{path}(i32, str) -> i32`, of the types {}", names.join(", "));
                return refuse(what, &help);
            }
        },
    };
    let (module, field) = path.trim().rsplit_once('.').unwrap_or(("builtins", path.trim()));
    if !module.split('.').chain([field]).all(is_identifier) {
        return refuse(format!("`{path}` is not the name of a function"), "write `my_module.my_function`");
    }
    Ok(Answer::Python { module: module.to_owned(), field: field.to_owned(), types })
}

/// Parses types such as "i32, str) -> i32".
fn signature(text: &str) -> std::result::Result<Types, String> {
    let find = |name: &str| {
        TYPES.iter().find(|ty| ty.name == name.trim()).ok_or_else(|| format!("`{}` is no type", name.trim()))
    };
    let (params, result) = text.split_once(')').ok_or("a `)` is missing")?;
    let params = match params.trim() {
        "" => Vec::new(),
        params => params.split(',').map(find).collect::<std::result::Result<_, _>>()?,
    };
    let result = match result.trim() {
        "" => None,
        result => {
            let name = result.strip_prefix("->").ok_or_else(|| format!("`{result}` after the parameters"))?;
            Some(find(name)?)
        }
    };
    Ok((params, result))
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shim_means_something() {
        for (module, table) in host_imports() {
            for field in table.as_table().unwrap().keys() {
                assert!(answer(module, field, &Imports::new()).unwrap().is_some(), "{module}.{field}");
            }
        }
    }

    #[test]
    fn names_and_types_are_told_apart() {
        let of = |text: &str| parse("x", &Value::String(text.to_owned()));
        let Ok(Answer::Python { module, field, types: Some((params, result)) }) =
            of("a.b.c(i32, str) -> bool")
        else {
            panic!("a call")
        };
        assert_eq!((module.as_str(), field.as_str()), ("a.b", "c"));
        assert_eq!(params.iter().map(|ty| ty.letter).collect::<String>(), "is");
        assert_eq!(result.map(|ty| ty.letter), Some('?'));
        let plain = Answer::Python { module: "builtins".into(), field: "print".into(), types: None };
        assert_eq!(of("print"), Ok(plain));
        assert_eq!(parse("x", &Value::Integer(8)), Ok(Answer::Nothing(8)));
        for bad in ["", "a.b(", "a.b(i33)", "a.b() -> string", "a.b() i32", "mpy:nothing", "a-b.c", "a b"] {
            assert_eq!(of(bad).unwrap_err().code, "bad-value", "{bad}");
        }
        assert!(parse("x", &Value::Boolean(true)).is_err());
    }

    #[test]
    fn exports_have_types_alone() {
        let (params, result) = types_of_export("x", " (utf16, bytes) -> cstr").unwrap();
        assert_eq!(params.iter().map(|ty| ty.letter).collect::<String>(), "wy");
        assert_eq!(result.map(|ty| ty.letter), Some('z'));
        assert_eq!(types_of_export("x", "()"), Ok((Vec::new(), None)));
        for bad in ["", "x(str)", "(str", "(text)", "() -> ", "() -> (i32, i32)"] {
            assert_eq!(types_of_export("x", bad).unwrap_err().code, "bad-value", "{bad}");
        }
    }

    #[test]
    fn the_user_comes_first_and_python_last() {
        let imports = Imports::from([("env.abort".to_owned(), Value::Integer(3))]);
        assert_eq!(answer("env", "abort", &imports), Ok(Some(Answer::Nothing(3))));
        assert!(matches!(answer("time", "ticks_ms", &imports), Ok(Some(Answer::Python { .. }))));
        for (module, field) in [("env", "memcpy_"), ("gojs", "x"), ("mpy", "x"), ("./a.js", "x")] {
            assert_eq!(answer(module, field, &imports), Ok(None));
        }
    }
}
