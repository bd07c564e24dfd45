//! 32-bit x86.
//!
//! The relocations are those of the *System V ABI, Intel386 Architecture Processor Supplement*, "Relocation Types". What
//! differs from other architectures:
//!
//! - Objects use REL sections: the addend is in the field that is relocated.
//! - A field can be at any offset, and instructions can contain any 32-bit value, but the loader relocates only aligned
//!   words. Code therefore has to be position-independent.
//! - No instruction is relative to the program counter except calls and jumps. Position-independent code first loads the
//!   address of the GOT into a register, usually `%ebx`, from `_GLOBAL_OFFSET_TABLE_` (`R_386_GOTPC`). Everything
//!   else is relative to that register: entries of the GOT (`R_386_GOT32`) and objects at a known distance from it
//!   (`R_386_GOTOFF`).
//! - Distances count from the end of the field that is relocated, where the next instruction starts. The addend of
//!   `R_386_PC32` is therefore usually -4 (`relative_bias`).
//! - `R_386_GOT32X` marks a load from the GOT that may be replaced if the object is at a known distance ("Optimize
//!   R_386_GOT32X Relocations"). Without a base register, the same relocation would be an absolute address, which is
//!   refused (`got_is_based`).
//! - A call through the PLT is a direct call here. A module has no PLT, because it calls only its own functions directly.
//! - Code for all processors of the family is compatible as far as the linker is concerned: an object says nothing
//!   about the extensions it uses.

use super::description::{Arch, Stub};
use crate::model::{Section, Symbol, SymbolDef};
use crate::reloc::Formula::{
    Absolute, FromGot, GotAddress, GotOffset, Jump, None as Mark, Refuse, Relative, Size,
};
use crate::reloc::{NOTHING, Pc, Refusal, Row, S8, S16, S32, U8, U16, U32, row};

static ROWS: &[Row] = &[
    row(0, "R_386_NONE", Mark, &NOTHING),
    row(1, "R_386_32", Absolute, &U32),
    row(2, "R_386_PC32", Relative(Pc::Here), &S32),
    row(3, "R_386_GOT32", GotOffset, &S32),
    row(4, "R_386_PLT32", Jump(Pc::Here), &S32),
    row(5, "R_386_COPY", Refuse(Refusal::Dynamic), &NOTHING),
    row(6, "R_386_GLOB_DAT", Refuse(Refusal::Dynamic), &NOTHING),
    row(7, "R_386_JMP_SLOT", Refuse(Refusal::Dynamic), &NOTHING),
    row(8, "R_386_RELATIVE", Refuse(Refusal::Dynamic), &NOTHING),
    row(9, "R_386_GOTOFF", FromGot, &S32),
    row(10, "R_386_GOTPC", GotAddress, &S32),
    row(14, "R_386_TLS_TPOFF", Refuse(Refusal::Tls), &NOTHING),
    row(15, "R_386_TLS_IE", Refuse(Refusal::Tls), &NOTHING),
    row(16, "R_386_TLS_GOTIE", Refuse(Refusal::Tls), &NOTHING),
    row(17, "R_386_TLS_LE", Refuse(Refusal::Tls), &NOTHING),
    row(18, "R_386_TLS_GD", Refuse(Refusal::Tls), &NOTHING),
    row(19, "R_386_TLS_LDM", Refuse(Refusal::Tls), &NOTHING),
    row(20, "R_386_16", Absolute, &U16),
    row(21, "R_386_PC16", Relative(Pc::Here), &S16),
    row(22, "R_386_8", Absolute, &U8),
    row(23, "R_386_PC8", Relative(Pc::Here), &S8),
    row(32, "R_386_TLS_LDO_32", Refuse(Refusal::Tls), &NOTHING),
    row(33, "R_386_TLS_IE_32", Refuse(Refusal::Tls), &NOTHING),
    row(34, "R_386_TLS_LE_32", Refuse(Refusal::Tls), &NOTHING),
    row(38, "R_386_SIZE32", Size, &U32),
    row(39, "R_386_TLS_GOTDESC", Refuse(Refusal::Tls), &NOTHING),
    row(40, "R_386_TLS_DESC_CALL", Refuse(Refusal::Tls), &NOTHING),
    row(43, "R_386_GOT32X", GotOffset, &S32),
];

/// `jmp rel8` or `jmp rel32`.
pub(super) fn jump(distance: i64) -> Option<Vec<u8>> {
    let mut short = vec![0xeb, 0];
    if S8.write(&mut short[1..], distance.wrapping_sub(2)).is_ok() {
        return Some(short);
    }
    let mut near = vec![0xe9, 0, 0, 0, 0];
    S32.write(&mut near[1..], distance.wrapping_sub(5)).ok()?;
    Some(near)
}

const PC32: u32 = 2;
const GOTOFF: u32 = 9;
const GOT32X: u32 = 43;

/// The ABI's "Optimize R_386_GOT32X Relocations": `mov foo@GOT(%reg1), %reg2` becomes `lea foo@GOTOFF(%reg1), %reg2`, and an
/// indirect call becomes a direct one.
fn relax_got(section: &mut Section, _: &[Symbol], _: SymbolDef, near: &[bool]) {
    let Section { data, relocs, .. } = section;
    for (reloc, _) in relocs.iter_mut().zip(near).filter(|(_, near)| **near) {
        let at = reloc.offset as usize;
        if reloc.r_type != GOT32X || reloc.addend != 0 || at < 2 {
            continue;
        }
        let Some(&[opcode, mod_rm]) = data.get(at - 2..at) else { continue };
        // A 32-bit displacement from a register.
        if mod_rm & 0xc0 != 0x80 || mod_rm & 7 == 4 {
            continue;
        }
        match (opcode, mod_rm >> 3 & 7) {
            (0x8b, _) => {
                data.to_mut()[at - 2] = 0x8d;
                reloc.r_type = GOTOFF;
            }
            (0xff, 2) => {
                // `addr32 call` has the same length. Its distance counts from its end.
                data.to_mut()[at - 2..at].copy_from_slice(&[0x67, 0xe8]);
                reloc.r_type = PC32;
                reloc.addend = -4;
            }
            _ => {}
        }
    }
}

/// Whether the ModRM byte is not 00…101, which is a displacement without a register.
fn got_is_based(code_before: &[u8]) -> bool {
    code_before.last().is_none_or(|mod_rm| mod_rm & 0xc7 != 5)
}

pub static X86: Arch = Arch {
    name: "x86",
    machine: object::elf::EM_386,
    word: 4,
    literals: false,
    rows: ROWS,
    in_place: &[],
    // The unix port maps pages for text.
    text_align: 4096,
    // GCC aligns large arrays to a cache line (`ix86_data_alignment`).
    preferred_align: 64,
    relative_bias: -4,
    jump,
    // Three `nop`, so that the word is aligned, `mov $0, %eax` and `jmp *%eax`.
    stub: Stub { code: &[0x90, 0x90, 0x90, 0xb8, 0, 0, 0, 0, 0xff, 0xe0], entry: 0, word: 4, r_type: 1 },
    absolute_help: "compile with -fPIC",
    code_bit: 0,
    // The class of the ELF file is checked; there is nothing else.
    properties: &[],
    declared: &[],
    extensions: |_| 0,
    got_is_based,
    make_relative: None,
    relax_got: Some(relax_got),
    inline_got: None,
    relax_code: None,
};
