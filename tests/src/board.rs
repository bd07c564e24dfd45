//! The emulated boards, for tests: their MicroPython, and what it says.

use std::path::Path;
use std::time::Duration;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::emulator::{Run, run};
use cargo_mpy::toolchain::micropython::{Firmware, emulated, missing_tools};
use cargo_mpy::{Failure, pipeline};
use target_specs::{Board, Diagnostic, Emulator};

use crate::in_ci;

/// A board of this machine for each architecture, and why the others cannot run; in CI they all must.
pub fn boards() -> Vec<(&'static Board, Option<String>)> {
    checked(|board| !is_small(board))
}

/// The boards that have little memory, likewise.
pub fn small_boards() -> Vec<(&'static Board, Option<String>)> {
    checked(is_small)
}

fn is_small(board: &Board) -> bool {
    matches!(board.emulator, Some(Emulator::Qemu { heap: 1.., .. }))
}

fn checked(wanted: impl Fn(&Board) -> bool) -> Vec<(&'static Board, Option<String>)> {
    emulated()
        .filter(|board| wanted(board))
        .map(|board| {
            let missing = missing_tools(board);
            let why = (!missing.is_empty()).then(|| format!("missing: {missing:?}"));
            if let (Some(why), true) = (&why, in_ci()) {
                panic!("{} cannot be tested: {why}", board.name);
            }
            (board, why)
        })
        .collect()
}

/// Builds a `.wasm` file for a board and reads the module.
pub fn build(wasm: &Path, board: &Board, target_dir: &Path) -> Result<Vec<u8>, String> {
    let options = BuildOptions { input: Some(wasm.to_owned()), ..options(board, target_dir) };
    Ok(module(&options).map_err(|failure| format!("{failure:?}"))?.1)
}

/// Options of a build for one board.
pub fn options(board: &Board, target_dir: &Path) -> BuildOptions {
    BuildOptions {
        boards: vec![board.name.clone()],
        target_dir: Some(target_dir.to_owned()),
        ..Default::default()
    }
}

/// Builds what `options` say, for their one target: the module's file name, and its bytes.
pub fn module(options: &BuildOptions) -> Result<(String, Vec<u8>), Failure> {
    let plan = pipeline::plan(options)?;
    let built = pipeline::build(&plan, None)?;
    let mpy = &built[0].mpy;
    let bytes =
        std::fs::read(mpy).map_err(|error| Diagnostic::new("io", format!("{}: {error}", mpy.display())))?;
    Ok((format!("{}.mpy", plan.module), bytes))
}

/// Runs Python on a board; what it prints, and the traceback when it ends with one.
pub fn execute(board: &Board, modules: &[(String, Vec<u8>)], code: &str) -> Result<String, String> {
    execute_within(board, modules, code, Duration::from_secs(300))
}

/// As [`execute`], for that long at most.
pub fn execute_within(
    board: &Board,
    modules: &[(String, Vec<u8>)],
    code: &str,
    timeout: Duration,
) -> Result<String, String> {
    let firmware = Firmware::build(board, &|_| {}).map_err(|error| error.to_string())?;
    let run_ = Run { board, firmware: &firmware, modules, code, timeout };
    let mut printed = Vec::new();
    let outcome = run(&run_, &mut |bytes| printed.extend_from_slice(bytes));
    let mut text = String::from_utf8_lossy(&printed).replace("\r\n", "\n");
    match outcome {
        Ok(outcome) if outcome.status == 0 => return Ok(text),
        Ok(outcome) => text.push_str(&outcome.stderr),
        Err(error) => text.push_str(&error.to_string()),
    }
    Err(text)
}
