//! Every file of `bindings/`: a crate that uses wasm-bindgen, Python that uses the crate, and what that
//! must print. Those that say `boards: all` run on every board of this machine, the others on two.
//!
//! Those that say `panic: unwind` are built so, those that say `panic: both` in both ways; what unwinds is skipped where
//! Rust's source is missing.
//!
//! A file with a section `error` in place of `python` must be refused with that message.
//! `TIMES` in the Python is how often something is done: as often as the variable of that name in the environment says,
//! or else not very often.
//! `BLESS=1` rewrites expectations from what the host's MicroPython prints; the boards must then agree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cargo_mpy::Failure;
use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::{needs, rust};
use libtest_mimic::{Arguments, Failed, Trial};
use target_specs::Board;
use tests::{blessing, board, in_ci};

/// Where files run that do not ask for more.
const BOARDS: [&str; 2] = ["unix", "qemu-armv6m"];

#[derive(Debug, Clone)]
struct Chapter {
    name: String,
    path: PathBuf,
    text: String,
    all_boards: bool,
    unwinds: bool,
}

impl Chapter {
    /// The chapter, once for each way that it is built in.
    fn read(path: PathBuf) -> Vec<Chapter> {
        let text = fs::read_to_string(&path).expect("a readable file");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let says =
            |what: &str| text.lines().take_while(|line| line.starts_with("//!")).any(|line| line == what);
        let (all_boards, unwinds, both) =
            (says("//! boards: all"), says("//! panic: unwind"), says("//! panic: both"));
        let chapter = Chapter { name, path, text, all_boards, unwinds };
        if !both {
            return vec![chapter];
        }
        let name = format!("{}_unwinding", chapter.name);
        let text = chapter.text.replace(&format!("import {} as", chapter.name), &format!("import {name} as"));
        vec![chapter.clone(), Chapter { name, text, unwinds: true, ..chapter }]
    }

    /// The lines of the comment that begins with `/* name`.
    fn section(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.text.split_once(&format!("\n/* {name}\n"))?;
        Some(rest.split_once("*/").expect("an end of the section").0)
    }

    /// Makes the crate, unless it is there.
    fn crate_(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let folder = folder.join(&self.name);
        fs::create_dir_all(folder.join("src"))?;
        let code = self.text.split("\n/* ").next().unwrap_or_default();
        let dependencies = self.section("dependencies").unwrap_or_default();
        let usual = if dependencies.contains("dependencies.wasm-bindgen") {
            ""
        } else {
            "[dependencies]\nwasm-bindgen = \"=0.2.130\"\n"
        };
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
             [lib]\ncrate-type = [\"cdylib\"]\n{usual}{dependencies}\
             [profile.release]\nopt-level = \"s\"\ncodegen-units = 1\npanic = \"{}\"\n",
            self.name,
            if self.unwinds { "unwind" } else { "abort" }
        );
        for (path, text) in [("Cargo.toml", manifest.as_str()), ("src/lib.rs", code)] {
            let path = folder.join(path);
            if fs::read_to_string(&path).ok().as_deref() != Some(text) {
                fs::write(path, text)?;
            }
        }
        Ok(folder)
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bindings");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of crates")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    paths.sort();
    let chapters = paths.into_iter().flat_map(Chapter::read);
    let chapters: Vec<Arc<Chapter>> = chapters.map(Arc::new).collect();
    assert!(!chapters.is_empty());
    let source = rust::look_for_source().err();
    if let Some(why) = &source {
        assert!(!in_ci(), "{why}");
        eprintln!("skipped: what unwinds ({why})");
    }
    // Builds share a target folder, so they take turns.
    let turn = Arc::new(Mutex::new(()));
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        for chapter in &chapters {
            let wanted = match chapter.section("error") {
                Some(_) => board.name == BOARDS[0],
                None => chapter.all_boards || BOARDS.contains(&board.name.as_str()),
            };
            // Expectations are the host's.
            let is_first = board.name == BOARDS[0] && !chapter.name.ends_with("_unwinding");
            if !wanted || (blessing() && !is_first) {
                continue;
            }
            let (chapter, turn) = (Arc::clone(chapter), Arc::clone(&turn));
            let name = format!("{}::{}", board.name, chapter.name);
            let unwinds = chapter.unwinds;
            let trial = Trial::test(name, move || play(&chapter, board, &turn));
            let ignored = why_not.is_some() || (unwinds && source.is_some());
            trials.push(trial.with_ignored_flag(ignored));
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
    }
    let everything = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    conclusion.exit_if_failed();
    if everything {
        check_stubs();
    }
}

/// Every stub that was written, as a type checker sees it.
fn check_stubs() {
    let folder = folder().join("target/mpy/x64");
    let stubs: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of modules")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pyi"))
        .collect();
    let python = needs::test_python();
    if !python.join("mypy").is_dir() {
        assert!(!in_ci(), "mypy is missing: `cargo mpy setup --tests` installs it");
        eprintln!("skipped: the stubs (mypy is missing: `cargo mpy setup --tests` installs it)");
        return;
    }
    let mut mypy = Command::new("python3");
    mypy.args(["-m", "mypy", "--strict", "--no-color-output", "--cache-dir=/dev/null"]).args(&stubs);
    let output = mypy.env("PYTHONPATH", python).output().expect("python3");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    println!("mypy: {}", text.trim());
}

/// Where the crates are made, and built.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bindings")
}

fn play(chapter: &Chapter, board: &Board, turn: &Mutex<()>) -> Result<(), Failed> {
    let folder = folder();
    let built = {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let options = BuildOptions {
            manifest_path: Some(chapter.crate_(&folder)?.join("Cargo.toml")),
            ..board::options(board, &folder.join("target"))
        };
        board::module(&options)
    };
    let printed = match (built, chapter.section("error")) {
        (Err(Failure::Problem(error)), Some(_)) => format!("{error}\n"),
        (Err(failure), _) => return Err(format!("{failure:?}").into()),
        (Ok(_), Some(_)) => return Err("it is not refused".into()),
        (Ok(module), None) => {
            let code = chapter.section("python").ok_or("no section `python`")?;
            let times: u32 = std::env::var("TIMES").map_or(Ok(1000), |times| times.parse())?;
            let timeout = Duration::from_secs(300 + u64::from(times) / 100);
            board::execute_within(board, &[module], &code.replace("TIMES", &times.to_string()), timeout)?
        }
    };
    let section = if chapter.section("error").is_some() { "error" } else { "expect" };
    let expected = chapter.section(section).unwrap_or_default();
    if printed == expected {
        return Ok(());
    }
    if blessing() {
        let (before, _) =
            chapter.text.split_once(&format!("\n/* {section}\n")).unwrap_or((chapter.text.trim_end(), ""));
        fs::write(&chapter.path, format!("{before}\n/* {section}\n{printed}*/\n"))?;
        return Ok(());
    }
    Err(format!("{}\n--- expected\n{expected}--- printed\n{printed}", chapter.path.display()).into())
}
