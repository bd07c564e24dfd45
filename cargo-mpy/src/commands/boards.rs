//! `cargo mpy boards`.

use clap::Args;
use target_specs::{Board, Chip, Emulator, Float, Result};

use crate::failure::Failure;
use crate::messages::{BoardFacts, Message};
use crate::serial::port;
use crate::ui;

/// List the supported boards and their architectures
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy boards
  cargo mpy boards pico          boards with `pico` in name or description
  cargo mpy boards rpi-pico      all details of one board
  cargo mpy boards --json        all details of all boards, as lines of JSON
  cargo mpy boards --connected   the ports of the connected boards

MHz is the maximum clock of the chip, and KiB is its internal RAM. Firmware may
use less.")]
pub struct Boards {
    /// Name of a board, or a word in its name, architecture, chip or description
    #[arg(value_name = "WORD")]
    word: Option<String>,

    /// Print all details of each board as a line of JSON
    #[arg(long, conflicts_with = "connected")]
    json: bool,

    /// List the ports of the connected boards instead
    #[arg(long, conflicts_with = "word")]
    connected: bool,
}

impl Boards {
    pub fn run(self) -> std::result::Result<(), Failure> {
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
        let has_word = |board: &&Board| {
            let chip = board.chip().map_or("", |chip| &chip.title);
            [&board.name, &board.arch, &board.title, chip]
                .iter()
                .any(|text| text.to_lowercase().contains(&word))
        };
        let exact = target_specs::boards().iter().find(|board| board.name == word);
        let boards: Vec<&Board> = match exact {
            Some(board) => vec![board],
            None => target_specs::boards().iter().filter(has_word).collect(),
        };
        if boards.is_empty() {
            // The error of `--board`, which suggests similar names.
            target_specs::board(&word)?;
        }
        if self.json {
            for board in boards {
                ui::message_line(&message(board)?);
            }
        } else if let Some(board) = exact {
            describe(board)?;
        } else {
            list(&boards);
        }
        Ok(())
    }
}

/// How modules for the board run on this computer.
fn runs(board: &Board) -> &'static str {
    match board.emulator {
        Some(Emulator::Unix { .. }) => "as a program",
        Some(Emulator::Qemu { .. }) => "in QEMU",
        None => "",
    }
}

fn list(boards: &[&Board]) {
    let rows: Vec<[String; 5]> = boards
        .iter()
        .map(|board| {
            let (clock, ram) = match board.chip() {
                Some(chip) => (chip.clock_mhz.to_string(), chip.ram_kib.to_string()),
                None => (String::new(), String::new()),
            };
            let mark = if board.no_native.is_some() { "* " } else { "" };
            [board.name.clone(), board.arch.clone(), clock, ram, format!("{mark}{}", board.title)]
        })
        .collect();
    ui::columns(&["board", "arch", "MHz", "KiB", ""], &rows);
    if boards.iter().any(|board| board.emulator.is_some()) {
        ui::output("`unix` and emulated boards run on this machine: `cargo mpy run --board NAME`\n");
    }
    if boards.iter().any(|board| board.no_native.is_some()) {
        ui::output("* the firmware that is published for it loads no native modules\n");
    }
}

fn float(float: Float) -> &'static str {
    match float {
        Float::Soft => "by software",
        Float::Single => "single precision in hardware",
        Float::Double => "single and double in hardware",
    }
}

fn describe(board: &Board) -> Result<()> {
    let arch = target_specs::arch(&board.arch)?;
    ui::heading(format_args!("{}: {}", board.name, board.title));
    let mut rows = vec![("arch", format!("{} ({})", arch.name, arch.title))];
    rows.push(("floats", format!("{}; fits firmware of any float ABI", float(arch.float))));
    if let Some(chip) = board.chip() {
        rows.push(("chip", format!("{}, {}", chip.title, chip.core)));
        rows.push(("clock", format!("up to {} MHz", chip.clock_mhz)));
        rows.push(("RAM", format!("{} KiB inside the chip", chip.ram_kib)));
        rows.push(("code in", chip.text_in.clone()));
        rows.push(("ROM", rom(board, chip)));
    }
    match &board.no_native {
        Some(why) => rows.push(("native", format!("no: {why}"))),
        None => rows.push(("native", format!("modules are loaded by MicroPython {} and later", arch.since))),
    }
    rows.push(("USB", board.usb.clone().unwrap_or_else(|| "no port of its own that is known".to_owned())));
    if board.emulator.is_some() {
        rows.retain(|(name, _)| *name != "USB");
        rows.push(("runs", format!("on this machine ({})", runs(board))));
    }
    if !board.c_flags.is_empty() {
        rows.push(("C flags", board.c_flags.join(" ")));
    }
    if let Some(source) = &board.source {
        rows.push(("known from", source.clone()));
    }
    if let Some(chip) = board.chip() {
        rows.push(("and", chip.source.clone()));
    }
    for (name, value) in rows {
        ui::output(format_args!("{name:<11} {value}\n"));
    }
    Ok(())
}

/// What its firmware has for files that stay in ROM.
fn rom(board: &Board, chip: &Chip) -> String {
    if chip.rom_is_data {
        return "cannot be executed".to_owned();
    }
    match board.rom_kib {
        0 => "none in the firmware that is published for it".to_owned(),
        size => format!("{size} KiB for files, whose code is executed there (`cargo mpy deploy --rom`)"),
    }
}

/// The facts about a board, for tools.
fn message(board: &'static Board) -> Result<Message<'static>> {
    let arch = target_specs::arch(&board.arch)?;
    let chip = board.chip();
    Ok(Message::Board(BoardFacts {
        name: &board.name,
        title: &board.title,
        arch: &board.arch,
        float: float(arch.float),
        since: &arch.since,
        chip: chip.map(|chip| &*chip.title),
        core: chip.map(|chip| &*chip.core),
        clock_mhz: chip.map(|chip| chip.clock_mhz),
        ram_kib: chip.map(|chip| chip.ram_kib),
        text_in: chip.map(|chip| &*chip.text_in),
        rom_kib: Some(board.rom_kib).filter(|kib| *kib > 0),
        usb: board.usb.as_deref(),
        no_native: board.no_native.as_deref(),
        runs: runs(board),
        source: board.source.as_deref(),
        chip_source: chip.map(|chip| &*chip.source),
    }))
}
