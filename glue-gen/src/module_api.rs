//! The exports and imports of a module, as plain data.

use target_specs::{Diagnostic, Place, Result};
use wasm_to_c::{CodePlace, ExportedFunc, ImportedFunc, Interface, Item, MemoryInfo, ValType};

use crate::host_imports::{self, Answer, Builtin, Mappings, Needs, Type, Types};
use crate::types::Scalar;
use crate::wbindgen;

/// The longest name that MicroPython can intern on all ports (`MICROPY_QSTR_BYTES_IN_LEN` of 1).
const LONGEST_NAME: usize = 255;
/// The linker's name of the function that calls all constructors.
const CONSTRUCTORS: &str = "__wasm_call_ctors";
/// The maximum number of arguments of a call from native code: `call_function_n_kw` counts them in 8 bits.
const MOST_ARGUMENTS: usize = 255;

/// The border between a module and Python.
#[derive(Debug, Clone, Default)]
pub struct ModuleApi {
    pub functions: Vec<Function>,
    pub imports: Vec<Import>,
    /// C names of functions without parameters that run when the module is imported, in this order.
    pub start: Vec<String>,
    /// The C lvalue of the shadow-stack pointer, and a C constant with its initial value.
    pub stack_pointer: Option<(String, String)>,
    pub memory: Option<MemoryInfo>,
    /// The C lvalue of the limit of the native stack.
    pub stack_limit: Option<String>,
    /// Where the code is.
    pub code: CodePlace,
    /// If the native stack must not overflow, the bytes that a check needs below its frame; otherwise 0.
    pub stack_ahead: u32,
    /// Whether the program allocates memory in no loop.
    pub allocates_seldom: bool,
    /// The memories that Python sees, by name.
    pub memories: Vec<(String, MemoryInfo)>,
    pub globals: Vec<ShownGlobal>,
    /// The functions that allocate texts, if texts are passed to the module.
    pub allocator: Option<Allocator>,
    /// The functions that create AssemblyScript strings, if any are passed to the module: the C names of `__new`,
    /// `__pin` and `__unpin`.
    pub strings: Option<[String; 3]>,
    /// If panics have hooks, the C names of three functions: one exchanges the panic whose hook runs, one unlocks the
    /// hook, and one also raises the exception of the panic.
    pub panics: Option<[String; 3]>,
    /// If exceptions run destructors, the C names of five functions: for the last panic, for reading and setting the
    /// number of panics in progress, and for throwing and catching a Python exception.
    pub unwinding: Option<[String; 5]>,
}

/// The functions of the module that allocate and free memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocator {
    /// The C function that takes a size and returns an address, or 0.
    pub alloc: String,
    /// The C function that takes an address, and whether it takes the size as well. Without it, memory is never freed.
    pub free: Option<(String, bool)>,
}

/// A global of the module that Python sees.
#[derive(Debug, Clone)]
pub struct ShownGlobal {
    pub name: String,
    /// C lvalue.
    pub c_name: String,
    pub ty: Scalar,
    pub mutable: bool,
}

/// A function of the module that Python can call.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name in Python; any text, as `getattr` reaches those that are not identifiers.
    pub name: String,
    /// The C function behind it.
    pub c_name: String,
    pub params: Vec<Scalar>,
    pub results: Vec<Scalar>,
    /// The C type it returns.
    pub result_type: String,
    /// The types in Python, if the user maps the export.
    pub types: Option<Types>,
}

impl Function {
    /// The number of arguments in Python.
    pub(crate) fn arity(&self) -> usize {
        self.types.as_ref().map_or(self.params.len(), |(params, _)| params.len())
    }
}

/// A function that the module imports.
#[derive(Debug, Clone)]
pub struct Import {
    /// The C function to define.
    pub c_name: String,
    pub params: Vec<Scalar>,
    pub results: Vec<Scalar>,
    /// The C type it returns.
    pub result_type: String,
    pub kind: ImportKind,
}

/// The meaning of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportKind {
    /// Calls `field` of the Python module `module`.
    Python { module: String, field: String, params: Vec<Type>, results: Vec<Type> },
    /// A function of the bindings.
    Builtin(&'static Builtin),
    /// Nothing happens. This is the result, if there is one.
    Nothing(i32),
}

impl ImportKind {
    /// What the function of the bindings requires.
    pub(crate) fn needs(&self) -> Needs {
        match self {
            ImportKind::Builtin(own) => own.needs,
            _ => Needs::Nothing,
        }
    }

    /// Whether it needs the header that reads text from memory.
    pub(crate) fn is_text(&self) -> bool {
        match self {
            ImportKind::Python { params, .. } => params.iter().any(|ty| ty.text),
            _ => {
                matches!(
                    self.needs(),
                    Needs::Text | Needs::Shims | Needs::Wasi | Needs::Vectors | Needs::Fourier
                )
            }
        }
    }

    /// Whether it reads or writes memory.
    fn touches_memory(&self) -> bool {
        match self {
            ImportKind::Builtin(own) => own.memory,
            _ => self.is_text(),
        }
    }
}

/// Whether nothing that is called in a loop leads to an allocation.
fn allocates_seldom(interface: &Interface) -> bool {
    let allocates = |(_, import): &(usize, &ImportedFunc)| {
        import.module == "mpy" && ["alloc", "alloc_zeroed", "realloc"].contains(&import.field.as_str())
    };
    !interface.calls.repeats(interface.imports.iter().enumerate().filter(allocates).map(|(at, _)| at))
}

impl ModuleApi {
    /// The API of a module that is described by its WebAssembly types and `mappings`.
    ///
    /// # Errors
    /// `inexpressible-export`, `inexpressible-import`: a type or name with no counterpart in Python;
    /// `unknown-import`: one that nobody answers; `unknown-export`: one that is not there; `bad-value`: what
    /// `mappings` say of one means nothing.
    pub fn of(interface: &Interface, mappings: &Mappings) -> Result<ModuleApi> {
        let mut module_api = ModuleApi {
            start: interface.init.iter().cloned().collect(),
            stack_pointer: interface.stack_pointer.clone(),
            memory: interface.memory.clone(),
            stack_limit: interface.stack_limit.clone(),
            code: interface.code,
            stack_ahead: interface.stack_ahead,
            allocates_seldom: allocates_seldom(interface),
            memories: interface.exported_memories.clone(),
            ..ModuleApi::default()
        };
        for export in &interface.exported_items {
            // References have no meaning in Python.
            if let Item::Global { ty, mutable } = export.item
                && let Ok([ty]) = Scalar::all(&[ty]).as_deref()
            {
                let (name, c_name) = (export.name.clone(), export.c_name.clone());
                module_api.globals.push(ShownGlobal { name, c_name, ty: *ty, mutable });
            }
        }
        let shown = module_api.memories.iter().map(|(name, _)| name);
        for name in shown.chain(module_api.globals.iter().map(|global| &global.name)) {
            if name.len() > LONGEST_NAME {
                return Err(Diagnostic::new(
                    "inexpressible-export",
                    format!("an exported name of {} bytes is too long", name.len()),
                )
                .at(Place::Item(name.clone()))
                .help("MicroPython's names have at most 255 bytes: shorten it"));
            }
        }
        // The constructors of a reactor, the whole program of a command, or the constructors of any other module run
        // when the module is imported. The user does not call them.
        // https://github.com/WebAssembly/WASI/blob/main/legacy/application-abi.md
        let entry = |name: &str| {
            let is_entry = |export: &&ExportedFunc| {
                export.name == name && export.ty.params.is_empty() && export.ty.results.is_empty()
            };
            interface.exports.iter().find(is_entry)
        };
        let mut entries: Vec<&str> =
            ["_initialize", "_start"].into_iter().filter(|name| entry(name).is_some()).collect();
        if entries.is_empty() && entry(CONSTRUCTORS).is_some() {
            entries.push(CONSTRUCTORS);
        }
        module_api
            .start
            .extend(entries.iter().filter_map(|name| entry(name)).map(|export| export.c_name.clone()));
        let own = |name: &str| interface.exports.iter().find(|export| export.name == name);
        if interface.unwinds {
            let names = ["mpy:last_panic", "mpy:panics", "mpy:set_panics", "mpy:throw", "mpy:catch"];
            if let [Some(last), Some(get), Some(set), Some(throw), Some(catch)] = names.map(own) {
                module_api.unwinding =
                    Some([last, get, set, throw, catch].map(|export| export.within.clone()));
            }
            module_api.start.extend(own("mpy:init_unwinding").map(|export| export.c_name.clone()));
        }
        let panics = ["mpy:panicking", "mpy:hook_ends", "mpy:panic_ends"].map(own);
        if let [Some(swap), Some(unlock), Some(raise)] = panics {
            module_api.panics = Some([swap, unlock, raise].map(|export| export.c_name.clone()));
        }
        // wasm-bindgen's own data describes its functions, not their WebAssembly types.
        for export in interface.exports.iter().filter(|export| !export.name.starts_with("mpy:")) {
            let refuse = |message: String, help: &str| {
                Diagnostic::new("inexpressible-export", message)
                    .at(Place::Item(export.name.clone()))
                    .help(help)
            };
            if entries.contains(&export.name.as_str()) {
                continue;
            }
            if export.name.len() > LONGEST_NAME {
                return Err(refuse(
                    format!("an exported name of {} bytes is too long", export.name.len()),
                    "MicroPython's names have at most 255 bytes: shorten it",
                ));
            }
            let scalars = |types: &[ValType]| {
                Scalar::all(types).map_err(|ty| {
                    refuse(
                        format!("the exported function has a value of type {ty:?}, which Python cannot hold"),
                        "export a function of i32, i64, f32 and f64 that wraps it",
                    )
                })
            };
            let params = scalars(&export.ty.params)?;
            let results = scalars(&export.ty.results)?;
            let types = mappings.exports.get(&export.name);
            let types = types.map(|text| host_imports::types_of_export(&export.name, text)).transpose()?;
            if let Some((takes, gives)) = &types {
                let (has, wanted) = (spelled(&params, &results), spelled_values(takes, gives));
                if has != wanted {
                    return Err(refuse(
                        format!("the export has the type `{has}`, and what it is mapped to `{wanted}`"),
                        VALUES,
                    ));
                }
                if takes.len() > MOST_ARGUMENTS {
                    return Err(refuse(
                        format!("the exported function has {} parameters", takes.len()),
                        "with types of its own it takes at most 255",
                    ));
                }
            }
            module_api.functions.push(Function {
                name: export.name.clone(),
                c_name: export.c_name.clone(),
                params,
                results,
                result_type: export.result_type.clone(),
                types,
            });
        }
        let known = |name: &String| module_api.functions.iter().any(|function| function.name == *name);
        if let Some(name) = mappings.exports.keys().find(|name| !known(name)) {
            return Err(unknown_export(name, &module_api.functions));
        }
        let mut missing = Vec::new();
        let is_poll = |export: &ExportedFunc| export.name == "mpy:poll_future";
        for import in interface.imports.iter().filter(|import| import.module != wbindgen::MODULE) {
            let refuse = |message: String, help: &str| {
                Diagnostic::new("inexpressible-import", message)
                    .at(Place::Item(format!("{}.{}", import.module, import.field)))
                    .help(help)
            };
            for name in [&import.module, &import.field] {
                if name.len() > LONGEST_NAME {
                    return Err(refuse(
                        format!("an imported name of {} bytes is too long", name.len()),
                        "MicroPython's names have at most 255 bytes: shorten it",
                    ));
                }
            }
            let scalars = |types: &[ValType]| {
                Scalar::all(types).map_err(|ty| {
                    refuse(
                        format!("the imported function has a value of type {ty:?}, which Python cannot hold"),
                        "import a function of i32, i64, f32 and f64",
                    )
                })
            };
            let params = scalars(&import.ty.params)?;
            let results = scalars(&import.ty.results)?;
            if params.len() > MOST_ARGUMENTS {
                return Err(refuse(
                    format!("the imported function has {} parameters", params.len()),
                    "a call into Python takes at most 255: pass a pointer to the rest",
                ));
            }
            let Some(answer) = host_imports::answer(&import.module, &import.field, &mappings.imports)? else {
                missing.push(format!("{}.{}", import.module, import.field));
                continue;
            };
            let kind = match answer {
                Answer::Builtin(own)
                    if own.needs == Needs::Futures && !interface.exports.iter().any(is_poll) =>
                {
                    return Err(refuse(
                        format!("`mpy:{}` is a function of the crate wasm-bindgen-futures", own.name),
                        "use that crate",
                    ));
                }
                Answer::Builtin(own) => {
                    let letters = format!("{}>{}", letters(&params), letters(&results));
                    if letters != own.signature {
                        return Err(refuse(
                            format!("`mpy:{}` has the wrong type", own.name),
                            &format!("it takes and gives `{}`, the import `{letters}`", own.signature),
                        ));
                    }
                    if own.needs == Needs::Heap
                        && let Some(memory) = &module_api.memory
                        && !memory.direct
                        && memory.heap_base.is_none()
                    {
                        return Err(refuse(
                            format!("`mpy:{}` does not know what of the memory is free", own.name),
                            "link the module with `--export=__heap_base`",
                        ));
                    }
                    ImportKind::Builtin(own)
                }
                Answer::Nothing(result) => {
                    if !matches!(results.as_slice(), [] | [Scalar::I32]) {
                        return Err(refuse(
                            "the imported function has a result that is no i32".to_owned(),
                            "map it to a function of Python's",
                        ));
                    }
                    ImportKind::Nothing(result)
                }
                Answer::Python { module, field, types: None } => {
                    let of = |types: &[Scalar]| types.iter().map(|ty| host_imports::type_of(*ty)).collect();
                    ImportKind::Python { module, field, params: of(&params), results: of(&results) }
                }
                Answer::Python { module, field, types: Some((takes, gives)) } => {
                    let (has, wanted) = (spelled(&params, &results), spelled_values(&takes, &gives));
                    if wanted != has {
                        return Err(refuse(
                            format!("the import has the type `{has}`, and what it is mapped to `{wanted}`"),
                            VALUES,
                        ));
                    }
                    let results = gives.into_iter().collect();
                    ImportKind::Python { module, field, params: takes, results }
                }
            };
            if kind.touches_memory() && module_api.memory.is_none() {
                return Err(refuse(
                    "the import needs a memory".to_owned(),
                    "the module has none, or one that it never uses",
                ));
            }
            module_api.imports.push(Import {
                c_name: import.c_name.clone(),
                params,
                results,
                result_type: import.result_type.clone(),
                kind,
            });
        }
        if !missing.is_empty() {
            return Err(host_imports::nobody(&missing));
        }
        module_api.find_allocators(interface, mappings)?;
        Ok(module_api)
    }

    /// Whether an import is a function of the bindings that needs this.
    pub(crate) fn needs(&self, needs: Needs) -> bool {
        self.imports.iter().any(|import| import.kind.needs() == needs)
    }

    /// The types of values that are passed from Python to the module, except unmapped numbers.
    pub(crate) fn taken(&self) -> impl Iterator<Item = Type> {
        let exports = self.functions.iter().filter_map(|function| function.types.as_ref());
        let imports = self.imports.iter().filter_map(|import| match &import.kind {
            ImportKind::Python { results, .. } => Some(results),
            _ => None,
        });
        exports.flat_map(|(params, _)| params).chain(imports.flatten()).copied()
    }

    /// The types of values that are passed from the module to Python.
    pub(crate) fn given(&self) -> impl Iterator<Item = Type> {
        let exports = self.functions.iter().filter_map(|function| function.types.as_ref());
        let imports = self.imports.iter().filter_map(|import| match &import.kind {
            ImportKind::Python { params, .. } => Some(params),
            _ => None,
        });
        exports.filter_map(|(_, result)| result.as_ref()).chain(imports.flatten()).copied()
    }

    /// Finds the functions of the module that allocate memory for texts.
    fn find_allocators(&mut self, interface: &Interface, mappings: &Mappings) -> Result<()> {
        let texts: Vec<Type> = self.taken().filter(|ty| ty.text).collect();
        let mapped = || self.functions.iter().filter_map(|function| function.types.as_ref());
        let reads = mapped().any(|(_, result)| result.is_some_and(|ty| ty.text));
        if (reads || !texts.is_empty()) && self.memory.is_none() {
            return Err(Diagnostic::new(
                "inexpressible-export",
                "texts lie in a memory, and the module has none",
            )
            .help("map functions of numbers to numbers, or leave the mapping out"));
        }
        let function = |name: &str, types: &[&str], help: &str| {
            let missing = |what: String| {
                Diagnostic::new("unknown-export", what).at(Place::Item(name.to_owned())).help(help)
            };
            let found = interface.exports.iter().find(|export| export.name == name);
            let found =
                found.ok_or_else(|| missing(format!("no function `{name}` makes room for a text")))?;
            let letters_of = |types: &[ValType]| Scalar::all(types).ok().map(|types| letters(&types));
            let has = letters_of(&found.ty.params).zip(letters_of(&found.ty.results));
            let has = has.map(|(params, results)| format!("{params}>{results}")).unwrap_or_default();
            match types.iter().position(|ty| *ty == has) {
                Some(which) => Ok((found.c_name.clone(), which)),
                None => Err(missing(format!("the function `{name}` has the type `{has}`"))),
            }
        };
        if texts.iter().any(|ty| ty.letter == 'w') {
            let help = "compile with `asc --exportRuntime`, which exports `__new`, `__pin` and `__unpin`";
            self.strings = Some([
                function("__new", &["ii>i"], help)?.0,
                function("__pin", &["i>i"], help)?.0,
                function("__unpin", &["i>"], help)?.0,
            ]);
        }
        if texts.iter().any(|ty| ty.letter != 'w') {
            let help = "export `malloc` and `free`, or name others: `allocator = [\"alloc\", \"dealloc\"]`, of the \
                        types `i>i` (a size, an address) and `i>` or `ii>` (an address, a size); without the second, \
                        texts are the function's to keep";
            let names: Vec<&str> = match &mappings.allocator[..] {
                [] => vec!["malloc", "free"],
                names => names.iter().map(String::as_str).collect(),
            };
            let (alloc, _) = function(names[0], &["i>i"], help)?;
            let free = names.get(1).map(|name| function(name, &["i>", "ii>"], help)).transpose()?;
            self.allocator =
                Some(Allocator { alloc, free: free.map(|(c_name, which)| (c_name, which == 1)) });
        }
        Ok(())
    }
}

/// The meaning of letters in types.
const VALUES: &str = "a `str` or `bytes` is a pointer and a length, two `i`; i is i32, q i64, f f32, d f64";

fn letters(types: &[Scalar]) -> String {
    types.iter().map(|ty| ty.letter()).collect()
}

fn spelled(params: &[Scalar], results: &[Scalar]) -> String {
    format!("{}>{}", letters(params), letters(results))
}

/// The WebAssembly values of `takes` and `gives`.
fn spelled_values(takes: &[Type], gives: &Option<Type>) -> String {
    let values = |types: &[Type]| types.iter().flat_map(|ty| ty.values).copied().collect::<Vec<_>>();
    spelled(&values(takes), &values(gives.as_slice()))
}

/// The error about a mapping of a function that is not exported.
fn unknown_export(name: &str, functions: &[Function]) -> Diagnostic {
    let names = || functions.iter().map(|function| function.name.as_str());
    let list = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let help = match target_specs::nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`? it exports {list}"),
        None if list.is_empty() => "it exports no functions".to_owned(),
        None => format!("it exports {list}"),
    };
    Diagnostic::new("unknown-export", format!("the module exports no function `{name}`"))
        .at(Place::Item(name.to_owned()))
        .help(help)
}
