//! `cargo mpy boards`.

use clap::Args;
use target_specs::Emulator;

use crate::{Failure, ui};

/// List the boards and architectures modules can be built for
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy boards
  cargo mpy boards pico      those with `pico` in their name or description")]
pub struct Boards {
    /// Only those whose name, architecture or description has this word
    #[arg(value_name = "WORD")]
    word: Option<String>,
}

impl Boards {
    pub fn run(self) -> Result<(), Failure> {
        let word = self.word.unwrap_or_default().to_lowercase();
        let rows: Vec<[&str; 4]> = target_specs::boards()
            .iter()
            .map(|board| {
                let runs = match board.emulator {
                    Some(Emulator::Unix { .. }) => "here",
                    Some(Emulator::Qemu { .. }) => "QEMU",
                    None => "",
                };
                [board.name.as_str(), board.arch.as_str(), runs, board.title.as_str()]
            })
            .filter(|row| row.iter().any(|cell| cell.to_lowercase().contains(&word)))
            .collect();
        ui::table(&["board", "arch", "runs in", ""], &rows);
        Ok(())
    }
}
