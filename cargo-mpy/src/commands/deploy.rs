//! `cargo mpy deploy`.

use std::time::{Duration, Instant};

use clap::Args;
use glue_gen::keywords::EXTENSIBLE_MODULES;

use crate::failure::Failure;
use crate::messages::Message;
use crate::options::{self, BuildOptions};
use crate::serial::port::Port;
use crate::serial::{Board, Found, Transport, UploadResult, monitor};
use crate::session::connected::{PATIENCE, execute, options_for};
use crate::session::events::Events;
use crate::session::port_args::PortArgs;
use crate::{pipeline, toolchain, ui};

/// How long to monitor a board that prints nothing if standard input is not a terminal.
const SILENCE: Duration = Duration::from_secs(5);

/// Build the module for a connected board and copy it to the board
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy deploy
      use the only board on USB
  cargo mpy deploy --port COM3 --run 'import my_dsp; print(my_dsp.isqrt(9))'
  cargo mpy deploy --port id:E6614C311B7E6F35 --monitor

The architecture is detected. An unchanged file is not sent again. The new
module is read back and verified before it replaces the old one. Then the board
is restarted and imports it. It is an error if Python finds another module of
that name first.

The exit code is 1 if the import or the code of `--run` raises an exception.")]
pub struct Deploy {
    #[command(flatten)]
    line: PortArgs,

    /// Directory on the board for the module [default: the setting `dest`, or the directory the board starts in]
    #[arg(long, value_name = "DIRECTORY")]
    dest: Option<String>,

    /// Python code to run on the board afterwards
    #[arg(long, value_name = "PYTHON")]
    run: Option<String>,

    /// Stop the code after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    timeout: f32,

    /// Start the board's program and show its output
    #[arg(long)]
    monitor: bool,

    /// Print events as lines of JSON on standard output
    #[arg(long, conflicts_with = "monitor")]
    json: bool,

    /// Pass terminal control sequences that the board prints to the terminal
    #[arg(long)]
    raw: bool,

    #[command(flatten)]
    options: BuildOptions,
}

impl Deploy {
    pub fn run(self) -> Result<(), Failure> {
        let timeout = options::timeout(self.timeout)?;
        let events = Events(self.json);
        let done = self.connect(events, timeout);
        if let Err(Failure::Problem(error)) = &done {
            events.problem(error);
        }
        done
    }

    fn connect(&self, events: Events, timeout: Duration) -> Result<(), Failure> {
        let port = self.line.open()?;
        let name = port.name.clone();
        let mut board = Board::connect(port, PATIENCE)?;
        // Leave the raw REPL also after an error.
        let done = self.deploy(events, &mut board, &name, timeout);
        let port = board.leave();
        done?;
        if self.monitor {
            return Ok(restart_and_follow(port, &self.line, self.raw)?);
        }
        Ok(())
    }

    fn deploy(
        &self,
        events: Events,
        board: &mut Board<Port>,
        port: &str,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let facts = board.facts()?;
        let arch = facts.arch()?;
        ui::status("Connected", format_args!("{port}: {}, {}", facts.machine, facts.firmware));
        let heap = facts.heap_free;
        events.connected(port, &facts, arch);

        let plan = pipeline::plan(&options_for(&self.options, arch, &facts)?)?;
        let built = pipeline::build(&plan, None)?.remove(0);
        let data = toolchain::read_file(&built.mpy)?;
        // Small boards copy text to the heap.
        let ram = u64::from(built.sizes.text) + u64::from(built.sizes.rodata) + u64::from(built.sizes.bss);
        if heap > 0 && ram > heap {
            ui::warning(format_args!("the module takes {ram} bytes of RAM, the board has {heap} free"));
        }

        let dest = match &self.dest {
            Some(dest) => dest.clone(),
            None => self.line.settings()?.dest.unwrap_or_default(),
        };
        let folder = dest.trim_end_matches('/');
        let file = match folder {
            "" if dest.is_empty() => format!("{}.mpy", plan.module),
            folder => format!("{folder}/{}.mpy", plan.module),
        };
        if !folder.is_empty() {
            board.make_folder(folder)?;
        }
        let start = Instant::now();
        let progress = ui::Progress::new("Sending", data.len() as u64);
        let put = board.put(&file, &data, &mut |at| progress.at(at as u64));
        drop(progress);
        let (bytes, seconds) = (data.len(), start.elapsed().as_secs_f64());
        let put = put?;
        // Only a reset removes the module that was imported before, and what a program added to `sys.path`.
        board.restart()?;
        let replaces = EXTENSIBLE_MODULES.contains(&&*plan.module);
        let (found, is_in_path) = board.found(&plan.module, &file, replaces)?;
        // Programs that use another folder add it to `sys.path`, before the others.
        if is_in_path || found == Found::Firmware {
            found.check(&plan.module, &file)?;
        }
        match put {
            UploadResult::Unchanged => {
                ui::status("Unchanged", format_args!("{file} is on the board already"));
                events.event(&Message::Unchanged { file: &file, bytes });
            }
            UploadResult::Stored => {
                let rate = bytes as f64 / seconds / 1e3;
                ui::status(
                    "Deployed",
                    format_args!("{file}, {bytes} bytes in {seconds:.1} s ({rate:.1} kB/s)"),
                );
                events.event(&Message::Deployed { file: &file, bytes, seconds });
            }
        }

        let import = format!("import {}\n", plan.module);
        let path = if is_in_path {
            String::new()
        } else {
            ui::warning(format_args!(
                "`sys.path` of the board lacks {folder:?}; a program that imports {} has to add it",
                plan.module
            ));
            format!("import sys\nsys.path.insert(0,{folder:?})\n")
        };
        execute(events, board, &format!("{path}{import}"), Instant::now() + timeout, self.raw)?;
        if let Some(code) = &self.run {
            execute(events, board, code, Instant::now() + timeout, self.raw)?;
        }
        Ok(())
    }
}

/// Restarts the board, so that its program uses the new module, and prints its output.
fn restart_and_follow(mut port: Port, line: &PortArgs, raw: bool) -> target_specs::Result<()> {
    // In the friendly REPL, Ctrl-D is a soft reset, after which main.py runs.
    let _ = port.write(b"\x04", Instant::now() + PATIENCE);
    monitor::run(port, Some(&mut || line.open()), Some(SILENCE), raw)
}

/// Show the output of a connected board and send it input
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy monitor
  cargo mpy monitor --port /dev/ttyUSB0 --baud 460800

Press Ctrl-] to quit. All other keys are sent to the board: Ctrl-C stops its
program, and Ctrl-D restarts it. If the board is unplugged, the monitor waits
until it is connected again.")]
pub struct Monitor {
    #[command(flatten)]
    line: PortArgs,

    /// Pass terminal control sequences that the board prints to the terminal
    #[arg(long)]
    raw: bool,
}

impl Monitor {
    pub fn run(self) -> Result<(), Failure> {
        let port = self.line.open()?;
        ui::status("Connected", &port.name);
        Ok(monitor::run(port, Some(&mut || self.line.open()), Some(SILENCE), self.raw)?)
    }
}
