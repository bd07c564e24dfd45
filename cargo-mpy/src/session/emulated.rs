//! MicroPython on this computer: programs and emulated boards.

use target_specs::{Board, Diagnostic, Result};

use crate::plan::Target;
use crate::toolchain::micropython::Firmware;
use crate::ui;

/// The boards on this computer that can run a module for `target`: those that the user named, or the test board of the
/// architecture.
pub fn boards(target: &Target) -> Result<Vec<&'static Board>> {
    let named = target.boards.iter().map(|name| target_specs::board(name)).collect::<Result<Vec<_>>>()?;
    let mut boards: Vec<_> = named.iter().copied().filter(|board| board.emulator.is_some()).collect();
    if boards.is_empty() {
        let stand_in = target.arch.test_board.as_deref().and_then(|name| target_specs::board(name).ok());
        let stand_in = stand_in.ok_or_else(|| {
            let arch = &target.arch.name;
            Diagnostic::new("no-emulator", format!("nothing on this machine runs modules for {arch}"))
                .help("`cargo mpy boards` says which boards run here")
        })?;
        for board in named {
            ui::status("Note", format_args!("{} stands in for {}", stand_in.name, board.name));
        }
        boards.push(stand_in);
    }
    Ok(boards)
}

/// These modules, and the simulated hardware, except what the modules take the place of.
pub fn with_hardware(modules: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let simulated = target_specs::SIMULATED.iter();
    let simulated = simulated.filter(|(name, _)| !modules.iter().any(|(of, _)| stem(of) == stem(name)));
    let simulated = simulated.map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_owned()));
    modules.iter().cloned().chain(simulated).collect()
}

/// The MicroPython of a board. It is built on first use.
pub fn firmware(board: &Board) -> Result<Firmware> {
    if let Some(ready) = Firmware::find(board) {
        return Ok(ready);
    }
    ui::status("Building", format_args!("MicroPython for {} (once)", board.name));
    let progress = ui::Progress::new("Building", 0);
    Firmware::build(board, &|doing| progress.message(doing))
}
