//! Every file of `bindings/`: a crate that uses wasm-bindgen, Python that uses the crate, and what that
//! must print. Those that say `boards: all` run on a board of each family of compilers, and nightly on every board of
//! this machine; the others on two.
//!
//! Those that say `nightly: BOARD` run on that board only nightly, because they take long there, and `nightly: all` means
//! every board.
//!
//! All are also built so that their code stays in flash, and run from ROM on boards that can execute it there: those that say
//! `flash: usual` always, on one board, the others nightly.
//!
//! Those that say `panic: unwind` are built so, those that say `panic: both` in both ways; what unwinds is skipped where
//! Rust's source is missing.
//!
//! Those that say `lto: both` are also built with an optimizer that sees the whole program.
//!
//! Those that say `memory: checked` have a linear memory of their own that is checked.
//!
//! Those that say `interruptible` are built so that their loops can be interrupted.
//!
//! A file with a section `error` in place of `python` must be refused with that message.
//! A zero byte that is printed is expected as `\0`.
//! `ROOT` in the section `dependencies` is the folder of this project.
//! `TIMES` in the Python is how often something is done: as often as the variable of that name in the environment says,
//! or else not very often.
//! `BLESS=1` rewrites expectations from what the host's MicroPython prints; the boards must then agree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cargo_mpy::Failure;
use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::{rust, write_file};
use libtest_mimic::{Arguments, Failed, Trial};
use target_specs::{Board, Diagnostic};
use tests::board::{self, Modules};
use tests::{blessing, in_ci, rom};

/// Where files run that do not ask for more.
const BOARDS: [&str; 2] = ["unix", "qemu-armv6m"];

#[derive(Debug, Clone)]
struct Chapter {
    name: String,
    path: PathBuf,
    text: String,
    all_boards: bool,
    /// A board where it runs only nightly, or `all`.
    nightly: Option<String>,
    unwinds: bool,
    lto: bool,
    checked: bool,
    interruptible: bool,
    usual_in_flash: bool,
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
        let checked = says("//! memory: checked");
        let nightly = text.lines().find_map(|line| line.strip_prefix("//! nightly: ")).map(str::to_owned);
        let (lto, usual_in_flash) = (says("//! lto: both"), says("//! flash: usual"));
        let interruptible = says("//! interruptible");
        let chapter = Chapter {
            name,
            path,
            text,
            all_boards,
            nightly,
            unwinds,
            lto: false,
            checked,
            interruptible,
            usual_in_flash,
        };
        let variant = |kind: &str| {
            let name = format!("{}_{kind}", chapter.name);
            let text =
                chapter.text.replace(&format!("import {} as", chapter.name), &format!("import {name} as"));
            Chapter { name, text, ..chapter.clone() }
        };
        let unwinding = both.then(|| Chapter { unwinds: true, ..variant("unwinding") });
        let optimized = lto.then(|| Chapter { lto: true, ..variant("lto") });
        std::iter::once(chapter.clone()).chain(unwinding).chain(optimized).collect()
    }

    /// The lines of the comment that begins with `/* name`.
    fn section(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.text.split_once(&format!("\n/* {name}\n"))?;
        Some(rest.split_once("*/").expect("an end of the section").0)
    }

    /// Makes the crate, unless it is there.
    fn write(&self) -> Result<(), Diagnostic> {
        let code = self.text.split("\n/* ").next().unwrap_or_default();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let dependencies = self.section("dependencies").unwrap_or_default().replace("ROOT", root);
        let usual = if dependencies.contains("dependencies.wasm-bindgen") {
            ""
        } else {
            "[dependencies]\nwasm-bindgen = \"=0.2.130\"\n"
        };
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [lib]\ncrate-type = [\"cdylib\"]\n{usual}{dependencies}",
            self.name
        );
        let folder = self.folder();
        write_file(&folder.join("Cargo.toml"), manifest.as_bytes())?;
        write_file(&folder.join("src/lib.rs"), code.as_bytes())
    }

    /// The Python, and how long it may take.
    fn code(&self) -> Result<(String, Duration), Failed> {
        let code = self.section("python").ok_or("no section `python`")?;
        let times: u32 = std::env::var("TIMES").map_or(Ok(1000), |times| times.parse())?;
        Ok((code.replace("TIMES", &times.to_string()), Duration::from_secs(1200 + u64::from(times) / 20)))
    }

    /// What was printed, as the section `expect` says it.
    fn shown(&self, printed: &str) -> String {
        // Rust names files from the workspace on.
        printed.replace(&format!("{}/src/lib.rs", self.name), "src/lib.rs").replace('\0', "\\0")
    }

    fn differs(&self, expected: &str, printed: &str) -> Failed {
        format!("{}\n--- expected\n{expected}--- printed\n{printed}", self.path.display()).into()
    }

    fn folder(&self) -> PathBuf {
        workspace(self.unwinds).join(&self.name)
    }

    /// Whether it runs on this board only nightly.
    fn is_nightly(&self, board: &Board) -> bool {
        let chosen = |nightly: &String| nightly == "all" || *nightly == board.name;
        board::is_nightly(board) || self.nightly.as_ref().is_some_and(chosen)
    }

    /// How it is built, for boards that are said elsewhere.
    fn options(&self) -> BuildOptions {
        BuildOptions {
            manifest_path: Some(self.folder().join("Cargo.toml")),
            target_dir: Some(board::crates(env!("CARGO_TARGET_TMPDIR"))),
            memory: self.checked.then(|| "checked".to_owned()),
            interruptible: self.interruptible,
            profile: self.lto.then(|| "lto".to_owned()),
            ..Default::default()
        }
    }
}

/// Where crates are made: in a workspace whose dependencies are resolved once, for each profile.
fn workspace(unwinds: bool) -> PathBuf {
    let name = if unwinds { "unwinding" } else { "bindings" };
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Makes the workspaces of all crates.
fn write(chapters: &[Arc<Chapter>]) -> Result<(), Diagnostic> {
    for (unwinds, panic) in [(false, "abort"), (true, "unwind")] {
        let members = chapters.iter().filter(|chapter| chapter.unwinds == unwinds);
        let members: Vec<&str> = members.map(|chapter| chapter.name.as_str()).collect();
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\
             [profile.release]\nopt-level = \"s\"\ncodegen-units = 1\npanic = {panic:?}\n\
             [profile.lto]\ninherits = \"release\"\nlto = true\n"
        );
        write_file(&workspace(unwinds).join("Cargo.toml"), manifest.as_bytes())?;
    }
    chapters.iter().try_for_each(|chapter| chapter.write())
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
    if !arguments.list {
        write(&chapters).expect("the workspaces");
    }
    let boards = board::boards();
    let nightly = arguments.ignored || arguments.include_ignored;
    let mut trials = Vec::new();
    for chapter in &chapters {
        // Expectations are the host's.
        let is_wanted = |board: &Board| match chapter.section("error") {
            None if !blessing() => chapter.all_boards || BOARDS.contains(&board.name.as_str()),
            _ => {
                board.name == BOARDS[0]
                    && !(blessing() && (chapter.name.ends_with("_unwinding") || chapter.lto))
            }
        };
        let wanted: Vec<_> = boards.iter().filter(|(board, _)| is_wanted(board)).collect();
        let here = wanted
            .iter()
            .filter(|(board, why_not)| why_not.is_none() && (nightly || !chapter.is_nightly(board)));
        let here = here.map(|(board, _)| board.name.clone()).collect();
        let modules = Arc::new(Modules::new(chapter.options(), here));
        for (board, why_not) in wanted {
            let (chapter, modules, board) = (Arc::clone(chapter), Arc::clone(&modules), *board);
            let name = format!("{}::{}", board.name, chapter.name);
            let (unwinds, ignored) = (chapter.unwinds, chapter.is_nightly(board));
            let trial = Trial::test(name, move || play(&chapter, board, &modules));
            let missing = why_not.is_some() || (unwinds && source.is_some());
            trials.push(trial.with_ignored_flag(missing || ignored));
        }
    }
    for chapter in chapters.iter().filter(|chapter| chapter.section("error").is_none() && !blessing()) {
        let boards = rom::boards();
        let mut here = board::here(&boards);
        here.retain(|name| nightly || *name == BOARDS[1]);
        let modules = Arc::new(Modules::new(rom::in_flash(chapter.options()), here));
        for (board, why_not) in boards {
            let (chapter, modules) = (Arc::clone(chapter), Arc::clone(&modules));
            let missing = why_not.is_some() || (chapter.unwinds && source.is_some());
            let usual = chapter.usual_in_flash && board.name == BOARDS[1];
            let name = format!("{}-flash::{}", board.name, chapter.name);
            let trial = Trial::test(name, move || play_from_rom(&chapter, board, &modules));
            trials.push(trial.with_ignored_flag(missing || !usual));
        }
    }
    // Boards that come later have modules that are built already, and nothing to wait for.
    trials.sort_by_key(|trial| !trial.name().starts_with("unix::"));
    for (board, why) in boards.iter().filter_map(|(board, why)| Some((board, why.as_ref()?))) {
        eprintln!("skipped: {} ({why})", board.name);
    }
    let everything =
        arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list && !arguments.ignored;
    let conclusion = libtest_mimic::run(&arguments, trials);
    conclusion.exit_if_failed();
    if everything {
        check_stubs(&chapters);
    }
}

/// Every stub that was written, as a type checker sees it.
fn check_stubs(chapters: &[Arc<Chapter>]) {
    let folder = board::crates(env!("CARGO_TARGET_TMPDIR")).join("mpy/x64");
    // What is built only nightly has none here.
    let is_built = |chapter: &&Arc<Chapter>| {
        chapter.section("error").is_none() && !chapter.lto && chapter.nightly.as_deref() != Some("all")
    };
    let written = chapters.iter().filter(is_built);
    let stubs = written.map(|chapter| folder.join(&chapter.name).with_extension("pyi"));
    let python = tests::tools::python();
    if !python.join("mypy").is_dir() {
        assert!(!in_ci(), "mypy is missing: `cargo xtask setup` installs it");
        eprintln!("skipped: the stubs (mypy is missing: `cargo xtask setup` installs it)");
        return;
    }
    let mut mypy = Command::new("python3");
    mypy.args(["-m", "mypy", "--strict", "--no-color-output", "--cache-dir=/dev/null"]).args(stubs);
    let output = mypy.env("PYTHONPATH", python).output().expect("python3");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    println!("mypy: {}", text.trim());
}

fn play(chapter: &Chapter, board: &Board, modules: &Modules) -> Result<(), Failed> {
    let printed = match chapter.section("error") {
        Some(_) => match board::modules(chapter.options(), std::slice::from_ref(&board.name)) {
            Err(Failure::Problem(error)) => format!("{error}\n"),
            Err(failure) => return Err(format!("{failure:?}").into()),
            Ok(_) => return Err("it is not refused".into()),
        },
        None => {
            let (code, timeout) = chapter.code()?;
            chapter.shown(&board::execute_within(board, &[modules.of(board)?], &code, timeout)?)
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
    Err(chapter.differs(expected, &printed))
}

fn play_from_rom(chapter: &Chapter, board: &Board, modules: &Modules) -> Result<(), Failed> {
    let (code, timeout) = chapter.code()?;
    let (image, code) = rom::mounted(&[modules.of(board)?], &code);
    let printed = chapter.shown(&board::execute_within(board, &[image], &code, timeout)?);
    let expected = chapter.section("expect").unwrap_or_default();
    if printed == expected { Ok(()) } else { Err(chapter.differs(expected, &printed)) }
}
