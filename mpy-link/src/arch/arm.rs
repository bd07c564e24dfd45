//! Thumb: *ELF for the Arm Architecture* (AAELF32), "Relocation codes table".
//!
//! Code is compiled for absolute addresses in literal pools (`-fno-pic -mword-relocations`), which
//! the loader relocates; code compiled as PIC has its addresses in a GOT and links as well.

use super::{Arch, thumb};
use crate::reloc::Formula::{
    Absolute, FromGot, GotAddress, GotEntry, GotOffset, None as Mark, Refuse, Relative, ThumbBranch,
};
use crate::reloc::{Bits, Field, NOTHING, Pc, Range, Refusal, Row, S32, U8, U16, U32, bits, row};

/// `BL`, `B.W`: S:I1:I2:imm10:imm11:0, where J1 and J2 are stored as NOT(I EOR S).
pub(super) static BRANCH_24: Field = Field {
    bytes: 4,
    bits: &[bits(1, 11, 16), bits(12, 10, 0), bits(22, 1, 27), bits(23, 1, 29), bits(24, 1, 10)],
    range: Range::Signed(25),
    align: 2,
    swizzle: Some(swizzle_j),
    addend: None,
};

/// Exchanges bits 22 and 23 of an offset for J2 and J1, or back.
fn swizzle_j(value: u64) -> u64 {
    let sign = value >> 24 & 1;
    value ^ ((sign ^ 1) * 0xc0_0000)
}

/// `B<c>.W`: S:J2:J1:imm6:imm11:0.
pub(super) static BRANCH_19: Field = Field {
    bytes: 4,
    bits: &[bits(1, 11, 16), bits(12, 6, 0), bits(18, 1, 29), bits(19, 1, 27), bits(20, 1, 10)],
    range: Range::Signed(21),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `B`.
pub(super) static BRANCH_11: Field = Field {
    bytes: 2,
    bits: &[bits(1, 11, 0)],
    range: Range::Signed(12),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `B<c>`.
pub(super) static BRANCH_8: Field = Field {
    bytes: 2,
    bits: &[bits(1, 8, 0)],
    range: Range::Signed(9),
    align: 2,
    swizzle: None,
    addend: None,
};
/// imm4:i:imm3:imm8 of `MOVW`.
static MOVW: Field = Field::number(4, MOV_IMMEDIATE, Range::Any);
const MOV_IMMEDIATE: &[Bits] = &[bits(0, 8, 16), bits(8, 3, 28), bits(11, 1, 10), bits(12, 4, 0)];
/// The same immediate, upper half of the value; its addend is that of the `MOVW`.
static MOVT: Field = Field {
    bytes: 4,
    bits: &[bits(16, 8, 16), bits(24, 3, 28), bits(27, 1, 10), bits(28, 4, 0)],
    range: Range::Either(32),
    align: 1,
    swizzle: None,
    addend: Some(&MOVW),
};
static PREL31: Field = Field::number(4, &[bits(0, 31, 0)], Range::Signed(31));

static ROWS: &[Row] = &[
    row(0, "R_ARM_NONE", Mark, &NOTHING),
    row(1, "R_ARM_PC24", Refuse(Refusal::ForeignCode), &NOTHING),
    row(2, "R_ARM_ABS32", Absolute, &U32),
    row(3, "R_ARM_REL32", Relative(Pc::Here), &S32),
    row(5, "R_ARM_ABS16", Absolute, &U16),
    row(8, "R_ARM_ABS8", Absolute, &U8),
    row(10, "R_ARM_THM_CALL", ThumbBranch, &BRANCH_24),
    row(24, "R_ARM_GOTOFF32", FromGot, &S32),
    row(25, "R_ARM_BASE_PREL", GotAddress, &S32),
    row(26, "R_ARM_GOT_BREL", GotOffset, &S32),
    row(28, "R_ARM_CALL", Refuse(Refusal::ForeignCode), &NOTHING),
    row(29, "R_ARM_JUMP24", Refuse(Refusal::ForeignCode), &NOTHING),
    row(30, "R_ARM_THM_JUMP24", ThumbBranch, &BRANCH_24),
    row(38, "R_ARM_TARGET1", Absolute, &U32),
    row(40, "R_ARM_V4BX", Mark, &NOTHING),
    row(42, "R_ARM_PREL31", Relative(Pc::Here), &PREL31),
    row(43, "R_ARM_MOVW_ABS_NC", Refuse(Refusal::ForeignCode), &NOTHING),
    row(44, "R_ARM_MOVT_ABS", Refuse(Refusal::ForeignCode), &NOTHING),
    row(47, "R_ARM_THM_MOVW_ABS_NC", Absolute, &MOVW),
    row(48, "R_ARM_THM_MOVT_ABS", Absolute, &MOVT),
    row(49, "R_ARM_THM_MOVW_PREL_NC", Relative(Pc::Here), &MOVW),
    row(50, "R_ARM_THM_MOVT_PREL", Relative(Pc::Here), &MOVT),
    row(51, "R_ARM_THM_JUMP19", ThumbBranch, &BRANCH_19),
    row(55, "R_ARM_ABS32_NOI", Absolute, &U32),
    row(56, "R_ARM_REL32_NOI", Relative(Pc::Here), &S32),
    row(96, "R_ARM_GOT_PREL", GotEntry, &S32),
    row(102, "R_ARM_THM_JUMP11", ThumbBranch, &BRANCH_11),
    row(103, "R_ARM_THM_JUMP8", ThumbBranch, &BRANCH_8),
    row(104, "R_ARM_TLS_GD32", Refuse(Refusal::Tls), &NOTHING),
    row(105, "R_ARM_TLS_LDM32", Refuse(Refusal::Tls), &NOTHING),
    row(106, "R_ARM_TLS_LDO32", Refuse(Refusal::Tls), &NOTHING),
    row(107, "R_ARM_TLS_IE32", Refuse(Refusal::Tls), &NOTHING),
    row(108, "R_ARM_TLS_LE32", Refuse(Refusal::Tls), &NOTHING),
    row(thumb::MOV_GOT, "R_ARM_GOT_BREL", GotOffset, &U8),
];

/// `B` when it reaches, else `BL` between a `PUSH` and a `POP`: this core has no wide `B`.
fn jump_v6m(distance: i64) -> Option<Vec<u8>> {
    if let Some(code) = short_jump(distance) {
        return Some(code);
    }
    // push {r4, lr}; bl; pop {r4, pc}: the stack stays aligned, and r0 is what the entry returns.
    let mut code = vec![0x10, 0xb5, 0x00, 0xf0, 0x00, 0xf8, 0x10, 0xbd];
    BRANCH_24.write(&mut code[2..6], distance.wrapping_sub(2 + 4)).ok()?;
    Some(code)
}

fn jump_v7m(distance: i64) -> Option<Vec<u8>> {
    if let Some(code) = short_jump(distance) {
        return Some(code);
    }
    let mut code = vec![0x00, 0xf0, 0x00, 0xb8]; // b.w
    BRANCH_24.write(&mut code, distance.wrapping_sub(4)).ok()?;
    Some(code)
}

fn short_jump(distance: i64) -> Option<Vec<u8>> {
    let mut code = vec![0x00, 0xe0]; // b
    BRANCH_11.write(&mut code, distance.wrapping_sub(4)).ok()?;
    Some(code)
}

const V7M: Arch = Arch {
    name: "armv7m",
    machine: object::elf::EM_ARM,
    word: 4,
    literals: false,
    rows: ROWS,
    in_place: &[],
    text_align: 16,
    wished_align: 1,
    relative_bias: 0,
    jump: jump_v7m,
    absolute_help: "compile with -fno-pic -mword-relocations (clang: -mno-movt), which puts addresses in literal pools",
    code_bit: 1,
    // The EABI's version; how floats are passed is not in the flags of relocatable objects.
    abi_flags: object::elf::EF_ARM_EABIMASK,
    extensions: &[],
    got_is_based: |_| true,
    make_relative: None,
    relax_got: None,
    inline_got: Some(thumb::inline_got),
    relax_code: None,
};

pub static ARMV6M: Arch = Arch { name: "armv6m", jump: jump_v6m, ..V7M };
pub static ARMV7M: Arch = V7M;
pub static ARMV7EMSP: Arch = Arch { name: "armv7emsp", ..V7M };
pub static ARMV7EMDP: Arch = Arch { name: "armv7emdp", ..V7M };
