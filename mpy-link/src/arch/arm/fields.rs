//! Thumb instruction and data fields (*ELF for the Arm Architecture*, "Relocation types").

use crate::reloc::{Bits, Field, Range, bits};

/// `BL`, `B.W`: S:I1:I2:imm10:imm11:0, where J1 and J2 are stored as NOT(I EOR S).
pub static BRANCH_24: Field = Field {
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
pub static BRANCH_19: Field = Field {
    bytes: 4,
    bits: &[bits(1, 11, 16), bits(12, 6, 0), bits(18, 1, 29), bits(19, 1, 27), bits(20, 1, 10)],
    range: Range::Signed(21),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `B`.
pub static BRANCH_11: Field = Field {
    bytes: 2,
    bits: &[bits(1, 11, 0)],
    range: Range::Signed(12),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `B<c>`.
pub static BRANCH_8: Field = Field {
    bytes: 2,
    bits: &[bits(1, 8, 0)],
    range: Range::Signed(9),
    align: 2,
    swizzle: None,
    addend: None,
};
/// imm4:i:imm3:imm8 of `MOVW`.
pub static MOVW: Field = Field::number(4, MOV_IMMEDIATE, Range::Any);
const MOV_IMMEDIATE: &[Bits] = &[bits(0, 8, 16), bits(8, 3, 28), bits(11, 1, 10), bits(12, 4, 0)];
/// The same immediate, upper half of the value; its addend is that of the `MOVW`.
pub static MOVT: Field = Field {
    bytes: 4,
    bits: &[bits(16, 8, 16), bits(24, 3, 28), bits(27, 1, 10), bits(28, 4, 0)],
    range: Range::Either(32),
    align: 1,
    swizzle: None,
    addend: Some(&MOVW),
};
pub static PREL31: Field = Field::number(4, &[bits(0, 31, 0)], Range::Signed(31));
