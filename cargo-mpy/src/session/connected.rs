//! A MicroPython on a connected board.

use std::time::{Duration, Instant};

use target_specs::{Arch, Diagnostic, Place};

use super::events::{Events, Output};
use super::faults::Faults;
use super::loaded::Loaded;
use super::port_args::PortArgs;
use crate::failure::Failure;
use crate::options::BuildOptions;
use crate::serial::{Board, Facts, Newlines, Transport, argv};
use crate::{pipeline, ui};

/// How long to wait for an answer of a board.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The build options for the connected board. A board or architecture that the user named must match it.
pub fn options_for(options: &BuildOptions, arch: &Arch, facts: &Facts) -> target_specs::Result<BuildOptions> {
    let mut options = options.clone();
    let named = options.boards.iter().map(|name| Ok((name, target_specs::board(name)?.arch.as_str())));
    let named = named.collect::<target_specs::Result<Vec<_>>>()?;
    let archs = options.archs.iter().map(|name| (name, name.as_str()));
    for (name, wanted) in named.into_iter().chain(archs) {
        if !target_specs::arch(wanted)?.runs_on(facts.native_arch(), &facts.machine) {
            let message = format!(
                "`{name}` takes modules for {wanted}, the board that is connected takes {}",
                arch.name
            );
            return Err(Diagnostic::new("wrong-board", message).at(Place::Argument(name.clone())).help(
                format!(
                    "it is {}; leave out `--board` and `--arch` to build for what is there",
                    facts.machine
                ),
            ));
        }
    }
    match (options.boards.len(), options.archs.len()) {
        (1, 0) | (0, 1) => {}
        _ => {
            options.boards.clear();
            options.archs = vec![arch.name.clone()];
        }
    }
    Ok(options)
}

/// Runs code of the user's, whose output is theirs. `faults` says where the module is that it imports.
pub fn execute<T: Transport>(
    events: Events,
    board: &mut Board<T>,
    code: &str,
    deadline: Instant,
    raw: bool,
    faults: &mut Faults,
) -> Result<(), Failure> {
    faults.ask(board)?;
    let (mut newlines, mut output) = (Newlines::default(), Output::new(events, raw, faults));
    let execution =
        board.repl().execute(code.as_bytes(), deadline, &mut |bytes| output.write(&newlines.unix(bytes)));
    output.end();
    let execution = match execution {
        Ok(execution) => execution,
        Err(error) if error.code == "timed-out" => {
            let help = match board.repl().resume(Instant::now() + PATIENCE) {
                Ok(()) => "it was interrupted; allow more time with `--timeout SECONDS`",
                Err(_) => "it cannot be interrupted: press the board's reset button",
            };
            return Err(error.help(help).into());
        }
        Err(error) => return Err(error.into()),
    };
    // If standard output failed, the program was interrupted.
    if execution.traceback.is_empty() || ui::output_has_failed() {
        return Ok(());
    }
    events.exception(&execution.traceback);
    Err(Failure::Exit(1))
}

/// Builds for the board on `line` and runs `script` there with the module in RAM; its files stay as they are.
///
/// # Errors
/// Errors of the build, the port and the board; exit code 1 after an uncaught exception.
pub fn run_in_ram(
    line: &PortArgs,
    options: &BuildOptions,
    script: Option<&str>,
    arguments: &[String],
    timeout: Duration,
    raw: bool,
) -> Result<(), Failure> {
    let mut board = Board::connect(line.open()?, PATIENCE)?;
    let done = (|| {
        let facts = board.facts()?;
        let plan = pipeline::plan(&options_for(options, facts.arch()?, &facts)?)?;
        let built = pipeline::build(&plan, None)?.remove(0);
        let Loaded { modules, mut faults } = Loaded::new(&plan, &built)?;
        ui::status("Running", format_args!("on {}", facts.machine));
        board.restart()?;
        for (name, data) in &modules {
            let progress = ui::Progress::new("Sending", data.len() as u64);
            board.put_in_ram(name, data, &mut |at| progress.at(at as u64))?;
        }
        let code = script.map_or_else(|| contents(&plan.module), str::to_owned);
        if !arguments.is_empty() {
            board.ask(&argv(arguments))?;
        }
        execute(Events::default(), &mut board, &code, Instant::now() + timeout, raw, &mut faults)
    })();
    board.leave();
    done
}

/// Python code that lists the names of a module.
pub fn contents(module: &str) -> String {
    format!("import {module}\nprint('{module}:', ', '.join(n for n in dir({module}) if n[0] != '_'))\n")
}
