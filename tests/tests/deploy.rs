//! `cargo mpy deploy` and what it stands on, with emulated boards on pseudo-terminals, and over lines that
//! fail. `FAULTS=all` lets the line fail at every byte of a deploy instead of at some.

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use cargo_mpy::serial::{Board, Put, Transport};
use cargo_mpy::toolchain::emulator::Session;
use cargo_mpy::toolchain::micropython::Firmware;
use cargo_mpy::toolchain::needs;
use libtest_mimic::{Arguments, Failed, Trial};
use tests::{board, line};

const BOARDS: [&str; 3] = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"];

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        if !BOARDS.contains(&board.name.as_str()) {
            continue;
        }
        if let Some(why) = &why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
        let mut add = |what: &str, test: fn(&target_specs::Board) -> Result<(), Failed>| {
            let trial = Trial::test(format!("{}::{what}", board.name), move || test(board));
            trials.push(trial.with_ignored_flag(why_not.is_some()));
        };
        add("deploy", deploy);
        add("bad boards", bad_boards);
        add("faults", faults);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What the tool says when called in `folder`: whether it succeeded, standard output, standard error.
fn tool(folder: &Path, words: &[&str]) -> (bool, String, String) {
    let me = std::env::current_exe().expect("this program");
    let output = Command::new(me)
        .arg("mpy")
        .args(words)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("this program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn holds(condition: bool, what: &str, said: &dyn std::fmt::Debug) -> Result<(), Failed> {
    if condition { Ok(()) } else { Err(format!("{what}: {said:#?}").into()) }
}

/// A module that says `number`.
fn wat(number: u32) -> String {
    format!("(module (func (export \"number\") (result i32) i32.const {number}))")
}

fn deploy(board: &target_specs::Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let folder = tempfile::tempdir()?;
    let put = |number| std::fs::write(folder.path().join("answer.wat"), wat(number));
    let base = ["deploy", "--port", &served.path, "--wasm", "answer.wat"];
    let call = |more: &[&str]| tool(folder.path(), &[&base[..], more].concat());
    let say = ["--run", "print('it says', answer.number())"];
    // --run starts anew in the session that imported the module.
    put(41)?;
    let said = call(&say);
    holds(said.0 && said.1 == "it says 41\n" && said.2.contains("Deployed answer.mpy"), "first", &said)?;
    let said = call(&say);
    holds(said.0 && said.1 == "it says 41\n" && said.2.contains("Unchanged"), "again", &said)?;
    put(42)?;
    let said = call(&say);
    holds(said.0 && said.1 == "it says 42\n" && said.2.contains("Deployed answer.mpy"), "changed", &said)?;
    let said =
        call(&["--dest", "/apps/x", "--run", "print(answer.__file__ if hasattr(answer, '__file__') else 1)"]);
    holds(said.0 && said.2.contains("Deployed /apps/x/answer.mpy"), "into a folder", &said)?;
    let said = call(&["--run", "1/0"]);
    holds(!said.0 && said.2.contains("ZeroDivisionError"), "an exception", &said)?;
    let said = call(&["--timeout", "0.5", "--run", "while 1: pass"]);
    holds(!said.0 && said.2.contains("timed-out"), "a loop", &said)?;
    let said = call(&["--json", "--run", "print(answer.number())"]);
    let events: Vec<&str> = said.1.lines().collect();
    holds(
        said.0
            && events.first().is_some_and(|event| event.contains(&format!("\"arch\":\"{}\"", board.arch)))
            && events.last().is_some_and(|event| event.contains("42")),
        "events",
        &said,
    )?;

    // From RAM, with the board's files as they are.
    put(43)?;
    let run = [
        "run",
        "--port",
        &served.path,
        "--wasm",
        "answer.wat",
        "-e",
        "import answer; print(answer.number())",
    ];
    let said = tool(folder.path(), &run);
    holds(said.0 && said.1 == "43\n", "in RAM", &said)?;
    put(42)?;
    let said = call(&say);
    holds(said.0 && said.1 == "it says 42\n" && said.2.contains("Unchanged"), "as it was", &said)?;

    // mpremote, which knows nothing of us, sees the same file.
    let mpy = folder.path().join("target/mpy").join(&board.arch).join("answer.mpy");
    let mpremote = |words: &[&str]| {
        let output = Command::new("python3")
            .env("PYTHONPATH", needs::test_python())
            .args(["-m", "mpremote", "connect", &served.path])
            .args(words)
            .output()?;
        io::Result::Ok(format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ))
    };
    let theirs = mpremote(&["fs", "sha256sum", ":answer.mpy"])?;
    let ours = Command::new("sha256sum").arg(&mpy).output()?;
    let ours = String::from_utf8_lossy(&ours.stdout).split_whitespace().next().unwrap_or_default().to_owned();
    holds(theirs.contains(&ours) && ours.len() == 64, "mpremote's hash", &(ours, theirs))?;
    let list = mpremote(&["fs", "ls", ":"])?;
    holds(!list.contains(".part"), "nothing is left over", &list)
}

fn bad_boards(board: &target_specs::Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("answer.wat"), wat(1))?;
    let base = ["deploy", "--port", &served.path, "--wasm", "answer.wat"];
    let call = |more: &[&str]| tool(folder.path(), &[&base[..], more].concat());
    let said = call(&["--arch", "xtensawin"]);
    holds(!said.0 && said.2.contains("error[wrong-board]"), "another architecture", &said)?;
    {
        let _mine = cargo_mpy::serial::port::open(&served.path, 115_200)?;
        let said = call(&[]);
        holds(!said.0 && said.2.contains("error[port]"), "a port in use", &said)?;
    }
    let said = call(&["--run", "import sys,time\nfor i in range(3): print('x', end='')"]);
    holds(said.0 && said.1 == "xxx", "released", &said)?;
    // A board that prints without end, then one that nothing stops.
    let type_ = |line: &[u8]| -> Result<(), Failed> {
        let mut port = cargo_mpy::serial::port::open(&served.path, 115_200)?;
        port.write(line, Instant::now() + Duration::from_secs(5))?;
        // The board is to be at it before it is spoken to.
        std::thread::sleep(Duration::from_millis(500));
        Ok(())
    };
    type_(b"\r\x03\x03exec('import time\\nwhile 1: print(0); time.sleep_ms(1)')\r")?;
    let said = call(&["--run", "print('quiet')"]);
    holds(said.0 && said.1 == "quiet\n", "a board that prints", &said)?;
    type_(b"\r\x03\x03exec('import micropython\\nmicropython.kbd_intr(-1)\\nwhile 1: pass')\r")?;
    let start = Instant::now();
    let said = call(&[]);
    holds(
        !said.0 && said.2.contains("error[no-answer]") && start.elapsed() < Duration::from_secs(30),
        "a board that nothing stops",
        &(said, start.elapsed()),
    )
}

/// What a line does to the byte at some place of what is sent.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It is unplugged.
    Cut,
    Corrupt,
    Drop,
    Double,
    Delay,
}

struct Faulty<'a> {
    line: &'a mut Session,
    fault: Fault,
    /// Bytes until it happens.
    left: Option<usize>,
    sent: usize,
    is_cut: bool,
}

impl Transport for Faulty<'_> {
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        if self.is_cut { Ok(0) } else { self.line.read(buffer, deadline) }
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
        if self.is_cut {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.sent += data.len();
        let Some(at) = self.left else { return self.line.write(data, deadline) };
        if at >= data.len() {
            self.left = Some(at - data.len());
            return self.line.write(data, deadline);
        }
        self.left = None;
        let (before, after) = data.split_at(at);
        let bytes = match self.fault {
            Fault::Cut => {
                self.is_cut = true;
                before.to_vec()
            }
            Fault::Corrupt => [before, &[after[0] ^ 0x15], &after[1..]].concat(),
            Fault::Drop => [before, &after[1..]].concat(),
            Fault::Double => [before, &after[..1], after].concat(),
            Fault::Delay => {
                self.line.write(before, deadline)?;
                std::thread::sleep(Duration::from_millis(50));
                after.to_vec()
            }
        };
        self.line.write(&bytes, deadline)
    }
}

/// However a deploy goes wrong, the file is the old one or the new one, and the next deploy works.
fn faults(board: &target_specs::Board) -> Result<(), Failed> {
    let firmware = Firmware::build(board, &|_| {})?;
    let mut session = Session::start(board, &firmware, &[], false)?;
    let old: Vec<u8> = (0..600_u32).map(|i| (i * 7) as u8).collect();
    let new: Vec<u8> = (0..700_u32).map(|i| (i * i / 3) as u8).collect();
    let calm = Duration::from_secs(10);
    let put = |line: &mut dyn Transport, data: &[u8], patience| -> target_specs::Result<Put> {
        let mut board = Board::connect(line, patience)?;
        let put = board.put("module.mpy", data, &mut |_| {});
        board.leave();
        put
    };
    // How many bytes a deploy sends.
    put(&mut session, &old, calm)?;
    let mut whole = Faulty { line: &mut session, fault: Fault::Cut, left: None, sent: 0, is_cut: false };
    put(&mut whole, &new, calm)?;
    let bytes = whole.sent;
    let all = std::env::var_os("FAULTS").is_some_and(|value| value == "all");
    let step = if all { 1 } else { 131 };
    let (mut runs, mut failed, mut slowest) = (0, 0, Duration::ZERO);
    for fault in [Fault::Cut, Fault::Corrupt, Fault::Drop, Fault::Double, Fault::Delay] {
        for at in (0..bytes).step_by(step) {
            put(&mut session, &old, calm).map_err(|error| format!("before {fault:?} at {at}: {error:?}"))?;
            let start = Instant::now();
            let mut line = Faulty { line: &mut session, fault, left: Some(at), sent: 0, is_cut: false };
            let outcome = put(&mut line, &new, Duration::from_millis(400));
            slowest = slowest.max(start.elapsed());
            let hash = (|| {
                let mut board = Board::connect(&mut session, calm)?;
                let hash = board.hash("module.mpy")?;
                board.leave();
                target_specs::Result::Ok(hash)
            })();
            let hash =
                hash.map_err(|error| format!("after {fault:?} at {at} of {bytes}: {error:?}; {outcome:?}"))?;
            use sha2::{Digest, Sha256};
            let (is_old, is_new) =
                (hash == Some(Sha256::digest(&old).into()), hash == Some(Sha256::digest(&new).into()));
            let right = match &outcome {
                Ok(_) => is_new,
                // The fault may have hit the answer to the last step.
                Err(_) => is_old || is_new,
            };
            holds(right, "the file", &(fault, at, &outcome, is_old, is_new))?;
            runs += 1;
            failed += usize::from(outcome.is_err());
        }
    }
    eprintln!(
        "{}: {runs} runs of {bytes} bytes, {failed} failed as they should, the slowest {slowest:.1?}",
        board.name
    );
    holds(failed > 0 && slowest < Duration::from_secs(20), "bounded", &slowest)
}
