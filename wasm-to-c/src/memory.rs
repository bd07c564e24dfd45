//! The memory models: how an address becomes a C pointer. Nothing else knows them.

use std::fmt::Write as _;

use crate::func::Operand;
use crate::module::{Constant, Module};
use crate::{Options, Safety, WasmModule};

/// A pointer to a cell, and whether computing it may trap.
pub(crate) struct Address {
    pub text: String,
    pub traps: bool,
}

/// Memory 0 of a module.
pub(crate) enum Memory {
    None,
    /// A block of a fixed size.
    Static {
        bytes: u32,
        page: u32,
        safety: Safety,
    },
    /// A block that `memory.grow` may move.
    Growable {
        minimum: u32,
        maximum: u32,
        page: u32,
    },
    /// No block at all: addresses are the machine's.
    Direct,
}

impl Memory {
    pub fn of(source: &WasmModule, module: &Module<'_>, options: &Options) -> Memory {
        let Some(memory) = &module.memory else { return Memory::None };
        if options.direct {
            return Memory::Direct;
        }
        let page = memory.page as u32;
        let declared = (memory.minimum * memory.page).min(u64::from(u32::MAX)) as u32;
        match source.memory_bytes {
            Some(bytes) => Memory::Static { bytes, page, safety: options.safety },
            None if memory.maximum == Some(memory.minimum) => {
                Memory::Static { bytes: declared, page, safety: options.safety }
            }
            None => {
                let most = (u64::from(u32::MAX) / memory.page).min(memory.maximum.unwrap_or(u64::MAX));
                Memory::Growable { minimum: declared, maximum: most as u32, page }
            }
        }
    }

    /// Bytes of the C array of a static memory: masked accesses reach past the mask by a cell.
    fn array(&self) -> u32 {
        match self {
            Memory::Static { bytes, safety: Safety::Masked, .. } => bytes.next_power_of_two() + 8,
            Memory::Static { bytes, .. } => *bytes,
            _ => 0,
        }
    }

    /// A pointer to `bytes` bytes at `address` + `offset`.
    pub fn at(&self, address: &Operand, offset: u64, bytes: u32) -> Address {
        let end = offset + u64::from(bytes);
        let plus = |base: &str| if offset == 0 { base.to_owned() } else { format!("{base} + {offset}u") };
        match self {
            Memory::None => Address { text: "(uintptr_t)0".into(), traps: false },
            Memory::Direct => {
                Address { text: format!("(uintptr_t)({})", plus(&address.inner())), traps: false }
            }
            Memory::Static { bytes: size, safety, .. } => {
                if let Some(known) = address.known
                    && u64::from(known) + end <= u64::from(*size)
                {
                    return Address {
                        text: format!("(memory + {}u)", u64::from(known) + offset),
                        traps: false,
                    };
                }
                match safety {
                    Safety::Trusted => {
                        Address { text: format!("(memory + ({}))", plus(&address.inner())), traps: false }
                    }
                    Safety::Masked => {
                        let mask = size.next_power_of_two() - 1;
                        Address {
                            text: format!("(memory + (({}) & {mask:#x}u))", plus(&address.inner())),
                            traps: false,
                        }
                    }
                    Safety::Checked if end > u64::from(*size) => {
                        Address { text: format!("wasm_outside({})", address.text), traps: true }
                    }
                    Safety::Checked => {
                        let last = u64::from(*size) - end;
                        Address { text: format!("at({}, {offset}u, {last}u)", address.text), traps: true }
                    }
                }
            }
            Memory::Growable { .. } if end > u64::from(u32::MAX) => {
                Address { text: format!("wasm_outside({})", address.text), traps: true }
            }
            Memory::Growable { .. } => {
                Address { text: format!("at({}, {offset}u, {end}u)", address.text), traps: true }
            }
        }
    }

    /// `memory.size`.
    pub fn size(&self) -> String {
        match self {
            Memory::Static { bytes, page, .. } => format!("{}u", bytes.div_ceil(*page)),
            Memory::Growable { page, .. } => format!("(memory_bytes / {page}u)"),
            Memory::Direct | Memory::None => "0u".into(),
        }
    }

    /// `memory.grow`.
    pub fn grow(&self, pages: &str) -> String {
        match self {
            Memory::Static { .. } => format!("({pages}) == 0 ? {} : (-1u)", self.size()),
            Memory::Growable { .. } => format!("grow({pages})"),
            Memory::Direct | Memory::None => format!("((void)({pages}), (-1u))"),
        }
    }

    /// `memory.copy` and `memory.fill`.
    pub fn bulk(&self, what: &str, args: &[Operand]) -> String {
        let [a, b, c] = args else { unreachable!("three operands") };
        match self {
            Memory::Direct => {
                let b = if what == "copy" {
                    format!("(void *)(uintptr_t){}", b.inner())
                } else {
                    format!("(int){}", b.inner())
                };
                let function = if what == "copy" { "__builtin_memmove" } else { "__builtin_memset" };
                format!("{function}((void *)(uintptr_t){}, {b}, {})", a.inner(), c.text)
            }
            _ => format!("wasm_memory_{what}(memory, {}, {}, {}, {})", self.bytes(), a.text, b.text, c.text),
        }
    }

    /// `memory.init`.
    pub fn init(&self, segment: u32, args: &[Operand]) -> String {
        let [a, b, c] = args else { unreachable!("three operands") };
        format!(
            "wasm_memory_init(memory, {}, data{segment}, data{segment}_bytes, {}, {}, {})",
            self.bytes(),
            a.text,
            b.text,
            c.text
        )
    }

    /// Its current size in bytes.
    pub fn bytes(&self) -> String {
        match self {
            Memory::Static { bytes, .. } => format!("{bytes}u"),
            Memory::Growable { .. } => "memory_bytes".into(),
            Memory::Direct => "0xffffffffu".into(),
            Memory::None => "0u".into(),
        }
    }

    /// Declarations.
    pub fn declare(&self, c: &mut String) {
        match self {
            Memory::None | Memory::Direct => {}
            Memory::Static { safety, .. } => {
                let _ = writeln!(
                    c,
                    "WASM_STATE uint8_t memory[{}] __attribute__((aligned(8)));",
                    self.array().max(1)
                );
                if *safety == Safety::Checked {
                    c.push_str(
                        "\n/* The cell at addr + offset; last is the last addr for which it is inside. */\n\
                         static inline uint8_t *at(uint32_t addr, uint32_t offset, uint32_t last) {\n    \
                         if (addr > last) {\n        wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);\n    }\n    \
                         return memory + offset + addr;\n}\n",
                    );
                }
                c.push('\n');
            }
            Memory::Growable { maximum, page, .. } => {
                let _ = write!(
                    c,
                    "WASM_STATE uint8_t *memory;\nWASM_STATE uint32_t memory_bytes;\n\n\
                     /* The cell at addr + offset, which ends at addr + end. */\n\
                     static inline uint8_t *at(uint32_t addr, uint32_t offset, uint32_t end) {{\n    \
                     if (end > memory_bytes || addr > memory_bytes - end) {{\n        \
                     wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);\n    }}\n    return memory + offset + addr;\n}}\n\n\
                     WASM_UNUSED static uint32_t grow(uint32_t pages) {{\n    \
                     uint32_t old = memory_bytes / {page}u;\n    \
                     if (pages > {maximum}u - old) {{\n        return (-1u);\n    }}\n    \
                     uint8_t *moved = wasm_memory_grow(memory, memory_bytes, (old + pages) * {page}u);\n    \
                     if (moved == NULL) {{\n        return (-1u);\n    }}\n    \
                     memory = moved;\n    memory_bytes = (old + pages) * {page}u;\n    return old;\n}}\n\n",
                );
            }
        }
    }

    /// Statements that make it and fill it when the module starts.
    pub fn start(&self, c: &mut String, module: &Module<'_>) {
        if let Memory::Growable { minimum, .. } = self {
            let _ = write!(
                c,
                "memory = wasm_memory_grow(NULL, 0, {minimum}u);\n\
                 if (memory == NULL && {minimum}u != 0) {{\n    wasm_trap(WASM_TRAP_OUT_OF_MEMORY);\n}}\n\
                 memory_bytes = {minimum}u;\n"
            );
        }
        if matches!(self, Memory::Direct) {
            return;
        }
        for (index, data) in module.data.iter().enumerate() {
            let Some(offset) = data.offset else { continue };
            let Constant::I32(offset) = offset else { continue };
            let zeros = data.bytes.iter().rev().take_while(|byte| **byte == 0).count();
            let used = data.bytes.len() - zeros;
            let inside = match self {
                Memory::Static { bytes, .. } | Memory::Growable { minimum: bytes, .. } => {
                    u64::from(offset) + data.bytes.len() as u64 <= u64::from(*bytes)
                }
                _ => false,
            };
            if !inside {
                c.push_str("wasm_trap(WASM_TRAP_MEMORY_OUT_OF_BOUNDS);\n");
            } else if used > 0 {
                let _ = writeln!(c, "__builtin_memcpy(memory + {offset}u, data{index}, {used}u);");
            }
        }
    }
}
