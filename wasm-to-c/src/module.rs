//! A WebAssembly module as plain data, validated.

use std::collections::HashMap;

use target_specs::{Diagnostic, Result};
use wasmparser::{
    AbstractHeapType, BinaryReaderError, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind,
    FunctionBody, HeapType, KnownCustom, Name, Operator, Parser, Payload, TypeRef, ValidPayload, Validator,
};

use crate::options::WasmModule;
use crate::types::{FuncType, ValType};
use crate::{features, ops};

pub(crate) struct Function {
    pub ty: FuncType,
    /// The index of its type.
    pub type_index: u32,
    pub name: Option<String>,
    /// Module and field of an import.
    pub import: Option<(String, String)>,
}

pub(crate) struct Global {
    pub ty: ValType,
    pub mutable: bool,
    pub name: Option<String>,
    pub init: Constant,
    pub import: Option<(String, String)>,
}

/// A constant expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    /// A vector, its low half first.
    V128([u64; 2]),
    Global(u32),
    Null,
    Function(u32),
    /// Two constants that are not both known, and the C operator between them.
    Binary(char, Box<(Constant, Constant)>),
}

pub(crate) struct Memory {
    /// Pages.
    pub minimum: u64,
    pub maximum: Option<u64>,
    pub page: u64,
    pub import: Option<(String, String)>,
    /// Its addresses and sizes are i64.
    pub is_64: bool,
    /// Other threads could use it, too.
    pub is_shared: bool,
    /// Some function grows it.
    pub grows: bool,
    /// The farthest that an access with a small offset reaches behind its address.
    pub reach: u32,
    /// It has vectors.
    pub has_vectors: bool,
}

/// Offsets that fields of structures have.
const SMALL: u64 = 256;

pub(crate) struct Table {
    pub ty: ValType,
    pub minimum: u32,
    pub maximum: Option<u32>,
    pub init: Constant,
    pub import: Option<(String, String)>,
    /// Its indices and sizes are i64.
    pub is_64: bool,
    /// Some operator other than an indirect call uses it.
    pub accessed: bool,
}

/// What exceptions are told apart by.
pub(crate) struct Tag {
    pub ty: FuncType,
    pub import: Option<(String, String)>,
}

/// Where a segment goes when the module starts.
pub(crate) enum Place {
    Active { index: u32, offset: Constant },
    Passive,
    Declared,
}

pub(crate) struct Element {
    pub place: Place,
    pub items: Vec<Constant>,
}

pub(crate) struct Data<'a> {
    pub place: Place,
    pub bytes: &'a [u8],
}

/// What tells a type from others (WebAssembly 3.0, 2.3.10 Recursive types: equal types have equal structures, whatever
/// their indices).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypeId {
    /// Another for each type of the module.
    pub number: u32,
    /// The same in all modules.
    pub hash: u32,
}

pub(crate) struct Module<'a> {
    pub types: Vec<FuncType>,
    /// By index of a type.
    pub type_ids: Vec<TypeId>,
    pub functions: Vec<Function>,
    pub globals: Vec<Global>,
    pub memories: Vec<Memory>,
    pub tables: Vec<Table>,
    pub tags: Vec<Tag>,
    pub elements: Vec<Element>,
    pub data: Vec<Data<'a>>,
    pub exports: Vec<(String, ExternalKind, u32)>,
    pub start: Option<u32>,
    /// Of the functions that are not imported, in order.
    pub bodies: Vec<FunctionBody<'a>>,
    pub local_names: HashMap<(u32, u32), String>,
    /// Something in it is a vector.
    pub has_vectors: bool,
}

impl Module<'_> {
    pub fn imported(&self) -> usize {
        self.functions.len() - self.bodies.len()
    }

    /// Gives the module memories and tags of its own in the place of those that it imports: there is no other module that
    /// it could share them with.
    ///
    /// # Errors
    /// `unknown-import`, for globals and tables, whose contents nobody knows.
    pub fn own_imports(&mut self, name: &str) -> Result<()> {
        let globals = self.globals.iter().map(|global| ("global", &global.import));
        let tables = self.tables.iter().map(|table| ("table", &table.import));
        let missing: Vec<String> = globals
            .chain(tables)
            .filter_map(|(kind, import)| {
                import.as_ref().map(|(module, field)| format!("the {kind} `{module}.{field}`"))
            })
            .collect();
        if !missing.is_empty() {
            let message = format!("the module imports {}, which only another module has", missing.join(", "));
            return Err(Diagnostic::new("unknown-import", message)
                .at(place(name, None, 0))
                .help("link the module statically, so that it defines its globals and tables itself"));
        }
        self.memories.iter_mut().for_each(|memory| memory.import = None);
        self.tags.iter_mut().for_each(|tag| tag.import = None);
        Ok(())
    }
}

pub(crate) fn place(module: &str, function: Option<&str>, offset: usize) -> target_specs::Place {
    target_specs::Place::Wasm {
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
        let diagnostic = if message.contains("not enabled")
            || message.contains("support is not")
            || message.contains("gc proposal")
        {
            Diagnostic::new("unsupported-wasm", message).help("build the module without that feature")
        } else {
            Diagnostic::new("invalid-wasm", message)
        };
        diagnostic.at(place(name, None, error.offset()))
    };
    let mut module = Module {
        types: Vec::new(),
        type_ids: Vec::new(),
        functions: Vec::new(),
        globals: Vec::new(),
        memories: Vec::new(),
        tables: Vec::new(),
        tags: Vec::new(),
        elements: Vec::new(),
        data: Vec::new(),
        exports: Vec::new(),
        start: None,
        bodies: Vec::new(),
        local_names: HashMap::new(),
        has_vectors: false,
    };
    let mut validator = Validator::new_with_features(features::valid());
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    let mut names: Option<wasmparser::NameSectionReader<'_>> = None;
    let mut numbers: HashMap<String, u32> = HashMap::new();
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
                    let ids = &module.type_ids;
                    let hash = fnv1a(&structure(&ty, ids.len(), |index| ids[index].hash));
                    let unique = structure(&ty, ids.len(), |index| ids[index].number);
                    let next = numbers.len() as u32;
                    let number = *numbers.entry(unique).or_insert(next);
                    module.type_ids.push(TypeId { number, hash });
                    module.types.push(func_type(name, &ty)?);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import.map_err(invalid)?;
                    let source = Some((import.module.to_owned(), import.name.to_owned()));
                    match import.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => module.functions.push(Function {
                            ty: module.types[ty as usize].clone(),
                            type_index: ty,
                            name: None,
                            import: source,
                        }),
                        TypeRef::Global(ty) => module.globals.push(Global {
                            ty: val_type(name, ty.content_type)?,
                            mutable: ty.mutable,
                            name: None,
                            init: Constant::Null,
                            import: source,
                        }),
                        TypeRef::Memory(ty) => module.memories.push(memory(&ty, source)),
                        TypeRef::Table(ty) => module.tables.push(table(name, &ty, Constant::Null, source)?),
                        TypeRef::Tag(tag) => {
                            let ty = module.types[tag.func_type_idx as usize].clone();
                            module.tags.push(Tag { ty, import: source });
                        }
                    }
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    let type_index = ty.map_err(invalid)?;
                    let ty = module.types[type_index as usize].clone();
                    module.functions.push(Function { ty, type_index, name: None, import: None });
                }
            }
            Payload::TableSection(reader) => {
                for item in reader {
                    let item = item.map_err(invalid)?;
                    let init = match &item.init {
                        wasmparser::TableInit::RefNull => Constant::Null,
                        wasmparser::TableInit::Expr(expr) => constant(name, expr)?,
                    };
                    module.tables.push(table(name, &item.ty, init, None)?);
                }
            }
            Payload::MemorySection(reader) => {
                for ty in reader {
                    module.memories.push(memory(&ty.map_err(invalid)?, None));
                }
            }
            Payload::TagSection(reader) => {
                for tag in reader {
                    let ty = module.types[tag.map_err(invalid)?.func_type_idx as usize].clone();
                    module.tags.push(Tag { ty, import: None });
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
                        import: None,
                    });
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export.map_err(invalid)?;
                    module.exports.push((export.name.to_owned(), export.kind, export.index));
                }
            }
            Payload::StartSection { func, .. } => module.start = Some(func),
            Payload::ElementSection(reader) => {
                for element in reader {
                    let element = element.map_err(invalid)?;
                    let place = match element.kind {
                        ElementKind::Active { table_index, offset_expr } => Place::Active {
                            index: table_index.unwrap_or(0),
                            offset: address(constant(name, &offset_expr)?),
                        },
                        ElementKind::Declared => Place::Declared,
                        ElementKind::Passive => Place::Passive,
                    };
                    let mut elements = Vec::new();
                    match element.items {
                        ElementItems::Functions(items) => {
                            for item in items {
                                elements.push(Constant::Function(item.map_err(invalid)?));
                            }
                        }
                        ElementItems::Expressions(_, items) => {
                            for item in items {
                                elements.push(constant(name, &item.map_err(invalid)?)?);
                            }
                        }
                    }
                    module.elements.push(Element { place, items: elements });
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    let data = data.map_err(invalid)?;
                    let place = match data.kind {
                        DataKind::Active { memory_index, offset_expr } => Place::Active {
                            index: memory_index,
                            offset: address(constant(name, &offset_expr)?),
                        },
                        DataKind::Passive => Place::Passive,
                    };
                    module.data.push(Data { place, bytes: data.data });
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
    uses(&mut module).map_err(invalid)?;
    Ok(module)
}

/// Notes what the functions do with memories and tables, and whether there are vectors.
fn uses(module: &mut Module<'_>) -> std::result::Result<(), BinaryReaderError> {
    let types = module.types.iter().flat_map(|ty| ty.params.iter().chain(&ty.results));
    let globals = module.globals.iter().map(|global| &global.ty);
    module.has_vectors = types.chain(globals).any(|ty| *ty == ValType::V128);
    for body in &module.bodies {
        for local in body.get_locals_reader()? {
            module.has_vectors |= local?.1 == wasmparser::ValType::V128;
        }
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let op = reader.read()?;
            module.has_vectors = module.has_vectors || ops::vectors::is_any(&op);
            let of_lane = || ops::vectors::access(&op).map(|(access, _)| access);
            if let Some(access) = ops::access(&op).or_else(of_lane) {
                let end = access.memarg.offset.saturating_add(access.cell.bytes().into());
                let memory = &mut module.memories[access.memarg.memory as usize];
                memory.has_vectors |= access.cell == ops::Cell::V128;
                if end <= SMALL {
                    memory.reach = memory.reach.max(end as u32);
                }
            }
            match op {
                Operator::MemoryGrow { mem } => module.memories[mem as usize].grows = true,
                Operator::TableGet { table }
                | Operator::TableSet { table }
                | Operator::TableSize { table }
                | Operator::TableGrow { table }
                | Operator::TableFill { table }
                | Operator::TableInit { table, .. } => module.tables[table as usize].accessed = true,
                Operator::TableCopy { dst_table, src_table } => {
                    module.tables[dst_table as usize].accessed = true;
                    module.tables[src_table as usize].accessed = true;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The address at which a segment begins. One of 2^32 or more is outside of all memories and tables, as is the last below.
fn address(offset: Constant) -> Constant {
    match offset {
        Constant::I64(offset) => Constant::I32(u32::try_from(offset).unwrap_or(u32::MAX)),
        other => other,
    }
}

fn memory(ty: &wasmparser::MemoryType, import: Option<(String, String)>) -> Memory {
    Memory {
        minimum: ty.initial,
        maximum: ty.maximum,
        page: 1 << ty.page_size_log2.unwrap_or(16),
        import,
        is_64: ty.memory64,
        is_shared: ty.shared,
        grows: false,
        reach: 0,
        has_vectors: false,
    }
}

/// Tables of more elements are refused, as they are elsewhere (WebAssembly JavaScript interface, Implementation-defined
/// limits).
const MOST_ELEMENTS: u64 = 10_000_000;

fn table(
    module: &str,
    ty: &wasmparser::TableType,
    init: Constant,
    import: Option<(String, String)>,
) -> Result<Table> {
    if ty.initial > MOST_ELEMENTS {
        let message = format!("a table of {} elements is larger than any target has room for", ty.initial);
        return Err(Diagnostic::new("memory-too-large", message)
            .at(place(module, None, 0))
            .help(format!("tables may have {MOST_ELEMENTS} elements")));
    }
    Ok(Table {
        ty: val_type(module, wasmparser::ValType::Ref(ty.element_type))?,
        minimum: ty.initial as u32,
        maximum: ty.maximum.map(|maximum| u32::try_from(maximum).unwrap_or(u32::MAX)),
        init,
        import,
        is_64: ty.table64,
        accessed: false,
    })
}

/// The structure of the type at index `own`, as a text; `named` is what stands for an earlier type. Without recursion
/// groups that are written out, a type refers to itself and to earlier ones.
fn structure(ty: &wasmparser::FuncType, own: usize, named: impl Fn(usize) -> u32) -> String {
    let value = |ty: &wasmparser::ValType| match ty {
        wasmparser::ValType::Ref(reference) => match reference.heap_type() {
            HeapType::Concrete(index) | HeapType::Exact(index) => {
                let index = index.as_module_index().map_or(own, |index| index as usize);
                let null = if reference.is_nullable() { "null " } else { "" };
                let name = if index == own { "self".to_owned() } else { named(index).to_string() };
                format!("(ref {null}{name})")
            }
            HeapType::Abstract { .. } => reference.to_string(),
        },
        number => number.to_string(),
    };
    let list = |types: &[wasmparser::ValType]| types.iter().map(value).collect::<Vec<_>>().join(" ");
    format!("{} > {}", list(ty.params()), list(ty.results()))
}

/// FNV-1a of a text's bytes.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
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
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => return ref_type(module, ty.heap_type()),
    })
}

pub(crate) fn ref_type(module: &str, ty: HeapType) -> Result<ValType> {
    Ok(match ty {
        HeapType::Concrete(_) | HeapType::Exact(_) => ValType::FuncRef,
        HeapType::Abstract { shared: false, ty } => match ty {
            AbstractHeapType::Func | AbstractHeapType::NoFunc => ValType::FuncRef,
            AbstractHeapType::Extern | AbstractHeapType::NoExtern => ValType::ExternRef,
            AbstractHeapType::Exn | AbstractHeapType::NoExn => ValType::ExnRef,
            other => {
                return Err(unsupported(module, None, 0, &format!("a {other:?} reference (gc proposal)")));
            }
        },
        HeapType::Abstract { .. } => return Err(unsupported(module, None, 0, "a shared reference")),
    })
}

/// A vector, its low half first.
pub(crate) fn halves(value: wasmparser::V128) -> [u64; 2] {
    let bits = value.i128().cast_unsigned();
    [bits as u64, (bits >> 64) as u64]
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
            Operator::V128Const { value } => Constant::V128(halves(value)),
            Operator::GlobalGet { global_index } => Constant::Global(global_index),
            Operator::RefNull { .. } => Constant::Null,
            Operator::RefFunc { function_index } => Constant::Function(function_index),
            Operator::End => continue,
            op @ (Operator::I32Add
            | Operator::I32Sub
            | Operator::I32Mul
            | Operator::I64Add
            | Operator::I64Sub
            | Operator::I64Mul) => {
                let (Some(b), Some(a)) = (stack.pop(), stack.pop()) else { return Err(refuse()) };
                let c = match op {
                    Operator::I32Add | Operator::I64Add => '+',
                    Operator::I32Sub | Operator::I64Sub => '-',
                    _ => '*',
                };
                match (a, b, c) {
                    (Constant::I32(a), Constant::I32(b), '+') => Constant::I32(a.wrapping_add(b)),
                    (Constant::I32(a), Constant::I32(b), '-') => Constant::I32(a.wrapping_sub(b)),
                    (Constant::I32(a), Constant::I32(b), _) => Constant::I32(a.wrapping_mul(b)),
                    (Constant::I64(a), Constant::I64(b), '+') => Constant::I64(a.wrapping_add(b)),
                    (Constant::I64(a), Constant::I64(b), '-') => Constant::I64(a.wrapping_sub(b)),
                    (Constant::I64(a), Constant::I64(b), _) => Constant::I64(a.wrapping_mul(b)),
                    (a, b, c) => Constant::Binary(c, Box::new((a, b))),
                }
            }
            _ => return Err(refuse()),
        };
        stack.push(value);
    }
    stack.pop().ok_or_else(refuse)
}
