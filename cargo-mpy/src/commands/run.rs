//! `cargo mpy run`.

use std::path::PathBuf;

use clap::Args;
use target_specs::Result;

use super::files;
use crate::failure::Failure;
use crate::options::{self, BuildOptions};
use crate::serial::Sources;
use crate::session::connected::{self, contents};
use crate::session::emulated::{boards, firmware};
use crate::session::events::{Events, Output};
use crate::session::loaded::Loaded;
use crate::session::port_args::PortArgs;
use crate::toolchain::emulator;
use crate::{pipeline, ui};

/// Build the module and run Python with it, on this machine or on a connected board
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy run -e 'import filter; print(filter.taps())'
  cargo mpy run test.py --board qemu-armv6m --board unix
  cargo mpy run plot.py -- --width 60
      with sys.argv[1:] == ['--width', '60']
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

    /// Arguments for the code: `sys.argv[1:]`
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

impl Run {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let (module, script) = files::module_and_script(self.files)?;
        let script = files::code(script.as_deref(), self.execute.as_deref())?;
        let timeout = options::timeout(self.timeout)?;
        let options = BuildOptions { input: module.or(self.options.input), ..self.options };
        if let Some(port) = &self.port {
            let line = PortArgs::at(port);
            return connected::run_in_ram(
                &line,
                &options,
                script.as_deref(),
                &self.arguments,
                timeout,
                self.raw,
            );
        }
        let plan = pipeline::plan(&options)?;
        // Report a missing emulator before the build.
        let boards = plan.targets.iter().map(boards).collect::<Result<Vec<_>>>()?;
        let built = pipeline::build(&plan, None)?;

        let code = script.unwrap_or_else(|| contents(&plan.module));
        let mut worst = 0;
        for (built, boards) in built.iter().zip(&boards) {
            let Loaded { modules, mut faults } = Loaded::new(&plan, built)?;
            let modules = emulator::with_hardware(&modules);
            for board in boards {
                let firmware = firmware(board)?;
                ui::status("Running", format_args!("in MicroPython on {}", board.name));
                let (firmware, arguments) = (&firmware, &self.arguments[..]);
                let run =
                    emulator::Run { board, firmware, modules: &modules, code: &code, timeout, arguments };
                let mut output = Output::new(Events::default(), self.raw, &mut faults);
                let outcome = emulator::run(&run, &mut |bytes| output.write(bytes));
                let outcome = outcome.map_err(|error| faults.explained(error))?;
                if ui::output_has_failed() {
                    // The program was interrupted.
                    return Ok(());
                }
                ui::raw(&Sources::here().with(outcome.stderr.as_bytes()));
                worst = if worst == 0 { outcome.status } else { worst };
            }
        }
        if worst == 0 { Ok(()) } else { Err(Failure::Exit(worst)) }
    }
}
