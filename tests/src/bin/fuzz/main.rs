//! A fuzzer of the whole command line: damaged modules, objects, archives, `.mpy` files and settings, and words that are
//! wrong, for the commands that read them.
//!
//! `cargo run -p tests --bin fuzz -- --seconds 3600 --from 1` runs for an hour. A command that panics, that ends the
//! process (a stack overflow, more memory than 4 GiB) or that takes longer than a minute is a failure: its files and its
//! command line are saved in `target/fuzz/NUMBER`, and the exit code is 1. `--case NUMBER` runs one case again.
//!
//! A second process runs the commands, one after the other, so that one that ends does not end the fuzzer.

mod cases;
#[allow(dead_code)] // a part of it is for another test
#[path = "../../../../mpy-link/tests/common/mutate.rs"]
mod mutate;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cases::{Case, Seeds};

/// No command may take longer.
const LONGEST: Duration = Duration::from_secs(60);
/// What a command may use, in KiB.
const MEMORY: u64 = 4 << 20;

struct Options {
    from: u64,
    seconds: Option<u64>,
    cases: u64,
    /// Run one case in this process.
    case: Option<u64>,
    /// Where seeds, and files of failures, are.
    into: PathBuf,
    /// Run cases for the process that watches, from this one on.
    worker: bool,
}

fn main() -> ExitCode {
    let into = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz");
    let mut options = Options { from: 1, seconds: None, cases: u64::MAX, case: None, into, worker: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--worker" {
            options.worker = true;
            continue;
        }
        let value = words.next().unwrap_or_default();
        let number = || value.parse().ok();
        let known = match word.as_str() {
            "--from" => number().map(|from| options.from = from),
            "--seconds" => number().map(|seconds| options.seconds = Some(seconds)),
            "--cases" => number().map(|cases| options.cases = cases),
            "--case" => number().map(|case| options.case = Some(case)),
            "--into" if !value.is_empty() => {
                options.into = value.into();
                Some(())
            }
            _ => None,
        };
        if known.is_none() {
            eprintln!(
                "usage: fuzz [--from NUMBER] [--seconds N] [--cases N] [--case NUMBER] [--into FOLDER]"
            );
            return ExitCode::from(2);
        }
    }
    fs::create_dir_all(&options.into).expect("a writable folder");
    let root = options.into.canonicalize().expect("a folder");
    if options.worker {
        work(&root, options.from);
    }
    if let Some(number) = options.case {
        let case = Case::new(&Seeds::read(&root), number);
        println!("cargo mpy {}", case.line());
        save(&root, number, &case);
        let status = run(&root.join(number.to_string()), &case);
        println!("exit code {status:?}");
        return ExitCode::SUCCESS;
    }
    watch(&root, &options)
}

/// Where the worker says which case it is at, and what panicked.
fn progress(root: &Path) -> PathBuf {
    root.join("at")
}

fn panics(root: &Path) -> PathBuf {
    root.join("panics")
}

/// Where the last panic was.
static PLACE: Mutex<String> = Mutex::new(String::new());

fn place() -> String {
    PLACE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Runs cases until it is stopped.
fn work(root: &Path, from: u64) -> ! {
    let seeds = Seeds::read(root);
    let folder = tempfile::tempdir_in(root).expect("a writable folder");
    let mut log =
        fs::File::options().append(true).create(true).open(panics(root)).expect("a writable folder");
    std::panic::set_hook(Box::new(|info| {
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        // The place in the standard library says less than ours above it.
        let trace = std::backtrace::Backtrace::force_capture().to_string();
        let ours = trace.lines().find(|line| {
            line.trim_start().starts_with("at ./") && line.contains(".rs:") && !line.contains("/fuzz/")
        });
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) =
            format!("{} {}", at, ours.unwrap_or_default().trim());
    }));
    for number in from.. {
        let case = Case::new(&seeds, number);
        fs::write(progress(root), number.to_string()).expect("a writable folder");
        if run(folder.path(), &case).is_none() {
            std::io::Write::write_all(&mut log, format!("{number} {}\n", place()).as_bytes())
                .expect("a writable folder");
        }
    }
    unreachable!("there are more numbers than time")
}

/// Runs a case in a folder, which is empty but for its files; the exit code, or none when it panics.
fn run(folder: &Path, case: &Case) -> Option<u8> {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
    case.write(folder);
    std::env::set_current_dir(folder).expect("a folder");
    let words = case.words.iter().map(Into::into).collect();
    catch_unwind(AssertUnwindSafe(|| cargo_mpy::run(words))).ok()
}

/// Starts a worker that runs cases from this number on.
fn worker(root: &Path, from: u64) -> Child {
    let program = std::env::current_exe().expect("a program");
    let script = format!("ulimit -v {MEMORY}; exec \"$0\" --worker --from {from} --into \"$1\"");
    Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .arg(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell")
}

fn save(root: &Path, number: u64, case: &Case) {
    let folder = root.join(number.to_string());
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a writable folder");
    case.write(&folder);
    fs::write(root.join(format!("{number}.txt")), format!("cargo mpy {}\n", case.line()))
        .expect("a writable folder");
}

/// Has cases run, and tells of those that fail.
fn watch(root: &Path, options: &Options) -> ExitCode {
    Seeds::make(root);
    let seeds = Seeds::read(root);
    let _ = fs::remove_file(panics(root));
    let start = Instant::now();
    let mut failures = Vec::new();
    let mut next = options.from;
    let end = options.from.saturating_add(options.cases);
    let is_over = |at: u64| {
        at >= end || options.seconds.is_some_and(|seconds| start.elapsed() >= Duration::from_secs(seconds))
    };
    let mut fail = |number: u64, why: &str| {
        let case = Case::new(&seeds, number);
        save(root, number, &case);
        println!("case {number} {why}: cargo mpy {}", case.line());
        failures.push(number);
    };
    while !is_over(next) {
        let _ = fs::remove_file(progress(root));
        let mut child = worker(root, next);
        let (mut at, mut since) = (next, Instant::now());
        let why = loop {
            std::thread::sleep(Duration::from_millis(20));
            let status = child.try_wait().expect("a child");
            let now =
                fs::read_to_string(progress(root)).ok().and_then(|text| text.parse().ok()).unwrap_or(at);
            if now != at {
                (at, since) = (now, Instant::now());
            }
            match status {
                Some(status) => break Some(format!("ends the process ({status})")),
                None if since.elapsed() > LONGEST => break Some(format!("takes longer than {LONGEST:?}")),
                None if is_over(at) => break None,
                None => {}
            }
        };
        let _ = child.kill();
        let _ = child.wait();
        if let Some(why) = &why {
            fail(at, why);
        }
        next = at + 1;
        if why.is_none() {
            break;
        }
    }
    // Of the panics at one place, the first.
    let mut places = BTreeMap::new();
    for line in fs::read_to_string(panics(root)).unwrap_or_default().lines() {
        let (number, place) = line.split_once(' ').expect("a number and a place");
        let (_, count) = places.entry(place.to_owned()).or_insert((number.to_owned(), 0));
        *count += 1;
    }
    for (place, (number, count)) in places {
        fail(number.parse().expect("a number"), &format!("panics at {place}, as do {} more", count - 1));
    }
    println!(
        "{} cases from {} in {:.0} s, {} failures",
        next - options.from,
        options.from,
        start.elapsed().as_secs_f64(),
        failures.len()
    );
    ExitCode::from(u8::from(!failures.is_empty()))
}
