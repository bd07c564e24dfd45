//! Standard output: what does not arrive there is an error, what boards print has no terminal control, and what is said
//! of commands has nothing of the environment in it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

const MODULE: &str = "(module (memory (export \"memory\") 1) (func (export \"half\") (param i32) (result i32)
    local.get 0 i32.const 1 i32.shr_s))";

fn tool(folder: &Path, words: &[&str]) -> Command {
    std::fs::write(folder.join("halves.wat"), MODULE).expect("a writable folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mpy"));
    command.arg("mpy").args(words).current_dir(folder).stdin(Stdio::null());
    command
}

fn output(words: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    tool(folder.path(), words).output().expect("the tool starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Commands that print and need no crate; all others have at least help to print.
fn printing() -> Vec<Vec<String>> {
    let lines = [
        "--version",
        "--help",
        "help",
        "boards",
        "boards unix",
        "boards --json",
        "explain",
        "explain no-rust",
        "completions bash",
        "doctor --board unix",
        "--emit plan --wasm halves.wat",
        "--emit wasm --wasm halves.wat",
        "--emit c --wasm halves.wat",
        "--emit glue --wasm halves.wat",
        "--emit obj --wasm halves.wat",
        "--emit map --wasm halves.wat",
        "--emit mpy --wasm halves.wat",
        "--message-format json --wasm halves.wat",
        "expand --wasm halves.wat",
        "size --wasm halves.wat",
        "run --wasm halves.wat",
    ];
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    let commands = cargo_mpy::command_line();
    let help =
        commands.get_subcommands().map(|command| vec![command.get_name().to_owned(), "--help".to_owned()]);
    lines.into_iter().map(words).chain(help).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_is_lost_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for words in printing() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let run = |stdout: Stdio| tool(folder.path(), &words).stdout(stdout).output().expect("it starts");
        let whole = run(Stdio::piped());
        if whole.stdout.is_empty() {
            // An option that this command line does not have.
            panic!("{words:?} prints nothing: {}", text(&whole.stderr));
        }
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let lost = run(full.into());
        let said = text(&lost.stderr);
        if whole.status.success() {
            assert_eq!(lost.status.code(), Some(1), "{words:?}: {said}");
            assert!(said.contains("error[io]: cannot write to standard output"), "{words:?}: {said}");
        } else {
            assert_eq!(lost.status.code(), whole.status.code(), "{words:?}: {said}");
        }

        // A reader that has enough.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let closed = run(writer.into());
        let said = text(&closed.stderr);
        assert_eq!(closed.status.code(), whole.status.code(), "{words:?}: {said}");
        assert!(!said.contains("error"), "{words:?}: {said}");
    }
}

/// What runs without end is stopped when nobody reads what it prints, here and under QEMU.
#[test]
fn a_program_that_nobody_listens_to_is_stopped() {
    for board in ["unix", "qemu-armv6m"] {
        let Some(folder) = runs_on(board) else { continue };
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let code = "while True: print('again')";
        let words =
            ["run", "--quiet", "--wasm", "halves.wat", "--board", board, "-e", code, "--timeout", "100000"];
        let output = tool(folder.path(), &words).stdout(writer).output().expect("it starts");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{board}");
    }
}

#[test]
fn time_ends_a_program_that_prints_without_end() {
    for board in ["unix", "qemu-armv6m"] {
        let Some(folder) = runs_on(board) else { continue };
        let code = "while True: print('again')";
        let words = ["run", "--wasm", "halves.wat", "--board", board, "-e", code, "--timeout", "0.5"];
        let output = tool(folder.path(), &words).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("error[timed-out]"), "{board}: {}", text(&output.stderr));
    }
    for wrong in ["-1", "nan", "soon"] {
        let output = output(&["run", "--wasm", "halves.wat", &format!("--timeout={wrong}")]);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", text(&output.stderr));
    }
}

/// A folder to run in, where the board's emulator is installed.
fn runs_on(board: &str) -> Option<tempfile::TempDir> {
    let board = target_specs::board(board).expect("a board");
    let there = cargo_mpy::toolchain::micropython::missing_tools(board).is_empty();
    assert!(there || !tests::in_ci(), "{} does not run here", board.name);
    there.then(|| tempfile::tempdir().expect("a temporary folder"))
}

#[test]
fn what_a_board_prints_has_no_terminal_control() {
    // The clipboard, the title, a colour; in the traceback as well.
    let code = "print('a\\x1b]52;c;cm0=\\x07b\\x1b[31mc\\td'); raise ValueError('e\\x1b]0;t\\x07f')";
    for board in ["unix", "qemu-armv6m"] {
        let Some(folder) = runs_on(board) else { continue };
        let run = |flags: &[&str]| {
            let words =
                [&["run", "--quiet", "--wasm", "halves.wat", "--board", board, "-e", code], flags].concat();
            tool(folder.path(), &words).output().expect("it starts")
        };
        let plain = run(&[]);
        assert_eq!(text(&plain.stdout), "abc\td\n", "{board}");
        assert!(text(&plain.stderr).contains("ValueError: ef"), "{board}: {}", text(&plain.stderr));
        let raw = run(&["--raw"]);
        assert_eq!(text(&raw.stdout), "a\x1b]52;c;cm0=\x07b\x1b[31mc\td\n", "{board}");
    }
}

#[test]
fn the_monitor_passes_no_terminal_control_on() {
    // Both at once, as each waits until the board has been silent for some seconds.
    std::thread::scope(|scope| {
        for (flags, expected) in [(&[][..], "ab\n"), (&["--raw"], "a\x1b]52;c;cm0=\x07\x1b[2Kb\n")] {
            scope.spawn(|| monitor(flags, expected));
        }
    });
}

fn monitor(flags: &[&str], expected: &str) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = format!("socket://{}", listener.local_addr().expect("an address"));
    let board = std::thread::spawn(move || {
        let (mut line, _) = listener.accept().expect("a connection");
        // In pieces, as a slow line brings them.
        for part in [&b"a\x1b]5"[..], b"2;c;cm0=\x07\x1b", b"[2Kb\n"] {
            std::io::Write::write_all(&mut line, part).expect("it is read");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        line
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let words = [&["monitor", "--quiet", "--port", &port], flags].concat();
    // It ends when the board is silent, as nobody types.
    let output = tool(folder.path(), &words).output().expect("it starts");
    assert_eq!(text(&output.stdout), expected, "{}", text(&output.stderr));
    drop(board.join());
}

#[test]
fn the_environment_is_not_told() {
    for words in
        [&["-v", "--wasm", "halves.wat"][..], &["-v", "--wasm", "halves.wat", "--message-format", "json"]]
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Nothing is there yet, so that there is a lot to say.
        let cache = tempfile::tempdir().expect("a temporary folder");
        let output = tool(folder.path(), words)
            .env("SECRET_TOKEN", "hunter2")
            .env("CARGO_MPY_CACHE", cache.path())
            .output()
            .expect("it starts");
        let said = text(&output.stderr) + &text(&output.stdout);
        assert!(output.status.success() && said.contains("Running"), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("SECRET_TOKEN"), "{said}");
    }
}
