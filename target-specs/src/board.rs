//! `boards/*.toml`: a board, real or emulated; `chips/*.toml`: the chip on it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::embedded::{self, parse};

/// A board that a module can be built for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Board {
    /// The name for `--board`: MicroPython's name in lower case with hyphens (`rpi-pico` for `RPI_PICO`), or the name of a
    /// chip, for every board with it.
    pub name: String,
    /// A description in one line.
    pub title: String,
    /// The name of its [`Arch`](crate::Arch).
    pub arch: String,
    /// Additional flags of the C compiler. Boards with the same architecture and flags share one build.
    #[serde(default)]
    pub c_flags: Vec<String>,
    /// The name of its [`Chip`]. An emulated board has none.
    pub chip: Option<String>,
    /// Vendor and product ID of MicroPython's USB port: `2e8a:0005`. `None` if the port belongs to another chip, or if there
    /// is no port.
    pub usb: Option<String>,
    /// The size of the ROMFS partition in the MicroPython that is published for it, 0 if there is none.
    #[serde(default)]
    pub rom_kib: u32,
    /// Why the MicroPython that is published for it cannot load native modules, if it cannot.
    pub no_native: Option<String>,
    /// The source of this data.
    pub source: Option<String>,
    /// How to run it on the developer's machine, if it is emulated.
    pub emulator: Option<Emulator>,
}

impl Board {
    /// Its [`Chip`].
    pub fn chip(&self) -> Option<&'static Chip> {
        chips().iter().find(|chip| self.chip.as_ref() == Some(&chip.name))
    }
}

/// A chip on boards.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chip {
    /// Its name in `chip` of boards.
    pub name: String,
    /// A description in one line.
    pub title: String,
    /// Its processor.
    pub core: String,
    /// The fastest clock that it is rated for. Firmware may use a slower one.
    pub clock_mhz: u32,
    /// The memory in the chip. Less of it is available to MicroPython.
    pub ram_kib: u32,
    /// Whether it has a bus for external memory (PSRAM, SDRAM, SRAM).
    #[serde(default)]
    pub external_ram: bool,
    /// The memory that MicroPython loads code into.
    pub text_in: String,
    /// Whether its MicroPython maps ROMFS where the processor can read, but cannot execute.
    #[serde(default)]
    pub rom_is_data: bool,
    /// The document with this data.
    pub source: String,
}

/// How to run a MicroPython on the developer's machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Emulator {
    /// MicroPython's unix port.
    Unix {
        /// Arguments of `make` in `ports/unix`.
        #[serde(default)]
        make: Vec<String>,
        /// Flags that the host's C compiler must support.
        #[serde(default)]
        host_flags: Vec<String>,
        /// The package that it needs, by package manager.
        #[serde(default)]
        packages: BTreeMap<String, String>,
    },
    /// The port in `emulators/port/` under QEMU.
    Qemu {
        /// `qemu-system-…`.
        program: String,
        /// All arguments except `-kernel` and the serial port.
        args: Vec<String>,
        /// The board whose firmware it runs, if it has none of its own.
        firmware: Option<String>,
        /// The size in bytes of the garbage collector's heap, if it is smaller than that of the firmware.
        #[serde(default)]
        heap: u32,
        /// Whether the firmware uses semihosting calls for its console, and so QEMU's standard input and output.
        #[serde(default)]
        semihosting_console: bool,
        /// The address where the firmware looks for files in memory (`emulators/port/parcel.c`).
        parcel: u32,
        /// The start and end of the memory that the firmware loads native code into.
        code: [u32; 2],
        /// Whether this memory supports only 32-bit accesses on the real chip.
        #[serde(default)]
        word_access_only: bool,
        /// Prefixes of the cross compilers for the firmware, in order of preference.
        cross: Vec<String>,
        /// The package that contains the program, by package manager.
        #[serde(default)]
        packages: BTreeMap<String, String>,
    },
}

/// All boards, sorted by name.
pub fn boards() -> &'static [Board] {
    static BOARDS: OnceLock<Vec<Board>> = OnceLock::new();
    BOARDS.get_or_init(|| {
        let mut boards: Vec<Board> = parse(embedded::BOARDS);
        boards.sort_by(|a, b| a.name.cmp(&b.name));
        boards
    })
}

/// All chips, sorted by name.
pub fn chips() -> &'static [Chip] {
    static CHIPS: OnceLock<Vec<Chip>> = OnceLock::new();
    CHIPS.get_or_init(|| {
        let mut chips: Vec<Chip> = parse(embedded::CHIPS);
        chips.sort_by(|a, b| a.name.cmp(&b.name));
        chips
    })
}
