//! What `cargo mpy new` makes runs and is tested as it is, on this machine and on emulated boards.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use cargo_mpy::commands::new::{Options, Template, make};
use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::emulator;
use clap::ValueEnum;
use target_specs::{Board, Emulator};
use tests::board;

/// A board of each family of compilers.
const BOARDS: [&str; 4] = ["unix", "qemu-armv6m", "qemu-rv32imc", "qemu-xtensawin"];

/// Takes all of the heap but 64,000 bytes.
const LITTLE: &str =
    "import gc\n_kept = [bytearray(1000) for _ in range((gc.mem_free() - 64000) // 1030)]\ngc.collect()\n";

/// The crate or workspace that was made, where it is in every run: cargo builds what has changed since the last.
fn laid(made: &Path) -> PathBuf {
    let name = made.file_name().expect("a name");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new").join(name);
    tests::lay(made, &to).expect("a folder");
    to
}

/// On this machine, and on an emulated board, which the templates take in turn; the first template for all boards.
#[test]
fn every_template_builds_and_runs_at_once() {
    check(is_usual, |template| template == 0);
}

#[test]
#[ignore = "nightly"]
fn every_template_builds_and_runs_everywhere() {
    check(|template, board| !is_usual(template, board), |template| template != 0);
}

/// Whether every run tries this template on this board, both by their numbers.
fn is_usual(template: usize, board: usize) -> bool {
    board == 0 || board == 1 + template % (BOARDS.len() - 1)
}

/// Tries each template on boards, both by their numbers, that are `wanted`, and builds it for all if that is `everywhere`.
fn check(wanted: impl Fn(usize, usize) -> bool, everywhere: impl Fn(usize) -> bool) {
    // Both tests make crates of the same names, which cargo builds in one place.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let boards = board::named(&BOARDS);
    let folder = tempfile::tempdir().expect("a folder");
    let target = board::crates(env!("CARGO_TARGET_TMPDIR"));
    for (number, template) in Template::value_variants().iter().enumerate() {
        let name = format!("from-{}", template.word());
        let crate_ = folder.path().join(&name);
        make(
            "new",
            &crate_,
            &Options { template: Some(*template), name: None, vcs: Some("none".to_owned()), ci: None },
        )
        .expect("a new crate");
        // What is published together is tested together.
        let manifest = crate_.join("Cargo.toml");
        let mut text = fs::read_to_string(&manifest).expect("a manifest");
        if text.contains("\nmpy = ") {
            let mpy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mpy");
            text += &format!("\n[patch.crates-io]\nmpy = {{ path = {mpy:?} }}\n");
            fs::write(&manifest, text).expect("a manifest");
        }
        let crate_ = laid(&crate_);
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cargo-mpy/templates");
        let expected =
            fs::read_to_string(templates.join(template.word()).join("expect.txt")).expect("a text");
        let code = fs::read_to_string(crate_.join("test.py")).expect("a script");
        let is_wanted = |board: &&&Board| {
            wanted(number, BOARDS.iter().position(|name| *name == board.name).expect("one of them"))
        };
        for board in boards.iter().filter(is_wanted) {
            let manifest_path = Some(crate_.join("Cargo.toml"));
            let options = BuildOptions { manifest_path, ..board::options(board, &target) };
            let module = board::module(&options).expect("a module");
            assert_eq!(module.0, format!("{}.mpy", name.replace('-', "_")));
            // The module and the simulated hardware fit into what a small heap has.
            let code = match board.emulator {
                Some(Emulator::Qemu { .. }) => format!("{LITTLE}{code}"),
                _ => code.clone(),
            };
            let printed = board::execute(board, &emulator::with_hardware(&[module]), &code).expect("a run");
            assert_eq!(printed, expected, "{name} on {}", board.name);
            for command in ["run", "test", "bench", "size"] {
                let script = (command == "run").then(|| crate_.join("test.py").into());
                let options = ["--board", &board.name, "--manifest-path"].map(OsString::from);
                let paths = [crate_.join("Cargo.toml").into(), "--target-dir".into(), target.clone().into()];
                let words = [OsString::from(command)].into_iter();
                let code = cargo_mpy::run(words.chain(script).chain(options).chain(paths).collect());
                assert_eq!(code, 0, "{command} of {name} on {}", board.name);
            }
        }
        if everywhere(number) {
            // Boards with a chip whose memory is known.
            let named = target_specs::boards().iter().flat_map(|board| ["--board", &board.name]);
            let paths = ["--manifest-path".into(), crate_.join("Cargo.toml").into()];
            let paths = paths.into_iter().chain(["--target-dir".into(), target.clone().into()]);
            let words = std::iter::once("build").chain(named).map(OsString::from);
            assert_eq!(cargo_mpy::run(words.chain(paths).collect()), 0, "{name} for all boards");
        }
        // On the computer itself, as cargo runs them.
        let mut tests = Command::new(env!("CARGO"));
        tests.args(["test", "--quiet", "--manifest-path"]).arg(crate_.join("Cargo.toml"));
        let output = tests.arg("--target-dir").arg(&target).output().expect("cargo");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_is_there_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    let library = folder.path().join("src/lib.rs");
    fs::write(&library, "mine").expect("a file");
    let options = Options {
        template: Some(Template::Minimal),
        name: Some("mine".to_owned()),
        vcs: Some("none".to_owned()),
        ci: None,
    };
    assert!(make("init", folder.path(), &options).is_err());
    assert_eq!(fs::read_to_string(library).expect("a file"), "mine");
    assert!(!folder.path().join("Cargo.toml").exists());
}

#[test]
fn names_that_python_cannot_import_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = |path: &str, name: Option<&str>| {
        let name = name.map(str::to_owned);
        let options =
            Options { template: Some(Template::Minimal), name, vcs: Some("none".to_owned()), ci: None };
        make("new", &folder.path().join(path), &options)
    };
    for (path, name) in [("math", None), ("class", None), ("json", None), ("fine", Some("sys"))] {
        assert!(make(path, name).is_err(), "{path} {name:?}");
        assert!(!folder.path().join(path).exists(), "{path}");
    }
    make("math", Some("my-math")).expect("a new crate");
}

/// A module of the crate at `folder`, for this machine.
fn built(folder: &Path) -> (String, Vec<u8>) {
    let board = target_specs::board("unix").expect("a board");
    let target = board::crates(env!("CARGO_TARGET_TMPDIR"));
    let manifest_path = Some(folder.join("Cargo.toml"));
    board::module(&BuildOptions { manifest_path, ..board::options(board, &target) }).expect("a module")
}

#[test]
fn a_crate_that_is_there_becomes_a_module() {
    let board = target_specs::board("unix").expect("a board");
    for (name, files, code, expected) in [
        (
            "marked",
            &[(
                "src/lib.rs",
                "use wasm_bindgen::prelude::*;\n#[wasm_bindgen]\npub fn double(n: i32) -> i32 { 2 * n }\n",
            )][..],
            "print(marked.double(21))",
            "42\n",
        ),
        (
            "plain",
            &[
                ("src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn one() -> i32 { 1 }\n"),
                ("test.py", "mine\n"),
            ],
            "print(plain.one())",
            "1\n",
        ),
        // A program gets a library beside it.
        ("program", &[("src/main.rs", "fn main() {}\n")], "print(program.Mean)", "<class 'Mean'>\n"),
        (
            "empty",
            &[("src/lib.rs", "pub fn add(a: u64, b: u64) -> u64 { a + b }\n")],
            "print(empty)",
            "<module 'empty'",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let crate_ = folder.path().join(name);
        let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[lints]\n# None.\n");
        for (file, text) in files.iter().chain(&[("Cargo.toml", &*manifest), (".gitignore", "/target")]) {
            let file = crate_.join(file);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        let options = Options { template: None, name: None, vcs: None, ci: None };
        make("init", &crate_, &options).expect("a crate");
        let read = |file: &str| fs::read_to_string(crate_.join(file)).expect("a file");
        let after = read("Cargo.toml");
        assert_eq!(after.contains("wasm-bindgen = "), name != "plain", "{after}");
        for (file, text) in files {
            assert_eq!(read(file), *text, "{name}");
        }
        assert_eq!(read(".gitignore"), "/target\n/mpy.local.toml\n");
        make("init", &crate_, &options).expect("the same crate");
        assert_eq!(read("Cargo.toml"), after);
        let module = built(&laid(&crate_));
        let printed = board::execute(board, &[module], &format!("import {name}\n{code}\n")).expect("a run");
        assert!(printed.starts_with(expected), "{name}: {printed}");
    }
}

#[test]
fn a_workspace_takes_a_new_crate() {
    for (name, rest) in [
        ("workspace", ""),
        ("workspace-with-lints", "[workspace.lints.rust]\nunused = \"warn\"\n"),
        ("workspace-with-package", "[workspace.package]\nedition = \"2021\"\n"),
    ] {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        let root = folder.join("Cargo.toml");
        fs::write(&root, format!("# Mine.\n[workspace]\nresolver = \"3\"\nmembers = []\n{rest}"))
            .expect("a file");
        let options = Options { template: None, name: None, vcs: Some("none".to_owned()), ci: None };
        let crate_ = folder.join("part");
        make("new", &crate_, &options).expect("a new crate");
        let manifest = fs::read_to_string(crate_.join("Cargo.toml")).expect("a file");
        assert!(manifest.contains("wasm-bindgen = ") && !manifest.contains("[profile"), "{manifest}");
        let root = fs::read_to_string(root).expect("a file");
        assert!(root.starts_with("# Mine.\n") && root.contains("\"part\""), "{root}");
        assert_eq!(built(&laid(&folder).join("part")).0, "part.mpy");
    }
}
