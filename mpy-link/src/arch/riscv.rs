//! RISC-V: *RISC-V ELF psABI Specification*, "Relocations".

use std::collections::HashMap;

use super::Arch;
use super::riscv_absolute::{is_entry, make_relative};
use crate::abi::{Fits, Property, Said, word};
use crate::object::{Home, Reloc, Section, Symbol};
use crate::relax::{Cut, MakeRelative};
use crate::reloc::Formula::{
    Absolute, Add, Align, GotEntry, High, Jump, Low, LowOfPair, None as Mark, Refuse, Relative, Set, Subtract,
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
pub(super) static B_TYPE: Field = Field {
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
pub(super) static CB_TYPE: Field = Field {
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

pub(super) const BRANCH: u32 = 16;
pub(super) const JAL: u32 = 17;
const CALL_NUMBERS: [u32; 2] = [18, 19];
const GOT_HI20: u32 = 20;
pub(super) const PCREL_HI20: u32 = 23;
pub(super) const PCREL_LO12_I: u32 = 24;
pub(super) const PCREL_LO12_S: u32 = 25;
pub(super) const HI20: u32 = 26;
pub(super) const LO12_I: u32 = 27;
pub(super) const LO12_S: u32 = 28;
pub(super) const ALIGN: u32 = 43;
pub(super) const RVC_BRANCH: u32 = 44;
pub(super) const RVC_JUMP: u32 = 45;
pub(super) const RELAX: u32 = 51;

/// `auipc rd, %got_pcrel_hi(foo); lw rd, %pcrel_lo(…)(rd)` becomes `auipc rd, %pcrel_hi(foo); addi
/// rd, rd, %pcrel_lo(…)`, when all that use the high part are such loads.
fn relax_got(section: &mut Section, symbols: &[Symbol], here: Home, near: &[bool]) {
    let Section { data, relocs, .. } = section;
    let word_load = loads_of_words(data, relocs, symbols, here);
    for (at, reloc) in relocs.iter_mut().enumerate() {
        if reloc.r_type != GOT_HI20 || !near[at] || reloc.addend != 0 {
            continue;
        }
        let Some(Some(loads)) = word_load.get(&reloc.offset) else { continue };
        for &load in loads {
            let place = &mut data.to_mut()[load as usize..];
            // I-type: the registers and the offset stay.
            place[0] = place[0] & 0x80 | 0x13;
            place[1] &= 0x8f;
        }
        reloc.r_type = PCREL_HI20;
    }
}

/// For each `auipc` the loads that use it, or `None` when something else does.
fn loads_of_words(
    data: &[u8],
    relocs: &[Reloc],
    symbols: &[Symbol],
    here: Home,
) -> HashMap<u32, Option<Vec<u32>>> {
    let mut users: HashMap<u32, Option<Vec<u32>>> = HashMap::new();
    for reloc in relocs {
        if !matches!(reloc.r_type, PCREL_LO12_I | PCREL_LO12_S) {
            continue;
        }
        let Some(label) = symbols.get(reloc.symbol as usize).filter(|label| label.home == here) else {
            continue;
        };
        let Ok(high) = u32::try_from(label.value) else { continue };
        let loads = users.entry(high).or_insert_with(|| Some(Vec::new()));
        let code = data.get(reloc.offset as usize..).and_then(|code| code.first_chunk());
        // `lw` on 32 bits, `ld` on 64: a load of any other width would be nonsense in a GOT.
        let is_load = code.is_some_and(|&code| matches!(u32::from_le_bytes(code) & 0x707f, 0x2003 | 0x3003));
        match loads {
            Some(loads) if is_load && reloc.r_type == PCREL_LO12_I => loads.push(reloc.offset),
            _ => *loads = None,
        }
    }
    users
}

/// Shortens `auipc; jalr` to `jal`, `c.jal` or `c.j`, and in the end removes excess padding.
/// RV64 has another instruction in the place of `c.jal`.
fn relax_code<const C_JAL: bool>(
    section: &mut Section,
    flags: u32,
    distance: &[Option<i64>],
    slack: i64,
    last: bool,
) -> Vec<Cut> {
    let compressed: &[u32] = match flags & object::elf::EF_RISCV_RVC {
        0 => &[],
        _ if C_JAL => &[0, 1],
        _ => &[0],
    };
    let Section { data, relocs, .. } = section;
    let mut cuts: Vec<Cut> = Vec::new();
    let mut removed = 0;
    for at in 0..relocs.len() {
        let Reloc { offset, r_type, addend, .. } = relocs[at];
        if last {
            // Places in the section move with every cut before them.
            let apart = cuts.last().is_none_or(|cut| cut.offset + cut.len <= offset);
            if r_type == ALIGN
                && apart
                && let Some(cut) = pad(data.to_mut(), offset, addend, removed)
            {
                removed += cut.len;
                cuts.push(cut);
            }
            continue;
        }
        let is_call = CALL_NUMBERS.contains(&r_type) || r_type == JAL;
        // The permission follows the relocation it is for.
        let may = relocs.get(at + 1).is_some_and(|next| next.r_type == RELAX && next.offset == offset);
        let Some(distance) = distance[at].filter(|_| is_call && may) else { continue };
        let far = distance.saturating_abs().saturating_add(slack);
        if let Some((r_type, cut)) = shorten(data.to_mut(), offset, r_type, compressed, far) {
            let apart = cuts.last().is_none_or(|cut| cut.offset + cut.len <= offset);
            if apart {
                relocs[at].r_type = r_type;
                cuts.push(cut);
            }
        }
    }
    cuts
}

/// The shortest call that surely reaches so far, in the place of a longer one; `compressed` are the
/// link registers of compressed calls.
fn shorten(data: &mut [u8], offset: u32, r_type: u32, compressed: &[u32], far: i64) -> Option<(u32, Cut)> {
    let len: u32 = if r_type == JAL { 4 } else { 8 };
    let code = data.get_mut(offset as usize..offset as usize + len as usize)?;
    // The link register is that of the last instruction.
    let last = &code[len as usize - 4..];
    let link = u32::from(last[0] >> 7 | last[1] << 1) & 31;
    if compressed.contains(&link) && far < 1 << 11 {
        // `c.j`, `c.jal`
        let word: u16 = if link == 0 { 0xa001 } else { 0x2001 };
        code[..2].copy_from_slice(&word.to_le_bytes());
        return Some((RVC_JUMP, Cut { offset: offset + 2, len: len - 2 }));
    }
    if len == 8 && far < 1 << 20 {
        code[..4].copy_from_slice(&(0x6f | link << 7).to_le_bytes());
        return Some((JAL, Cut { offset: offset + 4, len: 4 }));
    }
    None
}

/// Makes `nops` bytes of padding as many as are needed, `removed` bytes before them being gone.
fn pad(data: &mut [u8], offset: u32, nops: i64, removed: u32) -> Option<Cut> {
    let nops = u32::try_from(nops).ok().filter(|&nops| nops > 0 && nops < 1 << 12)?;
    // "The smallest power of two that is greater than the addend".
    let align = (nops + 1).next_power_of_two();
    let place = offset - removed;
    let needed = place.next_multiple_of(align) - place;
    let code = data.get_mut(offset as usize..)?.get_mut(..nops as usize)?;
    let cut = nops.checked_sub(needed).filter(|_| needed.is_multiple_of(2))?;
    // `c.nop` to get to a word, then `nop`.
    let (half, words) = code[..needed as usize].split_at_mut(needed as usize % 4);
    half.copy_from_slice(&[0x01, 0x00][..half.len()]);
    for word in words.chunks_exact_mut(4) {
        word.copy_from_slice(&0x13u32.to_le_bytes());
    }
    (cut > 0).then_some(Cut { offset: offset + needed, len: cut })
}

/// Extensions that the loader is told of, and their bits: `RV32_EXT_*` of `py/asmrv32.h`.
const TOLD: &[(&str, u32)] = &[("zba", 1), ("zcmp", 2)];
/// What every board has, or none misses: makefiles and libraries ask for atomic instructions (`a` and its parts) with
/// compressed ones, and compilers write parts of `m` and `c` beside these.
const IMC: &[&str] = &["i", "m", "a", "c", "zaamo", "zalrsc", "zca", "zicsr", "zifencei", "zmmul"];

static PROPERTIES: &[Property] = &[
    Property {
        name: "float ABI of e_flags",
        of: |said| {
            let abi = said.flags & object::elf::EF_RISCV_FLOAT_ABI;
            Some(word(u64::from(abi >> 1), &["soft", "single", "double", "quad"]))
        },
        fits: Fits::Arch(&["soft"]),
        help: "compile with -mabi=ilp32 (-mabi=lp64 on 64 bits), and link libraries that are",
    },
    Property {
        name: "base of e_flags",
        of: |said| {
            let small = said.flags & object::elf::EF_RISCV_RVE != 0;
            Some(word(u64::from(small), &["RVI", "RVE"]))
        },
        fits: Fits::Arch(&["RVI"]),
        help: "compile with -march=rv32imc -mabi=ilp32, and link libraries that are",
    },
    Property {
        name: "Tag_RISCV_arch",
        of: |said| {
            let known = |name: &str| IMC.contains(&name) || TOLD.iter().any(|(told, _)| *told == name);
            isa(said).find(|name| !known(name)).map(str::to_owned)
        },
        fits: Fits::Without,
        help: "compile with -march=rv32imc (-march=rv64imc on 64 bits), to which `_zba` and `_zcmp` may be added: of other \
               extensions the loader cannot be told, so that a board without them would load the module",
    },
    Property {
        name: "Tag_RISCV_stack_align",
        of: |said| said.number(4).filter(|align| *align != 0).map(|align| align.to_string()),
        fits: Fits::Objects,
        help: "compile all with one -mpreferred-stack-boundary",
    },
];

/// The extensions that an object was compiled for: the letters and words of `Tag_RISCV_arch` (*RISC-V Unprivileged
/// ISA*, "ISA Extension Naming Conventions"), without their versions.
fn isa<'a>(said: &Said<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let text = said.text(5).unwrap_or_default();
    let mut rest = text.strip_prefix("rv32").or_else(|| text.strip_prefix("rv64")).unwrap_or(text);
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('_');
        let first = rest.chars().next()?;
        let (name, behind) = match first {
            // A word, up to the next one.
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

/// What follows a version such as `2p1`, if there is one.
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

/// A word without the version at its end.
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
    // Less where the ESP32-C3 has its executable memory, which no instruction minds: what is larger
    // than a word is accessed by words.
    text_align: 16,
    wished_align: 1,
    relative_bias: 0,
    jump,
    absolute_help: "compile with -fPIC",
    code_bit: 0,
    properties: PROPERTIES,
    extensions: |said| {
        let compiled_for = TOLD.iter().filter(|(told, _)| isa(said).any(|name| name == *told));
        compiled_for.fold(0, |all, (_, bit)| all | bit)
    },
    got_is_based: |_| true,
    make_relative: Some(MakeRelative { is_entry, rewrite: make_relative }),
    relax_got: Some(relax_got),
    inline_got: None,
    relax_code: Some(relax_code::<true>),
};

pub static RV64IMC: Arch =
    Arch { name: "rv64imc", word: 8, text_align: 32, relax_code: Some(relax_code::<false>), ..BASE };
pub static RV32IMC: Arch = BASE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_letters_and_words_without_versions() {
        let of = |text| {
            let said = Said::with_text(5, text);
            isa(&said).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("rv32i2p1_m2p0_a2p1_c2p0_zmmul1p0"), "i m a c zmmul");
        assert_eq!(of("rv64imac"), "i m a c");
        assert_eq!(of("rv32i2p0m2p0_zba1p0_zvl128b1p0_zicsr"), "i m zba zvl128b zicsr");
        assert_eq!(of("rv32e1p9_c2p0_zve32x1p0"), "e c zve32x");
        assert_eq!(of(""), "");
    }
}
