//! RISC-V, 32 and 64 bits.
//!
//! The relocations are those of the *RISC-V ELF psABI Specification*, "Relocations". What differs from other
//! architectures:
//!
//! - No instruction holds a whole address. `auipc` or `lui` sets the upper 20 bits, and the next instruction adds 12
//!   signed bits. The upper part is therefore rounded: `(value + 0x800) >> 12` ("Absolute Addresses", "PC-Relative Symbol
//!   Addresses").
//! - `R_RISCV_PCREL_LO12_*` does not name the symbol that is addressed. It names the label of the `auipc`, and the value
//!   is that of the relocation there ([`LowOfPair`]). Several low parts can belong to one high part.
//! - `R_RISCV_LO12_*` names the symbol, and nothing says which `lui` it belongs to. The loader cannot write an address
//!   into two instructions, so such code is made PC-relative, for which the pairs have to be found (`absolute.rs`).
//! - Linker relaxation: compilers emit the longest form of a call, and the linker removes bytes from code ("Linker
//!   Relaxation"). `R_RISCV_RELAX` at the same place permits it. `R_RISCV_ALIGN` marks padding that the linker must
//!   shorten to keep what follows aligned (`relax.rs`).
//! - Because code can shrink, the assembler does not compute differences of labels. It emits pairs such as
//!   `R_RISCV_ADD32` and `R_RISCV_SUB32`, both at the same place ([`Add`], [`Subtract`], [`Set`]).
//! - `R_RISCV_CALL` covers two instructions, `auipc` and `jalr`, in one field of 8 bytes. It means the same as
//!   `R_RISCV_CALL_PLT` ("Procedure Calls").
//! - RV32 has the compressed call `c.jal`. RV64 has `c.addiw` in its place (*RISC-V Unprivileged ISA*, "C" extension,
//!   "Control Transfer Instructions"), so only `c.j` is left.
//! - `e_flags` contains the float ABI and whether compressed instructions are allowed ("File Header"). The extensions
//!   that an object uses are text in `.riscv.attributes`: `Tag_RISCV_arch` ("Attributes").
//! - The `gp` register belongs to the firmware, so nothing is addressed relative to `__global_pointer$`.
//!
//! Code is position-independent (`-fPIC`): addresses in instructions are PC-relative, and those of other blocks of
//! memory are in a GOT.

mod absolute;
mod fields;
mod relax;

use self::absolute::{is_entry, make_relative};
use self::fields::{
    B_TYPE, CALL, CB_TYPE, CJ_TYPE, I_LOW, J_TYPE, S_LOW, U_TYPE, WRAP_6, WRAP_8, WRAP_16, WRAP_32,
};
use self::relax::{relax_code, relax_got};
use super::description::{Arch, Stub};
use crate::abi::{AbiInfo, Fits, Property, word};
use crate::model::MakeRelative;
use crate::reloc::Formula::{
    Absolute, Add, Align, GotEntry, High, Jump, Low, LowOfPair, None as Mark, Refuse, Relative, Set, Subtract,
};
use crate::reloc::{NOTHING, Pc, Refusal, Row, S32, U32, U64, row};

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
    row(16, "R_RISCV_BRANCH", Jump(Pc::Here), &B_TYPE),
    row(17, "R_RISCV_JAL", Jump(Pc::Here), &J_TYPE),
    row(18, "R_RISCV_CALL", Jump(Pc::Here), &CALL),
    row(19, "R_RISCV_CALL_PLT", Jump(Pc::Here), &CALL),
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
    row(44, "R_RISCV_RVC_BRANCH", Jump(Pc::Here), &CB_TYPE),
    row(45, "R_RISCV_RVC_JUMP", Jump(Pc::Here), &CJ_TYPE),
    row(51, "R_RISCV_RELAX", Mark, &NOTHING),
    row(52, "R_RISCV_SUB6", Subtract, &WRAP_6),
    row(53, "R_RISCV_SET6", Set, &WRAP_6),
    row(54, "R_RISCV_SET8", Set, &WRAP_8),
    row(55, "R_RISCV_SET16", Set, &WRAP_16),
    row(56, "R_RISCV_SET32", Set, &WRAP_32),
    row(57, "R_RISCV_32_PCREL", Relative(Pc::Here), &S32),
    row(58, "R_RISCV_IRELATIVE", Refuse(Refusal::Dynamic), &NOTHING),
    row(59, "R_RISCV_PLT32", Jump(Pc::Here), &S32),
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

/// Extensions that the header of a `.mpy` file can name, and their bits: `RV32_EXT_*` of `py/asmrv32.h`.
const DECLARED: &[(&str, u32)] = &[("zba", 1), ("zcmp", 2)];
/// Extensions that every board has, and those that can be ignored. Makefiles and libraries request atomic instructions (`a`
/// and its parts) together with compressed ones, and compilers list the parts of `m` and `c`.
const COMMON: &[&str] = &["i", "m", "a", "c", "zaamo", "zalrsc", "zca", "zicsr", "zifencei", "zmmul"];

static PROPERTIES: &[Property] = &[
    Property {
        name: "float ABI of e_flags",
        of: |info| {
            let abi = info.flags & object::elf::EF_RISCV_FLOAT_ABI;
            Some(word(u64::from(abi >> 1), &["soft", "single", "double", "quad"]))
        },
        fits: Fits::Arch(&["soft"]),
        help: "compile with -mabi=ilp32 (-mabi=lp64 on 64 bits), and link libraries that are",
    },
    Property {
        name: "base of e_flags",
        of: |info| {
            let small = info.flags & object::elf::EF_RISCV_RVE != 0;
            Some(word(u64::from(small), &["RVI", "RVE"]))
        },
        fits: Fits::Arch(&["RVI"]),
        help: "compile with -march=rv32imc -mabi=ilp32, and link libraries that are",
    },
    Property {
        name: "Tag_RISCV_arch",
        of: |info| {
            let known =
                |name: &str| COMMON.contains(&name) || DECLARED.iter().any(|(declared, _)| *declared == name);
            isa(info).find(|name| !known(name)).map(str::to_owned)
        },
        fits: Fits::Without,
        help: "compile with -march=rv32imc (-march=rv64imc on 64 bits), to which `_zba` and `_zcmp` may be added: the file \
               cannot name other extensions, so a board without them would load the module",
    },
    Property {
        name: "Tag_RISCV_stack_align",
        of: |info| info.number(4).filter(|align| *align != 0).map(|align| align.to_string()),
        fits: Fits::Objects,
        help: "compile all with one -mpreferred-stack-boundary",
    },
];

/// The extensions that an object was compiled for: the letters and words of `Tag_RISCV_arch` (*RISC-V Unprivileged
/// ISA*, "ISA Extension Naming Conventions"), without their versions.
fn isa<'a>(info: &AbiInfo<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let text = info.text(5).unwrap_or_default();
    let mut rest = text.strip_prefix("rv32").or_else(|| text.strip_prefix("rv64")).unwrap_or(text);
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('_');
        let first = rest.chars().next()?;
        let (name, behind) = match first {
            // An extension with a long name.
            'z' | 's' | 'x' => {
                let (word, behind) = rest.split_at(rest.find('_').unwrap_or(rest.len()));
                (without_version(word), behind)
            }
            _ => {
                let (letter, behind) = rest.split_at(first.len_utf8());
                (letter, behind_version(behind))
            }
        };
        rest = behind;
        Some(name)
    })
}

const DIGITS: fn(char) -> bool = |c| c.is_ascii_digit();

/// The text after a version such as `2p1`, if there is one.
fn behind_version(text: &str) -> &str {
    let major = text.trim_start_matches(DIGITS);
    if major.len() == text.len() {
        return text;
    }
    match major.strip_prefix('p') {
        Some(minor) if minor.starts_with(DIGITS) => minor.trim_start_matches(DIGITS),
        _ => major,
    }
}

/// An extension without the version at its end.
fn without_version(word: &str) -> &str {
    let minor = word.trim_end_matches(DIGITS);
    match minor.strip_suffix('p') {
        Some(major) if minor.len() < word.len() && major.ends_with(DIGITS) => major.trim_end_matches(DIGITS),
        _ => minor,
    }
}

const BASE: Arch = Arch {
    name: "rv32imc",
    machine: object::elf::EM_RISCV,
    word: 4,
    literals: false,
    rows: ROWS,
    in_place: &[],
    // The executable memory of the ESP32-C3 has a smaller alignment. This is harmless, because no instruction accesses more
    // than a word.
    text_align: 16,
    preferred_align: 1,
    relative_bias: 0,
    jump,
    // `auipc a3, 0`, `c.lw a3, 8(a3)`, `c.jr a3`, and the word.
    stub: Stub {
        code: &[0x97, 0x06, 0, 0, 0x94, 0x46, 0x82, 0x86, 0, 0, 0, 0],
        entry: 0,
        word: 8,
        r_type: 1,
    },
    absolute_help: "compile with -fPIC",
    code_bit: 0,
    properties: PROPERTIES,
    declared: DECLARED,
    extensions: |info| {
        let compiled_for = DECLARED.iter().filter(|(declared, _)| isa(info).any(|name| name == *declared));
        compiled_for.fold(0, |all, (_, bit)| all | bit)
    },
    got_is_based: |_| true,
    make_relative: Some(MakeRelative { is_entry, rewrite: make_relative }),
    relax_got: Some(relax_got),
    inline_got: None,
    relax_code: Some(relax_code::<true>),
};

pub static RV64IMC: Arch = Arch {
    name: "rv64imc",
    word: 8,
    text_align: 32,
    // The same with `c.ld`.
    stub: Stub {
        code: &[0x97, 0x06, 0, 0, 0x94, 0x66, 0x82, 0x86, 0, 0, 0, 0, 0, 0, 0, 0],
        entry: 0,
        word: 8,
        r_type: 2,
    },
    // Boards with 64 bits know none.
    declared: &[],
    relax_code: Some(relax_code::<false>),
    ..BASE
};
pub static RV32IMC: Arch = BASE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_listed_without_versions() {
        let of = |text| {
            let info = AbiInfo::with_text(5, text);
            isa(&info).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("rv32i2p1_m2p0_a2p1_c2p0_zmmul1p0"), "i m a c zmmul");
        assert_eq!(of("rv64imac"), "i m a c");
        assert_eq!(of("rv32i2p0m2p0_zba1p0_zvl128b1p0_zicsr"), "i m zba zvl128b zicsr");
        assert_eq!(of("rv32e1p9_c2p0_zve32x1p0"), "e c zve32x");
        assert_eq!(of(""), "");
    }
}
