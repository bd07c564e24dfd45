//! Releases of MicroPython: every case of `cases/` and every example prints the same with each of them, in the unix port and
//! on an emulated board. A table is printed at the end. A push runs one release besides the one that all other tests use; the
//! nightly run all that can be fetched here. `VERSIONS` names others: releases, source trees and tarballs, separated like the
//! folders in `PATH`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, fs};

use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::emulator;
use cargo_mpy::toolchain::micropython::{Firmware, RELEASES};
use libtest_mimic::{Failed, Trial};
use serde::{Deserialize, Serialize};
use target_specs::Board;
use tests::board;
use tests::{outputs, readme, session};

/// The variable that makes this program run everything on the board that it names.
const BOARD: &str = "VERSIONS_BOARD";
/// The variable that selects MicroPython.
const SOURCE: &str = "CARGO_MPY_MICROPYTHON";
/// The release that a push runs.
const PUSHED: &str = "1.26.1";
/// The emulated boards, which take turns: one of each family of compilers.
const EMULATED: [&str; 3] = ["qemu-armv6m", "qemu-rv32imc", "qemu-xtensawin"];

/// What came of one MicroPython.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Outcome {
    /// Why its source cannot be fetched.
    unavailable: Option<String>,
    /// By kind, what printed the right text.
    right: BTreeMap<String, usize>,
    /// What did not, and what it printed.
    wrong: Vec<(String, String)>,
}

fn main() {
    if let Ok(name) = env::var(BOARD) {
        let outcome = run(target_specs::board(&name).expect("a board"));
        println!("{}", serde_json::to_string(&outcome).expect("JSON"));
        return;
    }
    let arguments = tests::arguments();
    let named: Option<Vec<String>> = env::var_os("VERSIONS").map(|versions| {
        env::split_paths(&versions).map(|path| path.to_string_lossy().into_owned()).collect()
    });
    let is_named = named.is_some();
    let releases = || RELEASES.iter().map(|release| release.version.to_owned()).collect();
    let versions: Vec<String> = named.unwrap_or_else(releases);
    let table: Arc<Mutex<BTreeMap<(usize, bool), String>>> = Arc::default();
    let mut trials = Vec::new();
    for (number, version) in versions.into_iter().enumerate() {
        for (emulated, name) in [(false, "unix"), (true, EMULATED[number % EMULATED.len()])] {
            let boards = board::named(&[name]);
            let is_nightly = !is_named && version != PUSHED;
            let (version, table) = (version.clone(), Arc::clone(&table));
            let trial = Trial::test(format!("{version}::{name}"), move || {
                let outcome = child(&version, name)?;
                let row = format!("{version:20} {name:16} {}", cells(&outcome));
                table.lock().unwrap_or_else(PoisonError::into_inner).insert((number, emulated), row);
                check(outcome, is_nightly)
            });
            trials.push(trial.with_ignored_flag(is_nightly || boards.is_empty()));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    for row in table.lock().unwrap_or_else(PoisonError::into_inner).values() {
        println!("{row}");
    }
    conclusion.exit();
}

/// A release's columns of the table.
fn cells(outcome: &Outcome) -> String {
    if let Some(why) = &outcome.unavailable {
        return format!("not fetched: {}", why.lines().next().unwrap_or_default());
    }
    if let (true, Some((name, _))) = (outcome.right.is_empty(), outcome.wrong.first()) {
        return format!("{name} failed");
    }
    let kinds = outcome.right.iter().map(|(kind, right)| {
        let wrong = outcome.wrong.iter().filter(|(name, _)| name.starts_with(&format!("{kind}::"))).count();
        format!("{right} of {} {kind}", right + wrong)
    });
    kinds.collect::<Vec<_>>().join(", ")
}

fn check(outcome: Outcome, may_lack: bool) -> Result<(), Failed> {
    match outcome.unavailable {
        Some(why) if may_lack => eprintln!("skipped: {why}"),
        Some(why) => return Err(why.into()),
        None if outcome.wrong.is_empty() => {}
        None => {
            let wrong = outcome.wrong.iter().map(|(name, what)| format!("{name}\n{what}\n"));
            return Err(wrong.collect::<String>().into());
        }
    }
    Ok(())
}

/// Runs everything with another MicroPython, in a process of its own.
fn child(version: &str, board: &str) -> Result<Outcome, Failed> {
    let mut command = Command::new(env::current_exe()?);
    let output = command.env(BOARD, board).env(SOURCE, version).output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().next_back().unwrap_or_default();
    let outcome = serde_json::from_str(last);
    Ok(outcome
        .map_err(|_| format!("{}\n{stdout}{}", output.status, String::from_utf8_lossy(&output.stderr)))?)
}

fn run(board: &'static Board) -> Outcome {
    let mut outcome = Outcome::default();
    match Firmware::build(board, &|_| {}) {
        Ok(_) => {
            outcome.add("cases", cases(board));
            outcome.add("examples", examples(board));
        }
        Err(error) if error.code == "no-micropython-source" => outcome.unavailable = Some(error.to_string()),
        Err(error) => outcome.wrong.push(("firmware".to_owned(), error.to_string())),
    }
    outcome
}

impl Outcome {
    /// Notes what was printed and expected, by name, or why nothing was.
    fn add(&mut self, kind: &str, results: Result<Vec<(String, String, String)>, String>) {
        let results = match results {
            Ok(results) => results,
            Err(error) => vec![("all".to_owned(), error, String::new())],
        };
        let right = self.right.entry(kind.to_owned()).or_default();
        for (name, printed, expected) in results {
            if printed == expected {
                *right += 1;
            } else {
                let what = format!("--- expected\n{expected}--- printed\n{printed}");
                self.wrong.push((format!("{kind}::{name}"), what));
            }
        }
    }
}

/// What each case prints, and should.
fn cases(board: &Board) -> Result<Vec<(String, String, String)>, String> {
    let cases = tests::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("versions");
    let mut modules = Vec::new();
    for case in &cases {
        let mpy = board::build(&case.write(&folder), board, &folder.join("target"))?;
        modules.push((format!("{}.mpy", case.name), mpy));
    }
    let text = board::execute(board, &modules, &session(&cases))?;
    let mut printed: BTreeMap<String, String> = outputs(&text).into_iter().collect();
    let result = cases.into_iter().map(|case| {
        let printed = printed.remove(&case.name).unwrap_or_else(|| "it did not end".to_owned());
        (case.name, printed, case.expect)
    });
    Ok(result.collect())
}

/// What each example prints, and should.
fn examples(board: &Board) -> Result<Vec<(String, String, String)>, String> {
    let text = |error: std::io::Error| error.to_string();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut folders: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(root).map_err(text)? {
        folders.push(entry.map_err(text)?.path());
    }
    folders.retain(|folder| folder.join("Cargo.toml").is_file());
    folders.sort();
    let mut results = Vec::new();
    for folder in folders {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let options = BuildOptions {
            manifest_path: Some(folder.join("Cargo.toml")),
            ..board::options(board, &board::crates(env!("CARGO_TARGET_TMPDIR")))
        };
        let module = board::module(&options).map_err(|failure| format!("{failure:?}"))?;
        let markdown = fs::read_to_string(folder.join("README.md")).map_err(text)?;
        let commands = readme::commands(&markdown);
        let run = commands.iter().find(|command| command.shell == "cargo mpy run test.py\n");
        let expected = run.ok_or_else(|| format!("{name}: no `cargo mpy run test.py`"))?.prints.clone();
        let code = fs::read_to_string(folder.join("test.py")).map_err(text)?;
        let printed = board::execute(board, &emulator::with_hardware(&[module]), &code)
            .unwrap_or_else(|printed| printed);
        results.push((name, printed, expected));
    }
    Ok(results)
}
