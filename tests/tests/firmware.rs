//! Modules as user C modules of MicroPython: firmware is built with the cases, the examples and a crate with bindings in it,
//! and they do there what they do as files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cargo_mpy::options::{BuildOptions, Stage};
use cargo_mpy::serial::RawRepl;
use cargo_mpy::toolchain::emulator::{self, Session};
use cargo_mpy::toolchain::micropython::Firmware;
use cargo_mpy::{pipeline, user_module};
use libtest_mimic::{Failed, Trial};
use target_specs::Board;
use tests::examples;
use tests::{Case, board, differences, session};

/// The board of every run. The others, each with a MicroPython of its own to compile, are for the nightly run.
const USUAL: &str = "qemu-armv6m";

/// Cases that replace functions of the module, or remove it from `sys.modules` to import it anew. The names of a module in
/// a firmware are fixed, as those of all modules there, and it is not in `sys.modules`.
const CHANGED: [&str; 5] =
    ["exports", "fixed_view", "imported_in_a_conversion", "views", "when_imported_again"];

/// A module that counts its calls.
const COUNTER: &str = "(module
    (global $calls (mut i32) (i32.const 40))
    (func (export \"count\") (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (global.get $calls)))";

/// State is new after each reset, once; and whatever the heap has become.
const AFTER_RESET: &str = "
import counter, filter, gc
m = filter.Median(3)
x = [bytes([0xff]) * 100 for _ in range(100)]
del x
gc.collect()
print(counter.count(), m.add(4))
import counter
print(counter.count(), m.add(5))
";
const RESETS: usize = 100;

/// One firmware, and what `make` is told for it.
struct Target {
    board: &'static Board,
    name: String,
    make: &'static [&'static str],
    firmware: OnceLock<Result<Firmware, String>>,
}

type Part = fn(&Target) -> Result<(), Failed>;

fn main() {
    let arguments = tests::arguments();
    let mut trials = Vec::new();
    let mut targets: Vec<(Target, bool)> = Vec::new();
    for (board, why_not) in board::boards() {
        let of = |name: String, make| Target { board, name, make, firmware: OnceLock::new() };
        targets.push((of(board.name.clone(), &[]), why_not.is_some()));
        if board.name == "unix" {
            let name = format!("{}-without-native-code", board.name);
            targets.push((of(name, &["CFLAGS_EXTRA=-DMICROPY_EMIT_X64=0"]), why_not.is_some()));
        }
    }
    for (target, is_missing) in targets {
        let is_left_out = is_missing || target.name != USUAL;
        let target = Arc::new(target);
        let parts: [(&str, Part); 4] =
            [("cases", cases), ("examples", examples), ("collector", collector), ("resets", resets)];
        for (name, part) in parts {
            // A process has no soft reset.
            if name == "resets" && target.name.starts_with("unix") {
                continue;
            }
            let shared = Arc::clone(&target);
            let trial = Trial::test(format!("{}::{name}", target.name), move || part(&shared));
            trials.push(trial.with_ignored_flag(is_left_out));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn all_cases() -> Vec<Case> {
    tests::cases(&repository().join("tests/cases"))
}

/// The firmware with all modules in it.
fn firmware(target: &Target) -> Result<Firmware, String> {
    target.firmware.get_or_init(|| build(target)).clone()
}

fn build(Target { board, name, make, .. }: &Target) -> Result<Firmware, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("firmware").join(name);
    let sources = folder.join("cases");
    let counter = sources.join("counter.wat");
    let write = || fs::create_dir_all(&sources).and_then(|()| fs::write(&counter, COUNTER));
    write().map_err(|error| error.to_string())?;
    let written = all_cases().into_iter().map(|case| case.write(&sources));
    let inputs = written.chain([counter]).map(|input| BuildOptions {
        input: Some(input),
        target_dir: Some(folder.join("target")),
        ..Default::default()
    });
    let crates = board::crates(env!("CARGO_TARGET_TMPDIR"));
    let crates = examples::all().into_iter().map(|example| example.options(&crates, &folder.join("target")));
    let modules = folder.join("modules");
    for options in inputs.chain(crates) {
        let options = BuildOptions { boards: vec![board.name.clone()], ..options };
        let build = || {
            let mut plan = pipeline::plan(&options)?;
            plan.in_firmware = true;
            pipeline::build(&plan, Some(Stage::Usermod))?;
            Ok(user_module::folder(&plan))
        };
        let made = build().map_err(|failure: cargo_mpy::Failure| format!("{failure:?}"))?;
        copy(&made, &modules.join(made.file_name().expect("the module's name")))
            .map_err(|error| error.to_string())?;
    }
    Firmware::with_user_modules(board, &modules, &folder.join("build"), make)
        .map_err(|error| format!("{error:?}"))
}

/// Files that are the same already are not touched, so that `make` does nothing for them.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (contents, to) = (fs::read(entry.path())?, to.join(entry.file_name()));
        if fs::read(&to).is_ok_and(|old| old == contents) {
            continue;
        }
        fs::write(to, contents)?;
    }
    Ok(())
}

fn run(target: &Target, code: &str) -> Result<String, String> {
    let files = emulator::with_hardware(&[]);
    board::execute_on(&firmware(target)?, target.board, &files, code, Duration::from_secs(1200))
}

fn cases(target: &Target) -> Result<(), Failed> {
    let cases: Vec<Case> = all_cases().into_iter().filter(|case| !CHANGED.contains(&&*case.name)).collect();
    let mut wrong = String::new();
    // Each few in a session of their own, as state stays until a reset.
    for cases in cases.chunks(8) {
        let (Ok(text) | Err(text)) = run(target, &session(cases));
        wrong.push_str(&differences(cases, &text));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

fn examples(target: &Target) -> Result<(), Failed> {
    for example in examples::all() {
        let printed = run(target, &example.code()?)?;
        example.check(&printed)?;
    }
    Ok(())
}

fn collector(target: &Target) -> Result<(), Failed> {
    let printed = run(target, examples::COLLECTOR)?;
    if printed == examples::COLLECTED { Ok(()) } else { Err(printed.into()) }
}

fn resets(target: &Target) -> Result<(), Failed> {
    let session = Session::start(target.board, &firmware(target)?, &[])?;
    let mut repl = RawRepl::enter(session, Duration::from_secs(60))?;
    for number in 0..RESETS {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut printed = Vec::new();
        let execution =
            repl.execute(AFTER_RESET.as_bytes(), deadline, &mut |bytes| printed.extend_from_slice(bytes))?;
        let text = String::from_utf8_lossy(&printed).replace("\r\n", "\n");
        if text != "41 0\n42 4\n" {
            return Err(format!("after {number} resets: {text}{execution:?}").into());
        }
        repl.soft_reset(deadline)?;
    }
    Ok(())
}
