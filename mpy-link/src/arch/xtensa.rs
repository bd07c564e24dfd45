//! Xtensa: the numbers are those of binutils' `include/elf/xtensa.h`, the encodings those of the
//! *Xtensa Instruction Set Architecture Reference Manual*.
//!
//! Instructions hold no addresses: `l32r` loads them from literals before the code, which the
//! loader relocates. Text is only readable in aligned words, so constants lie in another block.

use super::description::Arch;
use crate::abi::{Fits, Property, word};
use crate::reloc::Formula::{self, Absolute, ByInstruction, Jump, None as Mark, Refuse, Relative};
use crate::reloc::{Field, NOTHING, Pc, Range, Refusal, Row, S32, U32, bits, row};

/// `l32r`: words before the literal's user.
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
/// `beqz` and its like.
static BRANCH_12: Field = Field::number(3, &[bits(0, 12, 12)], Range::Signed(12));
/// `beq` and its like.
static BRANCH_8: Field = Field::number(3, &[bits(0, 8, 16)], Range::Signed(8));
/// `loop` and its like: forward only.
static LOOP: Field = Field::number(3, &[bits(0, 8, 16)], Range::Between(0, 255));
/// `beqz.n`, `bnez.n`: forward only.
static BRANCH_NARROW: Field = Field::number(2, &[bits(0, 4, 12), bits(4, 2, 4)], Range::Between(0, 63));

/// The formula and field of the instruction's only address.
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
            // BI1: `entry` has no address; of the B1 group, `bf` and `bt` branch, `loop*` loop.
            (3, 1) => match second >> 4 {
                0 | 1 => (Jump(Pc::After4), &BRANCH_8),
                8..=10 => (Jump(Pc::After4), &LOOP),
                _ => return None,
            },
            _ => return None,
        },
        7 => (Jump(Pc::After4), &BRANCH_8),
        // ST2: `beqz.n` and `bnez.n` share a number with `movi.n`.
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
    // How the assembler would have the linker shorten a call: there is nothing to gain.
    row(11, "R_XTENSA_ASM_EXPAND", Mark, &NOTHING),
    row(12, "R_XTENSA_ASM_SIMPLIFY", Mark, &NOTHING),
    row(14, "R_XTENSA_32_PCREL", Relative(Pc::Here), &S32),
    row(15, "R_XTENSA_GNU_VTINHERIT", Mark, &NOTHING),
    row(16, "R_XTENSA_GNU_VTENTRY", Mark, &NOTHING),
    // Differences inside a section, already in place; they matter to linkers that move code.
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

/// A windowed call moves the registers, where a function of the other ABI looks for its arguments.
const fn abi(fits: &'static [&'static str]) -> Property {
    Property {
        name: "ABI of .xtensa.info",
        of: |info| info.info("ABI")?.trim().parse().ok().map(|abi| word(abi, &[WINDOWED, CALL0])),
        fits: Fits::Arch(fits),
        help: "compile with -mabi=call0 for `xtensa`, -mabi=windowed for `xtensawin`, and link libraries that are",
    }
}

const BASE: Arch = Arch {
    name: "xtensa",
    machine: object::elf::EM_XTENSA,
    word: 4,
    literals: true,
    rows: ROWS,
    in_place: &[1, 6],
    // Executable memory is handed out in words.
    text_align: 4,
    preferred_align: 1,
    relative_bias: 0,
    jump,
    absolute_help: "only an aligned word, such as a literal, can hold an address",
    code_bit: 0,
    properties: &[abi(&[CALL0])],
    extensions: |_| 0,
    got_is_based: |_| true,
    make_relative: None,
    relax_got: None,
    inline_got: None,
    relax_code: None,
};

pub static XTENSA: Arch = BASE;
pub static XTENSAWIN: Arch = Arch { name: "xtensawin", properties: &[abi(&[WINDOWED])], ..BASE };
