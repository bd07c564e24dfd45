//! What is known of a translated module.

use crate::callgraph::CallGraph;
use crate::native_stack::NativeStack;
use crate::options::CodePlace;
use crate::stack_need::StackNeed;
use crate::types::{FuncType, ValType};

/// A C translation unit.
#[derive(Debug, Clone)]
pub struct CUnit {
    /// The name that `#line` and messages use.
    pub file_name: String,
    /// The C.
    pub source: String,
}

/// A function the module exports. Its C definition is `static`, takes the parameters as
/// `uint32_t`, `uint64_t`, `float`, `double`, and returns its result, or for several results
/// the struct `result_type`, whose members are `r0`, `r1`, ….
#[derive(Debug, Clone)]
pub struct ExportedFunc {
    /// The name of the export.
    pub name: String,
    /// The name of the C function that the embedder calls.
    pub c_name: String,
    /// The same function for a caller that looks itself for what is thrown.
    pub within: String,
    /// Its type.
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
    /// The module that the import names.
    pub module: String,
    /// The name in that module.
    pub field: String,
    /// The name of the C function that the embedder defines.
    pub c_name: String,
    /// Its type.
    pub ty: FuncType,
    /// The C type it returns, as in [`ExportedFunc`].
    pub result_type: String,
}

/// What is shared between modules besides functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A global.
    Global {
        /// The type of its value.
        ty: ValType,
        /// Whether `global.set` may change it.
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
    /// The name of the export.
    pub name: String,
    /// C lvalue.
    pub c_name: String,
    /// What it is.
    pub item: Item,
}

/// A global, memory or table that the module imports.
#[derive(Debug, Clone)]
pub struct ImportedItem {
    /// The module that the import names.
    pub module: String,
    /// The name in that module.
    pub field: String,
    /// C name of a pointer to it, to be set before [`Interface::init`] is called.
    pub c_name: String,
    /// What it is.
    pub item: Item,
}

/// What the bindings and the build need to know about a translated module.
#[derive(Debug, Clone, Default)]
pub struct Interface {
    /// Exported functions, in the order of the exports.
    pub exports: Vec<ExportedFunc>,
    /// Imported functions, in the order of the imports.
    pub imports: Vec<ImportedFunc>,
    /// C name of the parameterless `void` function that sets up memory, globals and tables and
    /// runs the start function; `None` when there is nothing to do.
    pub init: Option<String>,
    /// C lvalue of the shadow stack's pointer, a mutable i32 global that is not exported, and its initial value, a
    /// constant of C, when the module has one. It is what functions make frames with, or what the linker
    /// called `__stack_pointer`. Whoever ends a call by a trap puts back the value that it had before the call.
    pub stack_pointer: Option<(String, String)>,
    /// How large the shadow stack is, if there is one.
    pub stack_need: Option<StackNeed>,
    /// Exported globals and, with [`Options::linkable`](crate::Options::linkable), memories, tables and tags.
    pub exported_items: Vec<ExportedItem>,
    /// Imported globals, memories and tables.
    pub imported_items: Vec<ImportedItem>,
    /// C lvalue of type `uintptr_t`, when the module has functions that may call themselves again: below that
    /// address of the machine's stack they call `wasm_stack_low`. While it is 0 nothing is checked.
    pub stack_limit: Option<String>,
    /// [`Options::code`](crate::Options::code)
    pub code: CodePlace,
    /// With [`Options::stack_checks`](crate::Options::stack_checks), the bytes of stack that must be left below the functions
    /// that call `wasm_stack_low`, and below the size that they pass to `wasm_stack_low_for`. Otherwise 0.
    pub stack_ahead: u32,
    /// Imports throw exceptions, and the embedder ends those that nobody catches: see
    /// [`Options::throwing`](crate::Options::throwing).
    pub unwinds: bool,
    /// Who calls whom. The functions in [`Interface::imports`] are the first, in the same order.
    pub calls: CallGraph,
    /// Where memory 0 is, when the module has one: what an import is handed pointers into.
    pub memory: Option<MemoryInfo>,
    /// Names and places of the memories the module exports.
    pub exported_memories: Vec<(String, MemoryInfo)>,
    /// What [`Interface::init`] asks `wasm_flash_table` for, by number: see
    /// [`Options::flash_tables`](crate::Options::flash_tables).
    pub flash_tables: Vec<FlashTable>,
    /// C lvalues of type `wasm_memory_t`: memories whose bytes come from `wasm_memory_grow`.
    pub grown_memories: Vec<String>,
    /// C lvalues of type `wasm_table_t`: tables whose elements come from `wasm_memory_grow`.
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
    /// Their bytes.
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
    /// As in [`WasmModule`](crate::WasmModule).
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
    /// The C.
    pub unit: CUnit,
    /// What it exports, imports and needs.
    pub interface: Interface,
    /// How much of the native stack it uses. With [`Options::stack_checks`](crate::Options::stack_checks).
    pub native_stack: Option<NativeStack>,
    /// What the functions that have a name are called in C, and in their source.
    pub names: std::collections::HashMap<String, String>,
}
