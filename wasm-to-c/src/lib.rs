//! WebAssembly to C: one validated module in, one C translation unit and its interface out.
//!
//! The C includes `wasm.h` of `c-runtime` and nothing else; whoever compiles it provides
//! `wasm_trap`, the imports, and what else that header says.

mod build;
mod callgraph;
mod code;
mod codegen;
mod features;
mod interface;
mod ir;
mod memory;
mod module;
mod names;
mod native_stack;
mod ops;
mod options;
mod passes;
mod range;
pub mod relocs;
mod shadow_stack;
mod stack_checks;
mod stack_need;
#[cfg(test)]
mod tests;
mod translate;
mod types;
mod unit;

pub use callgraph::CallGraph;
pub use codegen::c_type;
pub use interface::{
    CUnit, ExportedFunc, ExportedItem, FlashTable, Growth, ImportedFunc, ImportedItem, Interface, Item,
    MemoryInfo, Translation,
};
pub use names::{Names, comment, demangled, literal};
pub use native_stack::{Frames, NativeStack, UNBOUNDED, settled};
pub use options::{CodePlace, Options, Safety, SourceLine, SourceLines, StackSize, WasmModule};
pub use stack_checks::StackChecks;
pub use stack_need::StackNeed;
pub use translate::{passes, transpile, trees};
pub use types::{FuncType, ValType};

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
