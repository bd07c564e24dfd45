//! `cargo mpy boards`.

use clap::Args;
use target_specs::Emulator;

use crate::serial::port;
use crate::{Failure, ui};

/// List the boards and architectures modules can be built for
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy boards
  cargo mpy boards pico      those with `pico` in their name or description
  cargo mpy boards --connected")]
pub struct Boards {
    /// Only those whose name, architecture or description has this word
    #[arg(value_name = "WORD")]
    word: Option<String>,

    /// List the serial ports boards are connected to instead
    #[arg(long, conflicts_with = "word")]
    connected: bool,
}

impl Boards {
    pub fn run(self) -> Result<(), Failure> {
        if self.connected {
            let ports = port::ports()?;
            let rows: Vec<[&str; 4]> =
                ports.iter().map(|port| [&*port.path, &*port.usb, &*port.serial, &*port.product]).collect();
            if rows.is_empty() {
                ui::status("None", "no board is connected by USB");
            } else {
                ui::table(&["port", "USB", "serial", ""], &rows);
            }
            return Ok(());
        }
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
