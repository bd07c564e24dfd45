//! The translation unit around the functions: types, memory, tables, data, start.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use target_specs::{Diagnostic, Result};
use wasmparser::ExternalKind;

use crate::callgraph::{CallGraph, Calls};
use crate::code::indent;
use crate::codegen::{c_type, number};
use crate::ir::{Access, Callee, Check};
use crate::memory::{Address, Displacement, Memory, Shown, Uses};
use crate::module::{Constant, Global, Module, Place, place};
use crate::names::{Names, comment, demangled, literal};
use crate::native_stack::{self, NativeStack, StackChecks};
use crate::range::{Range, ShadowStack, StackUse};
use crate::relocs::{DataObject, Reference, Relocations, refuse};
use crate::{
    CUnit, ExportedFunc, ExportedItem, FlashTable, FuncType, ImportedFunc, ImportedItem, Interface, Item,
    MemoryInfo, Options, Safety, Translation, ValType, WasmModule, build, codegen, passes, range,
};

fn returns_float(ty: &FuncType) -> bool {
    matches!(ty.results[..], [ValType::F32 | ValType::F64])
}

/// `ifd` for (i32, f32, f64).
fn letters(types: &[ValType]) -> String {
    types
        .iter()
        .map(|ty| match ty {
            ValType::I32 => 'i',
            ValType::I64 => 'q',
            ValType::F32 => 'f',
            ValType::F64 => 'd',
            ValType::FuncRef => 'r',
            ValType::ExternRef => 'e',
            ValType::ExnRef => 'x',
        })
        .collect()
}

/// Everything the functions of a module have in common.
pub(crate) struct Unit<'m> {
    pub name: &'m str,
    pub module: &'m Module<'m>,
    pub memories: Vec<Memory>,
    /// Functions while which a memory may grow.
    moves: Vec<bool>,
    /// C names of the tables.
    pub tables: Vec<String>,
    /// Tables that never change and are only called through.
    fixed: Vec<bool>,
    /// C names.
    pub functions: Vec<String>,
    pub globals: Vec<String>,
    objects: Vec<String>,
    /// Objects that are kept apart, [`Options::flash_tables`], and those of them that something refers to.
    apart: Vec<bool>,
    used: RefCell<BTreeSet<usize>>,
    /// Given, addresses are the machine's.
    relocations: Option<&'m Relocations>,
    heap_base: Option<u32>,
    heap_reserve: u32,
    /// Alignment hints tell the truth.
    hints: bool,
    /// The shadow stack's pointer, and that where some function uses it in the C.
    stack_global: Option<u32>,
    stack_pointer: Option<u32>,
    /// The shadow stack, where frames on it make checks unnecessary.
    pub shadow_stack: Option<ShadowStack>,
    /// Whatever runs, the shadow stack suffices.
    pub stack_suffices: bool,
    /// By function that is not imported, its frame where that lies on the machine's stack instead.
    pub native_frames: Vec<Option<range::Frame>>,
    /// The first name that a function is exported by.
    exported: HashMap<u32, &'m str>,
    /// Modules that share functions number their types alike.
    linkable: bool,
    trap_names: bool,
    /// Functions of which there are references.
    referenced: RefCell<BTreeSet<u32>>,
    /// Functions that may call themselves again.
    recursive: Vec<bool>,
    stack_checks: Option<StackChecks>,
    /// Segments of memory 0 by their address and size.
    placed_data: HashMap<(u32, usize), usize>,
    /// Functions with loops, and called from outside.
    looping_exports: Vec<bool>,
    calls: CallGraph,
    /// C names of the tags.
    tags: Vec<String>,
    /// Functions after whose call an exception may wait, and whether that is so after indirect calls.
    pub throws: Vec<bool>,
    pub throws_indirect: bool,
    /// The embedder asks what was caught.
    pub keeps_caught: bool,
}

/// Bytes of a table's element where pointers have 32 bits: the function and its type.
const TABLE_ELEMENT: u64 = 8;
/// The most bytes of C for functions, many times what fits the devices that MicroPython is for.
const LARGEST: usize = 128 << 20;
/// Bytes of the shadow stack when addresses are the machine's and nobody says.
const STACK: u32 = 4096;
/// Bytes below its pointer that a function which calls none may use without moving it (LLVM's WebAssembly
/// back end, `WebAssemblyFrameLowering::RedZoneSize`).
const RED_ZONE: u32 = 128;
/// Frames of so many bytes lie on the machine's stack when addresses are the machine's: it costs less, and is no more
/// than a compiler takes for a function unasked.
const LOCAL_FRAME: u32 = 64;

pub(crate) fn unit<'m>(
    source: &'m WasmModule,
    module: &'m Module<'m>,
    options: &Options,
) -> Result<Translation> {
    let mut names = Names::default();
    for taken in ["start", "stack", "wasm_thrown", "wasm_caught", "wasm_stack_limit", "wasm_flash_table"] {
        names.unique("", taken);
    }
    let mut exported: HashMap<u32, &str> = HashMap::new();
    for (name, _, index) in module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func) {
        exported.entry(*index).or_insert(name);
    }
    let functions = (0..).zip(&module.functions).map(|(index, function)| {
        let prefix = if function.import.is_some() { "import_" } else { "f_" };
        let import = function.import.as_ref().map(|(module, field)| format!("{module}_{field}"));
        let own = || exported.get(&index).copied().or(function.name.as_deref()).map(str::to_owned);
        names.unique(prefix, &import.or_else(own).unwrap_or_else(|| index.to_string()))
    });
    let functions: Vec<String> = functions.collect();
    let globals = module.globals.iter().enumerate().map(|(index, global)| match &global.import {
        Some((module, field)) => names.unique("import_", &format!("{module}_{field}")),
        None => names.unique("g_", global.name.as_deref().unwrap_or(&index.to_string())),
    });
    let globals: Vec<String> = globals.collect();
    let stack_global = module
        .globals
        .iter()
        .position(|global| global.name.as_deref() == Some("__stack_pointer"))
        .map(|i| i as u32);
    let relocations = source.relocations.as_ref();
    let objects = relocations.map_or(&[][..], |r| &r.objects);
    let is_apart = |(index, object): (usize, &DataObject)| {
        let large = options.flash_tables.is_some_and(|least| object.size >= least.max(1));
        large
            && relocations.is_some_and(|r| {
                r.segments[object.segment].name.starts_with(".rodata") && r.in_object(index).next().is_none()
            })
    };
    let apart = objects.iter().enumerate().map(is_apart).collect();
    let objects = objects.iter().map(|object| names.unique("d_", &object.name)).collect();
    let shared = |kind: ExternalKind, index: usize| {
        options.linkable && module.exports.iter().any(|(_, k, i)| *k == kind && *i as usize == index)
    };
    let memories = module.memories.iter().enumerate().map(|(index, memory)| {
        let name = names.unique("", "memory");
        Memory::of(source, index, memory, options, name, shared(ExternalKind::Memory, index))
    });
    let memories: Vec<Memory> = memories.collect::<Result<_>>()?;
    let tables: Vec<String> = module.tables.iter().map(|_| names.unique("", "table")).collect();
    let fixed = module.tables.iter().enumerate().map(|(index, table)| {
        !table.accessed
            && table.import.is_none()
            && table.init == Constant::Null
            && !shared(ExternalKind::Table, index)
            && module.elements.iter().all(|element| match &element.place {
                Place::Active { index: at, offset } => {
                    *at as usize != index
                        || (matches!(offset, Constant::I32(at) if u64::from(*at) + element.items.len() as u64 <= u64::from(table.minimum))
                            && element.items.iter().all(|i| matches!(i, Constant::Function(_) | Constant::Null)))
                }
                _ => true,
            })
    });
    let fixed = fixed.collect();
    let shown = module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Global);
    let shown: HashSet<u32> = shown.map(|(_, _, index)| *index).collect();
    let shadow_stack = match memories.first().and_then(Memory::least) {
        Some(bytes) if relocations.is_none() && options.safety != Safety::Trusted => {
            ShadowStack::find(module, bytes, |index| !shown.contains(&index))
        }
        _ => None,
    };
    // A name is enough where it takes no check away.
    let is_stack = |index: &u32| {
        let global = &module.globals[*index as usize];
        matches!(global.init, Constant::I32(_))
            && (global.mutable && global.import.is_none() && !shown.contains(index))
    };
    let stack_global = match shadow_stack {
        Some(stack) => Some(stack.pointer),
        None => stack_global.filter(is_stack),
    };
    let uses = |body| stack_global.map_or(StackUse::Nothing, |pointer| StackUse::of(body, pointer));
    let uses: Vec<StackUse> = module.bodies.iter().map(uses).collect();
    // A frame that catches an exception puts back the pointer of those below it.
    let may_be_local = relocations.is_some() && stack_global.is_some() && module.tags.is_empty();
    let native_frames = uses.iter().map(|uses| match uses {
        StackUse::Frame(frame) if may_be_local && frame.size <= LOCAL_FRAME => Some(*frame),
        _ => None,
    });
    let native_frames: Vec<Option<range::Frame>> = native_frames.collect();
    let stack_pointer = stack_global.filter(|_| {
        !may_be_local
            || uses
                .iter()
                .zip(&native_frames)
                .any(|(uses, local)| *uses != StackUse::Nothing && local.is_none())
    });
    let calls = Calls::of(module);
    let graph = calls.graph(module);
    // What Python runs in the middle of a call may call the module again, at any depth.
    let alone = module.imported() == 0 && !options.linkable;
    // Only for what rustc and its linker made, which is no sandbox: this believes that frames are given back.
    let stack_suffices = stack_global.filter(|_| alone && relocations.is_some()).is_some_and(|_| {
        let sizes = uses.iter().zip(&native_frames).map(|(uses, local)| match uses {
            StackUse::Frame(frame) if local.is_none() => Some(frame.size),
            StackUse::Other => None,
            _ => Some(0),
        });
        // Twice, for a handler of interrupts that calls the module while it runs.
        let most = (options.stack.unwrap_or(STACK) / 2).saturating_sub(RED_ZONE);
        sizes.collect::<Option<Vec<u32>>>().is_some_and(|sizes| graph.depth(&sizes, most).is_some())
    });
    // Another module's exceptions pass, and Python's where the embedder makes them such.
    let imports = module.functions.iter().map_while(|function| function.import.as_ref());
    let throws =
        calls.throwing(imports.map(|(from, name)| {
            options.linkable || options.throwing.is_some_and(|throws| throws(from, name))
        }));
    let mut looping_exports = vec![false; functions.len()];
    for (_, _, index) in module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func) {
        looping_exports[*index as usize] = calls.loops[*index as usize];
    }
    let mut placed_data = HashMap::new();
    for (index, data) in module.data.iter().enumerate() {
        if let Place::Active { index: 0, offset: Constant::I32(at) } = data.place {
            placed_data.entry((at, data.bytes.len())).or_insert(index);
        }
    }
    let unit = Unit {
        name: &source.name,
        module,
        placed_data,
        memories,
        moves: calls.moving(module.imported()),
        tables,
        fixed,
        functions,
        globals,
        objects,
        apart,
        used: RefCell::default(),
        relocations,
        heap_base: source.heap_base,
        heap_reserve: source.heap_reserve,
        hints: options.aligned || relocations.is_some() || options.safety == Safety::Trusted,
        stack_global,
        stack_pointer,
        shadow_stack,
        stack_suffices,
        native_frames,
        exported,
        linkable: options.linkable,
        trap_names: options.trap_names,
        referenced: RefCell::default(),
        recursive: calls.recursive(),
        stack_checks: options.stack_checks.clone(),
        looping_exports,
        calls: graph,
        tags: module.tags.iter().map(|_| names.unique("", "tag")).collect(),
        throws_indirect: throws.contains(&true),
        throws,
        keeps_caught: options.throwing.is_some(),
    };
    unit.write(options)
}

impl<'m> Unit<'m> {
    /// The C type a function of type `ty` returns.
    pub fn result_type(&self, ty: &FuncType) -> String {
        match ty.results.as_slice() {
            [] => "void".into(),
            [one] => c_type(*one).into(),
            several => format!("struct wasm_{}", letters(several)),
        }
    }

    /// The same where a function is declared or defined.
    fn returned_type(&self, ty: &FuncType) -> String {
        let attribute = if returns_float(ty) { "WASM_RETURNS_FLOAT " } else { "" };
        format!("{attribute}{}", self.result_type(ty))
    }

    /// A function's declarator, with or without the names of its parameters.
    pub fn prototype(&self, index: u32, named: bool) -> String {
        let function = &self.module.functions[index as usize];
        let params: Vec<String> = function
            .ty
            .params
            .iter()
            .enumerate()
            .map(|(i, ty)| if named { format!("{} l{i}", c_type(*ty)) } else { c_type(*ty).to_owned() })
            .collect();
        let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        let apart = if self.is_not_inlined(index) { "WASM_APART " } else { "" };
        let looping = self.looping_exports[index as usize];
        format!(
            "{apart}{} {} {}({params})",
            if looping { "WASM_LOOPING_EXPORT" } else { "WASM_FUNCTION" },
            self.returned_type(&function.ty),
            self.functions[index as usize]
        )
    }

    fn pointer_type(&self, ty: &FuncType) -> String {
        let params: Vec<&str> = ty.params.iter().map(|ty| c_type(*ty)).collect();
        let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        let pointer = if returns_float(ty) { "WASM_RETURNS_FLOAT *" } else { "*" };
        format!("{} ({pointer})({params})", self.result_type(ty))
    }

    /// What tells functions of the type at an index from those of another; not 0.
    fn type_id(&self, index: u32) -> u32 {
        let id = self.module.type_ids[index as usize];
        if self.linkable { id.hash | 1 } else { 1 + id.number }
    }

    /// The type that a call returns.
    pub fn called_type(&self, callee: &Callee) -> String {
        self.result_type(match callee {
            Callee::Function(function) => &self.module.functions[*function as usize].ty,
            Callee::Indirect { ty, .. } | Callee::Reference { ty, .. } => &self.module.types[*ty as usize],
        })
    }

    /// Whether addresses are native.
    pub fn is_direct(&self) -> bool {
        self.relocations.is_some()
    }

    /// A function's frame, if that is on the native stack.
    pub fn native_frame(&self, index: u32) -> Option<range::Frame> {
        self.native_frames[index as usize - self.module.imported()]
    }

    /// The callee of an indirect call.
    pub fn indirect(&self, table: u32, type_index: u32, index: &str) -> String {
        let pointer = self.pointer_type(&self.module.types[type_index as usize]);
        if self.relocations.is_some() {
            return format!("(({pointer})(uintptr_t){index})");
        }
        let id = self.type_id(type_index);
        if self.fixed[table as usize] {
            let Some(size) = self.module.tables.get(table as usize).map(|table| table.minimum) else {
                return String::new();
            };
            return format!("(({pointer})wasm_callee({}, {size}u, {index}, {id}u))", self.entries(table));
        }
        format!("(({pointer})wasm_callee_of({}, {index}, {id}u))", self.table_pointer(table))
    }

    /// The callee of a call by reference.
    pub fn by_reference(&self, ty: u32, reference: &str) -> String {
        let pointer = self.pointer_type(&self.module.types[ty as usize]);
        format!("(({pointer})wasm_function_of({reference}))")
    }

    fn entries(&self, table: u32) -> &str {
        if self.module.tables[table as usize].minimum == 0 { "NULL" } else { &self.tables[table as usize] }
    }

    /// The `wasm_table_t *` of a table.
    pub fn table_pointer(&self, index: u32) -> String {
        let name = &self.tables[index as usize];
        match self.module.tables[index as usize].import {
            Some(_) => name.clone(),
            None => format!("&{name}"),
        }
    }

    /// An element segment and the elements it has left.
    pub fn element(&self, index: u32) -> (String, String) {
        let items = self.module.elements[index as usize].items.len();
        match self.module.elements[index as usize].place {
            Place::Passive if items > 0 => (format!("elem{index}"), format!("elem{index}_size")),
            _ => ("NULL".into(), "0".into()),
        }
    }

    /// A passive data segment and the bytes it has left.
    pub fn data(&self, index: u32) -> (String, String) {
        let data = &self.module.data[index as usize];
        match data.place {
            Place::Passive if !data.bytes.is_empty() => {
                (format!("data{index}"), format!("data{index}_bytes"))
            }
            _ => ("NULL".into(), "0".into()),
        }
    }

    /// A global, as an lvalue.
    pub fn global(&self, index: u32) -> String {
        let name = &self.globals[index as usize];
        match self.module.globals[index as usize].import {
            Some(_) => format!("(*{name})"),
            None => name.clone(),
        }
    }

    /// The address that stands for a tag.
    pub fn tag(&self, index: u32) -> String {
        let name = &self.tags[index as usize];
        match self.module.tags[index as usize].import {
            Some(_) => name.clone(),
            None => format!("&{name}"),
        }
    }

    /// The function that Python calls for an exported one: exceptions that nobody caught end there.
    fn entrance(&self, index: u32) -> String {
        let name = &self.functions[index as usize];
        if self.throws[index as usize] && !self.linkable { format!("x_{name}") } else { name.clone() }
    }

    fn entrances(&self, c: &mut String) {
        let exported = self.module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func);
        let indices: BTreeSet<u32> = exported.map(|(_, _, index)| *index).collect();
        for index in
            indices.into_iter().filter(|index| self.entrance(*index) != self.functions[*index as usize])
        {
            let ty = &self.module.functions[index as usize].ty;
            let name = &self.functions[index as usize];
            let head = self.prototype(index, true).replacen(&format!(" {name}("), &format!(" x_{name}("), 1);
            let args: Vec<String> = (0..ty.params.len()).map(|at| format!("l{at}")).collect();
            let (keep, give) = match ty.results.len() {
                0 => (String::new(), ""),
                _ => (format!("{} r = ", self.result_type(ty)), "    return r;\n"),
            };
            let _ = writeln!(
                c,
                "{head} {{\n{}    {keep}{name}({});\n    WASM_UNCAUGHT();\n{give}}}\n",
                indent(&self.here(index)),
                args.join(", ")
            );
        }
    }

    /// The declaration that tells what may trap which function it is in, when that is wanted.
    pub fn here(&self, index: u32) -> String {
        if !self.trap_names {
            return String::new();
        }
        let function = &self.module.functions[index as usize];
        let name = function.name.as_deref().or_else(|| self.exported.get(&index).copied());
        let name = name.map_or_else(|| format!("function {index}"), demangled);
        format!("WASM_IN({});\n", literal(&name))
    }

    /// A reference to a function.
    pub fn function_reference(&self, index: u32) -> String {
        self.referenced.borrow_mut().insert(index);
        format!("(uintptr_t)&ref_{}", self.functions[index as usize])
    }

    /// Whether a call of a function may come back to it.
    pub fn recursive(&self, index: u32) -> bool {
        self.recursive[index as usize]
    }

    /// Whether a function checks the machine's stack.
    pub fn checks_stack(&self, index: u32) -> bool {
        self.recursive(index) || self.stack_checks.as_ref().is_some_and(|checks| checks.has(index))
    }

    /// The size of a frame that is checked before it is made.
    pub fn large_frame(&self, index: u32) -> Option<u32> {
        self.stack_checks.as_ref()?.large(index)
    }

    /// Whether a function must not be inlined, so that its frame is measured.
    fn is_not_inlined(&self, index: u32) -> bool {
        let Some(checks) = &self.stack_checks else { return false };
        let from_outside = self.exported.contains_key(&index) || self.module.start == Some(index);
        !checks.may_inline(index, from_outside)
    }

    /// A function that checks the stack before it calls the one with the large frame, and the head of that one.
    pub fn before_large_frame(&self, index: u32, size: u32) -> (String, String) {
        let name = &self.functions[index as usize];
        let ty = &self.module.functions[index as usize].ty;
        let within = native_stack::within(name);
        let head = self.prototype(index, true);
        let inner = head.replacen(&format!(" {name}("), &format!(" {within}("), 1);
        let args: Vec<String> = (0..ty.params.len()).map(|at| format!("l{at}")).collect();
        let give = if ty.results.is_empty() { "" } else { "return " };
        let here = indent(&self.here(index));
        let call = format!("{give}{within}({});", args.join(", "));
        (format!("{head} {{\n{here}    WASM_STACK_CHECK_FOR({size}u);\n    {call}\n}}\n"), inner)
    }

    /// Whether a global is the pointer of a shadow stack that is the machine's memory.
    pub fn is_direct_stack(&self, global: u32) -> bool {
        self.relocations.is_some() && self.stack_global == Some(global)
    }

    /// A global's first value, and whether C takes it as an initializer.
    fn initial(&self, global: u32) -> (String, bool) {
        if self.is_direct_stack(global) {
            return ("(uint32_t)(uintptr_t)stack + sizeof stack".to_owned(), true);
        }
        self.constant(&self.module.globals[global as usize].init)
    }

    /// A statement that catches an overflow of such a stack before `value` becomes its pointer.
    pub fn stack_check(&self, value: &str) -> Option<String> {
        (!self.stack_suffices).then(|| {
            // Signed, so that a frame larger than the address of the stack is caught as well.
            format!(
                "if ((int32_t)({value} - (uint32_t)(uintptr_t)(stack + {RED_ZONE})) < 0) wasm_trap(WASM_TRAP_STACK_OVERFLOW);"
            )
        })
    }

    /// The address that a reference stands for.
    pub fn reference(&self, reference: Reference) -> String {
        match reference {
            Reference::Data { object, offset } => {
                if self.apart[object] {
                    self.used.borrow_mut().insert(object);
                }
                let name = &self.objects[object];
                match offset {
                    0 => format!("(uint32_t)(uintptr_t){name}"),
                    1.. => format!("(uint32_t)(uintptr_t){name} + {offset}u"),
                    _ => format!("(uint32_t)(uintptr_t){name} - {}u", -offset),
                }
            }
            Reference::Function(index) => match self.table_function(index) {
                Some(function) => format!("(uint32_t)(uintptr_t){}", self.functions[function as usize]),
                // Taken out since: nothing can call it any more.
                None => "0u".to_owned(),
            },
        }
    }

    /// The function at an index of table 0.
    fn table_function(&self, index: u32) -> Option<u32> {
        self.module.elements.iter().find_map(|element| {
            let Place::Active { index: 0, offset: Constant::I32(first) } = element.place else { return None };
            match element.items.get(index.checked_sub(first)? as usize) {
                Some(Constant::Function(function)) => Some(*function),
                _ => None,
            }
        })
    }

    /// What an `i32.const` or an offset is the address of.
    pub fn address_constant(&self, value: u32) -> Option<Reference> {
        self.relocations?.of_constant(value)
    }

    /// How an access is kept inside its memory, whose address is in a range.
    pub fn check(&self, access: &Access, address: Range) -> Check {
        self.memories[access.memory as usize].check(address, access.end())
    }

    /// Whether so many bytes from an address are kept inside a memory.
    pub fn check_block(&self, memory: u32, address: Range, length: Option<u32>) -> Check {
        self.memories[memory as usize].check_block(address, length)
    }

    /// What is known of an address once an access has used it.
    pub fn accessed(&self, access: &Access, address: Range) -> Range {
        self.memories[access.memory as usize].accessed(address, access.offset, access.cell.bytes())
    }

    /// The cell that a load or store accesses in the function `index`.
    pub fn place(&self, access: &Access, address: &Shown, index: u32, uses: &mut Uses) -> Address {
        if let Some(base) = access.base {
            let base = self.reference(base);
            let text = match access.address.known() {
                Some(0) => format!("(uintptr_t)({base})"),
                _ => format!("(uintptr_t)({} + {base})", address.inner()),
            };
            return Address { text, displacement: Displacement::None };
        }
        let steady = !self.moves[index as usize];
        self.memories[access.memory as usize].at(access, address, steady, uses)
    }

    /// Whether an access lies as its alignment hint says.
    pub fn is_aligned(&self, access: &Access) -> bool {
        let known = access.address.known().map(|known| u64::from(known) + access.offset);
        self.hints || known.is_some_and(|at| at.is_multiple_of(access.cell.bytes().into()))
    }

    /// A constant expression, and whether C takes it as an initializer.
    fn constant(&self, constant: &Constant) -> (String, bool) {
        match constant {
            Constant::I32(value) => (number(ValType::I32, (*value).into()), true),
            Constant::I64(value) => (number(ValType::I64, *value), true),
            Constant::F32(bits) => {
                (number(ValType::F32, (*bits).into()), f32::from_bits(*bits).is_finite())
            }
            Constant::F64(bits) => (number(ValType::F64, *bits), f64::from_bits(*bits).is_finite()),
            Constant::Global(index) => {
                let global = &self.module.globals[*index as usize];
                match global.import {
                    None if !global.mutable => self.constant(&global.init),
                    _ => (self.global(*index), false),
                }
            }
            Constant::Null => ("0".into(), true),
            Constant::Function(index) => (self.function_reference(*index), true),
            Constant::Binary(op, operands) => {
                let (a, b) = (self.constant(&operands.0).0, self.constant(&operands.1).0);
                (format!("({a} {op} {b})"), false)
            }
        }
    }

    /// Refuses what has become too large. A few bytes of a module can say that a thousand values are passed.
    pub fn check_size(&self, bytes: usize) -> Result<()> {
        if bytes <= LARGEST {
            return Ok(());
        }
        let message = format!("the C of its functions would be larger than {} MB", LARGEST >> 20);
        Err(Diagnostic::new("too-large", message).at(place(self.name, None, 0)).help("divide the module"))
    }

    fn any_stack_check(&self) -> bool {
        self.recursive.contains(&true) || self.stack_checks.as_ref().is_some_and(|checks| !checks.is_empty())
    }

    fn write(&self, options: &Options) -> Result<Translation> {
        let module = self.module;
        if let Some(relocations) = self.relocations
            && relocations.objects.iter().any(|object| self.object_bytes(relocations, object).is_none())
        {
            return Err(refuse(self.name, 0, "its data is not where the linker put it"));
        }
        let imported = module.imported();
        let mut c = format!("/* {} in C. */\n", comment(self.name));
        if self.trap_names {
            c.push_str("#define WASM_NAMES\n");
        }
        if self.stack_checks.is_some() {
            c.push_str("#define WASM_FRAMES_ARE_MEASURED\n");
        }
        c.push_str("#include \"wasm.h\"\n\n");

        let mut structs = HashSet::new();
        for ty in module.types.iter().filter(|ty| ty.results.len() > 1) {
            let name = self.result_type(ty);
            if structs.insert(name.clone()) {
                let members: Vec<String> =
                    ty.results.iter().enumerate().map(|(i, ty)| format!("{} r{i};", c_type(*ty))).collect();
                let _ = writeln!(c, "{name} {{\n    {}\n}};\n", members.join(" "));
            }
        }
        for memory in &self.memories {
            memory.declare(&mut c);
        }
        if self.any_stack_check() {
            c.push_str(
                "WASM_STATE uintptr_t wasm_stack_limit;\nstatic void wasm_stack_low(WASM_WHERE_ONLY);\n",
            );
        }
        if (0..module.functions.len() as u32).any(|index| self.large_frame(index).is_some()) {
            c.push_str("static void wasm_stack_low_for(WASM_WHERE uintptr_t size);\n");
        }
        if self.apart.contains(&true) {
            c.push_str("static const uint8_t *wasm_flash_table(uint32_t number, uint32_t align);\n");
        }
        if !module.tags.is_empty() || self.throws_indirect || options.throwing.is_some() {
            c.push_str("/* The exception on its way. */\n");
            let kind = if self.linkable { "extern" } else { "WASM_STATE" };
            let _ = writeln!(c, "{kind} wasm_exception_t *wasm_thrown;");
            c.push_str("#define WASM_THROWN() __builtin_expect(wasm_thrown != NULL, 0)\n");
            if options.throwing.is_some() {
                c.push_str("/* What a handler caught that does not throw it again. */\n");
                c.push_str("WASM_STATE wasm_exception_t *wasm_caught;\n");
                c.push_str("__attribute__((noreturn)) static void wasm_uncaught(void);\n");
                c.push_str("#define WASM_UNCAUGHT() if (WASM_THROWN()) wasm_uncaught();\n");
            } else {
                c.push_str("#define WASM_UNCAUGHT() \\\n    if (WASM_THROWN()) { \\\n");
                c.push_str("        wasm_thrown = NULL; \\\n");
                c.push_str("        wasm_trap(WASM_TRAP_UNCAUGHT_EXCEPTION); \\\n    }\n");
            }
        }
        for (tag, name) in module.tags.iter().zip(&self.tags) {
            let _ = match tag.import {
                Some(_) => writeln!(c, "WASM_STATE const wasm_tag_t *{name};"),
                None => {
                    writeln!(c, "WASM_UNUSED static const wasm_tag_t {name} = {{{}}};", tag.ty.params.len())
                }
            };
        }
        for index in 0..module.functions.len() as u32 {
            let _ = writeln!(c, "{};", self.prototype(index, false));
            self.check_size(c.len())?;
        }
        c.push('\n');
        // What follows refers to functions in ways that are only known once it is written.
        let mut rest = String::new();
        if self.relocations.is_some() {
            self.objects(&mut rest, options);
        } else {
            self.segments(&mut rest);
        }
        let mut dynamic = String::new();
        for (index, global) in module.globals.iter().enumerate() {
            let name = &self.globals[index];
            let ty = c_type(global.ty);
            if global.import.is_some() {
                let _ = writeln!(rest, "WASM_STATE {ty} *{name};");
                continue;
            }
            if self.is_direct_stack(index as u32) && self.stack_pointer.is_none() {
                continue;
            }
            let (init, is_static) = self.initial(index as u32);
            if !is_static {
                let _ = writeln!(rest, "WASM_STATE {ty} {name};");
                let _ = writeln!(dynamic, "{name} = {init};");
                continue;
            }
            let kind =
                if global.mutable || options.linkable { "WASM_STATE" } else { "WASM_UNUSED static const" };
            let _ = writeln!(rest, "{kind} {ty} {name} = {init};");
        }
        rest.push('\n');
        if self.relocations.is_none() {
            for index in 0..module.tables.len() as u32 {
                self.table(&mut rest, index);
            }
            self.elements(&mut rest, &mut dynamic);
        }
        let mut functions = String::new();
        for (body, index) in module.bodies.iter().zip(imported as u32..) {
            let mut function = build::function(self, index, body)?;
            passes::run(self, &mut function);
            codegen::function(self, &function, &mut functions)?;
            functions.push('\n');
        }
        self.entrances(&mut functions);
        let init = self.start(&mut functions, &dynamic);
        for index in &*self.referenced.borrow() {
            let name = &self.functions[*index as usize];
            let id = self.type_id(module.functions[*index as usize].type_index);
            let _ = writeln!(
                c,
                "WASM_UNUSED static const wasm_funcref_t ref_{name} = {{{id}u, (wasm_function_t){name}}};"
            );
        }
        c.push_str(&rest);
        c.push_str(&functions);
        let interface = self.interface(imported, init, options);
        let unit = CUnit { file_name: "module.c".into(), source: c };
        let named = self.functions.iter().zip(&module.functions);
        let named = named.filter_map(|(c, function)| Some((c.clone(), demangled(function.name.as_ref()?))));
        let mut names: HashMap<String, String> = named.collect();
        for index in 0..module.functions.len() as u32 {
            let name = &self.functions[index as usize];
            if self.large_frame(index).is_some()
                && let Some(known) = names.get(name).cloned()
            {
                names.insert(native_stack::within(name), known);
            }
        }
        let native_stack = self.stack_checks.clone().map(|checks| NativeStack {
            functions: self.functions.clone(),
            imported,
            recursive: self.recursive.clone(),
            calls: self.calls.clone(),
            checks,
        });
        Ok(Translation { unit, interface, native_stack, names })
    }

    /// Data segments of a linear memory, without their zero tails.
    fn segments(&self, c: &mut String) {
        for (index, data) in self.module.data.iter().enumerate() {
            let passive = matches!(data.place, Place::Passive);
            let zeros =
                if passive { 0 } else { data.bytes.iter().rev().take_while(|byte| **byte == 0).count() };
            let bytes = &data.bytes[..data.bytes.len() - zeros];
            if bytes.is_empty() {
                continue;
            }
            let _ = writeln!(c, "static const uint8_t data{index}[{}] = {{", bytes.len().max(1));
            rows(c, bytes, 24);
            c.push_str("};\n");
            if passive {
                let _ = writeln!(c, "WASM_STATE uint32_t data{index}_bytes = {}u;", bytes.len());
            }
        }
        c.push('\n');
    }

    /// The objects of a program whose addresses are the machine's.
    fn objects(&self, c: &mut String, options: &Options) {
        let Some(relocations) = self.relocations else { return };
        let stack = options.stack.unwrap_or(STACK);
        if self.stack_pointer.is_some() {
            let _ = writeln!(c, "WASM_STATE uint8_t stack[{stack}] __attribute__((aligned(16)));");
        }
        let read_only = |object: usize| {
            relocations.segments[relocations.objects[object].segment].name.starts_with(".rodata")
        };
        let words: Vec<u32> = relocations.objects.iter().map(|object| object.size.div_ceil(4)).collect();
        let is_const = |object: usize| read_only(object) && self.late(object).next().is_none();
        let kind = |object: usize| if is_const(object) { "static const" } else { "WASM_STATE" };
        let shape = |object: usize| {
            let at = &relocations.objects[object];
            if self.apart[object] {
                return format!("const uint8_t *{}", self.objects[object]);
            }
            format!(
                "{} {}[{}]",
                if self.by_words(object) { "uint32_t" } else { "uint8_t" },
                self.objects[object],
                if self.by_words(object) { words[object].max(1) } else { at.size.max(1) }
            )
        };
        for object in 0..relocations.objects.len() {
            let declared =
                if is_const(object) && !self.apart[object] { "static const" } else { "WASM_STATE_DECLARE" };
            let _ = writeln!(c, "{declared} {};", shape(object));
        }
        c.push('\n');
        for (index, object) in relocations.objects.iter().enumerate() {
            if self.apart[index] {
                let _ = writeln!(c, "WASM_STATE {};", shape(index));
                continue;
            }
            let bytes = self.object_bytes(relocations, object).unwrap_or_default();
            let align = object.align.max(1);
            let _ = write!(c, "{} {} __attribute__((aligned({align})))", kind(index), shape(index));
            let references: Vec<(u32, Reference)> = relocations.in_object(index).collect();
            if !read_only(index) && references.is_empty() && bytes.iter().all(|byte| *byte == 0) {
                c.push_str(";\n");
                continue;
            }
            c.push_str(" = {\n");
            if self.by_words(index) {
                let mut references = references.into_iter().peekable();
                let items = bytes.chunks(4).zip((0u32..).step_by(4)).map(|(chunk, at)| {
                    match references.next_if(|(offset, _)| *offset == at) {
                        Some((_, reference)) if self.is_apart(reference) => return "0".to_owned(),
                        Some((_, reference)) => return self.reference(reference),
                        None => {}
                    }
                    let mut padded = [0; 4];
                    padded[..chunk.len()].copy_from_slice(chunk);
                    format!("{:#x}u", u32::from_le_bytes(padded))
                });
                rows(c, items, 6);
            } else {
                rows(c, bytes, 24);
            }
            c.push_str("};\n");
        }
        c.push('\n');
    }

    fn is_apart(&self, reference: Reference) -> bool {
        matches!(reference, Reference::Data { object, .. } if self.apart[object])
    }

    /// The words of an object that are addresses of what is kept apart.
    fn late(&self, object: usize) -> impl Iterator<Item = (u32, Reference)> + '_ {
        let words = self.relocations.into_iter().flat_map(move |relocations| relocations.in_object(object));
        words.filter(|(_, reference)| self.is_apart(*reference))
    }

    /// Finds what is kept apart, and writes its addresses where they belong.
    fn find_apart(&self, c: &mut String) {
        let Some(relocations) = self.relocations else { return };
        let mut late = String::new();
        for object in 0..relocations.objects.len() {
            for (at, reference) in self.late(object) {
                let (name, value) = (&self.objects[object], self.reference(reference));
                let _ = writeln!(late, "{name}[{}] = {value};", at / 4);
            }
        }
        for (number, object) in self.used.borrow().iter().enumerate() {
            let (name, align) = (&self.objects[*object], relocations.objects[*object].align);
            let _ = writeln!(c, "{name} = wasm_flash_table({number}, {align});");
        }
        c.push_str(&late);
    }

    /// Whether an object holds addresses, and so is an array of words.
    fn by_words(&self, object: usize) -> bool {
        self.relocations.is_some_and(|relocations| relocations.in_object(object).next().is_some())
    }

    /// What an object holds at the start; `None` when the module has it no longer.
    fn object_bytes(&self, relocations: &Relocations, object: &DataObject) -> Option<&[u8]> {
        let segment = &relocations.segments[object.segment];
        let data = self.placed_data.get(&(segment.address, segment.size as usize));
        let range = object.offset as usize..(object.offset + object.size) as usize;
        self.module.data[*data?].bytes.get(range)
    }

    /// The table is the module's own `wasm_table_t`.
    fn table_grows(&self, index: usize) -> bool {
        self.module.tables[index].import.is_none() && !self.fixed[index]
    }

    fn table(&self, c: &mut String, index: u32) {
        let table = &self.module.tables[index as usize];
        let name = &self.tables[index as usize];
        if table.import.is_some() {
            let _ = writeln!(c, "WASM_STATE wasm_table_t *{name};\n");
            return;
        }
        if !self.fixed[index as usize] {
            let _ = writeln!(c, "WASM_STATE wasm_table_t {name};\n");
            return;
        }
        if table.minimum == 0 {
            return;
        }
        let mut entries = BTreeMap::new();
        for element in &self.module.elements {
            let Place::Active { index: at, offset: Constant::I32(offset) } = &element.place else { continue };
            if *at == index {
                entries.extend((*offset..).zip(&element.items));
            }
        }
        let _ = writeln!(c, "WASM_UNUSED static const wasm_funcref_t {name}[{}] = {{", table.minimum);
        for (at, item) in entries {
            let Constant::Function(function) = item else { continue };
            let id = self.type_id(self.module.functions[*function as usize].type_index);
            let function = &self.functions[*function as usize];
            let _ = writeln!(c, "    [{at}] = {{{id}u, (wasm_function_t){function}}},");
        }
        c.push_str("};\n\n");
    }

    /// Element segments, but those that are in a table from the start.
    fn elements(&self, c: &mut String, dynamic: &mut String) {
        for (index, element) in self.module.elements.iter().enumerate() {
            let placed = match element.place {
                Place::Active { index, .. } => self.fixed[index as usize],
                Place::Passive => false,
                Place::Declared => true,
            };
            if placed || element.items.is_empty() {
                continue;
            }
            let size = element.items.len();
            let items: Vec<(String, bool)> = element.items.iter().map(|item| self.constant(item)).collect();
            let kind =
                if items.iter().all(|(_, is_static)| *is_static) { "static const" } else { "WASM_STATE" };
            let _ = writeln!(c, "{kind} uintptr_t elem{index}[{size}] = {{");
            rows(c, items.iter().map(|(text, ok)| if *ok { text.clone() } else { "0".into() }), 4);
            c.push_str("};\n");
            for (at, (text, _)) in items.iter().enumerate().filter(|(_, (_, is_static))| !is_static) {
                let _ = writeln!(dynamic, "elem{index}[{at}] = {text};");
            }
            if matches!(element.place, Place::Passive) {
                let _ = writeln!(c, "WASM_STATE uint32_t elem{index}_size = {size}u;");
            }
        }
    }

    /// The function that runs when the module starts, when there is something to do
    /// (WebAssembly core specification, 4.5.4 Instantiation).
    fn start(&self, c: &mut String, dynamic: &str) -> Option<String> {
        let mut text = String::new();
        self.find_apart(&mut text);
        text.push_str(dynamic);
        if self.relocations.is_none() {
            for memory in &self.memories {
                memory.start(&mut text);
            }
            for (index, table) in self.module.tables.iter().enumerate() {
                if self.table_grows(index) {
                    let maximum = table.maximum.unwrap_or(u32::MAX);
                    let init = self.constant(&table.init).0;
                    let name = &self.tables[index];
                    let _ =
                        writeln!(text, "wasm_table_new(&{name}, {}u, {maximum}u, {init});", table.minimum);
                }
            }
            for (index, element) in self.module.elements.iter().enumerate() {
                let Place::Active { index: table, offset } = &element.place else { continue };
                if self.fixed[*table as usize] {
                    continue;
                }
                let (size, offset) = (element.items.len(), self.constant(offset).0);
                let items = if size == 0 { "NULL".to_owned() } else { format!("elem{index}") };
                let table = self.table_pointer(*table);
                let _ = writeln!(text, "wasm_table_init({table}, {items}, {size}u, {offset}, 0, {size}u);");
            }
            for (index, data) in self.module.data.iter().enumerate() {
                let Place::Active { index: memory, offset } = &data.place else { continue };
                let memory = &self.memories[*memory as usize];
                let zeros = data.bytes.iter().rev().take_while(|byte| **byte == 0).count();
                let used = data.bytes.len() - zeros;
                match offset {
                    Constant::I32(offset) if memory.holds(*offset, data.bytes.len()) => {
                        if used > 0 {
                            let base = memory.base();
                            let _ =
                                writeln!(text, "__builtin_memcpy({base} + {offset}u, data{index}, {used}u);");
                        }
                    }
                    _ => {
                        let offset = self.constant(offset).0;
                        let _ = writeln!(
                            text,
                            "wasm_memory_place({}, {}, {}, {used}u, {offset}, {}u);",
                            memory.base(),
                            memory.bytes(),
                            if used > 0 { format!("data{index}") } else { "NULL".to_owned() },
                            data.bytes.len()
                        );
                    }
                }
            }
        }
        if let Some(start) = self.module.start {
            let _ = writeln!(text, "{}();", self.functions[start as usize]);
            if self.throws[start as usize] && !self.linkable {
                text.push_str(&self.here(start));
                text.push_str("WASM_UNCAUGHT();\n");
            }
        }
        if text.is_empty() {
            return None;
        }
        let _ = write!(c, "static void start(void) {{\n{}}}\n", indent(&text));
        Some("start".to_owned())
    }

    fn interface(&self, imported: usize, init: Option<String>, options: &Options) -> Interface {
        let module = self.module;
        let functions = module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func);
        let exports = functions.map(|(name, _, index)| {
            let ty = module.functions[*index as usize].ty.clone();
            let result_type = self.result_type(&ty);
            let function = *index as usize;
            let within = self.functions[function].clone();
            ExportedFunc {
                name: name.clone(),
                c_name: self.entrance(*index),
                within,
                ty,
                result_type,
                function,
            }
        });
        let global = |global: &Global| Item::Global { ty: global.ty, mutable: global.mutable };
        let mut exported = Vec::new();
        for (name, kind, index) in &module.exports {
            let at = *index as usize;
            let (c_name, item) = match kind {
                ExternalKind::Global => (self.global(*index), global(&module.globals[at])),
                ExternalKind::Memory if options.linkable => {
                    (self.memories[at].pointer().replacen('&', "", 1), Item::Memory)
                }
                ExternalKind::Table if options.linkable => {
                    (self.table_pointer(*index).replacen('&', "", 1), Item::Table)
                }
                ExternalKind::Tag if options.linkable => (self.tag(*index).replacen('&', "", 1), Item::Tag),
                _ => continue,
            };
            let pointer = match item {
                Item::Tag => module.tags[at].import.is_some(),
                Item::Memory => module.memories[at].import.is_some(),
                Item::Table => module.tables[at].import.is_some(),
                Item::Global { .. } => false,
            };
            let c_name = if pointer { format!("(*{c_name})") } else { c_name };
            exported.push(ExportedItem { name: name.clone(), c_name, item });
        }
        let source = |import: &Option<(String, String)>, c_name: &str, item: Item| {
            let (module, field) = import.clone()?;
            Some(ImportedItem { module, field, c_name: c_name.to_owned(), item })
        };
        let mut items: Vec<Option<ImportedItem>> = Vec::new();
        items.extend(
            module.globals.iter().zip(&self.globals).map(|(g, name)| source(&g.import, name, global(g))),
        );
        items.extend(
            module
                .memories
                .iter()
                .zip(&self.memories)
                .map(|(m, at)| source(&m.import, &at.name, Item::Memory)),
        );
        items.extend(
            module.tables.iter().zip(&self.tables).map(|(t, name)| source(&t.import, name, Item::Table)),
        );
        items.extend(
            module.tags.iter().zip(&self.tags).map(|(tag, name)| source(&tag.import, name, Item::Tag)),
        );
        let imports = module.functions[..imported].iter().zip(&self.functions).map(|(function, c_name)| {
            let (module, field) = function.import.clone().unwrap_or_default();
            let result_type = self.returned_type(&function.ty);
            ImportedFunc { module, field, c_name: c_name.clone(), ty: function.ty.clone(), result_type }
        });
        let stack_pointer = self.stack_pointer.and_then(|index| match module.globals[index as usize].init {
            Constant::I32(_) => Some((self.globals[index as usize].clone(), self.initial(index).0)),
            _ => None,
        });
        let place = |memory: &Memory| MemoryInfo {
            base: memory.base(),
            size: memory.bytes(),
            direct: self.relocations.is_some(),
            grows: memory.grows(),
            heap_base: self.heap_base,
            heap_reserve: self.heap_reserve,
            growth: memory.growth(),
        };
        let memory = self.memories.first().map(place);
        let exported_memories = module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Memory);
        let exported_memories = exported_memories
            .map(|(name, _, at)| (name.clone(), place(&self.memories[*at as usize])))
            .collect();
        let has_memory = self.relocations.is_none();
        let grown_memories = self.memories.iter().filter(|_| has_memory).filter_map(Memory::growth);
        let grown_memories = grown_memories.map(|growth| growth.lvalue).collect();
        let grown_tables = (0..module.tables.len())
            .filter(|table| has_memory && self.table_grows(*table))
            .map(|table| self.tables[table].clone());
        let grown_tables = grown_tables.collect();
        let heap_bytes = self.memories.iter().map(Memory::heap_bytes).sum();
        let static_bytes = self.memories.iter().map(Memory::static_bytes).sum();
        let data: usize = module.data.iter().map(|data| data.bytes.len()).sum();
        let elements: u64 = module.tables.iter().map(|table| u64::from(table.minimum)).sum();
        let constant_bytes = data as u64 + TABLE_ELEMENT * elements;
        let stack_limit = self.any_stack_check().then(|| "wasm_stack_limit".to_owned());
        let table = |object: &usize| {
            let object = &self.relocations?.objects[*object];
            let data = self.object_bytes(self.relocations?, object)?.to_vec();
            Some(FlashTable { name: object.name.clone(), data })
        };
        let flash_tables = self.used.borrow().iter().filter_map(table).collect();
        Interface {
            exports: exports.collect(),
            imports: imports.collect(),
            exported_items: exported,
            imported_items: items.into_iter().flatten().collect(),
            init,
            stack_pointer,
            memory,
            exported_memories,
            grown_memories,
            grown_tables,
            heap_bytes,
            flash_tables,
            static_bytes,
            constant_bytes,
            stack_limit,
            stack_ahead: if self.stack_checks.is_some() { native_stack::AHEAD } else { 0 },
            unwinds: options.throwing.is_some(),
            calls: self.calls.clone(),
        }
    }
}

fn rows(c: &mut String, items: impl IntoIterator<Item: std::fmt::Display>, per_row: usize) {
    let mut count = 0;
    for item in items {
        c.push_str(if count % per_row == 0 { "    " } else { " " });
        let _ = write!(c, "{item},");
        count += 1;
        if count % per_row == 0 {
            c.push('\n');
        }
    }
    if count == 0 {
        c.push_str("    0,");
    }
    if count == 0 || count % per_row != 0 {
        c.push('\n');
    }
}
