//! `boards/*.toml`: one board, real or emulated.

use serde::Deserialize;

/// One board a module can be built for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Board {
    /// What `--board` takes.
    pub name: String,
    /// A line for people.
    pub title: String,
    /// Its [`crate::Arch`], by name.
    pub arch: String,
    /// Extra C compiler flags; boards whose architecture and flags agree share one build.
    #[serde(default)]
    pub c_flags: Vec<String>,
    /// How this board runs on the developer's machine, when it does.
    pub emulator: Option<Emulator>,
}

/// A MicroPython that runs on the developer's machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case")]
pub enum Emulator {
    /// MicroPython's unix port, a program of the host.
    Unix {
        /// Arguments for `make` in `ports/unix`.
        #[serde(default)]
        make: Vec<String>,
    },
    /// Our port in `emulators/` under QEMU.
    Qemu {
        /// `qemu-system-…`.
        program: String,
        /// Everything but `-kernel` and the serial line.
        args: Vec<String>,
    },
}
