//! `cargo mpy run`.

use std::path::PathBuf;

use clap::Args;
use target_specs::{Board, Diagnostic, Place, Result};

use super::build::BuildOptions;
use super::deploy;
use super::events::{Events, Output};
use super::line::Line;
use crate::plan::Target;
use crate::serial::Sources;
use crate::toolchain::emulator;
use crate::toolchain::micropython::Firmware;
use crate::{Failure, pipeline, toolchain, ui};

/// Build the module and run Python with it, on this machine or on a connected board
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy run -e 'import filter; print(filter.taps())'
  cargo mpy run test.py --board qemu-armv6m --board unix
  cargo mpy run
      list the contents of the module
  cargo mpy run test.py --port auto
      run in the RAM of a connected board, without changing its files

Without --board, the module runs in MicroPython's unix port. `cargo mpy boards`
lists the emulated boards. The exit code is 1 after an uncaught exception,
otherwise that of `sys.exit`.")]
pub struct Run {
    /// Python code to run
    #[arg(short, long, value_name = "PYTHON", conflicts_with = "files")]
    execute: Option<String>,

    /// Run on the connected board at this port; see `deploy`
    #[arg(long, value_name = "PORT")]
    port: Option<String>,

    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    timeout: f32,

    /// Python file to run; a `.wasm` or `.wat` file is built instead of the current crate
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Pass terminal control sequences that the board prints to the terminal
    #[arg(long)]
    raw: bool,

    #[command(flatten)]
    options: BuildOptions,
}

impl Run {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let is_wasm = |path: &PathBuf| {
            path.extension().is_some_and(|extension| extension == "wasm" || extension == "wat")
        };
        let (wasm, scripts): (Vec<PathBuf>, Vec<PathBuf>) = self.files.into_iter().partition(is_wasm);
        if let Some(extra) = wasm.get(1).or(scripts.get(1)) {
            return Err(Diagnostic::new("too-many-files", "one script and one module at a time")
                .at(Place::Argument(extra.display().to_string()))
                .into());
        }
        let script = match scripts.first() {
            Some(path) => Some(String::from_utf8_lossy(&toolchain::read_file(path)?).into_owned()),
            None => self.execute,
        };
        let timeout = super::timeout(self.timeout)?;
        let options = BuildOptions { input: wasm.into_iter().next().or(self.options.input), ..self.options };
        if let Some(port) = &self.port {
            let line = Line::at(port);
            return deploy::run_in_ram(&line, &options, script.as_deref(), timeout, self.raw);
        }
        let plan = pipeline::plan(&options)?;
        // Where it will run, before anything that lasts is done.
        let boards = plan.targets.iter().map(boards).collect::<Result<Vec<_>>>()?;
        let built = pipeline::build(&plan, None)?;

        let code = script.unwrap_or_else(|| contents(&plan.module));
        let mut worst = 0;
        for (built, boards) in built.iter().zip(&boards) {
            let modules = [(format!("{}.mpy", plan.module), toolchain::read_file(&built.mpy)?)];
            for board in boards {
                let firmware = firmware(board)?;
                ui::status("Running", format_args!("in MicroPython on {}", board.name));
                let run =
                    emulator::Run { board, firmware: &firmware, modules: &modules, code: &code, timeout };
                let mut output = Output::new(Events(false), self.raw);
                let outcome = emulator::run(&run, &mut |bytes| output.write(bytes))?;
                if ui::output_has_failed() {
                    // It was interrupted.
                    return Ok(());
                }
                ui::raw(&Sources::here().with(outcome.stderr.as_bytes()));
                worst = if worst == 0 { outcome.status } else { worst };
            }
        }
        if worst == 0 { Ok(()) } else { Err(Failure::Exit(worst)) }
    }
}

/// Python that lists what a module has.
pub(super) fn contents(module: &str) -> String {
    format!("import {module}\nprint('{module}:', ', '.join(n for n in dir({module}) if n[0] != '_'))\n")
}

/// The boards of this machine that run what is built for `target`: its own, or the one that stands
/// for its architecture.
pub(crate) fn boards(target: &Target) -> Result<Vec<&'static Board>> {
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

/// The board's MicroPython, built when this is the first time.
pub fn firmware(board: &Board) -> Result<Firmware> {
    if let Some(ready) = Firmware::find(board) {
        return Ok(ready);
    }
    ui::status("Building", format_args!("MicroPython for {} (once)", board.name));
    let progress = ui::Progress::new("Building", 0);
    Firmware::build(board, &|doing| progress.message(doing))
}
