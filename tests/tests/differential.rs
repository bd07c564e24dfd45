//! The kernels as a Rust crate in every kind of memory, on a board of each family of compilers, nightly on every board,
//! against the same computations in C as a program of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use cargo_mpy::options::BuildOptions;
use libtest_mimic::{Failed, Trial};
use target_specs::{Board, arch};
use tests::board::{self, Modules};

const MEMORIES: [&str; 4] = ["direct", "trusted", "masked", "checked"];

fn main() {
    let arguments = tests::arguments();
    let expected: Arc<OnceLock<Result<String, String>>> = Arc::default();
    let boards = board::boards();
    let mut trials = Vec::new();
    for memory in MEMORIES {
        let is_possible = |board: &Board| {
            memory != "direct" || arch(&board.arch).expect("its architecture").word_bits == 32
        };
        let boards: Vec<_> = boards.iter().filter(|(board, _)| is_possible(board)).cloned().collect();
        let modules = Arc::new(Modules::new(options(memory), board::here(&boards)));
        for (board, why_not) in boards {
            let (expected, modules) = (Arc::clone(&expected), Arc::clone(&modules));
            let trial = Trial::test(format!("{}::{memory}", board.name), move || {
                let expected = expected.get_or_init(|| native().map_err(|error| error.to_string()));
                play(board, &modules, expected.as_ref().map_err(String::as_str)?)
            });
            trials.push(trial.with_ignored_flag(why_not.is_some() || board::is_nightly(board)));
        }
    }
    for (board, why) in boards.iter().filter_map(|(board, why)| Some((board, why.as_ref()?))) {
        eprintln!("skipped: {} ({why})", board.name);
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

fn options(memory: &str) -> BuildOptions {
    BuildOptions {
        manifest_path: Some(folder().join("Cargo.toml")),
        memory: Some(memory.to_owned()),
        // Modules of one name: each kind of memory has a folder of its own.
        target_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels").join(memory)),
        ..Default::default()
    }
}

fn play(board: &Board, modules: &Modules, expected: &str) -> Result<(), Failed> {
    let module = modules.of(board)?;
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
