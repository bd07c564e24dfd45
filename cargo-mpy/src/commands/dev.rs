//! `cargo mpy dev`.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use clap::Args;
use notify::{EventKind, RecursiveMode, Watcher};
use target_specs::{Diagnostic, Emulator};

use super::files;
use crate::failure::Failure;
use crate::messages::Message;
use crate::options::BuildOptions;
use crate::plan::{BuildPlan, Source, default_board};
use crate::serial::{Board, Facts, Newlines, Transport};
use crate::session::connected::{PATIENCE, contents, options_for};
use crate::session::emulated::firmware;
use crate::session::events::{Events, Output};
use crate::session::faults::Faults;
use crate::session::loaded::Loaded;
use crate::session::port_args::PortArgs;
use crate::session::rom;
use crate::toolchain::cargo;
use crate::toolchain::emulator::{self, Session};
use crate::toolchain::micropython::Firmware;
use crate::{pipeline, ui};

/// Editors save in several steps. A change is complete when nothing happened for this long.
const QUIET: Duration = Duration::from_millis(30);
/// The interval of checks for changes while code runs, and for a board that was disconnected.
const LOOK: Duration = Duration::from_millis(50);
/// Code runs until the next change, so its time limit is long.
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// Build, load and run the module each time a source file is saved
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy dev                  on the connected board, or on this machine
  cargo mpy dev test.py          run test.py each time
  cargo mpy dev test.py --board qemu-armv6m
  cargo mpy dev -e 'import my_dsp; print(my_dsp.isqrt(1000))' --port COM3
  cargo mpy dev --rom --code flash
      in the board's ROM, if its RAM is too small

A running program is interrupted. The module, and everything else that was
imported from files, is removed from `sys.modules`. The new module is loaded
into RAM and imported. The board is restarted only if its RAM is full. Its
files do not change. With `--rom`, the module is written to the board's ROM,
beside what is there, and the board is restarted each time. Press Ctrl-C to
quit.")]
pub struct Dev {
    /// Python code to run each time
    #[arg(short, long, value_name = "PYTHON", conflicts_with = "files")]
    execute: Option<String>,

    /// Python file to run each time; a `.wasm` or `.wat` file is built instead of the current crate
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Write the module to the board's ROM. With `--code flash`, its code is executed there
    #[arg(long)]
    rom: bool,

    /// Print events as lines of JSON on standard output
    #[arg(long)]
    json: bool,

    /// Pass terminal control sequences that the board prints to the terminal
    #[arg(long)]
    raw: bool,

    #[command(flatten)]
    line: PortArgs,

    #[command(flatten)]
    options: BuildOptions,
}

impl Dev {
    pub fn run(mut self) -> Result<(), Failure> {
        let (module, script) = files::module_and_script(std::mem::take(&mut self.files))?;
        self.options.input = module.or(self.options.input);

        let events = Events { json: self.json, port: None };
        // The plan depends on the board.
        let mut host = Host::open(&self.line, &mut self.options, events)?;
        let watch = Watch::new(&pipeline::plan(&self.options)?, script.as_deref())?;
        let mut saved = None;
        loop {
            let turn = self.turn(&mut host, script.as_deref(), saved, &watch);
            if let Err(Failure::Problem(error)) = &turn {
                events.problem(error);
            }
            match turn {
                Ok(()) => {}
                // An error in the source or the program: the next change may correct it.
                Err(Failure::Problem(error)) if error.code != "no-answer" => ui::error(&error),
                Err(Failure::Problem(error)) => {
                    let Host::Board { .. } = host else { return Err(error.into()) };
                    ui::error(&error);
                    ui::status("Waiting", "for the board");
                    drop(host);
                    host = loop {
                        match Host::open(&self.line, &mut self.options, events) {
                            Ok(host) => break host,
                            Err(_) => std::thread::sleep(10 * LOOK),
                        }
                    };
                    saved = None;
                    continue;
                }
                // Cargo has printed the error.
                Err(Failure::Exit(code)) => events.event(&Message::CargoFailed { code }),
            }
            if ui::output_has_failed() {
                return Ok(());
            }
            events.event(&Message::Watching);
            ui::status("Watching", "for changes; Ctrl-C ends");
            saved = Some(watch.wait()?);
        }
    }

    /// Builds, loads and runs, until there is a change.
    fn turn(
        &self,
        host: &mut Host,
        script: Option<&Path>,
        saved: Option<Instant>,
        watch: &Watch,
    ) -> Result<(), Failure> {
        let events = Events { json: self.json, port: None };
        let start = saved.unwrap_or_else(Instant::now);
        let plan = pipeline::plan(&self.options)?;
        let built = pipeline::build(&plan, None)?.remove(0);
        let Loaded { modules, mut faults } = Loaded::new(&plan, &built)?;
        let built_in = start.elapsed();
        let code = files::code(script, self.execute.as_deref())?;
        let code = code.unwrap_or_else(|| contents(&plan.module));
        let loaded = || {
            let (all, build) = (start.elapsed().as_secs_f64(), built_in.as_secs_f64());
            let verb = if saved.is_some() { "Reloaded" } else { "Loaded" };
            ui::status(verb, format_args!("{} in {all:.2} s, {build:.2} s of it the build", plan.module));
            events.event(&Message::Loaded {
                module: &plan.module,
                bytes: modules.last().map_or(0, |(_, data)| data.len()),
                seconds: all,
                build_seconds: build,
            });
        };
        let module = Module { name: &plan.module, files: &modules, in_rom: self.rom, faults: &mut faults };
        host.run(module, &code, events, self.raw, &loaded, &mut || {
            watch.has_changed() || ui::output_has_failed()
        })
    }
}

/// A module that was built.
struct Module<'a> {
    name: &'a str,
    /// Python files, and last the module.
    files: &'a [(String, Vec<u8>)],
    /// Whether it goes to the board's ROM, and not to its RAM.
    in_rom: bool,
    faults: &'a mut Faults,
}

/// Where the module runs.
enum Host {
    /// A board, real or emulated, that keeps running.
    Board { board: Box<Board<Box<dyn Transport>>>, facts: Facts },
    /// A program on this computer, which is started for each run.
    Program { board: &'static target_specs::Board, firmware: Firmware },
}

impl Host {
    /// Opens the emulated board that is named, or otherwise the connected board, or otherwise MicroPython on this computer.
    /// Changes `options` to build for it.
    fn open(line: &PortArgs, options: &mut BuildOptions, events: Events) -> Result<Host, Failure> {
        let named = options.boards.first().map(|name| target_specs::board(name)).transpose()?;
        let named = named.filter(|board| board.emulator.is_some() && line.port.is_none());
        let emulated = match named {
            Some(board) => board,
            None if line.leads_somewhere()? => {
                let port = line.open()?;
                let name = port.name.clone();
                let transport: Box<dyn Transport> = Box::new(port);
                let mut board = Board::connect(transport, PATIENCE)?;
                let facts = board.facts()?;
                let arch = facts.arch()?;
                *options = options_for(options, arch, &facts)?;
                ui::status("Connected", format_args!("{name}: {}, {}", facts.machine, facts.firmware));
                events.connected(&name, &facts, arch);
                return Ok(Host::Board { board: Box::new(board), facts });
            }
            None => target_specs::board(default_board())?,
        };
        options.boards = vec![emulated.name.clone()];
        options.archs.clear();
        let firmware = firmware(emulated)?;
        let why = match named {
            Some(_) => "",
            None => ", the default, as no board is connected; `--board` or `--port` chooses another",
        };
        ui::status("Using", format_args!("MicroPython on {}{why}", emulated.name));
        events.event(&Message::Using { board: &emulated.name, arch: &emulated.arch });
        if let Some(Emulator::Qemu { .. }) = emulated.emulator {
            let transport: Box<dyn Transport> =
                Box::new(Session::start(emulated, &firmware, &emulator::with_hardware(&[]))?);
            let mut board = Board::connect(transport, 2 * PATIENCE)?;
            let facts = board.facts()?;
            return Ok(Host::Board { board: Box::new(board), facts });
        }
        Ok(Host::Program { board: emulated, firmware })
    }

    /// Replaces the loaded module, calls `loaded`, and runs code to its end or until `stop`.
    fn run(
        &mut self,
        Module { name: module, files, in_rom, faults }: Module<'_>,
        code: &str,
        events: Events,
        raw: bool,
        loaded: &dyn Fn(),
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(), Failure> {
        match self {
            Host::Program { board, .. } if in_rom => {
                let message = format!("MicroPython on {} has no ROM", board.name);
                Err(Diagnostic::new("no-rom", message).help("leave out `--rom`").into())
            }
            Host::Program { board, firmware } => {
                let modules = emulator::with_hardware(files);
                let run = emulator::Run {
                    board,
                    firmware,
                    modules: &modules,
                    code,
                    timeout: FOREVER,
                    arguments: &[],
                };
                let mut output = Output::new(events, raw, faults);
                loaded();
                let outcome = emulator::run_unix(&run, &mut |bytes| output.write(bytes), stop)?;
                output.end();
                if let Some(outcome) = outcome.filter(|outcome| !outcome.stderr.is_empty()) {
                    events.exception(&outcome.stderr);
                }
                Ok(())
            }
            Host::Board { board, facts } => {
                let question = faults.question();
                // What the module prints when it is imported.
                let (mut newlines, mut output) = (Newlines::default(), Output::new(events, raw, faults));
                let mut write = |bytes: &[u8]| output.write(&newlines.unix(bytes));
                if in_rom {
                    let (image, _) = rom::image(board, facts, files)?;
                    let progress = ui::Progress::new("Sending", image.len() as u64);
                    board.put_rom(&image, &mut |at| progress.at(at as u64))?;
                    drop(progress);
                    rom::mount(board, module)?;
                    question.map_or(Ok(String::new()), |question| board.ask(&question))?;
                    board.run(&format!("import {module}\n"), &mut write)?;
                } else if !reload(board, (module, question.as_deref()), files, &mut write)? {
                    // Some boards free the memory of native code only at a reset.
                    board.restart()?;
                    if !reload(board, (module, question.as_deref()), files, &mut write)? {
                        return Err(Diagnostic::new("no-memory", "the board has no RAM for the module")
                            .help("`cargo mpy size` shows what it takes")
                            .into());
                    }
                }
                output.end();
                loaded();
                Ok(follow(board, code, events, raw, faults, stop)?)
            }
        }
    }
}

/// Removes modules that were imported from files and the names of the last run, then loads and imports the module.
/// Returns `false` if there is not enough memory. `question` is asked before the import.
fn reload<T: Transport>(
    board: &mut Board<T>,
    (module, question): (&str, Option<&str>),
    files: &[(String, Vec<u8>)],
    output: &mut dyn FnMut(&[u8]),
) -> Result<bool, Diagnostic> {
    let forget = format!(
        "import sys,gc\n\
         for _n in list(sys.modules):\n\
         \x20if _n=='{module}' or hasattr(sys.modules[_n],'__file__'):sys.modules.pop(_n)\n\
         for _n in list(globals()):\n\
         \x20if _n[0]!='_' and _n not in ('H','gc'):globals().pop(_n)\n\
         gc.collect()\n"
    );
    let send = |board: &mut Board<T>| {
        files.iter().try_for_each(|(file, data)| {
            let progress = ui::Progress::new("Sending", data.len() as u64);
            board.put_in_ram(file, data, &mut |at| progress.at(at as u64))
        })
    };
    let done = board
        .ask(&forget)
        .and_then(|_| send(board))
        .and_then(|()| question.map_or(Ok(String::new()), |question| board.ask(question)))
        .and_then(|_| board.run(&format!("import {module}\n"), output))
        // The code and data of the module are copies.
        .and_then(|()| board.forget_in_ram(&format!("{module}.mpy")));
    match done {
        Err(error) if error.code == "no-memory" => Ok(false),
        done => done.map(|()| true),
    }
}

/// Runs code to its end, or interrupts it when `stop` says so.
fn follow<T: Transport>(
    board: &mut Board<T>,
    code: &str,
    events: Events,
    raw: bool,
    faults: &mut Faults,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(), Diagnostic> {
    let (mut newlines, mut output) = (Newlines::default(), Output::new(events, raw, faults));
    board.repl().submit(code.as_bytes(), Instant::now() + PATIENCE)?;
    loop {
        let ended =
            board.repl().advance(Instant::now() + LOOK, &mut |bytes| output.write(&newlines.unix(bytes)))?;
        if let Some(end) = ended {
            output.end();
            if !end.traceback.is_empty() {
                events.exception(&end.traceback);
            }
            return Ok(());
        }
        if stop() {
            output.end();
            board.repl().interrupt()?;
            return board.repl().resume(Instant::now() + PATIENCE);
        }
    }
}

/// Watches source files for changes.
struct Watch {
    changes: Receiver<Instant>,
    /// A change that was found and not yet handled.
    pending: std::cell::Cell<Option<Instant>>,
    _watcher: notify::RecommendedWatcher,
}

impl Watch {
    fn new(plan: &BuildPlan, script: Option<&Path>) -> Result<Watch, Failure> {
        let mut files: Vec<PathBuf> = script.map(Path::to_owned).into_iter().collect();
        let mut folders = Vec::new();
        match &plan.source {
            Source::Crate(build) => folders = crate_folders(&build.manifest)?,
            Source::Wasm(path) => files.extend([path.clone(), path.with_file_name("mpy.toml")]),
        }
        folders.extend(plan.python.clone());
        // Events contain absolute paths.
        let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let files: Vec<PathBuf> = files.iter().map(whole).collect();
        let out_dir = whole(&plan.out_dir);
        let target = out_dir.parent().unwrap_or(&out_dir).to_owned();

        let (sender, changes) = mpsc::channel();
        let parents: Vec<PathBuf> = files.iter().filter_map(|file| Some(file.parent()?.to_owned())).collect();
        let wanted = {
            let folders = folders.clone();
            move |path: &Path| {
                files.iter().any(|file| file == path)
                    || folders.iter().any(|folder| {
                        path.strip_prefix(folder).is_ok_and(is_source) && !path.starts_with(&target)
                    })
            }
        };
        let problem =
            |error: notify::Error| Diagnostic::new("watch", format!("cannot watch the sources: {error}"));
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            let changes =
                matches!(event.kind, EventKind::Modify(_) | EventKind::Create(_) | EventKind::Remove(_));
            if changes && event.paths.iter().any(|path| wanted(path)) {
                // The receiver no longer exists when the command ends.
                let _ = sender.send(Instant::now());
            }
        })
        .map_err(problem)?;
        for parent in parents {
            watcher.watch(&parent, RecursiveMode::NonRecursive).map_err(problem)?;
        }
        for folder in folders {
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(problem)?;
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                // Skip output directories, which contain thousands of files.
                if path.is_dir() && is_source(Path::new(&entry.file_name())) {
                    watcher.watch(&path, RecursiveMode::Recursive).map_err(problem)?;
                }
            }
        }
        Ok(Watch { changes, pending: std::cell::Cell::new(None), _watcher: watcher })
    }

    fn has_changed(&self) -> bool {
        if self.pending.get().is_none() {
            self.pending.set(self.changes.try_recv().ok());
        }
        self.pending.get().is_some()
    }

    /// Waits until a change is complete. Returns when it began.
    fn wait(&self) -> Result<Instant, Diagnostic> {
        let gone = |_| Diagnostic::new("watch", "the system watches no longer");
        let at = match self.pending.take() {
            Some(at) => at,
            None => self.changes.recv().map_err(gone)?,
        };
        while self.changes.recv_timeout(QUIET).is_ok() {}
        Ok(at)
    }
}

/// The directories of the crate and of its path dependencies.
fn crate_folders(manifest: &Path) -> Result<Vec<PathBuf>, Failure> {
    let here = std::env::current_dir().unwrap_or_default();
    let metadata = cargo::metadata(Some(manifest), &here)?;
    let mut folders = Vec::new();
    for package in metadata.iter().flat_map(|metadata| metadata.workspace_packages()) {
        folders.extend(package.manifest_path.parent().map(|path| path.as_std_path().to_owned()));
        let paths = package.dependencies.iter().filter_map(|dependency| dependency.path.as_ref());
        folders.extend(paths.map(|path| path.as_std_path().to_owned()));
    }
    folders.sort();
    folders.dedup();
    Ok(folders.into_iter().filter(|folder| folder.is_dir()).collect())
}

/// Whether a path in a package can be a source file: not hidden, not build output, not a temporary file of an editor.
fn is_source(path: &Path) -> bool {
    let made = |name: &str| {
        name.starts_with('.')
            || name.ends_with('~')
            || ["target", "__pycache__", "Cargo.lock", "4913"].contains(&name)
    };
    !path.components().any(|part| made(&part.as_os_str().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_from_what_is_made() {
        for yes in ["src/lib.rs", "Cargo.toml", "data/table.bin", "build.rs"] {
            assert!(is_source(Path::new(yes)), "{yes}");
        }
        for no in ["target/mpy/x.mpy", "src/.lib.rs.swp", "src/lib.rs~", ".git/index", "Cargo.lock"] {
            assert!(!is_source(Path::new(no)), "{no}");
        }
    }
}
