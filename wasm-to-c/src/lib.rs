//! WebAssembly to C: one validated module in, one C translation unit and its interface out.
//!
//! The C includes `wasm.h` of `c-runtime` and nothing else; whoever compiles it provides
//! `wasm_trap`, the imports, and what else that header says.

mod build;
mod callgraph;
mod code;
mod codegen;
mod features;
mod ir;
mod memory;
mod module;
mod names;
mod native_stack;
mod ops;
mod passes;
mod range;
pub mod relocs;
#[cfg(test)]
mod testing;
mod unit;

pub use callgraph::CallGraph;
pub use codegen::c_type;
pub use names::{Names, comment, demangled, literal};
pub use native_stack::{Frames, NativeStack, StackChecks, UNBOUNDED, settled};

use target_specs::{Diagnostic, Result};

/// A WebAssembly module after all passes over it, ready to be translated.
#[derive(Debug, Clone)]
pub struct WasmModule {
    /// Its name in messages and in the C.
    pub name: String,
    /// The binary module.
    pub bytes: Vec<u8>,
    /// Exact size in bytes that memory 0 is used with, when it is known to be less than its
    /// minimum in pages (data, stack and heap of a linked program). `None`: whole pages.
    pub memory_bytes: Option<u32>,
    /// Given, there is no linear memory: addresses are the machine's, whose pointers must have 32 bits.
    /// Those of [`relocs::read`], for a module made of what that returned.
    pub relocations: Option<relocs::Relocations>,
    /// Where what the program itself uses of memory 0 ends, when the linker said so (`__heap_base`).
    pub heap_base: Option<u32>,
    /// The embedder's heap lies in memory 0 and makes it grow, whatever the module declares.
    pub heap_grows: bool,
    /// Bytes that the embedder's heap has from the start where addresses are the machine's.
    pub heap_reserve: u32,
}

impl WasmModule {
    /// A module of which no more is known than its bytes.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        WasmModule {
            name: name.into(),
            bytes,
            memory_bytes: None,
            relocations: None,
            heap_base: None,
            heap_grows: false,
            heap_reserve: 0,
        }
    }
}

/// How a load or store outside the linear memory is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Safety {
    /// Every access is compared with the size of the memory; outside is a trap.
    #[default]
    Checked,
    /// Addresses are masked into a power of two: outside wraps, never leaves the memory.
    Masked,
    /// No check.
    Trusted,
}

/// How to translate.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub safety: Safety,
    /// Other modules may import what this one exports.
    pub linkable: bool,
    /// Bytes of the shadow stack of a direct memory.
    pub stack: Option<u32>,
    /// With a direct memory: constants of at least that many bytes, with no address in them, are no part of the C.
    /// Its start asks `wasm_flash_table` for them.
    pub flash_tables: Option<u32>,
    /// Accesses lie where their alignment hints say, as a compiler's do that made the hints. WebAssembly promises
    /// nothing of that kind.
    pub aligned: bool,
    /// Traps say which function they are in: the C defines `WASM_NAMES`.
    pub trap_names: bool,
    /// If given, calls cannot overflow the native stack if these checks suffice for the frames that the C compiler makes:
    /// see [`settled`].
    pub stack_checks: Option<StackChecks>,
    /// Whether the import of that module and name throws exceptions, if any does: it puts them into `wasm_thrown`. What
    /// leaves an exported function is for the embedder then, in `wasm_uncaught`, which does not return. In `wasm_caught`
    /// is what a handler of every exception caught last, unless it throws that again.
    pub throwing: Option<fn(&str, &str) -> bool>,
}

/// A C translation unit.
#[derive(Debug, Clone)]
pub struct CUnit {
    pub file_name: String,
    pub source: String,
}

/// A numeric or reference type of the spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValType {
    I32,
    I64,
    F32,
    F64,
    FuncRef,
    ExternRef,
    ExnRef,
}

impl ValType {
    /// The member of `wasm_value_t` that holds it.
    pub(crate) fn member(self) -> char {
        match self {
            ValType::I32 => 'i',
            ValType::I64 => 'q',
            ValType::F32 => 'f',
            ValType::F64 => 'd',
            ValType::FuncRef | ValType::ExternRef | ValType::ExnRef => 'r',
        }
    }
}

/// A function type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FuncType {
    pub params: Vec<ValType>,
    pub results: Vec<ValType>,
}

/// A function the module exports. Its C definition is `static`, takes the parameters as
/// `uint32_t`, `uint64_t`, `float`, `double`, and returns its result, or for several results
/// the struct `result_type`, whose members are `r0`, `r1`, ….
#[derive(Debug, Clone)]
pub struct ExportedFunc {
    pub name: String,
    pub c_name: String,
    /// The same function for a caller that looks itself for what is thrown.
    pub within: String,
    pub ty: FuncType,
    /// The C type it returns: `void`, `uint32_t`, … or the struct.
    pub result_type: String,
    /// Its number in [`Interface::calls`].
    pub function: usize,
}

/// A function the module imports: declared by the unit as a `static` function of this C name, to be
/// defined after it in the same translation unit.
#[derive(Debug, Clone)]
pub struct ImportedFunc {
    pub module: String,
    pub field: String,
    pub c_name: String,
    pub ty: FuncType,
    pub result_type: String,
}

/// What is shared between modules besides functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Global {
        ty: ValType,
        mutable: bool,
    },
    /// A `wasm_memory_t`.
    Memory,
    /// A `wasm_table_t`.
    Table,
    /// A `const wasm_tag_t`.
    Tag,
}

/// A global, memory or table that the module exports.
#[derive(Debug, Clone)]
pub struct ExportedItem {
    pub name: String,
    /// C lvalue.
    pub c_name: String,
    pub item: Item,
}

/// A global, memory or table that the module imports.
#[derive(Debug, Clone)]
pub struct ImportedItem {
    pub module: String,
    pub field: String,
    /// C name of a pointer to it, to be set before [`Interface::init`] is called.
    pub c_name: String,
    pub item: Item,
}

/// What the rest of the road must know of a translated module.
#[derive(Debug, Clone, Default)]
pub struct Interface {
    pub exports: Vec<ExportedFunc>,
    pub imports: Vec<ImportedFunc>,
    /// C name of the parameterless `void` function that sets up memory, globals and tables and
    /// runs the start function; `None` when there is nothing to do.
    pub init: Option<String>,
    /// C lvalue of the shadow stack's pointer, a mutable i32 global that is not exported, and its initial value, a
    /// constant of C, when the module has one. It is what functions make frames with, or what the linker
    /// called `__stack_pointer`. Whoever ends a call by a trap puts back the value that it had before the call.
    pub stack_pointer: Option<(String, String)>,
    /// Exported globals and, with [`Options::linkable`], memories, tables and tags.
    pub exported_items: Vec<ExportedItem>,
    /// Imported globals, memories and tables.
    pub imported_items: Vec<ImportedItem>,
    /// C lvalue of type `uintptr_t`, when the module has functions that may call themselves again: below that
    /// address of the machine's stack they call `wasm_stack_low`. While it is 0 nothing is checked.
    pub stack_limit: Option<String>,
    /// With [`Options::stack_checks`], the bytes of stack that must be left below the functions that call `wasm_stack_low`,
    /// and below the size that they pass to `wasm_stack_low_for`. Otherwise 0.
    pub stack_ahead: u32,
    /// Imports throw exceptions, and the embedder ends those that nobody catches: see [`Options::throwing`].
    pub unwinds: bool,
    /// Who calls whom. The functions in [`Interface::imports`] are the first, in the same order.
    pub calls: CallGraph,
    /// Where memory 0 is, when the module has one: what an import is handed pointers into.
    pub memory: Option<MemoryInfo>,
    /// Names and places of the memories the module exports.
    pub exported_memories: Vec<(String, MemoryInfo)>,
    /// What [`Interface::init`] asks `wasm_flash_table` for, by number: see [`Options::flash_tables`].
    pub flash_tables: Vec<FlashTable>,
    /// C lvalues of type `wasm_memory_t`, of memories that can grow, and of type `wasm_table_t`: what has its bytes from
    /// `wasm_memory_grow`.
    pub grown_memories: Vec<String>,
    pub grown_tables: Vec<String>,
    /// Bytes that [`Interface::init`] asks `wasm_memory_grow` for: memories that can grow, as small as they
    /// can be.
    pub heap_bytes: u64,
    /// Bytes of the other memories, which are in `.bss`.
    pub static_bytes: u64,
    /// Bytes of data segments and of tables on a target of 32 bits.
    pub constant_bytes: u64,
}

/// Constants that are kept apart from the C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlashTable {
    /// As the compiler called them, mangled.
    pub name: String,
    pub data: Vec<u8>,
}

/// C expressions for memory 0, valid after [`Interface::init`] has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryInfo {
    /// Its first byte, of type `uint8_t *`.
    pub base: String,
    /// Its current size in bytes, of type `uint32_t`.
    pub size: String,
    /// Its addresses are the machine's.
    pub direct: bool,
    /// It may become larger, and be somewhere else then.
    pub grows: bool,
    /// Where memory begins that nothing in the module uses.
    pub heap_base: Option<u32>,
    /// As in [`WasmModule`].
    pub heap_reserve: u32,
    /// How it grows, when it can.
    pub growth: Option<Growth>,
}

/// How a memory grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// C lvalue of its `wasm_memory_t`.
    pub lvalue: String,
    /// Bytes that it grows by.
    pub page: u32,
    /// Bytes that it has at first.
    pub minimum: u32,
}

/// A translated module.
#[derive(Debug, Clone)]
pub struct Translation {
    pub unit: CUnit,
    pub interface: Interface,
    /// With [`Options::stack_checks`].
    pub native_stack: Option<NativeStack>,
    /// What the functions that have a name are called in C, and in their source.
    pub names: std::collections::HashMap<String, String>,
}

/// Translates `module` to C.
///
/// # Errors
/// An invalid module (`invalid-wasm`, with the offset) or one that needs an unsupported proposal
/// (`unsupported-wasm`, naming operator, proposal and offset); a memory or table that no target has room for
/// (`memory-too-large`); an imported global or table, unless modules may be linked (`unknown-import`).
pub fn transpile(module: &WasmModule, options: &Options) -> Result<Translation> {
    let translate = || {
        let mut read = module::read(module)?;
        if !options.linkable {
            read.own_imports(&module.name)?;
        }
        unit::unit(module, &read, options)
    };
    // Trees are as deep as the module's blocks, up to a limit that this suffices for.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, translate);
        let thread = thread.map_err(|error| {
            Diagnostic::new("io", format!("cannot start a thread to translate `{}`: {error}", module.name))
        })?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Bytes of stack for a translation.
const STACK: usize = 64 << 20;

/// Flags without which a C compiler gives the generated code another meaning than WebAssembly's.
pub const C_FLAGS: &[&str] = &[
    // Signed overflow, type punning and address 0 are ordinary.
    "-fwrapv",
    "-fno-strict-aliasing",
    "-fno-delete-null-pointer-checks",
    // a * b + c rounds twice.
    "-ffp-contract=off",
    // A square root is an instruction.
    "-fno-math-errno",
    // x * 1 makes a signalling NaN a quiet one.
    "-fsignaling-nans",
    // A tail call must not use up the stack.
    "-foptimize-sibling-calls",
];
