//! Thumb on Cortex-M.
//!
//! The relocations are those of *ELF for the Arm Architecture* (AAELF32), "Relocation types". What differs from other
//! architectures:
//!
//! - Arm processors have two instruction sets, Arm and Thumb. Bit 0 of an address selects the one that the target of a
//!   branch is encoded in, so the value of a Thumb function's symbol is its address plus one ("Symbol Values").
//!   Cortex-M executes Thumb only: relocations of Arm instructions, and calls of functions whose bit 0 is clear, are
//!   refused. Data relocations keep the bit, because a function pointer has it. Branches drop it ([`ThumbBranch`]).
//! - Objects use REL sections: the addend is in the field that is relocated. In Thumb state the program counter reads
//!   as the address of the instruction plus 4, so the addend of a branch is usually -4 ("Addends and PC-bias
//!   compensation"). `MOVT` contains the upper half of the value, but its addend is a whole 16-bit number like that of
//!   `MOVW` (same section).
//! - The offset of `BL` has 25 bits. Bits 23 and 22 are stored as J1 = NOT(I1) EOR S and J2 = NOT(I2) EOR S (*Armv7-M
//!   Architecture Reference Manual*, "BL").
//! - Armv6-M has `BL`, but no 32-bit `B` (*Armv6-M Architecture Reference Manual*, A5.3). A jump beyond 2 KiB therefore
//!   needs a longer sequence.
//! - A call of an undefined weak function continues at the next instruction ("Weak References").
//! - The assembler marks where code and data start with the symbols `$t` and `$d` ("Mapping symbols").
//!   [`inline_got`](self::inline_got) needs them.
//! - `R_ARM_TARGET1` is `R_ARM_ABS32` or `R_ARM_REL32`, as the platform decides. Bare-metal toolchains choose the
//!   first.
//! - What an object was compiled for is in the section `.ARM.attributes` (*Addenda to, and Errata in, the ABI for the
//!   Arm Architecture*, "Build attributes").
//!
//! Code of this project is compiled for absolute addresses in literal pools (`-fno-pic -mword-relocations`), because
//! the loader can relocate words of text, but not the immediates of instructions. Position-independent code of others
//! links as well; its addresses are in a GOT.

mod fields;
mod inline_got;

use self::fields::{BRANCH_8, BRANCH_11, BRANCH_19, BRANCH_24, MOVT, MOVW, PREL31};
use self::inline_got::{MOV_GOT, inline_got};
use super::description::{Arch, Stub};
use crate::abi::{AbiInfo, Fits, Property, word};
use crate::reloc::Formula::{
    Absolute, FromGot, GotAddress, GotEntry, GotOffset, None as Mark, Refuse, Relative, ThumbBranch,
};
use crate::reloc::{NOTHING, Pc, Refusal, Row, S32, U8, U16, U32, row};

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
    row(MOV_GOT, "R_ARM_GOT_BREL", GotOffset, &U8),
];

/// `B` if the distance is short enough. Otherwise `BL` between `PUSH` and `POP`, because Armv6-M has no 32-bit `B`.
fn jump_v6m(distance: i64) -> Option<Vec<u8>> {
    if let Some(code) = short_jump(distance) {
        return Some(code);
    }
    // push {r4, lr}; bl; pop {r4, pc}: this keeps the stack aligned and returns what the entry returns, in r0.
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

/// The values of `Tag_CPU_arch` (*Addenda to, and Errata in, the ABI for the Arm Architecture*, "Public aeabi attribute
/// tags").
const CPUS: &[&str] = &[
    "pre-v4",
    "v4",
    "v4T",
    "v5T",
    "v5TE",
    "v5TEJ",
    "v6",
    "v6KZ",
    "v6T2",
    "v6K",
    "v7",
    "v6-M",
    "v6S-M",
    "v7E-M",
    "v8-A",
    "v8-R",
    "v8-M.baseline",
    "v8-M.mainline",
    "v8.1-A",
    "v8.2-A",
    "v8.3-A",
    "v8.1-M.mainline",
    "v9-A",
];
const FPUS: &[&str] =
    &["none", "VFPv1", "VFPv2", "VFPv3", "VFPv3-D16", "VFPv4", "VFPv4-D16", "FPv5", "FPv5-D16"];

/// `Tag_CPU_arch` and `Tag_CPU_arch_profile`. Thumb code for older cores, without profiles, runs on all later ones. That it is
/// Thumb code is checked where it is called.
const fn core(fits: &'static [&'static str], help: &'static str) -> Property {
    let of: fn(&AbiInfo) -> Option<String> = |info| {
        let cpu = word(info.number(6)?, CPUS);
        // 'A', 'R' or 'M', if the value of `Tag_CPU_arch` does not imply it.
        let profile = info.number(7).and_then(|profile| u8::try_from(profile).ok()).map(char::from);
        Some(match profile {
            Some(profile @ ('A' | 'R' | 'M')) if cpu == "v7" => format!("{cpu}-{profile}"),
            _ => cpu,
        })
    };
    Property { name: "Tag_CPU_arch", of, fits: Fits::Arch(fits), help }
}

/// `Tag_Advanced_SIMD_arch`: vectors of a Cortex-A.
const NO_NEON: Property = Property {
    name: "Tag_Advanced_SIMD_arch",
    of: |info| info.number(12).filter(|&n| n != 0).map(|n| n.to_string()),
    fits: Fits::Arch(&["0"]),
    help: "compile for a Cortex-M",
};
/// `Tag_Advanced_SIMD_arch`, `Tag_MVE_arch`.
const NO_VECTORS: Property = Property {
    of: |info| {
        [12, 48].into_iter().find_map(|tag| info.number(tag).filter(|&n| n != 0)).map(|n| n.to_string())
    },
    help: "compile for a Cortex-M without vector instructions",
    ..NO_NEON
};

const VFP_ARGS: Property = Property {
    name: "Tag_ABI_VFP_args",
    of: |info| {
        // `Tag_ABI_FP_number_model` 0: without floats; 3: compatible with both.
        let floats = info.number(23).is_some_and(|model| model != 0);
        let passed = info.number(28).filter(|passed| floats && *passed != 3)?;
        Some(word(passed, &["core registers", "VFP registers", "its own"]))
    },
    fits: Fits::Objects,
    help: "compile all objects with one -mfloat-abi, and link the libraries for it: the compiler prints their paths with \
           -print-libgcc-file-name and -print-file-name=libm.a when it is given the same flags",
};

const R9: Property = Property {
    name: "Tag_ABI_PCS_R9_use",
    of: |info| info.number(14).filter(|&used| used != 3).map(|used| word(used, &["V6", "SB", "TLS pointer"])),
    fits: Fits::Objects,
    help: "compile all objects alike: -ffixed-r9, -msingle-pic-base and the like change it",
};

const HALF_FLOATS: Property = Property {
    name: "Tag_ABI_FP_16bit_format",
    of: |info| {
        let format = info.number(38).filter(|&format| format != 0);
        format.map(|format| word(format, &["", "IEEE 754", "alternative"]))
    },
    fits: Fits::Objects,
    help: "compile all objects with one -mfp16-format",
};

const WCHAR: Property = Property {
    name: "Tag_ABI_PCS_wchar_t",
    of: |info| info.number(18).filter(|&size| size != 0).map(|size| format!("{size} bytes")),
    fits: Fits::NamedObjects,
    help: "compile all objects with -fshort-wchar, or none",
};

const ENUMS: Property = Property {
    name: "Tag_ABI_enum_size",
    // 0: no enums. 3: enums in interfaces are `int`.
    of: |info| {
        let size = info.number(26).filter(|size| [1, 2].contains(size));
        size.map(|size| word(size, &["", "small", "int"]))
    },
    fits: Fits::NamedObjects,
    help: "compile all objects with -fshort-enums, or all with -fno-short-enums",
};

const EABI: Property = Property {
    name: "EABI version of e_flags",
    of: |info| Some((info.flags >> 24).to_string()),
    fits: Fits::Arch(&["4", "5"]),
    help: "compile with a compiler for the EABI, such as arm-none-eabi-gcc",
};

/// All values of `Tag_ABI_HardFP_use`: the precision does not matter.
const BOTH: &[&str] = &["SP only", "SP and DP", "as Tag_FP_arch"];

/// The properties for an architecture with these cores, floating-point units, precisions and vectors. `help` says how to compile
/// for it.
const fn properties(
    cores: &'static [&'static str],
    fpus: &'static [&'static str],
    precisions: &'static [&'static str],
    vectors: Property,
    help: &'static str,
) -> [Property; 10] {
    let fpu = Property {
        name: "Tag_FP_arch",
        of: |info| Some(word(info.number(10)?, FPUS)),
        fits: Fits::Arch(fpus),
        help,
    };
    let precision = Property {
        name: "Tag_ABI_HardFP_use",
        of: |info| {
            let has_floats = info.number(10)? != 0;
            has_floats
                .then(|| word(info.number(27).unwrap_or(0), &["as Tag_FP_arch", "SP only", "", "SP and DP"]))
        },
        fits: Fits::Arch(precisions),
        help,
    };
    [EABI, core(cores, help), fpu, precision, vectors, VFP_ARGS, R9, HALF_FLOATS, WCHAR, ENUMS]
}

static V6M_PROPERTIES: [Property; 10] = properties(
    &["pre-v4", "v4", "v4T", "v5T", "v5TE", "v5TEJ", "v6", "v6KZ", "v6K", "v6-M", "v6S-M"],
    &["none"],
    BOTH,
    NO_VECTORS,
    "compile with -mthumb -mcpu=cortex-m0, and link the libraries for it",
);
/// The values of `Tag_CPU_arch` whose code runs on Armv7-M, and others.
macro_rules! up_to_v7m {
    ($($own:literal),*) => {
        &["pre-v4", "v4", "v4T", "v5T", "v5TE", "v5TEJ", "v6", "v6KZ", "v6T2", "v6K", "v6-M", "v6S-M", "v7", "v7-M", $($own),*]
    };
}
static V7M_PROPERTIES: [Property; 10] = properties(
    up_to_v7m!(),
    &["none"],
    BOTH,
    NO_VECTORS,
    "compile with -mthumb -mcpu=cortex-m3, and link the libraries for it",
);
static V7EMSP_PROPERTIES: [Property; 10] = properties(
    up_to_v7m!("v7E-M"),
    &["none", "VFPv2", "VFPv3-D16", "VFPv4-D16"],
    &["SP only"],
    NO_VECTORS,
    "compile with -mthumb -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard, and link the libraries for it",
);
static V7EMDP_PROPERTIES: [Property; 10] = properties(
    up_to_v7m!("v7E-M"),
    &["none", "VFPv2", "VFPv3-D16", "VFPv4-D16", "FPv5-D16"],
    BOTH,
    NO_VECTORS,
    "compile with -mthumb -mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard, and link the libraries for it",
);
static V81M_PROPERTIES: [Property; 10] = properties(
    up_to_v7m!("v7E-M", "v8-M.baseline", "v8-M.mainline", "v8.1-M.mainline"),
    &["none", "VFPv2", "VFPv3-D16", "VFPv4-D16", "FPv5-D16"],
    BOTH,
    NO_NEON,
    "compile with -mthumb -mcpu=cortex-m55 -mfloat-abi=hard, and link the libraries for it",
);

const V7M: Arch = Arch {
    name: "armv7m",
    machine: object::elf::EM_ARM,
    word: 4,
    literals: false,
    rows: ROWS,
    in_place: &[],
    text_align: 16,
    preferred_align: 1,
    relative_bias: 0,
    jump: jump_v7m,
    // `ldr r3, [pc]`, `bx r3`, and the word.
    stub: Stub { code: &[0x00, 0x4b, 0x18, 0x47, 0, 0, 0, 0], entry: 0, word: 4, r_type: 2 },
    absolute_help: "compile with -fno-pic -mword-relocations (clang: -mno-movt), which puts addresses in literal pools",
    code_bit: 1,
    properties: &V7M_PROPERTIES,
    declared: &[],
    extensions: |_| 0,
    got_is_based: |_| true,
    make_relative: None,
    relax_got: None,
    inline_got: Some(inline_got),
    relax_code: None,
};

pub static ARMV6M: Arch = Arch { name: "armv6m", jump: jump_v6m, properties: &V6M_PROPERTIES, ..V7M };
pub static ARMV7M: Arch = V7M;
pub static ARMV7EMSP: Arch = Arch { name: "armv7emsp", properties: &V7EMSP_PROPERTIES, ..V7M };
pub static ARMV7EMDP: Arch = Arch { name: "armv7emdp", properties: &V7EMDP_PROPERTIES, ..V7M };
pub static ARMV81M: Arch = Arch { name: "armv81m", properties: &V81M_PROPERTIES, ..V7M };
