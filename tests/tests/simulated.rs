//! The simulated `machine`: the files of `tests/simulated` on every board of this machine, and that commands bring it. Lines
//! that begin with `#> ` at the end of a file are what it prints.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cargo_mpy::toolchain::emulator;
use libtest_mimic::{Failed, Trial};
use target_specs::Board;
use tests::board;

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = tests::arguments();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulated");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        for file in &files {
            let name = format!("{}::{}", board.name, file.file_stem().expect("a name").to_string_lossy());
            let file = file.clone();
            let trial = Trial::test(name, move || play(&file, board));
            trials.push(trial.with_ignored_flag(why_not.is_some()));
        }
        if ["unix", "qemu-armv6m"].contains(&board.name.as_str()) {
            let trial = Trial::test(format!("{}::commands", board.name), || commands(board));
            trials.push(trial.with_ignored_flag(why_not.is_some()));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn play(file: &Path, board: &Board) -> Result<(), Failed> {
    let code = fs::read_to_string(file)?;
    let expected: String =
        code.lines().filter_map(|line| line.strip_prefix("#> ")).map(|line| format!("{line}\n")).collect();
    let printed = board::execute(board, &emulator::with_hardware(&[]), &code)?;
    if printed == expected {
        return Ok(());
    }
    Err(format!("--- expected\n{expected}--- it prints\n{printed}").into())
}

/// `run` and `test` bring it, and a module with one of its names takes its place.
fn commands(board: &Board) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("blinks.wat"), BLINKS)?;
    fs::create_dir(folder.path().join("tests"))?;
    let test =
        "import blinks, simulated\nblinks.blink()\nassert simulated.log == [('pin', 7, 1), ('pin', 7, 0)]\n";
    fs::write(folder.path().join("tests/pins.py"), test)?;
    let tool = |words: &[&str]| {
        let me = std::env::current_exe().expect("this program");
        let mut command = Command::new(me);
        command.arg("mpy").args(words).args(["--board", &board.name, "--wasm", "blinks.wat"]);
        let output = command.current_dir(folder.path()).env("NO_COLOR", "1").output().expect("it starts");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), text)
    };
    let script = "import blinks, simulated; blinks.blink(); print(simulated.log)";
    for (words, says) in [
        (&["run", "-e", script][..], "[('pin', 7, 1), ('pin', 7, 0)]"),
        (&["test"], "test tests/pins.py ... ok"),
        (
            &["run", "--name", "simulated", "-e", "import simulated; print(hasattr(simulated, 'log'))"],
            "False",
        ),
    ] {
        let (is_good, text) = tool(words);
        if !is_good || !text.contains(says) {
            return Err(format!("{words:?}: {text}").into());
        }
    }
    Ok(())
}

const BLINKS: &str = r#"(module
    (import "wiring" "pinMode" (func $pin_mode (param i32 i32)))
    (import "wiring" "digitalWrite" (func $digital_write (param i32 i32)))
    (func (export "blink")
        (call $pin_mode (i32.const 7) (i32.const 1))
        (call $digital_write (i32.const 7) (i32.const 1))
        (call $digital_write (i32.const 7) (i32.const 0))))
"#;
