//! What Python sees of a module, and what the module wants of Python, as plain data.

use target_specs::{Diagnostic, Place, Result};
use wasm_to_c::{Interface, MemoryInfo, ValType};

use crate::types::Scalar;
use crate::wbindgen;

/// The longest name MicroPython can intern on any port (`MICROPY_QSTR_BYTES_IN_LEN` of 1).
const LONGEST_NAME: usize = 255;
/// The most arguments of a call from native code: `call_function_n_kw` counts them in 8 bits.
const MOST_ARGUMENTS: usize = 255;

/// A module's border with Python.
#[derive(Debug, Clone, Default)]
pub struct Surface {
    pub functions: Vec<Function>,
    pub imports: Vec<Import>,
    /// C names of parameterless functions to run when the module is imported, in this order.
    pub start: Vec<String>,
    /// C lvalue of the shadow-stack pointer.
    pub stack_pointer: Option<String>,
    pub memory: Option<MemoryInfo>,
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
}

/// A function that WebAssembly code calls.
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

/// What an import does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportKind {
    /// Calls `field` of the Python module `module`.
    Python { module: String, field: String },
    /// A function of the bindings themselves: the C function `mpy_NAME`.
    Own(&'static str),
}

/// What the module `mpy` provides, with the numbers of parameters and results, all i32:
/// - `panic(ptr, len)` raises RuntimeError with that text;
/// - `print(ptr, len)` writes that text to the standard output;
/// - `alloc(size, align)`, `alloc_zeroed(size, align)` and `realloc(ptr, old_size, size, align)` return memory or 0;
/// - `dealloc(ptr)` gives it back;
/// - `out_of_memory()` raises MemoryError.
const OWN: &[(&str, usize, usize)] = &[
    ("panic", 2, 0),
    ("print", 2, 0),
    ("alloc", 2, 1),
    ("alloc_zeroed", 2, 1),
    ("realloc", 4, 1),
    ("dealloc", 1, 0),
    ("out_of_memory", 0, 0),
];

impl ImportKind {
    /// It reads text from memory.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, ImportKind::Own("panic" | "print"))
    }

    /// It wants a heap.
    pub(crate) fn is_heap(&self) -> bool {
        matches!(self, ImportKind::Own("alloc" | "alloc_zeroed" | "realloc" | "dealloc"))
    }
}

impl Surface {
    /// The surface of a module that says nothing about itself but its WebAssembly types.
    ///
    /// # Errors
    /// `inexpressible-export`, `inexpressible-import`: a type or name with no counterpart in Python.
    pub fn of(interface: &Interface) -> Result<Surface> {
        let mut surface = Surface {
            start: interface.init.iter().cloned().collect(),
            stack_pointer: interface.stack_pointer.as_ref().map(|(lvalue, _)| lvalue.clone()),
            memory: interface.memory.clone(),
            ..Surface::default()
        };
        // What wasm-bindgen made is described by its own data, not by WebAssembly's types.
        for export in interface.exports.iter().filter(|export| !export.name.starts_with("mpy:")) {
            let refuse = |message: String, help: &str| {
                Diagnostic::new("inexpressible-export", message)
                    .at(Place::Item(export.name.clone()))
                    .help(help)
            };
            if export.name == "_initialize" && export.ty.params.is_empty() && export.ty.results.is_empty() {
                // A reactor's constructors: they belong to the import, not to the user.
                // https://github.com/WebAssembly/WASI/blob/main/legacy/application-abi.md
                surface.start.push(export.c_name.clone());
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
            surface.functions.push(Function {
                name: export.name.clone(),
                c_name: export.c_name.clone(),
                params: scalars(&export.ty.params)?,
                results: scalars(&export.ty.results)?,
                result_type: export.result_type.clone(),
            });
        }
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
            let kind = match (import.module.as_str(), import.field.as_str()) {
                ("mpy", field) => {
                    let known = OWN.iter().find(|(name, ..)| *name == field);
                    let Some((name, takes, gives)) = known else {
                        let names: Vec<_> = OWN.iter().map(|(name, ..)| format!("`{name}`")).collect();
                        return Err(refuse(
                            format!("`mpy` provides no `{field}`"),
                            &format!(
                                "the module `mpy` stands for the bindings themselves, which provide {}",
                                names.join(", ")
                            ),
                        ));
                    };
                    let all_i32 = params.iter().chain(&results).all(|ty| *ty == Scalar::I32);
                    if (params.len(), results.len()) != (*takes, *gives) || !all_i32 {
                        return Err(refuse(
                            format!("`mpy.{field}` has the wrong type"),
                            &format!("it has {takes} parameters and {gives} results, all i32"),
                        ));
                    }
                    let kind = ImportKind::Own(name);
                    let memory = surface.memory.as_ref();
                    if memory.is_none() && (kind.is_text() || kind.is_heap()) {
                        return Err(refuse(format!("`mpy.{field}` needs a memory"), "the module has none"));
                    }
                    if kind.is_heap()
                        && memory.is_some_and(|memory| !memory.direct && memory.heap_base.is_none())
                    {
                        return Err(refuse(
                            format!("`mpy.{field}` does not know what of the memory is free"),
                            "link the module with `--export=__heap_base`",
                        ));
                    }
                    kind
                }
                (module, field) => ImportKind::Python { module: module.to_owned(), field: field.to_owned() },
            };
            surface.imports.push(Import {
                c_name: import.c_name.clone(),
                params,
                results,
                result_type: import.result_type.clone(),
                kind,
            });
        }
        Ok(surface)
    }
}
