//! Every file of `bindings/`: a crate that uses wasm-bindgen, Python that uses the crate, and what that
//! must print. They run on this machine and on one emulated board: those that say `boards: all` on one that they take in turn
//! from the families of compilers, and nightly on every board.
//!
//! Those that say `also: BOARD` always run on that board too.
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
//! Those that say `opt-level: 3` are built for speed, the others for size.
//!
//! Those that say `memory: checked` have a linear memory of their own that is checked.
//!
//! Those that say `interruptible` are built so that their loops can be interrupted.
//!
//! The files of `ecosystem/` are the same, each with one published crate as it is: `//! crate: NAME | what it is | what it uses`.
//! They run on boards of four architectures and on this machine, with the simulated `machine`: nightly, and those that say
//! `//! usual` always on two boards. The table of the book with their sizes is compared nightly; `BLESS=1` rewrites it.
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
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cargo_mpy::Failure;
use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::{emulator, rust, write_file};
use libtest_mimic::{Failed, Trial};
use target_specs::{Board, Diagnostic};
use tests::board::{self, Modules};
use tests::{blessing, in_ci, kept, rom};

/// Where files run that do not ask for more.
const BOARDS: [&str; 2] = ["unix", "qemu-armv6m"];
/// The boards that chapters for all boards take in turn, beside the first one: one of each family of compilers.
const IN_TURN: [&str; 3] = ["qemu-armv6m", "qemu-rv32imc", "qemu-xtensawin"];
/// Where published crates run.
const CRATE_BOARDS: [&str; 5] = ["unix", "qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc", "qemu-xtensawin"];
/// The page of the book with the table of published crates.
const CRATES_PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/book/src/crates.md");

#[derive(Debug, Clone)]
struct Chapter {
    name: String,
    path: PathBuf,
    text: String,
    all_boards: bool,
    /// Of a chapter for all boards, the emulated one where it always runs.
    turn: Option<&'static str>,
    /// A board where it runs only nightly, or `all`.
    nightly: Option<String>,
    /// One more board where it always runs.
    also: Option<String>,
    unwinds: bool,
    lto: bool,
    for_speed: bool,
    checked: bool,
    interruptible: bool,
    usual_in_flash: bool,
    published: Option<Published>,
}

/// What a chapter says of the published crate that it uses.
#[derive(Debug, Clone)]
struct Published {
    name: String,
    /// What it is, and what it uses of `machine`.
    about: String,
    /// Whether it runs not only nightly.
    usual: bool,
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
        let also = text.lines().find_map(|line| line.strip_prefix("//! also: ")).map(str::to_owned);
        let (lto, usual_in_flash) = (says("//! lto: both"), says("//! flash: usual"));
        let (interruptible, for_speed) = (says("//! interruptible"), says("//! opt-level: 3"));
        let published = text.lines().find_map(|line| line.strip_prefix("//! crate: ")).map(|line| {
            let (name, about) = line.split_once(" | ").expect("a name and what it is");
            Published { name: name.to_owned(), about: about.to_owned(), usual: says("//! usual") }
        });
        let chapter = Chapter {
            name,
            path,
            text,
            all_boards,
            turn: None,
            nightly,
            also,
            unwinds,
            lto: false,
            for_speed,
            checked,
            interruptible,
            usual_in_flash,
            published,
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
        let is_usual = |published: &Published| published.usual && BOARDS.contains(&board.name.as_str());
        let usual = [Some(BOARDS[0]), self.turn.or(Some(BOARDS[1])), self.also.as_deref()];
        !usual.contains(&Some(board.name.as_str()))
            || self.nightly.as_ref().is_some_and(chosen)
            || !self.published.as_ref().is_none_or(is_usual)
    }

    /// The boards where it runs, by their names.
    fn runs_on(&self, board: &str) -> bool {
        let boards: &[&str] = if self.published.is_some() { &CRATE_BOARDS } else { &BOARDS };
        self.all_boards || boards.contains(&board)
    }

    /// What its modules are made from: the crate, its workspace with the versions of all dependencies, the one dependency that
    /// lies here, and the compilers.
    fn inputs(&self) -> Vec<String> {
        static OUTSIDE: LazyLock<Vec<String>> = LazyLock::new(|| {
            let mpy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mpy");
            let crates = [mpy.join("Cargo.toml"), mpy.join("src")].map(|path| kept::digest_of(&path));
            [kept::compilers(), kept::rust(), crates.to_vec()].concat()
        });
        let text = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let workspace = ["Cargo.toml", "Cargo.lock"].map(|name| text(workspace(self.unwinds).join(name)));
        let own = ["Cargo.toml", "src/lib.rs"].map(|name| text(self.folder().join(name)));
        workspace.into_iter().chain(own).chain(OUTSIDE.iter().cloned()).collect()
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
        let for_speed: String = chapters
            .iter()
            .filter(|chapter| chapter.unwinds == unwinds && chapter.for_speed)
            .map(|chapter| format!("[profile.release.package.{}]\nopt-level = 3\n", chapter.name))
            .collect();
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\
             [profile.release]\nopt-level = \"s\"\ncodegen-units = 1\npanic = {panic:?}\n\
             {for_speed}[profile.lto]\ninherits = \"release\"\nlto = true\n"
        );
        write_file(&workspace(unwinds).join("Cargo.toml"), manifest.as_bytes())?;
    }
    chapters.iter().try_for_each(|chapter| chapter.write())
}

fn main() {
    let arguments = tests::arguments();
    let folders = ["bindings", "ecosystem"].map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of crates"))
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    paths.sort();
    let mut chapters: Vec<Chapter> = paths.into_iter().flat_map(Chapter::read).collect();
    for (number, chapter) in chapters.iter_mut().filter(|chapter| chapter.all_boards).enumerate() {
        let boards = || IN_TURN.into_iter().filter(|board| chapter.nightly.as_deref() != Some(board));
        chapter.turn = boards().nth(number % boards().count());
    }
    let chapters: Vec<Arc<Chapter>> = chapters.into_iter().map(Arc::new).collect();
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
    let nightly = tests::nightly();
    let mut trials = Vec::new();
    for chapter in &chapters {
        // Expectations are the host's.
        let is_wanted = |board: &Board| match chapter.section("error") {
            None if !blessing() => chapter.runs_on(&board.name),
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
        let of_chapter = Arc::clone(chapter);
        let modules = Modules::new(chapter.options(), here).made_from(move || of_chapter.inputs());
        let modules = Arc::new(modules);
        for (board, why_not) in wanted {
            let (chapter, modules, board) = (Arc::clone(chapter), Arc::clone(&modules), *board);
            let name = format!("{}::{}", board.name, chapter.name);
            let (unwinds, ignored) = (chapter.unwinds, chapter.is_nightly(board));
            let trial = Trial::test(name, move || play(&chapter, board, &modules));
            let missing = why_not.is_some() || (unwinds && source.is_some());
            trials.push(trial.with_ignored_flag(missing || ignored));
        }
    }
    let in_flash = |chapter: &&Arc<Chapter>| {
        chapter.section("error").is_none() && chapter.published.is_none() && !blessing()
    };
    for chapter in chapters.iter().filter(in_flash) {
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
    let published: Vec<_> = chapters.iter().filter(|chapter| chapter.published.is_some()).cloned().collect();
    let why_not = boards.iter().find(|(board, _)| board.name == BOARDS[1]).and_then(|(_, why)| why.clone());
    let trial = Trial::test("ecosystem::table", move || check_table(&published));
    trials.push(trial.with_ignored_flag(why_not.is_some() || !blessing()));
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
        chapter.section("error").is_none()
            && !chapter.lto
            && chapter.nightly.as_deref() != Some("all")
            && chapter.published.as_ref().is_none_or(|published| published.usual)
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
            let mut files = vec![modules.of(board)?];
            if chapter.published.is_some() {
                files = emulator::with_hardware(&files);
            }
            chapter.shown(&board::execute_within(board, &files, &code, timeout)?)
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

/// A row of the table of published crates.
struct Row {
    /// Libraries follow drivers.
    is_library: bool,
    /// The cells before the size, and the one behind it.
    head: String,
    bytes: usize,
    settings: String,
}

impl Row {
    fn of(chapter: &Chapter, published: &Published) -> Result<Row, Failed> {
        let Published { name, about, .. } = published;
        let built = board::modules(chapter.options(), &[BOARDS[1].to_owned()]);
        let bytes = built.map_err(|error| format!("{error:?}"))?[BOARDS[1]].1.len();
        let section = chapter.section("dependencies").unwrap_or_default();
        let manifest: toml::Table = format!("[dependencies]\n{section}").parse()?;
        let dependencies = &manifest["dependencies"];
        let version = dependencies[name].as_str().or_else(|| dependencies[name].get("version")?.as_str());
        let version = version.and_then(|version| version.strip_prefix('=')).ok_or("no exact version")?;
        let settings = manifest.get("package").map(|package| package["metadata"]["mpy"].to_string());
        Ok(Row {
            is_library: dependencies.get("mpy").is_none(),
            head: format!("| `{name}` {version} | {about} |"),
            bytes,
            settings: settings.map_or("none".to_owned(), |settings| format!("`{settings}`")),
        })
    }

    fn line(&self) -> String {
        format!("{} {} | {} |", self.head, self.bytes, self.settings)
    }

    /// Whether it is this line, apart from the size, in which compilers differ a little.
    fn is_near(&self, line: &str) -> bool {
        let rest = line.strip_prefix(&self.head);
        let rest = rest.and_then(|rest| rest.strip_suffix(&format!(" | {} |", self.settings)));
        let known = rest.and_then(|known| known.trim().parse::<usize>().ok());
        known.is_some_and(|known| known.abs_diff(self.bytes) * 50 <= self.bytes)
    }
}

/// The table of published crates is that of the book.
fn check_table(chapters: &[Arc<Chapter>]) -> Result<(), Failed> {
    let rows = chapters.iter().filter_map(|chapter| Some(Row::of(chapter, chapter.published.as_ref()?)));
    let mut rows = rows.collect::<Result<Vec<Row>, Failed>>()?;
    rows.sort_by(|a, b| (a.is_library, &a.head).cmp(&(b.is_library, &b.head)));
    let table = rows.iter().map(Row::line).collect::<Vec<_>>().join("\n");
    println!("{table}");
    let page = fs::read_to_string(CRATES_PAGE)?;
    let (before, rest) = page.split_once("|---|---|---|---|\n").ok_or("the page has no table")?;
    let (known, after) = rest.split_once("\n\n").ok_or("the table has no end")?;
    if blessing() {
        fs::write(CRATES_PAGE, format!("{before}|---|---|---|---|\n{table}\n\n{after}"))?;
    } else if known.lines().count() != rows.len()
        || !known.lines().zip(&rows).all(|(line, row)| row.is_near(line))
    {
        return Err(format!("{CRATES_PAGE} has another table: `cargo xtask bless` writes this one").into());
    }
    Ok(())
}

fn play_from_rom(chapter: &Chapter, board: &Board, modules: &Modules) -> Result<(), Failed> {
    let (code, timeout) = chapter.code()?;
    let (image, code) = rom::mounted(&[modules.of(board)?], &code);
    let printed = chapter.shown(&board::execute_within(board, &[image], &code, timeout)?);
    let expected = chapter.section("expect").unwrap_or_default();
    if printed == expected { Ok(()) } else { Err(chapter.differs(expected, &printed)) }
}
