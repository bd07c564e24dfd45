//! `cargo mpy deploy`.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use mpy_link::Sizes;
use target_specs::{Arch, Diagnostic, Place};

use crate::failure::Failure;
use crate::messages::Message;
use crate::options::{self, BuildOptions};
use crate::serial::port::{self, Port};
use crate::serial::{Board, Facts, Found, Transport, UploadResult, monitor};
use crate::session::connected::{PATIENCE, execute, options_for};
use crate::session::events::Events;
use crate::session::faults::Faults;
use crate::session::loaded::Loaded;
use crate::session::port_args::PortArgs;
use crate::session::rom;
use crate::toolchain::cargo;
use crate::{pipeline, ui};

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
  cargo mpy deploy --rom --code flash
      to the board's ROM, where the code stays
  cargo mpy deploy --all
      to all boards on USB at once; `--port` can also be repeated

The architecture is detected. An unchanged file is not sent again. The new
module is read back and verified before it replaces the old one. Then the board
is restarted and imports it. It is an error if Python finds another module of
that name first.

The exit code is 1 if the import or the code of `--run` raises an exception.")]
pub struct Deploy {
    /// Port of the board, which can be repeated: `auto`, `id:SERIAL`, a path such as /dev/ttyACM0 or COM3,
    /// socket://HOST:PORT or rfc2217://HOST:PORT [default: from `CARGO_MPY_PORT`, mpy.local.toml or Cargo.toml, otherwise
    /// `auto`]
    #[arg(long = "port", value_name = "PORT")]
    ports: Vec<String>,

    /// Deploy to all boards on USB
    #[arg(long, conflicts_with_all = ["ports", "monitor"])]
    all: bool,

    /// Bits per second, if the port is a UART [default: 115200]
    #[arg(long, value_name = "RATE")]
    baud: Option<u32>,

    /// Directory on the board for the module [default: the setting `dest`, or the directory the board starts in]
    #[arg(long, value_name = "DIRECTORY")]
    dest: Option<String>,

    /// Copy to the directory where `mip install` puts packages: the first of `sys.path` that ends with `/lib`
    #[arg(long, conflicts_with = "dest")]
    mip: bool,

    /// Write the module to the board's ROM, beside what is there already. With `--code flash`, its code is executed there
    #[arg(long, conflicts_with_all = ["dest", "mip"])]
    rom: bool,

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

/// A module for the boards of one kind.
struct Module {
    name: String,
    /// The files of a deploy: those in Python, and last the module.
    files: Vec<(String, Vec<u8>)>,
    /// Bytes of RAM that it takes if its text is there too.
    ram: u64,
    mpy: PathBuf,
    arch: &'static Arch,
}

impl Module {
    fn faults(&self) -> Faults {
        Faults::of(&self.mpy, self.arch)
    }
}

/// The modules that were built. Boards of one kind share one: the key is what the build was asked for. `None` is a build
/// that failed, whose error was returned to the first that wanted it.
type Modules = Mutex<HashMap<(Vec<String>, Vec<String>), Option<Arc<Module>>>>;

impl Deploy {
    pub fn run(self) -> Result<(), Failure> {
        let timeout = options::timeout(self.timeout)?;
        let modules = Modules::default();
        let line = |port| PortArgs { port, baud: self.baud };
        let mut ports = match self.all {
            true => port::boards()?.into_iter().map(|board| board.path).collect(),
            false => self.ports.clone(),
        };
        let mut known = HashSet::new();
        ports.retain(|port| known.insert(port.clone()));
        if ports.len() > 1 {
            return self.deploy_to_all(ports, &line, timeout, &modules);
        }
        let events = Events { json: self.json, port: None };
        let line = line(ports.pop());
        let done = self.connect(events, &line, timeout, &modules);
        if let Err(Failure::Problem(error)) = &done {
            events.problem(error);
        }
        if self.monitor {
            let port = done?;
            let modules = modules.into_inner().unwrap_or_else(PoisonError::into_inner);
            let module = modules.into_values().flatten().next();
            let faults = module.map(|module| module.faults()).unwrap_or_default();
            return Ok(restart_and_follow(port, &line, self.raw, faults)?);
        }
        done.map(drop)
    }

    /// Deploys to several boards at the same time. One that fails does not keep the others from it.
    fn deploy_to_all(
        &self,
        ports: Vec<String>,
        line: &(dyn Fn(Option<String>) -> PortArgs + Sync),
        timeout: Duration,
        modules: &Modules,
    ) -> Result<(), Failure> {
        if self.monitor {
            return Err(Diagnostic::new("bad-value", "the output of one board can be monitored")
                .at(Place::Argument("--monitor".to_owned()))
                .help("name one port")
                .into());
        }
        let start = Instant::now();
        let progress = ui::Progress::new("Deploying", ports.len() as u64);
        let done = pipeline::in_parallel_at_most(ports.len(), &ports, |port| {
            let events = Events { json: self.json, port: Some(port) };
            let done = self.connect(events, &line(Some(port.clone())), timeout, modules);
            progress.step();
            match &done {
                Ok(_) => {}
                Err(Failure::Problem(error)) => {
                    events.problem(error);
                    ui::error(&Diagnostic { message: events.about(&error.message), ..error.clone() });
                }
                Err(Failure::Exit(_)) => ui::status("Failed", port),
            }
            done.is_ok()
        });
        drop(progress);
        let (number, all) = (done.iter().filter(|done| **done).count(), ports.len());
        let seconds = start.elapsed().as_secs_f64();
        ui::status("Finished", format_args!("{number} of {all} boards in {seconds:.1} s"));
        if number == all { Ok(()) } else { Err(Failure::Exit(1)) }
    }

    fn connect(
        &self,
        events: Events,
        line: &PortArgs,
        timeout: Duration,
        modules: &Modules,
    ) -> Result<Port, Failure> {
        let port = line.open()?;
        let name = port.name.clone();
        let mut board = Board::connect(port, PATIENCE)?;
        // Leave the raw REPL also after an error.
        let done = self.deploy(events, &mut board, &name, line, timeout, modules);
        let port = board.leave();
        done.map(|()| port)
    }

    /// The module for a board. It is built once for all boards that get the same.
    fn module(&self, arch: &Arch, facts: &Facts, modules: &Modules) -> Result<Arc<Module>, Failure> {
        let options = options_for(&self.options, arch, facts)?;
        let mut modules = modules.lock().unwrap_or_else(PoisonError::into_inner);
        let known = modules.entry((options.boards.clone(), options.archs.clone()));
        let known = match known {
            Entry::Occupied(known) => return known.get().clone().ok_or(Failure::Exit(1)),
            Entry::Vacant(known) => known,
        };
        let build = || -> Result<Module, Failure> {
            let plan = pipeline::plan(&options)?;
            let built = pipeline::build(&plan, None)?.remove(0);
            let Sizes { text, rodata, bss, .. } = built.sizes;
            let ram = u64::from(text) + u64::from(rodata) + u64::from(bss);
            let files = Loaded::new(&plan, &built)?.modules;
            Ok(Module { name: plan.module, files, ram, mpy: built.mpy, arch: built.target.arch })
        };
        match build() {
            Ok(module) => Ok(known.insert(Some(Arc::new(module))).clone().expect("just inserted")),
            Err(failure) => {
                known.insert(None);
                Err(failure)
            }
        }
    }

    fn deploy(
        &self,
        events: Events,
        board: &mut Board<Port>,
        port: &str,
        line: &PortArgs,
        timeout: Duration,
        modules: &Modules,
    ) -> Result<(), Failure> {
        let facts = board.facts()?;
        let arch = facts.arch()?;
        ui::status("Connected", format_args!("{port}: {}, {}", facts.machine, facts.firmware));
        let heap = facts.heap_free;
        events.connected(port, &facts, arch);

        let module = self.module(arch, &facts, modules)?;
        let Module { name, files, ram, .. } = &*module;
        // Small boards copy text to the heap.
        if heap > 0 && *ram > heap {
            let text = format!("the module takes {ram} bytes of RAM, the board has {heap} free");
            ui::warning(events.about(text));
        }

        if self.rom {
            return self.deploy_to_rom(events, board, &facts, &module, timeout);
        }
        let dest = match &self.dest {
            Some(dest) => dest.clone(),
            None if self.mip => board.library_folder()?,
            None => line.settings()?.dest.unwrap_or_default(),
        };
        let folder = dest.trim_end_matches('/');
        let place = |file: &str| match folder {
            "" if dest.is_empty() => file.to_owned(),
            folder => format!("{folder}/{file}"),
        };
        let (mut sent, mut folders) = (Vec::new(), HashSet::new());
        for (path, data) in files {
            let file = place(path);
            if let Some((folder, _)) = file.rsplit_once('/')
                && !folder.is_empty()
                && folders.insert(folder.to_owned())
            {
                board.make_folder(folder)?;
            }
            let (put, seconds) = send(events, data.len(), |sent| board.put(&file, data, sent))?;
            sent.push((put, file, data.len(), seconds));
        }
        let file = place(&format!("{name}.mpy"));
        // Only a reset removes the module that was imported before, and what a program added to `sys.path`.
        board.restart()?;
        let (found, is_in_path) = board.found(name, &file)?;
        // Programs that use another folder add it to `sys.path`, before the others.
        if is_in_path || found == Found::Firmware {
            found.check(name, &file)?;
        }
        for (put, file, bytes, seconds) in sent {
            say(events, put, &file, bytes, seconds);
        }

        let import = format!("import {name}\n");
        let path = if is_in_path {
            String::new()
        } else {
            let text = format!(
                "`sys.path` of the board lacks {folder:?}; a program that imports {name} has to add it"
            );
            ui::warning(events.about(text));
            format!("import sys\nsys.path.insert(0,{folder:?})\n")
        };
        self.try_out(events, board, &format!("{path}{import}"), timeout, module.faults())
    }

    /// Imports the module, and runs the user's code.
    fn try_out(
        &self,
        events: Events,
        board: &mut Board<Port>,
        import: &str,
        timeout: Duration,
        mut faults: Faults,
    ) -> Result<(), Failure> {
        execute(events, board, import, Instant::now() + timeout, self.raw, &mut faults)?;
        if let Some(code) = &self.run {
            execute(events, board, code, Instant::now() + timeout, self.raw, &mut faults)?;
        }
        Ok(())
    }

    /// Writes the module to the board's ROM, with what others have put there.
    fn deploy_to_rom(
        &self,
        events: Events,
        board: &mut Board<Port>,
        facts: &Facts,
        module: &Module,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let Module { name, files, .. } = module;
        let (image, others) = rom::image(board, facts, files)?;
        if others > 0 {
            ui::verbose("Keeping", events.about(format_args!("{others} other files in the board's ROM")));
        }
        let bytes = image.len();
        let (put, seconds) = send(events, bytes, |sent| board.put_rom(&image, sent))?;
        let file = rom::mount(board, name)?;
        say(events, put, &file, bytes, seconds);
        self.try_out(events, board, &format!("import {name}\n"), timeout, module.faults())
    }
}

/// Sends so many bytes with `put`, which it tells how many are stored. Returns how long that took as well.
fn send(
    events: Events,
    bytes: usize,
    put: impl FnOnce(&mut dyn FnMut(usize)) -> target_specs::Result<UploadResult>,
) -> target_specs::Result<(UploadResult, f64)> {
    let start = Instant::now();
    // Several boards have one bar.
    let progress = events.port.is_none().then(|| ui::Progress::new("Sending", bytes as u64));
    let put = put(&mut |at| progress.iter().for_each(|progress| progress.at(at as u64)));
    drop(progress);
    Ok((put?, start.elapsed().as_secs_f64()))
}

/// Says what became of a file.
fn say(events: Events, put: UploadResult, file: &str, bytes: usize, seconds: f64) {
    match put {
        UploadResult::Unchanged => {
            ui::status("Unchanged", events.about(format_args!("{file} is on the board already")));
            events.event(&Message::Unchanged { file, bytes, port: events.port });
        }
        UploadResult::Stored => {
            let rate = bytes as f64 / seconds / 1e3;
            let text = format!("{file}, {bytes} bytes in {seconds:.1} s ({rate:.1} kB/s)");
            ui::status("Deployed", events.about(text));
            events.event(&Message::Deployed { file, bytes, seconds, port: events.port });
        }
    }
}

/// Restarts the board, so that its program uses the new module, and prints its output.
fn restart_and_follow(
    mut port: Port,
    line: &PortArgs,
    raw: bool,
    mut faults: Faults,
) -> target_specs::Result<()> {
    // In the friendly REPL, Ctrl-D is a soft reset, after which main.py runs.
    let _ = port.write(b"\x04", Instant::now() + PATIENCE);
    monitor::run(port, Some(&mut || line.open()), Some(SILENCE), raw, &mut |bytes| faults.with(bytes))
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
        // What was built here last may be what runs there.
        let here = std::env::current_dir().unwrap_or_default();
        let metadata = cargo::metadata(None, &here).ok().flatten();
        let folder = metadata.map(|metadata| metadata.target_directory.join("mpy").into_std_path_buf());
        let mut faults = folder.map(|folder| Faults::in_folder(&folder)).unwrap_or_default();
        let reopen = &mut || self.line.open();
        Ok(monitor::run(port, Some(reopen), Some(SILENCE), self.raw, &mut |bytes| faults.with(bytes))?)
    }
}
