//! `cargo mpy debug`: GDB stops at lines and functions of the examples, on three boards, and nightly on all whose processors
//! Debian's GDB knows. Xtensa is none of them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

use cargo_mpy::toolchain::debugger;
use libtest_mimic::{Failed, Trial};
use target_specs::{Board, Emulator};
use tests::{board, in_ci, line};

/// The boards that run always.
const BOARDS: [&str; 3] = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"];
/// Those whose processors it does not know.
const UNKNOWN: [&str; 2] = ["qemu-xtensa", "qemu-xtensawin"];

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = tests::arguments();
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        if !matches!(board.emulator, Some(Emulator::Qemu { .. })) {
            continue;
        }
        let arch = target_specs::arch(&board.arch).expect("an architecture");
        let gdb = debugger::find(arch);
        assert!(
            gdb.is_ok() || UNKNOWN.contains(&board.name.as_str()) || !in_ci(),
            "no GDB for {}: {gdb:?}",
            board.name
        );
        let ignored = why_not.is_some() || gdb.is_err() || !BOARDS.contains(&board.name.as_str());
        for (name, test) in [("method", method as fn(&Board) -> Result<(), Failed>), ("function", function)] {
            let trial = Trial::test(format!("{}::{name}", board.name), move || test(board));
            trials.push(trial.with_ignored_flag(ignored));
        }
    }
    for board in board::named(&["qemu-armv6m"]) {
        let lacks_gdb = debugger::find(target_specs::arch(&board.arch).expect("one")).is_err();
        trials.push(Trial::test("listen", || listen(board)).with_ignored_flag(lacks_gdb));
        trials.push(Trial::test("connected", || connected(board)));
        trials.push(Trial::test("errors", || errors(board)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// The line of an example's source that contains this.
fn line_of(name: &str, part: &str) -> Result<usize, Failed> {
    let source = fs::read_to_string(example(name).join("src/lib.rs"))?;
    let at = source.lines().position(|line| line.contains(part));
    Ok(at.ok_or_else(|| format!("no `{part}`"))? + 1)
}

/// The tool, with output in the folder of crates with debug information.
fn tool(name: &str, arguments: &[&str]) -> Result<Command, Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    let target = board::crates_with_lines(env!("CARGO_TARGET_TMPDIR"));
    command
        .arg("mpy")
        .args(arguments)
        .current_dir(example(name))
        .env("NO_COLOR", "1")
        .env("CARGO_TARGET_DIR", target);
    Ok(command)
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// These are in a text, in this order.
fn in_order(text: &str, wanted: &[&str]) -> Result<(), Failed> {
    let mut rest = text;
    for part in wanted {
        let at = rest.find(part).ok_or_else(|| format!("no `{part}` here, or not in order:\n{text}"))?;
        rest = &rest[at + part.len()..];
    }
    Ok(())
}

/// What GDB says to commands, and the code prints.
fn debug(name: &str, board: &Board, code: &str, commands: &str) -> Result<String, Failed> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(commands.as_bytes())?;
    let path = file.path().to_string_lossy().into_owned();
    let debug = ["debug", "--board", &board.name, "-e", code, "--", "-batch", "-x", &path];
    let output = tool(name, &debug)?.output()?;
    Ok(said(&output))
}

/// A method, by its line and by its name, before the module is imported.
fn method(board: &Board) -> Result<(), Failed> {
    let (first, next) = (line_of("filter", "self.last[self.next] =")?, line_of("filter", "self.next = ")?);
    let commands = format!(
        "break src/lib.rs:{first}\ncontinue\nbacktrace\nprint l1\nnext\ndelete 2\n\
         break filter::Median::add\ncontinue\nprint (short) l1\ndelete\ncontinue\n"
    );
    let code = "import filter\nm = filter.Median(3)\nprint(m.add(517), m.add(-7))\n";
    let text = debug("filter", board, code, &commands)?;
    let place = "filter::Median::add (";
    let at = format!(" at src/lib.rs:{first}\n");
    in_order(
        &text,
        &[
            "(src/lib.rs:",
            ") pending.",
            place,
            &at,
            "#0 ",
            place,
            "#1 ",
            " at src/lib.rs:",
            "$1 = 517\n",
            &format!("{next}\t"),
            "filter::Median::add (",
            "$2 = -7\n",
            "0 0\n",
        ],
    )?;
    ended(&text)
}

/// GDB knows that the program has ended. Some machines of QEMU leave without a word.
fn ended(text: &str) -> Result<(), Failed> {
    let is_told = ["exited normally]", "Remote connection closed"].iter().any(|end| text.contains(end));
    if is_told { Ok(()) } else { Err(format!("the board goes on:\n{text}").into()) }
}

/// A line that is inlined into a function, which is known by the name that it is exported by.
fn function(board: &Board) -> Result<(), Failed> {
    let line = line_of("dsp", "let y = self.b[0]")?;
    let commands =
        format!("break src/lib.rs:{line}\ncontinue\nbacktrace 3\nnext\ninfo source\ndelete\ncontinue\n");
    let text =
        debug("dsp", board, "import dsp\ndsp.filter()\nprint('%.1f' % dsp.heart_rate())\n", &commands)?;
    let at = format!("filter () at src/lib.rs:{line}\n");
    let backtrace = ["pending.", "Breakpoint ", &at, "#0 ", &at, "#1 ", "mpy_export_"];
    in_order(&text, &[&backtrace[..], &["Source language is rust", "58.8\n"]].concat())?;
    ended(&text)
}

/// A debugger that connects by itself.
fn listen(board: &Board) -> Result<(), Failed> {
    let port = std::net::TcpListener::bind(("localhost", 0))?.local_addr()?.port().to_string();
    let config = tool("filter", &["debug", "--board", &board.name, "--print-config", "--listen", &port])?;
    let config = { config }.stderr(Stdio::inherit()).output()?;
    let config: serde_json::Value = serde_json::from_slice(&config.stdout)?;
    let configurations = config["configurations"].as_array().ok_or("no configurations")?;
    let cortex =
        configurations.iter().find(|one| one["type"] == "cortex-debug").ok_or("none of cortex-debug")?;
    if cortex["gdbTarget"] != format!("localhost:{port}") {
        return Err(format!("{cortex:#}").into());
    }
    let source = cortex["preAttachCommands"][0].as_str().ok_or("no commands")?.to_owned();
    let code = "import filter\nprint(filter.crossings(filter.__name__ and [1, -1, 1], 0))\n";
    let mut listening = tool("filter", &["debug", "--board", &board.name, "--listen", &port, "-e", code])?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let line = line_of("filter", "pub fn crossings")?;
    let arch = target_specs::arch(&board.arch)?;
    let gdb = Command::new(debugger::find(arch)?)
        .args(["-nx", "-batch", "-ex", &source, "-ex", &format!("break src/lib.rs:{}", line + 1)])
        .args([
            "-ex",
            &format!("target remote localhost:{port}"),
            "-ex",
            "continue",
            "-ex",
            "delete",
            "-ex",
            "continue",
        ])
        .output()?;
    let ended = listening.wait()?;
    let printed = said(&listening.wait_with_output()?);
    in_order(&said(&gdb), &["pending.", "at src/lib.rs:", "exited"])?;
    if ended.success() { Ok(()) } else { Err(printed.into()) }
}

/// A connected board says where the module is. What is written for GDB then is not for the emulated boards of other tests, so
/// they use other modules.
fn connected(board: &'static Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let text = said(&tool("motions", &["debug", "--port", &served.path])?.output()?);
    in_order(
        &text,
        &["probe-rs gdb --chip", "source ", "motions.gdb\n", "openocd", "Loaded motions at 0x20"],
    )?;
    let path = text.split("source ").nth(1).and_then(|rest| rest.lines().next()).ok_or("no commands")?;
    let commands = fs::read_to_string(path)?;
    in_order(&commands, &["set architecture arm\n", "add-symbol-file ", "motions.elf\" -o 0x20"])
}

fn errors(board: &Board) -> Result<(), Failed> {
    let run = |more: &[&str], gdb: &str| -> Result<String, Failed> {
        let mut command = tool("filter", &[&["debug"], more].concat())?;
        Ok(said(&command.env("CARGO_MPY_GDB", gdb).output()?))
    };
    let none = "no-such-gdb";
    in_order(&run(&["--board", &board.name], none)?, &["error[missing-tool]: no GDB for ", none, "help"])?;
    in_order(&run(&["--board", "unix"], none)?, &["error[no-emulator]: ", "help", "--board qemu-"])?;
    in_order(&run(&["--board", &board.name], "false")?, &["error[unsupported-gdb]: ", "CARGO_MPY_GDB"])
}
