//! Runs code in a MicroPython on this computer.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use target_specs::{Board, Diagnostic, Emulator as Kind, Result};

use super::micropython::{Firmware, LIBRARY};
use super::{Group, cannot_start, digest, io_error, output_of, shown, which};
use crate::serial::{Newlines, Pair, RawRepl, Transport, argv, plain};
use crate::ui;

/// The time that an emulated board may take to print its first prompt on a busy machine.
const START: Duration = Duration::from_secs(20);

/// The port prints this when the processor faults (`emulators/port/console.c`).
const FAULT: &str = "\nFATAL: ";

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The output of the code, with `\n` at line ends; its first 16 MiB.
    pub stdout: Vec<u8>,
    /// The traceback of an uncaught exception. Without one, the standard error of the program.
    pub stderr: String,
    /// 0, 1 after an uncaught exception, or the argument of `sys.exit`.
    pub status: i32,
    /// The number of instructions of native modules that were executed before each call of `machine.idle()`. It is the
    /// same in every run. Only [`count`] returns them, and only for boards under QEMU.
    pub marks: Vec<u64>,
}

/// These modules, and the simulated hardware, except what the modules take the place of.
pub fn with_hardware(modules: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let simulated = target_specs::SIMULATED.iter();
    let simulated = simulated.filter(|(name, _)| !modules.iter().any(|(of, _)| stem(of) == stem(name)));
    let simulated = simulated.map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_owned()));
    modules.iter().cloned().chain(simulated).collect()
}

/// The input of a run: modules that can be imported, and code.
pub struct Run<'a> {
    /// The board, which must have an emulator.
    pub board: &'a Board,
    /// The firmware of the board.
    pub firmware: &'a Firmware,
    /// File name (`hello.mpy`) and contents.
    pub modules: &'a [(String, Vec<u8>)],
    /// The Python code.
    pub code: &'a str,
    /// The time limit, from the start of the emulator to the end of the code.
    pub timeout: Duration,
    /// `sys.argv[1:]`.
    pub arguments: &'a [String],
}

/// What QEMU does besides running the board.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watch<'a> {
    /// Counts the instructions of native code: [`Outcome::marks`].
    pub counts: bool,
    /// Counts what is executed by who called it. These are the functions, as `emulators/plugin.c` reads them.
    pub functions: Option<&'a str>,
    /// Listens for a debugger at this port, and waits for it before the board starts.
    pub debugger: Option<u16>,
}

/// Runs code on an emulated board. `output` receives its output as it arrives. The emulator has ended when the function
/// returns.
///
/// # Errors
/// `missing-tool`, `board-fault` with the registers when the processor faults, `board-died` when the
/// program that runs MicroPython is killed, `timed-out`, `no-answer`, `io`.
pub fn run(run: &Run, output: &mut dyn FnMut(&[u8])) -> Result<Outcome> {
    run_any(run, output, Watch::default())
}

/// Like [`run`], and counts the instructions of native modules: [`Outcome::marks`].
///
/// # Errors
/// As [`run`].
pub fn count(run: &Run, output: &mut dyn FnMut(&[u8])) -> Result<Outcome> {
    run_any(run, output, Watch { counts: true, ..Watch::default() })
}

/// Like [`run`], for a board under QEMU, and returns what was executed since a module was imported, as `emulators/plugin.c` writes
/// it. It is empty if no module was.
///
/// # Errors
/// As [`run`].
pub fn profile(run: &Run, functions: &str, output: &mut dyn FnMut(&[u8])) -> Result<(Outcome, String)> {
    let mut session = Session::start_watched(
        run.board,
        run.firmware,
        run.modules,
        Watch { functions: Some(functions), ..Watch::default() },
    )?;
    let outcome = run_session(&mut session, run, output)?;
    let profile =
        session.profile.as_ref().map(|(_, profile)| super::read_file(profile.path())).transpose()?;
    Ok((outcome, String::from_utf8_lossy(&profile.unwrap_or_default()).into_owned()))
}

fn run_any(run: &Run, output: &mut dyn FnMut(&[u8]), watch: Watch) -> Result<Outcome> {
    match run.board.emulator {
        // The program is stopped if standard output is closed.
        Some(Kind::Unix { .. }) => Ok(run_unix(run, output, &mut ui::output_has_failed)?.unwrap_or_default()),
        Some(Kind::Qemu { .. }) => {
            let mut session = Session::start_watched(run.board, run.firmware, run.modules, watch)?;
            run_session(&mut session, run, output)
        }
        None => Err(Diagnostic::new(
            "no-emulator",
            format!("board `{}` does not run on this machine", run.board.name),
        )),
    }
}

/// A child process that is killed when its owner is dropped.
struct Guard(Child);

impl Guard {
    /// Waits until the process ends, which must be soon.
    fn end(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads a stream to its end on a thread.
fn reader(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    // A program that prints faster than its output is read has to wait.
    let (sender, receiver) = mpsc::sync_channel(64);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            if sender.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Reads a stream to its end on a thread that returns its last 64 KiB.
fn reader_of_end(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    const KEPT: usize = 64 << 10;
    std::thread::spawn(move || {
        let mut end = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            end.extend_from_slice(&buffer[..n]);
            if end.len() > 2 * KEPT {
                end.drain(..end.len() - KEPT);
            }
        }
        String::from_utf8_lossy(&end).into_owned()
    })
}

/// Appends output, up to the limit.
fn keep(stdout: &mut Vec<u8>, bytes: &[u8]) {
    const KEPT: usize = 16 << 20;
    let room = KEPT - stdout.len().min(KEPT);
    stdout.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

fn timed_out(timeout: Duration) -> Diagnostic {
    Diagnostic::new("timed-out", format!("the code did not end within {} s", timeout.as_secs_f32()))
        .help("it was stopped; allow more time with `--timeout SECONDS`")
}

/// The interval at which `stop` is called.
const LOOK: Duration = Duration::from_millis(50);

/// Like [`run`] for a board that is a program of this computer. When `stop` returns true, the program is killed and
/// there is no outcome.
///
/// # Errors
/// As [`run`].
pub fn run_unix(
    run: &Run,
    output: &mut dyn FnMut(&[u8]),
    stop: &mut dyn FnMut() -> bool,
) -> Result<Option<Outcome>> {
    let deadline = Instant::now() + run.timeout;
    let folder = tempfile::tempdir().map_err(|error| io_error("create", &std::env::temp_dir(), &error))?;
    for (name, data) in run.modules {
        super::write_file(&folder.path().join(name), data)?;
    }
    // Python's own modules, which are in the program or beside it.
    let mut path = vec![folder.path().to_owned(), PathBuf::from(".frozen")];
    path.extend(run.firmware.path.parent().map(|beside| beside.join(LIBRARY)).filter(|path| path.is_dir()));
    let path = path.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(":");
    let mut command = Command::new(&run.firmware.path);
    command.arg("-c").arg(run.code).args(run.arguments).env("MICROPYPATH", path).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    crate::ui::verbose("Running", format_args!("`{}`", shown(&command)));
    // A loop in native code ends with this program, whatever ends that.
    let group = Group::new(&mut command);
    let mut child = Guard(command.spawn().map_err(|error| cannot_start(&command, &error))?);
    let out = reader(child.0.stdout.take().expect("it was piped"));
    let err = reader_of_end(child.0.stderr.take().expect("it was piped"));
    let mut outcome = Outcome::default();
    loop {
        match out.recv_timeout(LOOK) {
            Ok(bytes) => {
                output(&bytes);
                keep(&mut outcome.stdout, &bytes);
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if stop() {
            return Ok(None);
        }
        if Instant::now() >= deadline {
            return Err(timed_out(run.timeout));
        }
    }
    let status = child.end(deadline).ok_or_else(|| timed_out(run.timeout))?;
    group.let_go();
    outcome.stderr = plain(&err.join().unwrap_or_default());
    let Some(code) = status.code() else {
        let message = format!("MicroPython on board `{}` was killed: {status}", run.board.name);
        let help = "the module did something no processor allows: a wild pointer, a stack overflow";
        return Err(Diagnostic::new("board-died", message).help(help));
    };
    outcome.status = code;
    Ok(Some(outcome))
}

/// Runs code on a board that has just started.
///
/// # Errors
/// As [`run`].
pub fn run_session(session: &mut Session, run: &Run, output: &mut dyn FnMut(&[u8])) -> Result<Outcome> {
    let deadline = Instant::now() + run.timeout;
    let mut outcome = Outcome::default();
    let mut submitted = false;
    let mut before_fault = BeforeFault::default();
    let ended = (|| {
        let mut repl = RawRepl::enter(&mut *session, START.min(run.timeout))?;
        submitted = true;
        if !run.arguments.is_empty() {
            repl.execute(argv(run.arguments).as_bytes(), deadline, &mut |_| {})?;
        }
        repl.submit(run.code.as_bytes(), deadline)?;
        let mut newlines = Newlines::default();
        let stdout = &mut outcome.stdout;
        repl.follow(deadline, &mut |bytes| {
            let bytes = before_fault.of(&newlines.unix(bytes));
            output(&bytes);
            keep(stdout, &bytes);
        })
    })();
    let rest = before_fault.rest();
    output(&rest);
    keep(&mut outcome.stdout, &rest);
    match ended {
        Ok(execution) => {
            outcome.status = i32::from(!execution.traceback.is_empty());
            outcome.stderr = execution.traceback;
            outcome.marks = session.marks();
            Ok(outcome)
        }
        // A board that has not even started by then did not end in time either.
        Err(error) if error.code == "timed-out" || Instant::now() >= deadline => Err(timed_out(run.timeout)),
        Err(error) => match session.end() {
            // `sys.exit(status)` ends the emulator with that status.
            Some(End { status: Some(status), fault: None, .. }) if submitted => {
                outcome.status = status;
                outcome.stderr = session.after_the_end();
                outcome.marks = session.marks();
                Ok(outcome)
            }
            Some(end) => Err(end.diagnostic(run.board)),
            None => Err(error),
        },
    }
}

/// Output without the report of a fault, which an error contains.
#[derive(Default)]
struct BeforeFault {
    /// The start of a line that may begin a report.
    held: Vec<u8>,
    in_line: bool,
    faulted: bool,
}

impl BeforeFault {
    /// What of the next bytes is known to be output.
    fn of(&mut self, bytes: &[u8]) -> Vec<u8> {
        let report = &FAULT.as_bytes()[1..];
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if self.faulted {
                break;
            }
            self.held.push(byte);
            if !self.in_line && report.starts_with(&self.held) {
                self.faulted = self.held == report;
                continue;
            }
            self.in_line = byte != b'\n';
            out.append(&mut self.held);
        }
        out
    }

    /// What was held back at the end.
    fn rest(self) -> Vec<u8> {
        if self.faulted { Vec::new() } else { self.held }
    }
}

/// A running emulated board and its serial line. The emulator ends when this is dropped.
pub struct Session {
    child: Guard,
    errors: Option<JoinHandle<String>>,
    line: Pair,
    /// The last bytes of its output, which contain the registers after a fault.
    said: Vec<u8>,
    /// The file that the plugin writes the counts to.
    marks: Option<tempfile::NamedTempFile>,
    /// The files with the functions that it reads, and with the profile that it writes.
    profile: Option<(tempfile::NamedTempFile, tempfile::NamedTempFile)>,
    /// The memory image with the files. QEMU reads it some time after the start.
    _laid: Option<tempfile::NamedTempFile>,
    /// Ends the emulator with this program, where a debugger has the terminal.
    _group: Option<Group>,
}

/// QEMU's plugin (`emulators/plugin.c`). It is compiled if necessary.
///
/// # Errors
/// `missing-tool`, `tool-failed`, `io`.
pub fn plugin() -> Result<PathBuf> {
    let source = target_specs::EMULATOR_PLUGIN;
    let target = super::cache_dir().join("emulator").join(format!("{}.so", digest([source])));
    super::cache::used(&target);
    if !super::cache::is_whole(&target) {
        super::cache::discard(&target);
        let folder =
            tempfile::tempdir().map_err(|error| io_error("create", &std::env::temp_dir(), &error))?;
        let (c, so) = (folder.path().join("plugin.c"), folder.path().join("plugin.so"));
        super::write_file(&c, source.as_bytes())?;
        output_of(Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&so).arg(&c))?;
        super::write_file(&target, &super::read_file(&so)?)?;
        super::cache::seal(&target)?;
    }
    Ok(target)
}

fn temporary_file() -> Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new().map_err(|error| io_error("create", &std::env::temp_dir(), &error))
}

/// The memory image with files that the firmware expects (`emulators/port/parcel.c`).
fn parcel_of(files: &[(String, Vec<u8>)], heap: u32) -> Vec<u8> {
    let mut parcel = b"MPYF".to_vec();
    parcel.extend(heap.to_le_bytes());
    // Each folder goes before what is in it.
    let folders = files.iter().flat_map(|(name, _)| name.match_indices('/').map(|(at, _)| &name[..=at]));
    let folders: BTreeSet<&str> = folders.collect();
    let folders = folders.into_iter().map(|name| (name, &[][..]));
    for (name, data) in folders.chain(files.iter().map(|(name, data)| (name.as_str(), &data[..]))) {
        for part in [name.len(), data.len()] {
            parcel.extend(u32::try_from(part).unwrap_or(u32::MAX).to_le_bytes());
        }
        parcel.extend(name.as_bytes());
        parcel.extend(data);
        parcel.resize(parcel.len().next_multiple_of(4), 0);
    }
    parcel.extend([0; 8]);
    parcel
}

/// The end of an emulator.
#[derive(Debug)]
pub struct End {
    /// Its exit status; `None` if it was killed.
    pub status: Option<i32>,
    /// The kind of a fault, and the registers.
    pub fault: Option<(String, String)>,
    /// Messages of QEMU itself.
    pub errors: String,
}

impl End {
    fn diagnostic(self, board: &Board) -> Diagnostic {
        if let Some((kind, registers)) = self.fault {
            let message = format!("the processor of board `{}` faulted: {kind}", board.name);
            return Diagnostic::new("board-fault", message).help(registers);
        }
        let status = self.status.map_or("killed".to_owned(), |status| format!("status {status}"));
        let message = format!("the emulator of board `{}` ended ({status})", board.name);
        let diagnostic = Diagnostic::new("board-died", message);
        if self.errors.is_empty() { diagnostic } else { diagnostic.help(format!("it said: {}", self.errors)) }
    }
}

impl Session {
    /// Starts QEMU with the board's serial line on pipes and with these files in the board's filesystem.
    ///
    /// # Errors
    /// `missing-tool`, `no-emulator` for boards that do not run under QEMU, `io`.
    pub fn start(board: &Board, firmware: &Firmware, files: &[(String, Vec<u8>)]) -> Result<Session> {
        Session::start_watched(board, firmware, files, Watch::default())
    }

    /// Like [`Session::start`], and watches the board.
    ///
    /// # Errors
    /// As [`Session::start`].
    pub fn start_watched(
        board: &Board,
        firmware: &Firmware,
        files: &[(String, Vec<u8>)],
        watch: Watch,
    ) -> Result<Session> {
        let Some(Kind::Qemu {
            program,
            args,
            packages,
            parcel,
            heap,
            semihosting_console,
            code,
            word_access_only,
            ..
        }) = &board.emulator
        else {
            return Err(Diagnostic::new("no-emulator", format!("board `{}` is not under QEMU", board.name)));
        };
        if which(program).is_none() {
            let error = Diagnostic::new("missing-tool", format!("`{program}` is not installed"));
            let install = super::package_manager()
                .and_then(|manager| Some(super::install_command(manager, packages.get(manager)?)));
            return Err(match install {
                Some(command) => error.help(command),
                None => error,
            });
        }
        let mut command = Command::new(program);
        command.args(args).arg("-kernel").arg(&firmware.path);
        let serial = if *semihosting_console { "none" } else { "stdio" };
        command.args(["-nodefaults", "-display", "none", "-monitor", "none", "-serial", serial]);
        let mut group = None;
        if let Some(port) = watch.debugger {
            // It takes the terminal, where Ctrl-C is for it alone.
            group = Some(Group::new(&mut command));
            command.args(["-S", "-gdb", &format!("tcp:localhost:{port}")]);
        }
        let (mut marks, mut profile) = (None, None);
        if watch.counts || watch.functions.is_some() || *word_access_only {
            // A comma in a value is doubled in QEMU's options.
            let quoted = |path: &Path| path.to_string_lossy().replace(',', ",,");
            let range = format!("{:x}:{:x}", code[0], code[1]);
            let mut plugin = format!("{},code={range}", quoted(&plugin()?));
            if let Some(functions) = watch.functions {
                let (mut read, written) = (temporary_file()?, temporary_file()?);
                read.write_all(functions.as_bytes())
                    .map_err(|error| io_error("write", read.path(), &error))?;
                plugin += &format!(",functions={},profile={}", quoted(read.path()), quoted(written.path()));
                profile = Some((read, written));
            }
            if watch.counts {
                let file = temporary_file()?;
                plugin += &format!(",marks={}", quoted(file.path()));
                marks = Some(file);
            }
            if *word_access_only {
                plugin += &format!(",words={range}");
            }
            command.arg("-plugin").arg(plugin);
        }
        let mut laid = None;
        if !files.is_empty() || *heap > 0 {
            let mut file = temporary_file()?;
            file.write_all(&parcel_of(files, *heap))
                .map_err(|error| io_error("write", file.path(), &error))?;
            // A comma in a value is doubled in QEMU's options.
            let path = file.path().to_string_lossy().replace(',', ",,");
            command.arg("-device").arg(format!("loader,file={path},addr={parcel:#x},force-raw=on"));
            laid = Some(file);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        crate::ui::verbose("Running", format_args!("`{}`", shown(&command)));
        let mut child = Guard(command.spawn().map_err(|error| cannot_start(&command, &error))?);
        let errors = Some(reader_of_end(child.0.stderr.take().expect("it was piped")));
        let stdin = child.0.stdin.take().expect("it was piped");
        let line = Pair::new(child.0.stdout.take().expect("it was piped"), stdin);
        Ok(Session { child, errors, line, said: Vec::new(), marks, profile, _laid: laid, _group: group })
    }

    /// How the emulator ended, if it has ended or ends right now.
    pub fn end(&mut self) -> Option<End> {
        let status = self.child.end(Instant::now() + Duration::from_millis(500))?.code();
        let errors = self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default();
        let errors = plain(errors.trim());
        let said = plain(&String::from_utf8_lossy(&self.said).replace('\r', ""));
        let fault = said.rfind(FAULT).map(|at| {
            let (kind, registers) = said[at + FAULT.len()..].split_once('\n').unwrap_or(("", ""));
            (kind.to_owned(), registers.trim_end().to_owned())
        });
        Some(End { status, fault, errors })
    }

    /// The counts of instructions so far.
    pub fn marks(&self) -> Vec<u64> {
        let Some(file) = &self.marks else { return Vec::new() };
        let text = std::fs::read_to_string(file.path()).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// The output of the board after the end of the code, if the code ended the emulator too.
    fn after_the_end(&self) -> String {
        let at = self.said.iter().rposition(|&byte| byte == 4).map_or(self.said.len(), |at| at + 1);
        plain(&String::from_utf8_lossy(&self.said[at..]).replace('\r', ""))
    }
}

impl Transport for Session {
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        let n = self.line.read(buffer, deadline)?;
        self.said.extend_from_slice(&buffer[..n]);
        // The report of a fault has 5 KiB.
        if self.said.len() > 32768 {
            self.said.drain(..self.said.len() - 16384);
        }
        Ok(n)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
        self.line.write(data, deadline)
    }
}
