//! Every example crate's `test.py` on a board of each family of compilers, nightly on every board: it prints what the README
//! says. Those that compare themselves with Python are quicker than it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::emulator;
use libtest_mimic::{Failed, Trial};
use target_specs::Board;
use tests::board::{self, Modules};
use tests::{applications, readme};

/// Where applications are compared: with viper's compiler, and counting.
const COMPARED: [&str; 4] = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc", "qemu-xtensawin"];

fn main() {
    let arguments = tests::arguments();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut examples: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the examples")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .collect();
    examples.sort();
    assert!(!examples.is_empty());
    let boards = board::boards();
    let modules: BTreeMap<PathBuf, Arc<Modules>> =
        examples.iter().map(|example| (example.clone(), Arc::new(modules(example, &boards)))).collect();
    let of = |example: &Path| {
        let example = modules.get_key_value(example).expect("one of the examples");
        (example.0.clone(), Arc::clone(example.1))
    };
    let mut trials = Vec::new();
    for (board, why_not) in boards {
        for example in &examples {
            let (example, modules) = of(example);
            let name = format!("{}::{}", board.name, example.file_name().expect("a name").to_string_lossy());
            let trial = Trial::test(name, move || play(&example, board, &modules));
            trials.push(trial.with_ignored_flag(why_not.is_some() || board::is_nightly(board)));
        }
        for example in applications::applications() {
            if !COMPARED.contains(&board.name.as_str()) {
                continue;
            }
            let name = format!(
                "{}::compare::{}",
                board.name,
                example.file_name().expect("a name").to_string_lossy()
            );
            let (example, modules) = of(&folder.join(example.file_name().expect("a name")));
            let trial = Trial::test(name, move || compare(&example, board, &modules));
            trials.push(trial.with_ignored_flag(why_not.is_some() || board::is_nightly(board)));
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn play(example: &Path, board: &Board, modules: &Modules) -> Result<(), Failed> {
    let markdown = fs::read_to_string(example.join("README.md"))?;
    let commands = readme::commands(&markdown);
    let expected = commands.iter().find(|command| command.shell == "cargo mpy run test.py\n");
    let expected = expected.ok_or("the README does not say what `cargo mpy run test.py` prints")?;
    let module = modules.of(board)?;
    let code = fs::read_to_string(example.join("test.py"))?;
    let printed = board::execute(board, &emulator::with_hardware(&[module]), &code)?;
    if printed == expected.prints {
        return Ok(());
    }
    Err(format!("--- the README says\n{}--- it prints\n{printed}", expected.prints).into())
}

/// An example for all boards that are here.
fn modules(example: &Path, boards: &[(&Board, Option<String>)]) -> Modules {
    let options = BuildOptions {
        manifest_path: Some(example.join("Cargo.toml")),
        target_dir: Some(board::crates(env!("CARGO_TARGET_TMPDIR"))),
        ..Default::default()
    };
    Modules::new(options, board::here(boards))
}

fn compare(example: &Path, board: &'static Board, modules: &Modules) -> Result<(), Failed> {
    let module = modules.of(board)?;
    let [native, bytecode, viper] = applications::compare(board, example, module)?;
    if native * 5 < bytecode && native < viper {
        return Ok(());
    }
    Err(format!("{native} instructions, bytecode {bytecode}, viper {viper}").into())
}
