//! Data about MicroPython's native architectures, boards and chips, and the [`Diagnostic`] that every stage reports
//! errors with.
//!
//! The data are files of this crate: `archs/*.toml`, `boards/*.toml` and `chips/*.toml`. They are part of the program, so
//! an installed tool needs no other files. This crate contains no logic: what an architecture's relocations compute is in
//! `mpy-link`, and the flags are those of the compilers.
//!
//! ```
//! let board = target_specs::board("rp2040")?;
//! let arch = target_specs::arch(&board.arch)?;
//! assert_eq!((arch.name.as_str(), arch.word_bits), ("armv6m", 32));
//!
//! let error = target_specs::arch("armv6").unwrap_err();
//! assert_eq!(error.code, "unknown-arch");
//! assert!(error.help.unwrap().starts_with("did you mean `armv6m`?"));
//! # Ok::<(), target_specs::Diagnostic>(())
//! ```

mod arch;
mod board;
mod diagnostic;
mod embedded;
mod lookup;
mod visible;

pub use arch::{Arch, Compiler, Float, archs};
pub use board::{Board, Chip, Emulator, boards, chips};
pub use diagnostic::{Diagnostic, Place, Result};
pub use lookup::{arch, board, nearest};
pub use visible::{is_hidden, replace_chars, visible, visible_json, visible_line};

/// The sources of the firmware of emulated boards: the path in `emulators/port/` and the text of each file.
pub fn port_files() -> &'static [(&'static str, &'static str)] {
    embedded::PORT
}

/// The QEMU plugin that counts instructions and reports accesses that the hardware does not support, in C.
pub const EMULATOR_PLUGIN: &str = include_str!("../emulators/plugin.c");

/// Modules of Python for MicroPython on this computer, which has no hardware: a simulated `machine`, and what is connected
/// to it. File names, and texts.
pub const SIMULATED: [(&str, &str); 3] = [
    ("machine.py", include_str!("../simulated/machine.py")),
    ("simulated.py", include_str!("../simulated/simulated.py")),
    ("time.py", include_str!("../simulated/time.py")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_parses_and_its_references_exist() {
        assert!(archs().len() >= 10);
        for arch in archs() {
            assert!(!arch.compilers.is_empty(), "{} has no compiler", arch.name);
        }
        for board in boards() {
            assert!(arch(&board.arch).is_ok(), "{}: arch {}", board.name, board.arch);
            // A real board has a chip and names its source.
            let is_real = board.emulator.is_none();
            assert_eq!(
                (board.chip().is_some(), board.source.is_some()),
                (is_real, is_real),
                "{}",
                board.name
            );
            let is_id = |usb: &str| usb.len() == 9 && usb.bytes().all(|b| b == b':' || b.is_ascii_hexdigit());
            assert!(board.usb.as_deref().is_none_or(is_id), "{}: {:?}", board.name, board.usb);
        }
        for chip in chips() {
            let used = boards().iter().any(|board| board.chip.as_ref() == Some(&chip.name));
            assert!(used, "no board has the chip {}", chip.name);
        }
        assert!(boards().iter().filter(|board| board.emulator.is_none()).count() >= 40);
    }
}
