//! x86-64.
//!
//! The relocations are those of the *System V ABI, AMD64 Architecture Processor Supplement*, "Relocation Types". What
//! differs from other architectures:
//!
//! - Objects use RELA sections: the addend is in the relocation.
//! - Most instructions can address memory relative to the program counter (`%rip`). The distance has 32 bits and counts
//!   from the end of the instruction, while a relocation counts from the field, so the addend is -4, or less if an
//!   immediate follows the field (`relative_bias`).
//! - The loader relocates aligned 64-bit words. An absolute address in an instruction has 32 bits (`R_X86_64_32`,
//!   `R_X86_64_32S`) and cannot be relocated, so code has to be position-independent.
//! - An entry of the GOT is addressed directly (`R_X86_64_GOTPCREL`); no register holds the address of the GOT.
//!   Only the large code model uses offsets from it (`R_X86_64_GOTOFF64`).
//! - `R_X86_64_GOTPCRELX` and `R_X86_64_REX_GOTPCRELX` mark loads from the GOT that may be replaced if the object is at a
//!   known distance ("Optimize GOTPCRELX Relocations"). The bytes before the field are the opcode and the ModRM byte.
//! - A call through the PLT is a direct call here. A module has no PLT, because it calls only its own functions directly.
//! - x32 objects are 64-bit code in 32-bit ELF files. They are refused by their class.

use super::description::{Arch, Stub};
use super::x86;
use crate::model::{Section, Symbol, SymbolDef};
use crate::reloc::Formula::{
    Absolute, FromGot, GotAddress, GotEntry, GotOffset, Jump, None as Mark, Refuse, Relative, Size,
};
use crate::reloc::{NOTHING, Pc, Refusal, Row, S8, S16, S32, U8, U16, U32, U64, row};

static ROWS: &[Row] = &[
    row(0, "R_X86_64_NONE", Mark, &NOTHING),
    row(1, "R_X86_64_64", Absolute, &U64),
    row(2, "R_X86_64_PC32", Relative(Pc::Here), &S32),
    row(3, "R_X86_64_GOT32", GotOffset, &S32),
    row(4, "R_X86_64_PLT32", Jump(Pc::Here), &S32),
    row(5, "R_X86_64_COPY", Refuse(Refusal::Dynamic), &NOTHING),
    row(6, "R_X86_64_GLOB_DAT", Refuse(Refusal::Dynamic), &NOTHING),
    row(7, "R_X86_64_JUMP_SLOT", Refuse(Refusal::Dynamic), &NOTHING),
    row(8, "R_X86_64_RELATIVE", Refuse(Refusal::Dynamic), &NOTHING),
    row(9, "R_X86_64_GOTPCREL", GotEntry, &S32),
    row(10, "R_X86_64_32", Absolute, &U32),
    row(11, "R_X86_64_32S", Absolute, &S32),
    row(12, "R_X86_64_16", Absolute, &U16),
    row(13, "R_X86_64_PC16", Relative(Pc::Here), &S16),
    row(14, "R_X86_64_8", Absolute, &U8),
    row(15, "R_X86_64_PC8", Relative(Pc::Here), &S8),
    row(16, "R_X86_64_DTPMOD64", Refuse(Refusal::Tls), &NOTHING),
    row(17, "R_X86_64_DTPOFF64", Refuse(Refusal::Tls), &NOTHING),
    row(18, "R_X86_64_TPOFF64", Refuse(Refusal::Tls), &NOTHING),
    row(19, "R_X86_64_TLSGD", Refuse(Refusal::Tls), &NOTHING),
    row(20, "R_X86_64_TLSLD", Refuse(Refusal::Tls), &NOTHING),
    row(21, "R_X86_64_DTPOFF32", Refuse(Refusal::Tls), &NOTHING),
    row(22, "R_X86_64_GOTTPOFF", Refuse(Refusal::Tls), &NOTHING),
    row(23, "R_X86_64_TPOFF32", Refuse(Refusal::Tls), &NOTHING),
    row(24, "R_X86_64_PC64", Relative(Pc::Here), &U64),
    row(25, "R_X86_64_GOTOFF64", FromGot, &U64),
    row(26, "R_X86_64_GOTPC32", GotAddress, &S32),
    row(27, "R_X86_64_GOT64", GotOffset, &U64),
    row(28, "R_X86_64_GOTPCREL64", GotEntry, &U64),
    row(29, "R_X86_64_GOTPC64", GotAddress, &U64),
    row(31, "R_X86_64_PLTOFF64", FromGot, &U64),
    row(32, "R_X86_64_SIZE32", Size, &U32),
    row(33, "R_X86_64_SIZE64", Size, &U64),
    row(34, "R_X86_64_GOTPC32_TLSDESC", Refuse(Refusal::Tls), &NOTHING),
    row(35, "R_X86_64_TLSDESC_CALL", Refuse(Refusal::Tls), &NOTHING),
    row(36, "R_X86_64_TLSDESC", Refuse(Refusal::Tls), &NOTHING),
    row(41, "R_X86_64_GOTPCRELX", GotEntry, &S32),
    row(42, "R_X86_64_REX_GOTPCRELX", GotEntry, &S32),
];

const PC32: u32 = 2;
const GOTPCRELX: u32 = 41;
const REX_GOTPCRELX: u32 = 42;

/// The ABI's "Optimize GOTPCRELX Relocations": `mov foo@GOTPCREL(%rip), reg` becomes `lea foo(%rip), reg`, and an indirect
/// call or jump becomes a direct one.
fn relax_got(section: &mut Section, _: &[Symbol], _: SymbolDef, near: &[bool]) {
    let Section { data, relocs, .. } = section;
    for (reloc, _) in relocs.iter_mut().zip(near).filter(|(_, near)| **near) {
        let at = reloc.offset as usize;
        // The field is the end of the instruction.
        if !matches!(reloc.r_type, GOTPCRELX | REX_GOTPCRELX) || reloc.addend != -4 || at < 2 {
            continue;
        }
        let Some(&[opcode, mod_rm]) = data.get(at - 2..at) else { continue };
        match (opcode, mod_rm) {
            (0x8b, _) => data.to_mut()[at - 2] = 0x8d,
            // `addr32 call` has the same length.
            (0xff, 0x15) => data.to_mut()[at - 2..at].copy_from_slice(&[0x67, 0xe8]),
            (0xff, 0x25) if data.len() - at >= 4 => {
                // `jmp` is shorter by one byte. It is followed by a `nop`, which is never reached.
                data.to_mut()[at - 2] = 0xe9;
                data.to_mut()[at + 3] = 0x90;
                reloc.offset -= 1;
            }
            _ => continue,
        }
        reloc.r_type = PC32;
    }
    relocs.sort_by_key(|reloc| reloc.offset);
}

pub static X64: Arch = Arch {
    name: "x64",
    machine: object::elf::EM_X86_64,
    word: 8,
    literals: false,
    rows: ROWS,
    in_place: &[],
    // The unix port maps pages for text.
    text_align: 4096,
    // GCC aligns large arrays to a cache line (`ix86_data_alignment`).
    preferred_align: 64,
    relative_bias: -4,
    jump: x86::jump,
    // `jmp *2(%rip)`, `int3`, `int3`, and the word.
    stub: Stub {
        code: &[0xff, 0x25, 2, 0, 0, 0, 0xcc, 0xcc, 0, 0, 0, 0, 0, 0, 0, 0],
        entry: 0,
        word: 8,
        r_type: 1,
    },
    absolute_help: "compile with -fPIC",
    code_bit: 0,
    // The class of the ELF file is checked; there is nothing else.
    properties: &[],
    declared: &[],
    extensions: |_| 0,
    got_is_based: |_| true,
    make_relative: None,
    relax_got: Some(relax_got),
    inline_got: None,
    relax_code: None,
};
