//! What is translated, and how.

use std::collections::HashSet;

use crate::relocs;
use crate::stack_checks::StackChecks;

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
    /// Those of [`relocs::read`](crate::relocs::read), for a module made of what that returned.
    pub relocations: Option<relocs::Relocations>,
    /// Where what the program itself uses of memory 0 ends, when the linker said so (`__heap_base`).
    pub heap_base: Option<u32>,
    /// The embedder's heap lies in memory 0 and makes it grow, whatever the module declares.
    pub heap_grows: bool,
    /// Bytes that the embedder's heap has from the start where addresses are the machine's.
    pub heap_reserve: u32,
    /// Given, the C says by `#line` which line of the source each statement is from.
    pub lines: Option<SourceLines>,
}

/// A line of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceLine {
    /// The index of the file in [`SourceLines::files`].
    pub file: usize,
    /// Counted from 1.
    pub line: u32,
}

/// The lines of the source that the operators of a module come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceLines {
    /// The paths of the source files.
    pub files: Vec<String>,
    /// Offsets in the bytes of the module, sorted: the line of the operator there, and of those up to the next offset. `None`
    /// where it is not known.
    pub rows: Vec<(u32, Option<SourceLine>)>,
}

impl SourceLines {
    /// The line of the operator at this offset.
    pub fn at(&self, offset: usize) -> Option<SourceLine> {
        let after = self.rows.partition_point(|(start, _)| *start as usize <= offset);
        let (_, line) = self.rows.get(after.checked_sub(1)?)?;
        // The largest number of a line in C (C11, 6.10.4).
        let numbers = 1..=i32::MAX.unsigned_abs();
        line.filter(|line| numbers.contains(&line.line) && line.file < self.files.len())
    }
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
            lines: None,
        }
    }
}

/// What happens to a load or store outside the linear memory.
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

/// The size of a shadow stack that is set where a program is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackSize {
    /// So many bytes.
    Fixed(u32),
    /// What the program needs, as far as that is known. A linear memory is as its linker laid it out.
    AsNeeded,
}

/// Where the code of a module is when it runs, which decides what of it can have an address in C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodePlace {
    /// In RAM, where a loader puts code and state, and writes addresses into both.
    #[default]
    Loaded,
    /// In a program whose linker knows the address of code and constants. Everything that changes is in one block of
    /// memory, whose address is `WASM_BASE` when the module runs, and whose bytes are 0 before the module starts.
    /// `wasm_state.h` says how other code adds to it.
    Linked,
    /// In read-only memory at any address. State is in a block, as are constants that contain addresses.
    Anywhere,
}

impl CodePlace {
    /// Whether everything that changes is in one block at `WASM_BASE`.
    pub fn has_state_block(self) -> bool {
        self != CodePlace::Loaded
    }
}

/// How to translate.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What happens to loads and stores outside the linear memory.
    pub safety: Safety,
    /// Other modules may import what this one exports.
    pub linkable: bool,
    /// The size of the shadow stack, if whoever builds the module sets it.
    pub stack: Option<StackSize>,
    /// Imports, by module and name, during which no exported function is called.
    pub quiet_imports: HashSet<(String, String)>,
    /// With a direct memory: constants of at least that many bytes, with no address in them, are no part of the C.
    /// Its start asks `wasm_flash_table` for them.
    pub flash_tables: Option<u32>,
    /// Accesses lie where their alignment hints say, as a compiler's do that made the hints. WebAssembly promises
    /// nothing of that kind.
    pub aligned: bool,
    /// The C is compiled for speed, and may be larger for that.
    pub for_speed: bool,
    /// The machine's addresses have 64 bits.
    pub wide_addresses: bool,
    /// The machine compares in one instruction, and branches in the next.
    pub condition_flags: bool,
    /// A number that has its ones in eight bits in a row can be an operand of the machine's comparisons (Arm: modified immediate
    /// constants).
    pub modified_immediates: bool,
    /// Where the code is when it runs.
    pub code: CodePlace,
    /// Traps say which function they are in, and which line of the source, if that is known: the C defines `WASM_NAMES`.
    pub trap_names: bool,
    /// If given, calls cannot overflow the native stack if these checks suffice for the frames that the C compiler makes:
    /// see [`settled`](crate::settled).
    pub stack_checks: Option<StackChecks>,
    /// Whether the import of that module and name throws exceptions, if any does: it puts them into `wasm_thrown`. What
    /// leaves an exported function is for the embedder then, in `wasm_uncaught`, which does not return. In `wasm_caught`
    /// is what a handler of every exception caught last, unless it throws that again.
    pub throwing: Option<fn(&str, &str) -> bool>,
}
