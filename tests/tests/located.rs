//! `tests/located/lib.rs` fails in each way that code can, and the commands say in which line: on a board of each family of
//! compilers, nightly on every board, and on a board at a serial port.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use target_specs::{Board, Emulator};
use tests::{board, line};

/// An address at which no board has memory. A Cortex-M0 of QEMU's answers at all that are aligned.
fn nowhere(board: &Board) -> Result<u32, Failed> {
    Ok(0x9000_0000 + u32::from(target_specs::arch(&board.arch)?.strict_alignment))
}

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = tests::arguments();
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        let ignored = why_not.is_some() || board::is_nightly(board);
        let trial = Trial::test(format!("{}::failures", board.name), || failures(board));
        trials.push(trial.with_ignored_flag(ignored));
    }
    for board in board::named(&["qemu-armv6m"]) {
        trials.push(Trial::test("connected::run", || run_connected(board)));
        trials.push(Trial::test("connected::monitor", || monitor(board)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The crate in a folder of its own.
fn crate_folder(test: &str) -> Result<PathBuf, Failed> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("located").join(test);
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), source()?)?;
    let manifest =
        "[package]\nname = \"located\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), manifest)?;
    Ok(folder)
}

fn source() -> Result<String, Failed> {
    Ok(fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("located/lib.rs"))?)
}

/// The line that ends with this, mostly a comment.
fn line_of(end: &str) -> Result<String, Failed> {
    let source = source()?;
    let at = source.lines().position(|line| line.ends_with(end));
    Ok(format!("src/lib.rs:{}", at.ok_or_else(|| format!("no line `{end}`"))? + 1))
}

fn command(folder: &Path, arguments: &[&str]) -> Result<Command, Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("mpy")
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("CARGO_TARGET_DIR", "target");
    Ok(command)
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    (text(&output.stdout), text(&output.stderr))
}

/// These are in a text, in this order.
fn in_order(text: &str, wanted: &[String]) -> Result<(), Failed> {
    let mut rest = text;
    for part in wanted {
        let at =
            rest.find(part.as_str()).ok_or_else(|| format!("no `{part}` here, or not in order:\n{text}"))?;
        rest = &rest[at + part.len()..];
    }
    Ok(())
}

/// Where the processor stopped, and the calls that led there. Some compilers make one function of two.
fn fault() -> Result<[String; 3], Failed> {
    Ok([
        format!("at {} in located::Filter::store\n", line_of("// store")?),
        format!("at {} in located::Filter::twice\n", line_of("// first call")?),
        format!("at {} in store\n", line_of("// outer call")?),
    ])
}

fn failures(board: &Board) -> Result<(), Failed> {
    let folder = crate_folder(&board.name)?;
    let code = "\
import located
for failing in 'trap(20)', 'panic(7)', 'recurse(1000000)':
    try:
        eval('located.' + failing)
    except Exception as error:
        print(error)
print('Failing:')
";
    let store = format!("{code}located.store({:#x})\n", nowhere(board)?);
    let is_program = matches!(board.emulator, Some(Emulator::Unix { .. }));
    let code = if is_program { code } else { &store };
    let build = ["run", "--board", &board.name, "--debug", "--trap-names", "-e", code];
    let (stdout, stderr) = said(&command(&folder, &build)?.output()?);
    let messages = format!(
        "unreachable, {} in located::Filter::trap\n\
         index out of bounds: the len is 3 but the index is 8, {}\n\
         call stack exhausted, {} in located::Filter::recurse\nFailing:\n",
        line_of("// trap")?,
        line_of("// panic")?,
        line_of("if n == 0 {")?
    );
    if stdout.trim_end() != messages.trim_end() {
        return Err(format!("--- expected\n{messages}--- it prints\n{stdout}--- and says\n{stderr}").into());
    }
    if is_program {
        return Ok(());
    }
    if target_specs::arch(&board.arch)?.word_bits == 64 {
        // Its memory is not the machine's.
        let trap =
            format!("out of bounds memory access, {} in located::Filter::store\n", line_of("// store")?);
        return in_order(&stderr, &[trap]);
    }
    let place = format!("--> {}\n", line_of("// store")?);
    in_order(
        &stderr,
        &[&["error[board-fault]: ".to_owned(), place][..], &fault()?, &["pc ".to_owned()]].concat(),
    )?;
    // Words that only say where that is are not for people.
    match ["stack", "halted"].iter().find(|word| stderr.contains(*word)) {
        Some(word) => Err(format!("`{word}` is shown:\n{stderr}").into()),
        None => Ok(()),
    }
}

/// A board at a serial port says where the module is: addresses in what its firmware prints get lines, also those of a
/// fault.
fn run_connected(board: &'static Board) -> Result<(), Failed> {
    let folder = crate_folder("connected")?;
    let served = line::serve(board, None)?;
    let code = format!(
        "import located\n\
         from machine import mem32\n\
         trap = mem32[id(located.trap) + 4] & 0xffffffff\n\
         print('PC      : 0x%08x  PS      : 0x%08x' % (trap, trap + (1 << 24)))\n\
         located.store({:#x})\n",
        nowhere(board)?
    );
    let run = ["run", "--port", &served.path, "--debug", "--timeout", "5", "-e", &code];
    let (stdout, stderr) = said(&command(&folder, &run)?.output()?);
    let dump =
        stdout.split_once('\n').map(|(first, rest)| (first.to_owned(), rest.lines().next().unwrap_or("")));
    let Some((first, second)) = dump.filter(|(first, _)| first.starts_with("PC      : 0x")) else {
        return Err(format!("no dump:\n{stdout}\n{stderr}").into());
    };
    let address = first.split_whitespace().nth(2).unwrap_or_default();
    if !second.starts_with(&format!("    {address}: ")) || !second.ends_with("in mpy_export_f_trap") {
        return Err(format!("`{second}` below `{first}`").into());
    }
    in_order(&stdout, &[&["FATAL: HardFault\n".to_owned()][..], &fault()?].concat())
}

/// The monitor knows the modules that were built in the crate.
fn monitor(board: &'static Board) -> Result<(), Failed> {
    let folder = crate_folder("monitor")?;
    let served = line::serve(board, None)?;
    let deploy = ["deploy", "--port", &served.path, "--debug"];
    let output = command(&folder, &deploy)?.output()?;
    if !output.status.success() {
        return Err(said(&output).1.into());
    }
    let mut monitor = command(&folder, &["monitor", "--port", &served.path])?;
    let mut child = monitor.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no input")?;
    stdin.write_all(format!("import located\r\nlocated.store({:#x})\r\n", nowhere(board)?).as_bytes())?;
    let wanted = [&["FATAL: HardFault\n".to_owned()][..], &fault()?].concat();
    let mut stdout = BufReader::new(child.stdout.take().ok_or("no output")?);
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut line = String::new();
        while stdout.read_line(&mut line).is_ok_and(|count| count > 0) {
            let _ = sender.send(std::mem::take(&mut line).replace("\r\n", "\n"));
        }
    });
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut shown = String::new();
    while in_order(&shown, &wanted).is_err()
        && let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    {
        shown.push_str(&line);
    }
    // Ctrl-].
    stdin.write_all(b"\x1d")?;
    drop(stdin);
    child.wait()?;
    reader.join().map_err(|_| "the reader panicked")?;
    in_order(&shown, &wanted)
}
