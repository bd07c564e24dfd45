//! `archs/*.toml`: one native architecture of MicroPython and how C is compiled for it.

use serde::Deserialize;

/// The floating-point unit an architecture may use inside a module. Floats never cross the
/// border to the firmware in registers, so this is the module's own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Float {
    Soft,
    Single,
    Double,
}

/// One native architecture (`py/persistentcode.h`, `MP_NATIVE_ARCH_*`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Arch {
    /// MicroPython's name for it, as in `mpy_ld.py --arch`.
    pub name: String,
    /// A line for people.
    pub title: String,
    /// `MP_NATIVE_ARCH_*`: the number in the header of a `.mpy` file.
    pub mpy_arch: u8,
    /// Bits of a pointer and of a MicroPython word.
    pub word_bits: u8,
    /// A misaligned load or store faults.
    pub strict_alignment: bool,
    /// Whether code memory can be read byte by byte; where not, constants need a block of their own.
    pub byte_readable_text: bool,
    pub float: Float,
    /// The first MicroPython that loads native modules for it.
    pub since: String,
    /// Arguments that make GNU `objdump` read its bare code.
    pub disassembler: Vec<String>,
    /// Emulated or native board that stands for this architecture in `cargo mpy run --arch`.
    pub test_board: Option<String>,
    /// Compilers in order of preference.
    #[serde(rename = "compiler")]
    pub compilers: Vec<Compiler>,
}

/// One C compiler that can produce code for an [`Arch`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Compiler {
    /// Program names to look for on `PATH`, in order.
    pub commands: Vec<String>,
    /// Flags that make its output right for the architecture.
    pub flags: Vec<String>,
    /// Flags that only make its output quicker.
    #[serde(default)]
    pub tuning: Vec<String>,
    /// It is clang, whose flags differ from GCC's.
    #[serde(default)]
    pub clang: bool,
    /// Whether `-print-libgcc-file-name` names a library whose code fits.
    #[serde(default)]
    pub runtime_library: bool,
    /// Flags that make it name that library, where [`Compiler::flags`] name a worse one.
    #[serde(default)]
    pub library_flags: Vec<String>,
    /// Its assembler needs a description of the processor's instructions, made at setup.
    #[serde(default)]
    pub assembler_plugin: bool,
    /// Package that brings it, by package manager (`apt`, `dnf`, `pacman`, `brew`).
    #[serde(default)]
    pub packages: std::collections::BTreeMap<String, String>,
}
