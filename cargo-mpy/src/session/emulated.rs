//! MicroPython on this computer: programs and emulated boards.

use target_specs::{Board, Diagnostic, Emulator, Result};

use crate::failure::Failure;
use crate::options::BuildOptions;
use crate::pipeline;
use crate::plan::{BuildPlan, Target};
use crate::toolchain::micropython::Firmware;
use crate::ui;

/// The board under QEMU that is used if none is named.
const DEFAULT: &str = "qemu-armv6m";

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

/// The MicroPython of a board. It is built on first use.
pub fn firmware(board: &Board) -> Result<Firmware> {
    if let Some(ready) = Firmware::find(board) {
        return Ok(ready);
    }
    ui::status("Building", format_args!("MicroPython for {} (once)", board.name));
    let progress = ui::Progress::new("Building", 0);
    Firmware::build(board, &|doing| progress.message(doing))
}

/// The plan for one board under QEMU: the first that the user named, or the default.
///
/// # Errors
/// Errors of [`pipeline::plan`]; `no-emulator` if only others are named.
pub fn under_qemu(options: BuildOptions) -> std::result::Result<(BuildPlan, &'static Board), Failure> {
    let can = |board: &Board| matches!(board.emulator, Some(Emulator::Qemu { .. }));
    let is_named = !options.boards.is_empty() || !options.archs.is_empty();
    let mut plan = pipeline::plan(&options)?;
    let mut found = plan.targets.iter().map(boards).collect::<Result<Vec<_>>>()?.into_iter().flatten();
    if let Some(board) = found.clone().find(|board| can(board)) {
        // Others of the settings are left out.
        let options = BuildOptions { boards: vec![board.name.clone()], archs: Vec::new(), ..options };
        plan = pipeline::plan(&options)?;
        return Ok((plan, board));
    }
    if let (true, Some(board)) = (is_named, found.next()) {
        let message = format!("board `{}` is a program of this machine, not an emulated board", board.name);
        let help =
            format!("name an emulated one, such as `--board {DEFAULT}`; `cargo mpy boards` lists them");
        return Err(Diagnostic::new("no-emulator", message).help(help).into());
    }
    let board = target_specs::board(DEFAULT)?;
    ui::status("Using", format_args!("{DEFAULT}, the default; `--board` chooses another"));
    let options = BuildOptions { boards: vec![DEFAULT.to_owned()], archs: Vec::new(), ..options };
    Ok((pipeline::plan(&options)?, board))
}
