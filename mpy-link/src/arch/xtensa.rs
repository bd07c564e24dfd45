//! Xtensa with the windowed and the call0 ABI.
//!
//! The numbers of the relocations are those of binutils (`include/elf/xtensa.h`). No document describes them, so the
//! formulas follow `bfd/elf32-xtensa.c`. The instructions are those of the *Xtensa Instruction Set Architecture (ISA)
//! Reference Manual*. What differs from other architectures:
//!
//! - Instructions are 3 or 2 bytes long ("Code Density Option") and hold no addresses. `L32R` loads a word, a literal,
//!   that lies up to 256 KiB before it. Its 16-bit offset counts words and is always negative: literals have to come
//!   before the code that uses them. It counts from the address of the instruction, plus 3, rounded down to a word
//!   ("L32R", [`Pc::WordUp`]).
//! - Compilers put literals into sections called `.literal` or `NAME.literal`. Two equal literals may be merged.
//! - `CALL0` to `CALL12` reach functions at multiples of 4. They count words from the address of the instruction, rounded
//!   down to a word, plus 4 ("CALL0", [`Pc::WordAfter`]). `J` and branches count bytes from the address plus 4 ("J",
//!   [`Pc::After4`]).
//! - `R_XTENSA_SLOT0_OP` is the relocation of every instruction. Which field it changes, and how, depends on the
//!   instruction at that place, which has to be decoded ([`ByInstruction`]).
//! - Sections of relocations are RELA, but the fields of `R_XTENSA_32` and `R_XTENSA_PLT` count as well (they are
//!   `partial_inplace` in binutils).
//! - `R_XTENSA_DIFF*` and its variants mark differences of labels for linkers that change the size of code. This one does
//!   not, and the field already contains the difference.
//! - The instruction memory of the ESP8266 and the ESP32 can be read with aligned 32-bit loads only, so constants that
//!   are read byte by byte cannot be part of text (`byte-readable-text` in `target-specs/archs/`).
//! - The windowed ABI and the call0 ABI pass arguments in different registers ("Windowed Register Option"). Nothing in
//!   the ELF header says which one an object uses. Compilers note it in the section `.xtensa.info`.

use super::description::{Arch, Stub};
use crate::abi::{Fits, Property, word};
use crate::reloc::Formula::{self, Absolute, ByInstruction, Jump, None as Mark, Refuse, Relative};
use crate::reloc::{Field, NOTHING, Pc, Range, Refusal, Row, S32, U32, bits, row};

/// `l32r`: the offset in words of the literal, which is before the instruction.
static L32R: Field = Field {
    bytes: 3,
    bits: &[bits(2, 16, 8)],
    range: Range::Between(-0x4_0000, -4),
    align: 4,
    swizzle: None,
    addend: None,
};
/// `call0`, `call4`, `call8`, `call12`.
static CALL: Field = Field {
    bytes: 3,
    bits: &[bits(2, 18, 6)],
    range: Range::Signed(20),
    align: 4,
    swizzle: None,
    addend: None,
};
/// `j`.
static JUMP: Field = Field::number(3, &[bits(0, 18, 6)], Range::Signed(18));
/// `beqz` and similar branches.
static BRANCH_12: Field = Field::number(3, &[bits(0, 12, 12)], Range::Signed(12));
/// `beq` and similar branches.
static BRANCH_8: Field = Field::number(3, &[bits(0, 8, 16)], Range::Signed(8));
/// `loop` and similar instructions: forward only.
static LOOP: Field = Field::number(3, &[bits(0, 8, 16)], Range::Between(0, 255));
/// `beqz.n`, `bnez.n`: forward only.
static BRANCH_NARROW: Field = Field::number(2, &[bits(0, 4, 12), bits(4, 2, 4)], Range::Between(0, 63));

/// The formula and the field of the address in an instruction.
fn slot0(code: &[u8]) -> Option<(Formula, &'static Field)> {
    let (first, second) = (*code.first()?, *code.get(1)?);
    let (n, m) = (first >> 4 & 3, first >> 6 & 3);
    Some(match first & 15 {
        1 => (Relative(Pc::WordUp), &L32R),
        5 => (Jump(Pc::WordAfter), &CALL),
        6 => match (n, m) {
            (0, _) => (Jump(Pc::After4), &JUMP),
            (1, _) => (Jump(Pc::After4), &BRANCH_12),
            (2, _) | (3, 2 | 3) => (Jump(Pc::After4), &BRANCH_8),
            // BI1: `entry` has no address. In the group B1, `bf` and `bt` are branches, `loop*` are loops.
            (3, 1) => match second >> 4 {
                0 | 1 => (Jump(Pc::After4), &BRANCH_8),
                8..=10 => (Jump(Pc::After4), &LOOP),
                _ => return None,
            },
            _ => return None,
        },
        7 => (Jump(Pc::After4), &BRANCH_8),
        // ST2: `beqz.n` and `bnez.n`, not `movi.n`.
        12 if first & 0x80 != 0 => (Jump(Pc::After4), &BRANCH_NARROW),
        _ => return None,
    })
}

static ROWS: &[Row] = &[
    row(0, "R_XTENSA_NONE", Mark, &NOTHING),
    row(1, "R_XTENSA_32", Absolute, &U32),
    row(2, "R_XTENSA_RTLD", Refuse(Refusal::Dynamic), &NOTHING),
    row(3, "R_XTENSA_GLOB_DAT", Refuse(Refusal::Dynamic), &NOTHING),
    row(4, "R_XTENSA_JMP_SLOT", Refuse(Refusal::Dynamic), &NOTHING),
    row(5, "R_XTENSA_RELATIVE", Refuse(Refusal::Dynamic), &NOTHING),
    row(6, "R_XTENSA_PLT", Absolute, &U32),
    // The assembler permits the linker to shorten a call. This would save nothing.
    row(11, "R_XTENSA_ASM_EXPAND", Mark, &NOTHING),
    row(12, "R_XTENSA_ASM_SIMPLIFY", Mark, &NOTHING),
    row(14, "R_XTENSA_32_PCREL", Relative(Pc::Here), &S32),
    row(15, "R_XTENSA_GNU_VTINHERIT", Mark, &NOTHING),
    row(16, "R_XTENSA_GNU_VTENTRY", Mark, &NOTHING),
    // Differences in a section. The field already contains them.
    row(17, "R_XTENSA_DIFF8", Mark, &NOTHING),
    row(18, "R_XTENSA_DIFF16", Mark, &NOTHING),
    row(19, "R_XTENSA_DIFF32", Mark, &NOTHING),
    row(20, "R_XTENSA_SLOT0_OP", ByInstruction(slot0), &NOTHING),
    row(50, "R_XTENSA_TLSDESC_FN", Refuse(Refusal::Tls), &NOTHING),
    row(51, "R_XTENSA_TLSDESC_ARG", Refuse(Refusal::Tls), &NOTHING),
    row(52, "R_XTENSA_TLS_DTPOFF", Refuse(Refusal::Tls), &NOTHING),
    row(53, "R_XTENSA_TLS_TPOFF", Refuse(Refusal::Tls), &NOTHING),
    row(54, "R_XTENSA_TLS_FUNC", Refuse(Refusal::Tls), &NOTHING),
    row(55, "R_XTENSA_TLS_ARG", Refuse(Refusal::Tls), &NOTHING),
    row(56, "R_XTENSA_TLS_CALL", Refuse(Refusal::Tls), &NOTHING),
    row(57, "R_XTENSA_PDIFF8", Mark, &NOTHING),
    row(58, "R_XTENSA_PDIFF16", Mark, &NOTHING),
    row(59, "R_XTENSA_PDIFF32", Mark, &NOTHING),
    row(60, "R_XTENSA_NDIFF8", Mark, &NOTHING),
    row(61, "R_XTENSA_NDIFF16", Mark, &NOTHING),
    row(62, "R_XTENSA_NDIFF32", Mark, &NOTHING),
];

/// `j`.
fn jump(distance: i64) -> Option<Vec<u8>> {
    let mut code = vec![0x06, 0, 0];
    JUMP.write(&mut code, distance.wrapping_sub(4)).ok()?;
    Some(code)
}

/// `XTHAL_ABI_WINDOWED`, `XTHAL_ABI_CALL0` (`xtensa/config/core.h`).
const WINDOWED: &str = "windowed";
const CALL0: &str = "call0";

/// A windowed call renames the registers, so a function of the other ABI would not find its arguments.
const fn abi(fits: &'static [&'static str]) -> Property {
    Property {
        name: "ABI of .xtensa.info",
        of: |info| info.info("ABI")?.trim().parse().ok().map(|abi| word(abi, &[WINDOWED, CALL0])),
        fits: Fits::Arch(fits),
        help: "compile with -mabi=call0 for `xtensa`, -mabi=windowed for `xtensawin`, and link libraries for the same ABI",
    }
}

const BASE: Arch = Arch {
    name: "xtensa",
    machine: object::elf::EM_XTENSA,
    word: 4,
    literals: true,
    rows: ROWS,
    in_place: &[1, 6],
    // Executable memory is allocated in words.
    text_align: 4,
    preferred_align: 1,
    relative_bias: 0,
    jump,
    // The word, which `l32r` loads from behind, `l32r a9` and `jx a9`.
    stub: Stub { code: &[0, 0, 0, 0, 0x91, 0xff, 0xff, 0xa0, 0x09, 0x00], entry: 4, word: 0, r_type: 1 },
    absolute_help: "only an aligned word, such as a literal, can contain an address",
    code_bit: 0,
    properties: &[abi(&[CALL0])],
    declared: &[],
    extensions: |_| 0,
    got_is_based: |_| true,
    make_relative: None,
    relax_got: None,
    inline_got: None,
    relax_code: None,
};

pub static XTENSA: Arch = BASE;
pub static XTENSAWIN: Arch = Arch {
    name: "xtensawin",
    properties: &[abi(&[WINDOWED])],
    // The window is still the caller's, where the arguments are in `a10` to `a12` after `call8`, and behind them nothing.
    stub: Stub { code: &[0, 0, 0, 0, 0xf1, 0xff, 0xff, 0xa0, 0x0f, 0x00], entry: 4, word: 0, r_type: 1 },
    ..BASE
};
