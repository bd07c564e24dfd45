//! RISC-V: *RISC-V ELF psABI Specification*, "Relocations".

use super::Arch;
use crate::reloc::Formula::{
    Absolute, Add, Align, GotEntry, High, Low, LowOfPair, None as Mark, Refuse, Relative, Set, Subtract,
};
use crate::reloc::{Bits, Field, NOTHING, Pc, Range, Refusal, Row, S32, U32, U64, bits, row};

/// Upper 20 bits, rounded because the lower 12 are sign-extended.
const fn upper(to: u8) -> Bits {
    Bits { from: 12, count: 20, to, round: 0x800 }
}

/// What an `auipc` and a sign-extended 12-bit offset reach.
const PAIR: Range = Range::Between(-0x8000_0800, 0x7fff_f7ff);

/// `lui`, `auipc`.
static U_TYPE: Field = Field::number(4, &[upper(12)], PAIR);
/// Loads, `addi`, `jalr`: the low bits of a value whose upper part is elsewhere.
static I_LOW: Field = Field::number(4, &[bits(0, 12, 20)], Range::Any);
/// Stores, likewise.
static S_LOW: Field = Field::number(4, &[bits(0, 5, 7), bits(5, 7, 25)], Range::Any);
/// `auipc` followed by `jalr`.
static CALL: Field = Field::number(8, &[upper(12), bits(0, 12, 52)], PAIR);
/// `beq` and friends.
static B_TYPE: Field = Field {
    bytes: 4,
    bits: &[bits(11, 1, 7), bits(1, 4, 8), bits(5, 6, 25), bits(12, 1, 31)],
    range: Range::Signed(13),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `jal`.
pub(super) static J_TYPE: Field = Field {
    bytes: 4,
    bits: &[bits(12, 8, 12), bits(11, 1, 20), bits(1, 10, 21), bits(20, 1, 31)],
    range: Range::Signed(21),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `c.beqz`, `c.bnez`.
static CB_TYPE: Field = Field {
    bytes: 2,
    bits: &[bits(5, 1, 2), bits(1, 2, 3), bits(6, 2, 5), bits(3, 2, 10), bits(8, 1, 12)],
    range: Range::Signed(9),
    align: 2,
    swizzle: None,
    addend: None,
};
/// `c.j`, `c.jal`.
pub(super) static CJ_TYPE: Field = Field {
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
/// Parts of differences, which wrap in their width.
static WRAP_6: Field = Field::number(1, &[bits(0, 6, 0)], Range::Any);
static WRAP_8: Field = Field::number(1, &[bits(0, 8, 0)], Range::Any);
static WRAP_16: Field = Field::number(2, &[bits(0, 16, 0)], Range::Any);
static WRAP_32: Field = Field::number(4, &[bits(0, 32, 0)], Range::Any);

static ROWS: &[Row] = &[
    row(0, "R_RISCV_NONE", Mark, &NOTHING),
    row(1, "R_RISCV_32", Absolute, &U32),
    row(2, "R_RISCV_64", Absolute, &U64),
    row(3, "R_RISCV_RELATIVE", Refuse(Refusal::Dynamic), &NOTHING),
    row(4, "R_RISCV_COPY", Refuse(Refusal::Dynamic), &NOTHING),
    row(5, "R_RISCV_JUMP_SLOT", Refuse(Refusal::Dynamic), &NOTHING),
    row(6, "R_RISCV_TLS_DTPMOD32", Refuse(Refusal::Tls), &NOTHING),
    row(7, "R_RISCV_TLS_DTPMOD64", Refuse(Refusal::Tls), &NOTHING),
    row(8, "R_RISCV_TLS_DTPREL32", Refuse(Refusal::Tls), &NOTHING),
    row(9, "R_RISCV_TLS_DTPREL64", Refuse(Refusal::Tls), &NOTHING),
    row(10, "R_RISCV_TLS_TPREL32", Refuse(Refusal::Tls), &NOTHING),
    row(11, "R_RISCV_TLS_TPREL64", Refuse(Refusal::Tls), &NOTHING),
    row(16, "R_RISCV_BRANCH", Relative(Pc::Here), &B_TYPE),
    row(17, "R_RISCV_JAL", Relative(Pc::Here), &J_TYPE),
    row(18, "R_RISCV_CALL", Relative(Pc::Here), &CALL),
    row(19, "R_RISCV_CALL_PLT", Relative(Pc::Here), &CALL),
    row(20, "R_RISCV_GOT_HI20", GotEntry, &U_TYPE),
    row(21, "R_RISCV_TLS_GOT_HI20", Refuse(Refusal::Tls), &NOTHING),
    row(22, "R_RISCV_TLS_GD_HI20", Refuse(Refusal::Tls), &NOTHING),
    row(23, "R_RISCV_PCREL_HI20", Relative(Pc::Here), &U_TYPE),
    row(24, "R_RISCV_PCREL_LO12_I", LowOfPair, &I_LOW),
    row(25, "R_RISCV_PCREL_LO12_S", LowOfPair, &S_LOW),
    row(26, "R_RISCV_HI20", High, &U_TYPE),
    row(27, "R_RISCV_LO12_I", Low, &I_LOW),
    row(28, "R_RISCV_LO12_S", Low, &S_LOW),
    row(29, "R_RISCV_TPREL_HI20", Refuse(Refusal::Tls), &NOTHING),
    row(30, "R_RISCV_TPREL_LO12_I", Refuse(Refusal::Tls), &NOTHING),
    row(31, "R_RISCV_TPREL_LO12_S", Refuse(Refusal::Tls), &NOTHING),
    row(32, "R_RISCV_TPREL_ADD", Refuse(Refusal::Tls), &NOTHING),
    row(33, "R_RISCV_ADD8", Add, &WRAP_8),
    row(34, "R_RISCV_ADD16", Add, &WRAP_16),
    row(35, "R_RISCV_ADD32", Add, &WRAP_32),
    row(36, "R_RISCV_ADD64", Add, &U64),
    row(37, "R_RISCV_SUB8", Subtract, &WRAP_8),
    row(38, "R_RISCV_SUB16", Subtract, &WRAP_16),
    row(39, "R_RISCV_SUB32", Subtract, &WRAP_32),
    row(40, "R_RISCV_SUB64", Subtract, &U64),
    row(41, "R_RISCV_GOT32_PCREL", GotEntry, &S32),
    row(43, "R_RISCV_ALIGN", Align, &NOTHING),
    row(44, "R_RISCV_RVC_BRANCH", Relative(Pc::Here), &CB_TYPE),
    row(45, "R_RISCV_RVC_JUMP", Relative(Pc::Here), &CJ_TYPE),
    row(51, "R_RISCV_RELAX", Mark, &NOTHING),
    row(52, "R_RISCV_SUB6", Subtract, &WRAP_6),
    row(53, "R_RISCV_SET6", Set, &WRAP_6),
    row(54, "R_RISCV_SET8", Set, &WRAP_8),
    row(55, "R_RISCV_SET16", Set, &WRAP_16),
    row(56, "R_RISCV_SET32", Set, &WRAP_32),
    row(57, "R_RISCV_32_PCREL", Relative(Pc::Here), &S32),
    row(58, "R_RISCV_IRELATIVE", Refuse(Refusal::Dynamic), &NOTHING),
    row(59, "R_RISCV_PLT32", Relative(Pc::Here), &S32),
    row(62, "R_RISCV_TLSDESC_HI20", Refuse(Refusal::Tls), &NOTHING),
    row(63, "R_RISCV_TLSDESC_LOAD_LO12", Refuse(Refusal::Tls), &NOTHING),
    row(64, "R_RISCV_TLSDESC_ADD_LO12", Refuse(Refusal::Tls), &NOTHING),
    row(65, "R_RISCV_TLSDESC_CALL", Refuse(Refusal::Tls), &NOTHING),
];

/// `c.j`, `jal zero` or `auipc t1; jalr zero, t1`.
fn jump(distance: i64) -> Option<Vec<u8>> {
    let mut compressed = vec![0x01, 0xa0];
    if CJ_TYPE.write(&mut compressed, distance).is_ok() {
        return Some(compressed);
    }
    let mut near = vec![0x6f, 0, 0, 0];
    if J_TYPE.write(&mut near, distance).is_ok() {
        return Some(near);
    }
    let mut far = vec![0x17, 0x03, 0, 0, 0x67, 0, 0x03, 0];
    CALL.write(&mut far, distance).ok()?;
    Some(far)
}

const BASE: Arch = Arch {
    name: "rv32imc",
    machine: object::elf::EM_RISCV,
    word: 4,
    literals: false,
    rows: ROWS,
    text_align: 16,
    wished_align: 1,
    relative_bias: 0,
    jump,
    absolute_help: "compile with -fPIC",
    code_bit: 0,
    abi_flags: object::elf::EF_RISCV_RVE | object::elf::EF_RISCV_FLOAT_ABI_QUAD,
};

pub static RV64IMC: Arch = Arch { name: "rv64imc", word: 8, text_align: 32, ..BASE };
pub static RV32IMC: Arch = BASE;
