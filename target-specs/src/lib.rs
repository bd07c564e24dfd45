//! Facts as data: MicroPython's native architectures (`archs/*.toml`), boards (`boards/*.toml`),
//! and the [`Diagnostic`] every stage reports with.
//!
//! Nothing here behaves; what an architecture's relocations do lives in `mpy-link`, what a flag
//! means is its compiler's business.

mod arch;
mod board;
mod diagnostic;
mod visible;

pub use arch::{Arch, Compiler, Float};
pub use board::{Board, Chip, Emulator};
pub use diagnostic::{Diagnostic, Place, Result};
pub use visible::{is_hidden, spelled, visible, visible_json, visible_line};

use std::sync::OnceLock;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/specs.rs"));
    pub(super) const ARCH_FILES: &[(&str, &str)] = ARCHS;
    pub(super) const BOARD_FILES: &[(&str, &str)] = BOARDS;
    pub(super) const CHIP_FILES: &[(&str, &str)] = CHIPS;
    pub(super) const PORT_FILES: &[(&str, &str)] = PORT;
}

fn load<T: serde::de::DeserializeOwned>(files: &[(&str, &str)]) -> Vec<T> {
    files
        .iter()
        .map(|(file, text)| {
            // The files are compiled in and a test loads them all, so this cannot fail for users.
            toml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"))
        })
        .collect()
}

/// All architectures, in MicroPython's numbering.
pub fn archs() -> &'static [Arch] {
    static ARCHS: OnceLock<Vec<Arch>> = OnceLock::new();
    ARCHS.get_or_init(|| {
        let mut archs: Vec<Arch> = load(embedded::ARCH_FILES);
        archs.sort_by_key(|arch| arch.mpy_arch);
        archs
    })
}

/// All boards, by name.
pub fn boards() -> &'static [Board] {
    static BOARDS: OnceLock<Vec<Board>> = OnceLock::new();
    BOARDS.get_or_init(|| {
        let mut boards: Vec<Board> = load(embedded::BOARD_FILES);
        boards.sort_by(|a, b| a.name.cmp(&b.name));
        boards
    })
}

/// All chips that boards have, by name.
pub fn chips() -> &'static [Chip] {
    static CHIPS: OnceLock<Vec<Chip>> = OnceLock::new();
    CHIPS.get_or_init(|| {
        let mut chips: Vec<Chip> = load(embedded::CHIP_FILES);
        chips.sort_by(|a, b| a.name.cmp(&b.name));
        chips
    })
}

/// The sources of the emulated boards' firmware: path within `emulators/port/`, and text.
pub fn port_files() -> &'static [(&'static str, &'static str)] {
    embedded::PORT_FILES
}

/// The plugin that counts instructions and refuses accesses under QEMU (C).
pub const EMULATOR_PLUGIN: &str = include_str!("../emulators/plugin.c");

/// The architecture called `name`.
///
/// # Errors
/// `unknown-arch`, listing the choices.
pub fn arch(name: &str) -> Result<&'static Arch> {
    archs()
        .iter()
        .find(|arch| arch.name == name)
        .ok_or_else(|| unknown("arch", name, archs().iter().map(|arch| arch.name.as_str())))
}

/// The board called `name`.
///
/// # Errors
/// `unknown-board`, with the nearest name and how to list them.
pub fn board(name: &str) -> Result<&'static Board> {
    boards()
        .iter()
        .find(|board| board.name == name)
        .ok_or_else(|| unknown("board", name, boards().iter().map(|board| board.name.as_str())))
}

/// Where nothing is near, a list of all is for the few architectures; of boards, those that have the word in them.
fn unknown<'a>(what: &'static str, name: &str, choices: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let is_arch = what == "arch";
    let list: Vec<&str> = choices.clone().filter(|choice| is_arch || choice.contains(name)).collect();
    let all = if is_arch { String::new() } else { "`cargo mpy boards` lists all".to_owned() };
    let some = if list.is_empty() { String::new() } else { format!("known: {}", list.join(", ")) };
    let near = nearest(name, choices).map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
    let help: Vec<&str> =
        [&near, &some, &all].into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let help = help.join("; ").replace("?;", "?");
    let code = if is_arch { "unknown-arch" } else { "unknown-board" };
    Diagnostic::new(code, format!("no {what} is called `{name}`"))
        .at(Place::Argument(name.to_owned()))
        .help(help)
}

/// The choice closest to `name`, when it is close enough to be a slip of the fingers.
pub fn nearest<'a>(name: &str, choices: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    choices
        .map(|choice| (edit_distance(name, choice), choice))
        .min()
        .filter(|(distance, choice)| *distance <= 1 + choice.len() / 4)
        .map(|(_, choice)| choice)
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_loads_and_refers_to_something_real() {
        assert!(archs().len() >= 10);
        for arch in archs() {
            assert!(!arch.compilers.is_empty(), "{} has no compiler", arch.name);
        }
        for board in boards() {
            assert!(arch(&board.arch).is_ok(), "{}: arch {}", board.name, board.arch);
            // A real board is a chip and says where that is known from.
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

    #[test]
    fn a_slip_is_answered_with_the_nearest_name() {
        let error = arch("armv6").unwrap_err();
        assert_eq!(error.code, "unknown-arch");
        assert!(error.help.unwrap().starts_with("did you mean `armv6m`?"));
        assert_eq!(nearest("zebra", ["rp2040", "esp32"].into_iter()), None);
    }
}
