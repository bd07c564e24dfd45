//! RISC-V instruction and data fields, and the numbers of relocations that the linker treats specially
//! (*RISC-V ELF psABI*, "Relocations").

use crate::reloc::{Bits, Field, Range, bits};

/// Upper 20 bits, rounded because the lower 12 are sign-extended.
const fn upper(to: u8) -> Bits {
    Bits { from: 12, count: 20, to, round: 0x800 }
}

/// The range of `auipc` with a sign-extended 12-bit offset.
const PAIR: Range = Range::Between(-0x8000_0800, 0x7fff_f7ff);

/// `lui`, `auipc`.
pub static U_TYPE: Field = Field::number(4, &[upper(12)], PAIR);
/// Loads, `addi`, `jalr`: the low part of a value.
pub static I_LOW: Field = Field::number(4, &[bits(0, 12, 20)], Range::Any);
/// Stores: the low part of a value.
pub static S_LOW: Field = Field::number(4, &[bits(0, 5, 7), bits(5, 7, 25)], Range::Any);
/// `auipc` followed by `jalr`.
pub static CALL: Field = Field::number(8, &[upper(12), bits(0, 12, 52)], PAIR);
/// `beq` and other branches.
pub static B_TYPE: Field = Field {
    bytes: 4,
    bits: &[bits(11, 1, 7), bits(1, 4, 8), bits(5, 6, 25), bits(12, 1, 31)],
    range: Range::Signed(13),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `jal`.
pub static J_TYPE: Field = Field {
    bytes: 4,
    bits: &[bits(12, 8, 12), bits(11, 1, 20), bits(1, 10, 21), bits(20, 1, 31)],
    range: Range::Signed(21),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `c.beqz`, `c.bnez`.
pub static CB_TYPE: Field = Field {
    bytes: 2,
    bits: &[bits(5, 1, 2), bits(1, 2, 3), bits(6, 2, 5), bits(3, 2, 10), bits(8, 1, 12)],
    range: Range::Signed(9),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `c.j`, `c.jal`.
pub static CJ_TYPE: Field = Field {
    bytes: 2,
    bits: &[
        bits(5, 1, 2),
        bits(1, 3, 3),
        bits(7, 1, 6),
        bits(6, 1, 7),
        bits(10, 1, 8),
        bits(8, 2, 9),
        bits(4, 1, 11),
        bits(11, 1, 12),
    ],
    range: Range::Signed(12),
    align: 2,
    swizzle: None,
    addend: None,
};
/// Terms of differences, which wrap.
pub static WRAP_6: Field = Field::number(1, &[bits(0, 6, 0)], Range::Any);
pub static WRAP_8: Field = Field::number(1, &[bits(0, 8, 0)], Range::Any);
pub static WRAP_16: Field = Field::number(2, &[bits(0, 16, 0)], Range::Any);
pub static WRAP_32: Field = Field::number(4, &[bits(0, 32, 0)], Range::Any);

pub const BRANCH: u32 = 16;
pub const JAL: u32 = 17;
pub const CALL_NUMBERS: [u32; 2] = [18, 19];
pub const GOT_HI20: u32 = 20;
pub const PCREL_HI20: u32 = 23;
pub const PCREL_LO12_I: u32 = 24;
pub const PCREL_LO12_S: u32 = 25;
pub const HI20: u32 = 26;
pub const LO12_I: u32 = 27;
pub const LO12_S: u32 = 28;
pub const ALIGN: u32 = 43;
pub const RVC_BRANCH: u32 = 44;
pub const RVC_JUMP: u32 = 45;
pub const RELAX: u32 = 51;
