//! `boards/*.toml`: one board, real or emulated, and `chips/*.toml`: what is on it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One board a module can be built for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Board {
    /// What `--board` takes: MicroPython's own name in small letters, `rpi-pico` for its `RPI_PICO`, or the
    /// name of a chip for every board with it.
    pub name: String,
    /// A line for people.
    pub title: String,
    /// Its [`crate::Arch`], by name.
    pub arch: String,
    /// Extra C compiler flags; boards whose architecture and flags agree share one build.
    #[serde(default)]
    pub c_flags: Vec<String>,
    /// Its [`Chip`], by name; an emulated board has none.
    pub chip: Option<String>,
    /// Vendor and product of MicroPython's own USB port, `2e8a:0005`; none where another chip makes the port, or none.
    pub usb: Option<String>,
    /// Why the MicroPython that is published for it loads no native modules, when that is so.
    pub no_native: Option<String>,
    /// Where these facts are from.
    pub source: Option<String>,
    /// How this board runs on the developer's machine, when it does.
    pub emulator: Option<Emulator>,
}

impl Board {
    /// Its chip.
    pub fn chip(&self) -> Option<&'static Chip> {
        crate::chips().iter().find(|chip| self.chip.as_ref() == Some(&chip.name))
    }
}

/// A chip that boards have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chip {
    pub name: String,
    pub title: String,
    /// Its processor.
    pub core: String,
    /// The fastest clock that it is rated for; firmware may choose less.
    pub clock_mhz: u32,
    /// Memory inside the chip; MicroPython has less.
    pub ram_kib: u32,
    /// It has a bus that more memory can be on (PSRAM, SDRAM, SRAM).
    #[serde(default)]
    pub external_ram: bool,
    /// Where MicroPython puts a module's code.
    pub text_in: String,
    /// The document these facts are from.
    pub source: String,
}

/// A MicroPython that runs on the developer's machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Emulator {
    /// MicroPython's unix port, a program of the host.
    Unix {
        /// Arguments for `make` in `ports/unix`.
        #[serde(default)]
        make: Vec<String>,
        /// Flags with which the host's C compiler must work.
        #[serde(default)]
        host_flags: Vec<String>,
        /// Package that makes it work, by package manager.
        #[serde(default)]
        packages: BTreeMap<String, String>,
    },
    /// Our port in `emulators/port/` under QEMU.
    Qemu {
        /// `qemu-system-…`.
        program: String,
        /// Everything but `-kernel` and the serial line.
        args: Vec<String>,
        /// The board whose firmware it runs, when that is not its own.
        firmware: Option<String>,
        /// Bytes of the garbage collector's heap, when they are fewer than the firmware has.
        #[serde(default)]
        heap: u32,
        /// The firmware talks by semihosting calls, which use QEMU's own standard input and output.
        #[serde(default)]
        semihosting_console: bool,
        /// Where the firmware looks for files laid into memory (`emulators/port/parcel.c`).
        parcel: u32,
        /// First address and end of the memory where the firmware puts native code.
        code: [u32; 2],
        /// On the chip this stands for, that memory has 32-bit accesses only.
        #[serde(default)]
        word_access_only: bool,
        /// Prefixes of cross compilers that can build the firmware, in order of preference.
        cross: Vec<String>,
        /// Package that brings the program, by package manager.
        #[serde(default)]
        packages: BTreeMap<String, String>,
    },
}
