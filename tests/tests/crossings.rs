//! Every type in every place where it can cross the border, as `tests::crossings` lists them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cargo_mpy::options::BuildOptions;
use libtest_mimic::{Failed, Trial};
use target_specs::Board;
use tests::board;
use tests::crossings::{Crossings, Parts, crossings};

/// Where it is tried, and the memories there. Usually it is the first memory. Families are then tried on the first board and
/// on one of [`IN_TURN`], [`PLACES`] on the first board, and operators of all types nowhere; `--include-ignored` tries
/// everything everywhere.
const BOARDS: [(&str, &[&str]); 7] = [
    ("unix", &["checked", "masked", "trusted"]),
    ("qemu-armv6m", &["direct", "checked"]),
    ("qemu-xtensawin", &["direct", "checked"]),
    ("qemu-rv32imc", &["direct", "masked"]),
    ("qemu-armv7emsp", &["direct", "trusted"]),
    ("qemu-xtensa", &["direct"]),
    ("unix-x86", &["direct"]),
];

/// The boards that the crates of families take in turn, by their numbers: one of each family of compilers.
const IN_TURN: [usize; 3] = [1, 2, 3];
/// The crates of places that are usually tried.
const PLACES: [&str; 2] = ["places_1", "places_4"];

fn main() {
    let arguments = tests::arguments();
    let crates: Vec<Arc<Crossings>> = crossings().into_iter().map(Arc::new).collect();
    let turn = Arc::new(Mutex::new(()));
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        let Some(at) = BOARDS.iter().position(|(name, _)| *name == board.name) else { continue };
        let memories = BOARDS[at].1;
        for (memory, (number, crate_)) in
            memories.iter().flat_map(|memory| crates.iter().enumerate().map(move |crate_| (memory, crate_)))
        {
            let (crate_, turn) = (Arc::clone(crate_), Arc::clone(&turn));
            let name = format!("{}::{memory}::{}", board.name, crate_.name);
            let first = *memory == memories[0];
            let usual = match crate_.parts {
                Parts::Families => first && (at == 0 || at == IN_TURN[number % IN_TURN.len()]),
                Parts::Places => first && at == 0 && PLACES.contains(&crate_.name),
                Parts::Operators => false,
            };
            let trial = Trial::test(name, move || play(&crate_, board, memory, &turn));
            trials.push(trial.with_ignored_flag(why_not.is_some() || !usual));
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Makes the crate, unless it is there.
fn made(crate_: &Crossings, folder: &Path) -> std::io::Result<PathBuf> {
    let folder = folder.join(crate_.name);
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\nwasm-bindgen = \"=0.2.130\"\n\
         [lints.rust]\nnon_camel_case_types = \"allow\"\n\
         [profile.release]\nopt-level = \"s\"\ncodegen-units = 1\npanic = \"abort\"\n",
        crate_.name
    );
    for (path, text) in [("Cargo.toml", &manifest), ("src/lib.rs", &crate_.rust), ("test.py", &crate_.python)]
    {
        let path = folder.join(path);
        if fs::read_to_string(&path).ok().as_ref() != Some(text) {
            fs::write(path, text)?;
        }
    }
    Ok(folder.join("Cargo.toml"))
}

fn play(crate_: &Crossings, board: &Board, memory: &str, turn: &Mutex<()>) -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crossings");
    let manifest = {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        made(crate_, &folder)?
    };
    let options = BuildOptions {
        manifest_path: Some(manifest),
        memory: Some(memory.to_owned()),
        ..board::options(board, &board::crates(env!("CARGO_TARGET_TMPDIR")))
    };
    let module = board::module(&options).map_err(|failure| format!("{failure:?}"))?;
    let printed = board::execute(board, &[module], &crate_.python)?;
    match printed.strip_suffix(" cells\n").map(|cells| cells.parse::<u32>()) {
        Some(Ok(cells)) if cells > 0 => Ok(()),
        _ => Err(printed.into()),
    }
}
