//! A WebAssembly module as plain data, validated.

use std::collections::HashMap;

use target_specs::{Diagnostic, Place, Result};
use wasmparser::{
    BinaryReaderError, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody,
    KnownCustom, Name, Operator, Parser, Payload, TypeRef, ValidPayload, Validator,
};

use crate::{FuncType, ValType, WasmModule, features, relocs};

pub(crate) struct Function {
    pub ty: FuncType,
    pub name: Option<String>,
    /// Module and field of an import.
    pub import: Option<(String, String)>,
}

pub(crate) struct Global {
    pub ty: ValType,
    pub mutable: bool,
    pub name: Option<String>,
    pub init: Constant,
}

/// A constant expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Constant {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    Global(u32),
    Null,
    Function(u32),
}

pub(crate) struct Memory {
    /// Pages.
    pub minimum: u64,
    pub maximum: Option<u64>,
    pub page: u64,
}

pub(crate) struct Table {
    pub minimum: u32,
}

pub(crate) struct Element {
    pub offset: Constant,
    pub functions: Vec<Option<u32>>,
}

pub(crate) struct Data<'a> {
    /// `None` for a passive segment.
    pub offset: Option<Constant>,
    pub bytes: &'a [u8],
}

pub(crate) struct Module<'a> {
    pub types: Vec<FuncType>,
    pub functions: Vec<Function>,
    pub globals: Vec<Global>,
    pub memory: Option<Memory>,
    pub table: Option<Table>,
    pub elements: Vec<Element>,
    pub data: Vec<Data<'a>>,
    pub exports: Vec<(String, u32)>,
    pub start: Option<u32>,
    /// Of the functions that are not imported, in order.
    pub bodies: Vec<FunctionBody<'a>>,
    pub local_names: HashMap<(u32, u32), String>,
    pub relocations: Option<relocs::Relocations>,
}

impl Module<'_> {
    pub fn imported(&self) -> usize {
        self.functions.iter().take_while(|function| function.import.is_some()).count()
    }
}

pub(crate) fn place(module: &str, function: Option<&str>, offset: usize) -> Place {
    Place::Wasm {
        module: module.to_owned(),
        function: function.map(str::to_owned),
        offset: Some(offset as u64),
    }
}

/// The refusal of something valid that is not translated.
pub(crate) fn unsupported(module: &str, function: Option<&str>, offset: usize, what: &str) -> Diagnostic {
    Diagnostic::new("unsupported-wasm", format!("{what} is not supported"))
        .at(place(module, function, offset))
        .help("build the module without that feature")
}

/// Reads and validates `source`.
pub(crate) fn read(source: &WasmModule) -> Result<Module<'_>> {
    let name = &source.name;
    let invalid = |error: BinaryReaderError| {
        let message = error.message().to_owned();
        let diagnostic = if message.contains("not enabled") || message.contains("support is not") {
            Diagnostic::new("unsupported-wasm", message).help("build the module without that feature")
        } else {
            Diagnostic::new("invalid-wasm", message)
        };
        diagnostic.at(place(name, None, error.offset()))
    };
    let mut module = Module {
        types: Vec::new(),
        functions: Vec::new(),
        globals: Vec::new(),
        memory: None,
        table: None,
        elements: Vec::new(),
        data: Vec::new(),
        exports: Vec::new(),
        start: None,
        bodies: Vec::new(),
        local_names: HashMap::new(),
        relocations: relocs::read(name, &source.bytes)?,
    };
    let mut validator = Validator::new_with_features(features::supported());
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    let mut names: Option<wasmparser::NameSectionReader<'_>> = None;
    for payload in Parser::new(0).parse_all(&source.bytes) {
        let payload = payload.map_err(invalid)?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload).map_err(invalid)? {
            let mut function = function.into_validator(allocations);
            function.validate(&body).map_err(invalid)?;
            allocations = function.into_allocations();
            module.bodies.push(body);
        }
        match payload {
            Payload::TypeSection(reader) => {
                for ty in reader.into_iter_err_on_gc_types() {
                    let ty = ty.map_err(invalid)?;
                    module.types.push(func_type(name, &ty)?);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import.map_err(invalid)?;
                    let TypeRef::Func(ty) = import.ty else {
                        let what =
                            format!("importing `{}.{}`, which is no function,", import.module, import.name);
                        return Err(unsupported(name, None, 0, &what));
                    };
                    module.functions.push(Function {
                        ty: module.types[ty as usize].clone(),
                        name: None,
                        import: Some((import.module.to_owned(), import.name.to_owned())),
                    });
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    let ty = module.types[ty.map_err(invalid)? as usize].clone();
                    module.functions.push(Function { ty, name: None, import: None });
                }
            }
            Payload::TableSection(reader) => {
                for table in reader {
                    let table = table.map_err(invalid)?;
                    if module.table.is_some() {
                        return Err(unsupported(name, None, 0, "more than one table"));
                    }
                    module.table = Some(Table { minimum: table.ty.initial as u32 });
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader {
                    let memory = memory.map_err(invalid)?;
                    module.memory = Some(Memory {
                        minimum: memory.initial,
                        maximum: memory.maximum,
                        page: 1 << memory.page_size_log2.unwrap_or(16),
                    });
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader {
                    let global = global.map_err(invalid)?;
                    module.globals.push(Global {
                        ty: val_type(name, global.ty.content_type)?,
                        mutable: global.ty.mutable,
                        name: None,
                        init: constant(name, &global.init_expr)?,
                    });
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export.map_err(invalid)?;
                    if export.kind == ExternalKind::Func {
                        module.exports.push((export.name.to_owned(), export.index));
                    }
                }
            }
            Payload::StartSection { func, .. } => module.start = Some(func),
            Payload::ElementSection(reader) => {
                for element in reader {
                    let element = element.map_err(invalid)?;
                    let offset = match element.kind {
                        ElementKind::Active { offset_expr, .. } => constant(name, &offset_expr)?,
                        ElementKind::Declared => continue,
                        ElementKind::Passive => {
                            return Err(unsupported(
                                name,
                                None,
                                element.range.start,
                                "a passive element segment",
                            ));
                        }
                    };
                    let mut functions = Vec::new();
                    match element.items {
                        ElementItems::Functions(items) => {
                            for item in items {
                                functions.push(Some(item.map_err(invalid)?));
                            }
                        }
                        ElementItems::Expressions(_, items) => {
                            for item in items {
                                functions.push(match constant(name, &item.map_err(invalid)?)? {
                                    Constant::Function(index) => Some(index),
                                    _ => None,
                                });
                            }
                        }
                    }
                    module.elements.push(Element { offset, functions });
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    let data = data.map_err(invalid)?;
                    let offset = match data.kind {
                        DataKind::Active { offset_expr, .. } => Some(constant(name, &offset_expr)?),
                        DataKind::Passive => None,
                    };
                    module.data.push(Data { offset, bytes: data.data });
                }
            }
            Payload::CustomSection(custom) => {
                if let KnownCustom::Name(reader) = custom.as_known() {
                    names = Some(reader);
                }
            }
            _ => {}
        }
    }
    // Names are hints: what is wrong with them is not an error.
    for subsection in names.into_iter().flatten().flatten() {
        match subsection {
            Name::Function(map) => {
                for naming in map.into_iter().flatten() {
                    if let Some(function) = module.functions.get_mut(naming.index as usize) {
                        function.name = Some(naming.name.to_owned());
                    }
                }
            }
            Name::Global(map) => {
                for naming in map.into_iter().flatten() {
                    if let Some(global) = module.globals.get_mut(naming.index as usize) {
                        global.name = Some(naming.name.to_owned());
                    }
                }
            }
            Name::Local(map) => {
                for function in map.into_iter().flatten() {
                    for naming in function.names.into_iter().flatten() {
                        module.local_names.insert((function.index, naming.index), naming.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(module)
}

fn func_type(module: &str, ty: &wasmparser::FuncType) -> Result<FuncType> {
    let all =
        |types: &[wasmparser::ValType]| types.iter().map(|ty| val_type(module, *ty)).collect::<Result<_>>();
    Ok(FuncType { params: all(ty.params())?, results: all(ty.results())? })
}

pub(crate) fn val_type(module: &str, ty: wasmparser::ValType) -> Result<ValType> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        other => return Err(unsupported(module, None, 0, &format!("a value of type {other}"))),
    })
}

fn constant(module: &str, expression: &ConstExpr<'_>) -> Result<Constant> {
    let mut stack: Vec<Constant> = Vec::new();
    let mut reader = expression.get_operators_reader();
    let offset = reader.original_position();
    let refuse = || unsupported(module, None, offset, "this constant expression");
    while !reader.eof() {
        let value = match reader.read().map_err(|_| refuse())? {
            Operator::I32Const { value } => Constant::I32(value as u32),
            Operator::I64Const { value } => Constant::I64(value as u64),
            Operator::F32Const { value } => Constant::F32(value.bits()),
            Operator::F64Const { value } => Constant::F64(value.bits()),
            Operator::GlobalGet { global_index } => Constant::Global(global_index),
            Operator::RefNull { .. } => Constant::Null,
            Operator::RefFunc { function_index } => Constant::Function(function_index),
            Operator::End => continue,
            op @ (Operator::I32Add | Operator::I32Sub | Operator::I32Mul) => {
                let (Some(Constant::I32(b)), Some(Constant::I32(a))) = (stack.pop(), stack.pop()) else {
                    return Err(refuse());
                };
                Constant::I32(match op {
                    Operator::I32Add => a.wrapping_add(b),
                    Operator::I32Sub => a.wrapping_sub(b),
                    _ => a.wrapping_mul(b),
                })
            }
            _ => return Err(refuse()),
        };
        stack.push(value);
    }
    stack.pop().ok_or_else(refuse)
}
