//! The kernels as a Rust crate on every board and in every kind of memory, against the same computations in C as
//! a program of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use cargo_mpy::options::BuildOptions;
use libtest_mimic::{Arguments, Failed, Trial};
use target_specs::{Board, arch};
use tests::board;

const MEMORIES: [&str; 4] = ["direct", "trusted", "masked", "checked"];

fn main() {
    let arguments = Arguments::from_args();
    let expected: Arc<OnceLock<Result<String, String>>> = Arc::default();
    // Builds of one crate share a target folder, so they take turns.
    let turn = Arc::new(Mutex::new(()));
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        for memory in MEMORIES {
            if memory == "direct" && arch(&board.arch).expect("its architecture").word_bits != 32 {
                continue;
            }
            let (expected, turn) = (Arc::clone(&expected), Arc::clone(&turn));
            let trial = Trial::test(format!("{}::{memory}", board.name), move || {
                let expected = expected.get_or_init(|| native().map_err(|error| error.to_string()));
                play(board, memory, expected.as_ref().map_err(String::as_str)?, &turn)
            });
            trials.push(trial.with_ignored_flag(why_not.is_some()));
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels")
}

/// What the kernels return in C.
fn native() -> std::io::Result<String> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels-in-c");
    let made = Command::new("cc")
        .args(["-O2", "-ffp-contract=off", "-fno-builtin", "-o"])
        .arg(&program)
        .args([folder().join("kernels.c"), folder().join("main.c")])
        .status()?;
    if !made.success() {
        return Err(std::io::Error::other("the host's compiler failed"));
    }
    Ok(String::from_utf8_lossy(&Command::new(&program).output()?.stdout).into_owned())
}

fn play(board: &Board, memory: &str, expected: &str, turn: &Mutex<()>) -> Result<(), Failed> {
    let options = BuildOptions {
        manifest_path: Some(folder().join("Cargo.toml")),
        memory: Some(memory.to_owned()),
        ..board::options(board, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels"))
    };
    let module = {
        let _turn = turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        board::module(&options).map_err(|failure| format!("{failure:?}"))?
    };
    let names: Vec<&str> = expected.lines().filter_map(|line| line.split(' ').next()).collect();
    let code = format!(
        "import kernels\nfor name in {:?}.split():\n f = getattr(kernels, name)\n \
         print(name, '%08x' % (f(1) & 0xffffffff), '%08x' % (f(3) & 0xffffffff))\n",
        names.join(" ")
    );
    let printed = board::execute(board, &[module], &code)?;
    if printed == expected {
        return Ok(());
    }
    Err(format!("--- in C\n{expected}--- on the board\n{printed}").into())
}
