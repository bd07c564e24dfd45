//! `archs/*.toml`: a native architecture of MicroPython, and how C is compiled for it.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::embedded::{self, parse};

/// The floating-point unit that code of an architecture may use. Modules and firmware do not pass floats to each other in
/// registers, so the firmware may use another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Float {
    /// None: floats are computed by library functions.
    Soft,
    /// Single precision.
    Single,
    /// Single and double precision.
    Double,
}

/// The instructions for vectors that code of an architecture may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Simd {
    /// Those that every 64-bit x86 has.
    Sse2,
}

/// A native architecture (`py/persistentcode.h`, `MP_NATIVE_ARCH_*`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Arch {
    /// MicroPython's name of it, as in `mpy_ld.py --arch`. One that MicroPython does not tell from another is named in the
    /// same way.
    pub name: String,
    /// A description in one line.
    pub title: String,
    /// `MP_NATIVE_ARCH_*`: the number in the header of a `.mpy` file.
    pub mpy_arch: u8,
    /// The numbers of the firmware that loads its modules (`MPY_FEATURE_ARCH_TEST`), if there are others than its own: Thumb
    /// firmware loads the modules of all lower Thumb architectures. 6 is a Cortex-M4 without FPU.
    #[serde(default)]
    pub loaded_by: Vec<u8>,
    /// The processors that have its instructions, if the number of the firmware does not say so. Their names, at the end of
    /// `sys.implementation._machine`, start with one of these. Empty if all that load its modules have them.
    #[serde(default)]
    pub processors: Vec<String>,
    /// Bits of a pointer and of a MicroPython word.
    pub word_bits: u8,
    /// Whether a misaligned load or store faults.
    pub strict_alignment: bool,
    /// Whether one instruction compares, and another one branches.
    #[serde(default)]
    pub condition_flags: bool,
    /// Whether a number that has its ones in eight bits in a row can be an operand of a comparison (Armv7-M, A5.3.2: modified
    /// immediate constants).
    #[serde(default)]
    pub modified_immediates: bool,
    /// Whether code memory can be read byte by byte. If not, constants are in a separate block.
    pub byte_readable_text: bool,
    /// The floating-point unit.
    pub float: Float,
    /// What vectors are in its code, if crates are faster with vectors. Otherwise they are built without.
    #[serde(default)]
    pub simd: Option<Simd>,
    /// The first MicroPython version that loads native modules for it.
    pub since: String,
    /// The names of its registers as the firmware of emulated boards prints them, in the order of their numbers in DWARF. The
    /// stack pointer is `sp`.
    #[serde(default)]
    pub registers: Vec<String>,
    /// Arguments of GNU `objdump` for raw code.
    pub disassembler: Vec<String>,
    /// The emulated or native board that `cargo mpy run --arch` uses.
    pub test_board: Option<String>,
    /// C compilers, in order of preference.
    #[serde(rename = "compiler")]
    pub compilers: Vec<Compiler>,
}

impl Arch {
    /// Whether its modules run in firmware of architecture `number` (`MP_NATIVE_ARCH_*`), on the processor that `machine`,
    /// the firmware's `sys.implementation._machine`, ends with.
    pub fn runs_on(&self, number: u8, machine: &str) -> bool {
        let processor = machine.rsplit(" with ").next().unwrap_or_default();
        let has_instructions = self.processors.is_empty()
            || self.processors.iter().any(|name| processor.starts_with(name.as_str()));
        (number == self.mpy_arch || self.loaded_by.contains(&number)) && has_instructions
    }

    /// The best of `archs` for such firmware: that with the most of the processor's instructions.
    pub fn best_for<'a>(
        number: u8,
        machine: &str,
        archs: impl IntoIterator<Item = &'a Arch>,
    ) -> Option<&'a Arch> {
        let those = archs.into_iter().filter(|arch| arch.runs_on(number, machine));
        those.max_by_key(|arch| (arch.mpy_arch, !arch.processors.is_empty()))
    }
}

/// A C compiler for an [`Arch`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Compiler {
    /// The program names to search `PATH` for, in order.
    pub commands: Vec<String>,
    /// Flags that the architecture needs.
    pub flags: Vec<String>,
    /// Flags that only make the code faster.
    #[serde(default)]
    pub tuning: Vec<String>,
    /// More such flags, for code that is optimised for speed, has native addresses, and cannot be interrupted.
    #[serde(default)]
    pub direct_tuning: Vec<String>,
    /// Whether it is clang, whose flags differ from those of GCC.
    #[serde(default)]
    pub clang: bool,
    /// Whether `-print-libgcc-file-name` prints a library that can be linked.
    #[serde(default)]
    pub runtime_library: bool,
    /// Flags with which it prints a better library than with [`Compiler::flags`].
    #[serde(default)]
    pub library_flags: Vec<String>,
    /// The register for the address of a module's state, if the module's code is to stay in flash: functions keep its value, and
    /// the compiler can be told not to use it. Without it, this compiler makes no such code.
    #[serde(default)]
    pub flash_register: Option<String>,
    /// Whether its assembler needs a description of the processor's instructions, which setup creates.
    #[serde(default)]
    pub assembler_plugin: bool,
    /// The package that contains it, by package manager (`apt`, `dnf`, `pacman`, `brew`,
    /// `winget`).
    #[serde(default)]
    pub packages: std::collections::BTreeMap<String, String>,
}

/// All architectures, in the order of their numbers in MicroPython. Of those with one number, that which runs on all
/// processors is first.
pub fn archs() -> &'static [Arch] {
    static ARCHS: OnceLock<Vec<Arch>> = OnceLock::new();
    ARCHS.get_or_init(|| {
        let mut archs: Vec<Arch> = parse(embedded::ARCHS);
        archs.sort_by_key(|arch| (arch.mpy_arch, !arch.processors.is_empty()));
        archs
    })
}
