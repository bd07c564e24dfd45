//! `cargo mpy debug`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use target_specs::{Arch, Board, Diagnostic, Result};

use super::files;
use crate::failure::Failure;
use crate::options::BuildOptions;
use crate::pipeline::Built;
use crate::plan::BuildPlan;
use crate::serial::{Board as Connected, Newlines, RawRepl, Sources, Transport};
use crate::session::connected::{PATIENCE, contents, options_for};
use crate::session::emulated::{firmware, under_qemu};
use crate::session::events::{Events, Output};
use crate::session::faults::Faults;
use crate::session::loaded::Loaded;
use crate::session::port_args::PortArgs;
use crate::symbols::{self, Symbols};
use crate::toolchain::debugger;
use crate::toolchain::emulator::{self, Session, Watch};
use crate::toolchain::micropython::Firmware;
use crate::{pipeline, toolchain, ui};

/// The port of `--print-config`, unless `--listen` names another. VS Code's extensions suggest it.
const USUAL_PORT: u16 = 3333;
/// Somebody thinks at a breakpoint.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Run Python with the module in an emulated board under GDB
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy debug -e 'import filter; print(filter.crossings(b\"\\1\\0\\1\"))'
  cargo mpy debug test.py --board qemu-rv32imc
      then in GDB: `break src/lib.rs:53`, `continue`
  cargo mpy debug test.py -- -batch -x commands.gdb
      arguments for GDB
  cargo mpy debug test.py --listen 3333
      wait for a debugger, such as that of an editor
  cargo mpy debug --print-config > .vscode/launch.json
      for VS Code: start `debug --listen 3333`, then attach
  cargo mpy debug --port auto
      load the module into the RAM of a connected board, and show the commands
      for GDB with a debug probe

GDB starts before the board. Breakpoints in the module, by line or function,
become active when Python imports the module. `CARGO_MPY_GDB` names another
GDB.")]
pub struct Debug {
    /// Python code to run
    #[arg(short, long, value_name = "PYTHON", conflicts_with = "files")]
    execute: Option<String>,

    /// Python file to run; a `.wasm` or `.wat` file is built instead of the current crate
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Wait for a debugger at this port of this machine instead of starting GDB
    #[arg(long, value_name = "PORT")]
    listen: Option<u16>,

    /// Print a launch.json for VS Code
    #[arg(long, conflicts_with_all = ["execute", "port"])]
    print_config: bool,

    /// Load the module into the connected board at this port; see `deploy`
    #[arg(long, value_name = "PORT", conflicts_with_all = ["execute", "listen"])]
    port: Option<String>,

    #[command(flatten)]
    options: BuildOptions,

    /// Arguments for GDB
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

impl Debug {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let (module, script) = files::module_and_script(self.files.clone())?;
        let script = files::code(script.as_deref(), self.execute.as_deref())?;
        let input = module.or(self.options.input.clone());
        let options = BuildOptions { input, debug: true, ..self.options.clone() };
        if let Some(port) = &self.port {
            return connected(&PortArgs::at(port), &options);
        }
        let (plan, board) = under_qemu(options)?;
        // Report what is missing before the build.
        let gdb = match self.listen {
            None if !self.print_config => Some(debugger::find(plan.targets[0].arch)?),
            _ => None,
        };
        let built = pipeline::build(&plan, None)?.remove(0);
        let firmware = firmware(board)?;
        let commands = write_commands(&built, &firmware)?;
        if self.print_config {
            let port = self.listen.unwrap_or(USUAL_PORT);
            ui::output(format_args!("{}\n", config(&plan, board, &built, &commands, port)));
            return Ok(());
        }
        let code = script.unwrap_or_else(|| contents(&plan.module));
        let port = match self.listen {
            Some(port) => port,
            None => free_port()?,
        };
        let Loaded { modules, mut faults } = Loaded::new(&plan, &built)?;
        let modules = emulator::with_hardware(&modules);
        let watch = Watch { debugger: Some(port), ..Watch::default() };
        let mut session = Session::start_watched(board, &firmware, &modules, watch)?;
        let target = format!("target remote localhost:{port}");
        let Some(gdb) = gdb else {
            ui::status(
                "Listening",
                format_args!("at localhost:{port}; {} starts when a debugger lets it", board.name),
            );
            ui::status("", format_args!("gdb-multiarch -x {} -ex '{target}'", commands.display()));
            return drive(&mut session, board, &firmware, &code, &mut faults);
        };
        // `-q` leaves out the notices before the prompt.
        let commands = commands.display().to_string();
        let mut arguments = ["-q", "-x", &commands, "-ex", &target].map(str::to_owned).to_vec();
        arguments.extend(self.arguments);
        let name = &board.name;
        ui::status("Debugging", format_args!("{} on {name}; `continue` starts the board", plan.module));
        // GDB ends the board, or this program does when GDB has ended.
        std::thread::spawn(move || {
            if let Err(Failure::Problem(error)) = drive(&mut session, board, &firmware, &code, &mut faults) {
                ui::error(&error);
            }
        });
        match debugger::run(&gdb, &arguments)? {
            0 => Ok(()),
            status => Err(Failure::Exit(status)),
        }
    }
}

/// A port of this machine that nobody listens at.
fn free_port() -> Result<u16> {
    let port = TcpListener::bind(("localhost", 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port())
        .map_err(|error| Diagnostic::new("io", format!("no port for the debugger: {error}")))
}

/// A path as GDB reads it.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}

/// The GDB to start by hand, which need not be installed yet.
fn gdb_for(arch: &Arch) -> String {
    debugger::find(arch).map_or_else(|_| "gdb-multiarch".to_owned(), |gdb| gdb.display().to_string())
}

/// Commands that each GDB needs.
fn common(built: &Built) -> String {
    let mut text = format!(
        "set confirm off\nset architecture {}\nset breakpoint pending on\n",
        debugger::processor(built.target.arch)
    );
    if let Some((from, to)) = debugger::rust_library() {
        text += &format!("set substitute-path {from} {}\n", quoted(&to));
    }
    text
}

/// Writes commands for GDB beside the module, which load its symbols when the board places code of its size: where
/// `emulators/port/code.c` lets a debugger stop. They do not connect with the board.
fn write_commands(built: &Built, firmware: &Firmware) -> Result<PathBuf> {
    let size = Symbols::of(&built.mpy)?.text()?.len();
    let names = ["emulator_code_placed", "emulator_code_start", "emulator_code_size"];
    let [placed, start, of] = firmware.addresses(names)?;
    // Code is at even addresses.
    let text = format!(
        "{}break *{:#x}\ncommands\nsilent\n\
         if *(unsigned long *){of:#x} == {size}\n\
         set $mpy_text = *(unsigned long *){start:#x}\n\
         add-symbol-file {} -o $mpy_text\n\
         end\ncontinue\nend\n",
        common(built),
        placed & !1,
        quoted(&symbols::path(&absolute(&built.mpy)))
    );
    let path = absolute(&built.mpy.with_extension("gdb"));
    toolchain::write_file(&path, text.as_bytes())?;
    Ok(path)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A launch.json with a configuration for each of two extensions of VS Code.
fn config(plan: &BuildPlan, board: &Board, built: &Built, commands: &Path, port: u16) -> String {
    let source = format!("source {}", commands.display());
    let gdb = gdb_for(built.target.arch);
    let target = format!("localhost:{port}");
    let cortex = json!({
        "name": format!("{} on {} (cortex-debug)", plan.module, board.name),
        "type": "cortex-debug",
        "request": "attach",
        "servertype": "external",
        "gdbTarget": target,
        "gdbPath": gdb,
        "cwd": "${workspaceFolder}",
        "executable": absolute(&symbols::path(&built.mpy)),
        // The commands load them, for the address where the module is.
        "symbolFiles": [],
        "preAttachCommands": [source],
    });
    let native = json!({
        "name": format!("{} on {} (native debug)", plan.module, board.name),
        "type": "gdb",
        "request": "attach",
        "remote": true,
        "target": target,
        "gdbpath": gdb,
        "cwd": "${workspaceFolder}",
        "autorun": [source],
        "valuesFormatting": "parseText",
    });
    let config = json!({ "version": "0.2.0", "configurations": [cortex, native] });
    serde_json::to_string_pretty(&config).unwrap_or_default()
}

/// Runs code on a board that a debugger starts, and ends the board.
fn drive(
    session: &mut Session,
    board: &'static Board,
    firmware: &Firmware,
    code: &str,
    faults: &mut Faults,
) -> std::result::Result<(), Failure> {
    // Nothing is sent before the board has started, so that it need not answer in time.
    let mut first = [0];
    let forever = Instant::now() + FOREVER;
    if session.read(&mut first, forever).is_ok_and(|n| n == 0) {
        // The debugger ended it.
        return Ok(());
    }
    let run = emulator::Run { board, firmware, modules: &[], code, timeout: FOREVER, arguments: &[] };
    let mut output = Output::new(Events::default(), false, faults);
    let outcome = emulator::run_session(session, &run, &mut |bytes| output.write(bytes));
    let outcome = match outcome {
        // As if it were pulled out of the machine.
        Err(error) if error.code == "board-died" => return Ok(()),
        outcome => outcome.map_err(|error| faults.explained(error))?,
    };
    ui::raw(&Sources::here().with(outcome.stderr.as_bytes()));
    // The debugger is told that the program has ended.
    if let Ok(mut repl) = RawRepl::enter(&mut *session, PATIENCE) {
        let exit = format!("import sys\nsys.exit({})\n", outcome.status);
        let _ = repl.execute(exit.as_bytes(), Instant::now() + PATIENCE, &mut |_| {});
    }
    if outcome.status == 0 { Ok(()) } else { Err(Failure::Exit(outcome.status)) }
}

/// Loads the module into the RAM of a connected board, asks where it is, and shows what to do with a debug probe.
fn connected(line: &PortArgs, options: &BuildOptions) -> std::result::Result<(), Failure> {
    let mut board = Connected::connect(line.open()?, PATIENCE)?;
    let done = (|| {
        let facts = board.facts()?;
        let plan = pipeline::plan(&options_for(options, facts.arch()?, &facts)?)?;
        let built = pipeline::build(&plan, None)?.remove(0);
        Symbols::of(&built.mpy)?;
        board.restart()?;
        let file = format!("{}.mpy", plan.module);
        board.put_in_ram(&file, &toolchain::read_file(&built.mpy)?, &mut |_| {})?;
        let mut faults = Faults::of(&built.mpy, built.target.arch);
        faults.ask(&mut board)?;
        let mut newlines = Newlines::default();
        let mut output = Output::new(Events::default(), false, &mut faults);
        board.run(&format!("import {}\n", plan.module), &mut |bytes| output.write(&newlines.unix(bytes)))?;
        let base = faults.base().ok_or_else(|| {
            let message = format!("the board does not say where `{}` is", plan.module);
            let help = "the module must export a function, and the board's `machine` have `mem32`";
            Diagnostic::new("no-address", message).help(help)
        })?;
        let elf = symbols::path(&absolute(&built.mpy));
        let text = format!("{}add-symbol-file {} -o {base:#x}\n", common(&built), quoted(&elf));
        let commands = absolute(&built.mpy.with_extension("gdb"));
        toolchain::write_file(&commands, text.as_bytes())?;
        ui::status("Loaded", format_args!("{} at {base:#x}, until the board is reset", plan.module));
        let gdb = gdb_for(built.target.arch);
        let commands = commands.display();
        ui::output(format_args!(
            "With a debug probe, start one of these:\n\
             \x20 probe-rs gdb --chip CHIP --gdb {gdb}\n\
             \x20     then in GDB: source {commands}\n\
             \x20 openocd -f interface/cmsis-dap.cfg -f target/CHIP.cfg\n\
             \x20     and: {gdb} -x {commands} -ex 'target extended-remote localhost:3333'\n\
             Set breakpoints, `continue`, and call the module: cargo mpy monitor\n"
        ));
        Ok(())
    })();
    board.leave();
    done
}
