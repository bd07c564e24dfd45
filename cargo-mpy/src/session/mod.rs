//! Where code runs: in a MicroPython on this computer, or on a connected board.

pub mod connected;
pub mod emulated;
pub mod events;
pub mod faults;
pub mod loaded;
pub mod port_args;
pub mod rom;

use std::time::{Duration, Instant};

use target_specs::Result;

use connected::PATIENCE;
use faults::Faults;
use loaded::Loaded;
use port_args::PortArgs;

use crate::failure::Failure;
use crate::options::BuildOptions;
use crate::pipeline;
use crate::plan::BuildPlan;
use crate::serial::port::Port;
use crate::serial::{Board, Newlines};
use crate::toolchain::emulator;
use crate::toolchain::micropython::Firmware;

/// A MicroPython.
pub enum Machine {
    Emulated { board: &'static target_specs::Board, firmware: Firmware },
    Connected { board: Box<Board<Port>>, name: String },
}

/// The result of running code.
#[derive(Debug, Clone, Default)]
pub struct RunResult {
    /// 0 for success, 1 after an uncaught exception, or the argument of `sys.exit`.
    pub status: i32,
    /// The traceback of the uncaught exception.
    pub traceback: String,
    /// As [`emulator::Outcome::marks`]; empty where instructions are not counted.
    pub marks: Vec<u64>,
}

/// Plans a build, and chooses where the modules run: on the board at `port`, or otherwise in emulated boards for each
/// target. The number next to a machine is the index of its target in the plan.
///
/// # Errors
/// Errors of [`pipeline::plan`], of the port, and of building MicroPython.
pub fn machines(
    options: &BuildOptions,
    port: Option<&str>,
) -> std::result::Result<(BuildPlan, Vec<(usize, Machine)>), Failure> {
    if let Some(port) = port {
        let mut board = Board::connect(PortArgs::at(port).open()?, PATIENCE)?;
        let facts = board.facts()?;
        let plan = pipeline::plan(&connected::options_for(options, facts.arch()?, &facts)?)?;
        return Ok((plan, vec![(0, Machine::Connected { board: Box::new(board), name: facts.machine })]));
    }
    let mut plan = pipeline::plan(options)?;
    let mut machines = Vec::new();
    for (target, number) in plan.targets.iter_mut().zip(0..) {
        let boards = emulated::boards(target)?;
        // They have the RAM that counts: modules with tests are larger than others.
        target.boards = boards.iter().map(|board| board.name.clone()).collect();
        for board in boards {
            machines.push((number, Machine::Emulated { board, firmware: emulated::firmware(board)? }));
        }
    }
    Ok((plan, machines))
}

impl Machine {
    /// The name to print.
    pub fn name(&self) -> &str {
        match self {
            Machine::Emulated { board, .. } => &board.name,
            Machine::Connected { name, .. } => name,
        }
    }

    /// Leaves the raw REPL of a connected board.
    pub fn leave(self) {
        if let Machine::Connected { board, .. } = self {
            board.leave();
        }
    }

    /// Whether the instructions of modules can be counted.
    pub fn counts(&self) -> bool {
        matches!(self, Machine::Emulated { board, .. }
            if matches!(board.emulator, Some(target_specs::Emulator::Qemu { .. })))
    }

    /// Runs code in a MicroPython that was just started. Whole lines of what it prints go to `output`, without their ends, as
    /// they come. To `count` is slower.
    ///
    /// # Errors
    /// If the board stops, does not answer, or takes longer than `timeout`.
    pub fn run(
        &mut self,
        loaded: &mut Loaded,
        code: &str,
        timeout: Duration,
        count: bool,
        output: &mut dyn FnMut(&str),
    ) -> Result<RunResult> {
        /// Longer lines are truncated.
        const LONGEST: usize = 1 << 20;
        let Loaded { modules, faults } = loaded;
        faults.forget();
        let mut rest: Vec<u8> = Vec::new();
        let mut lines = |faults: &mut Faults, bytes: &[u8]| {
            for part in faults.with(bytes).split_inclusive(|&byte| byte == b'\n') {
                rest.extend_from_slice(part);
                if let Some(line) = rest.strip_suffix(b"\n") {
                    output(String::from_utf8_lossy(line).trim_end_matches('\r'));
                    rest.clear();
                }
                rest.truncate(LONGEST);
            }
        };
        let ended = match self {
            Machine::Emulated { board, firmware } => {
                let modules = &emulator::with_hardware(modules);
                let run = emulator::Run { board, firmware, modules, code, timeout, arguments: &[] };
                let run_it = if count { emulator::count } else { emulator::run };
                let outcome = run_it(&run, &mut |bytes| lines(faults, bytes));
                let outcome = outcome.map_err(|error| faults.explained(error))?;
                RunResult { status: outcome.status, traceback: outcome.stderr, marks: outcome.marks }
            }
            Machine::Connected { board, .. } => {
                board.restart()?;
                for (name, data) in modules {
                    board.put_in_ram(name, data, &mut |_| {})?;
                }
                faults.ask(board)?;
                let mut newlines = Newlines::default();
                let deadline = Instant::now() + timeout;
                let done = board
                    .repl()
                    .execute(code.as_bytes(), deadline, &mut |bytes| lines(faults, &newlines.unix(bytes)));
                if done.as_ref().is_err_and(|error| error.code == "timed-out") {
                    // If the board cannot be interrupted, its next use reports that.
                    let _ = board.repl().resume(Instant::now() + PATIENCE);
                }
                let traceback = done?.traceback;
                RunResult { status: i32::from(!traceback.is_empty()), traceback, marks: Vec::new() }
            }
        };
        if !rest.is_empty() {
            output(&String::from_utf8_lossy(&rest));
        }
        Ok(ended)
    }
}
