//! Programs of every language on every architecture, and where there is little memory: each prints what its README
//! says, 11 000 turns of its `loop()` (1 100 on emulated boards) make the LED blink and leave nothing behind, and the
//! table of the README is what was seen. CoreMark's CRCs are EEMBC's. `MATRIX=all` runs as many turns and iterations on
//! every board as on this machine.
//!
//! What can be built here is built by the command in its README, in CI all but what registries have no compiler for;
//! else the `.wasm` file beside it is taken.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::pipeline;
use cargo_mpy::toolchain::{digest, identity, read_file, which, write_file};
use libtest_mimic::{Failed, Trial};
use target_specs::{Board, Emulator};
use tests::{blessing, board, in_ci, kept, python_literal, readme};

struct App {
    title: &'static str,
    folder: &'static str,
    /// The program that its README builds it with, and whether CI has it; a crate is built by cargo.
    compiler: Option<(&'static str, bool)>,
}

const APPS: [App; 8] = [
    App { title: "TypeScript", folder: "assemblyscript", compiler: Some(("asc", true)) },
    App { title: "C++", folder: "cpp", compiler: Some(("clang++", true)) },
    App { title: "Rust", folder: "rust", compiler: None },
    App { title: "TinyGo", folder: "tinygo", compiler: Some(("tinygo", false)) },
    App { title: "Zig", folder: "zig", compiler: Some(("python3 -m ziglang", true)) },
    App { title: "Virgil", folder: "virgil", compiler: Some(("v3c", false)) },
    App { title: "WAT", folder: "wat", compiler: None },
    App { title: "CoreMark", folder: "coremark", compiler: None },
];

/// Nobody waits for the LED here. A pin in place of the simulated hardware, for which small boards have no room.
const BEFORE: &str = "\
import sys
class time:
    sleep_ms = lambda ms: None
sys.modules['time'] = time
class Pin:
    OUT = 1
    def __init__(self, number, mode=None): pass
    def value(self, level): print('the LED is', 'on' if level else 'off')
class machine: pass
machine.Pin = Pin
sys.modules['machine'] = machine
";

/// Puts what is imported next into a gap that has no room for what it writes to: QEMU translates code anew after each
/// write to a page that holds some.
const APART: &str = "
import gc
gap = bytearray(SIZE)
wall = bytearray(4096)
del gap
gc.collect()
";

/// In place of the pin that told what happens to it, one that counts: low, high, delays as they should be (100 ms while
/// it is high, 900 while it is low), and other pins.
const PIN: [&str; 4] = [
    "
seen = [0] * 4
def add(i, n):
    seen[i] += n
",
    "Pin.__init__ = lambda self, pin, mode=None: add(3, pin != 2)",
    "Pin.value = lambda self, level: add(level, 1)",
    // The parser needs more memory for one expression.
    "
def sleep(ms):
    due = 100
    if seen[0] == seen[1]:
        due = 900
    add(2, ms == due)
time.sleep_ms = sleep
",
];

/// So many turns of `loop()`, eleven times; what is free after each.
const TURNS: &str = "
import gc
n = i = 0
free = [0] * 11
gc.collect()
for n in range(11):
    for i in range(TURNS):
        blink.loop()
    gc.collect()
    free[n] = gc.mem_free()
";
const FOUND: &str = "
print('--- free', free)
print('--- pin', seen)
";

/// Of CoreMark an iteration is what a turn is elsewhere, and longer where QEMU translates it: there are fewer of them
/// then, but as many calls.
const ITERATIONS: &str = "
import gc
del sys.modules['time']
import time
n = i = start = 0
free = [0] * 11
coremark.start(0)
gc.collect()
for n in range(11):
    if n == 1:
        start = time.ticks_ms()
    for i in range(ITERATIONS):
        coremark.iterate(1)
    for i in range(1000 - ITERATIONS):
        coremark.crclist()
    gc.collect()
    free[n] = gc.mem_free()
start = max(time.ticks_diff(time.ticks_ms(), start), 1)
print('--- free', free)
print('--- score', 10000 * ITERATIONS // start)
print('--- crc', hex(coremark.seedcrc()), hex(coremark.crclist()), hex(coremark.crcmatrix()), hex(coremark.crcstate()))
";

/// EEMBC's CRCs of the 2K performance run: of the seeds, the lists, the matrices, the states
/// (`core_main.c`, `list_known_crc` and so on).
const KNOWN_CRC: &str = "0xe9f5 0xe714 0x1fd7 0x8e3a";
/// And of the 2K validation run.
const KNOWN_CRC_VALIDATION: &str = "0x18f2 0xe3c1 0x747 0x8d84";

/// Modules by board, or why there are none.
type Built = Result<BTreeMap<String, (String, Vec<u8>)>, String>;

fn main() -> ExitCode {
    let arguments = tests::arguments();
    let boards: Vec<_> = board::boards().into_iter().chain(board::small_boards()).collect();
    let here: Vec<String> =
        boards.iter().filter(|(_, why)| why.is_none()).map(|(board, _)| board.name.clone()).collect();
    let runs = Arc::new(Mutex::new(Vec::new()));
    let built: [Arc<OnceLock<Built>>; APPS.len()] = Default::default();
    let mut trials = Vec::new();
    for (board, why_not) in &boards {
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
        for (app, built) in APPS.iter().zip(&built) {
            let (built, here, runs, board) = (Arc::clone(built), here.clone(), Arc::clone(&runs), *board);
            let cell = move || {
                let modules = built.get_or_init(|| build(app, &here)).as_ref()?;
                run(app, board, &modules[&board.name])?;
                runs.lock().unwrap_or_else(PoisonError::into_inner).push((app.folder, board.name.as_str()));
                Ok(())
            };
            let name = format!("{}::{}", app.folder, board.name);
            trials.push(Trial::test(name, cell).with_ignored_flag(why_not.is_some()));
        }
    }
    let all = trials.len();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let runs = runs.lock().unwrap_or_else(PoisonError::into_inner);
    // Of some cells nothing can be said about the table.
    if conclusion.has_failed() || runs.len() < all {
        return if conclusion.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let boards: Vec<&Board> = boards.iter().map(|(board, _)| *board).collect();
    match check(&table(&boards, &runs)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn example(app: &App) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(app.folder)
}

/// Makes the modules of an app for all boards at once.
fn build(app: &App, boards: &[String]) -> Built {
    let folder = example(app);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix").join(app.folder);
    let mut options =
        BuildOptions { boards: boards.to_vec(), target_dir: Some(target.clone()), ..Default::default() };
    let crate_ = folder.join("Cargo.toml");
    if crate_.is_file() {
        options.manifest_path = Some(crate_);
    } else {
        options.input = Some(compiled(app, &folder, &target)?);
    }
    let plan = pipeline::plan(&options).map_err(|failure| format!("{failure:?}"))?;
    let built = pipeline::build(&plan, None).map_err(|failure| format!("{failure:?}"))?;
    let mut modules = BTreeMap::new();
    for (target, built) in plan.targets.iter().zip(&built) {
        let bytes = fs::read(&built.mpy).map_err(|error| error.to_string())?;
        for board in &target.boards {
            modules.insert(board.clone(), (format!("{}.mpy", plan.module), bytes.clone()));
        }
    }
    Ok(modules)
}

/// The program in WebAssembly: made by the command of its README in a copy of its folder, or as it lies there.
fn compiled(app: &App, folder: &Path, target: &Path) -> Result<PathBuf, String> {
    let Some((compiler, in_registries)) = app.compiler else { return Ok(folder.join("blink.wat")) };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        [tests::tools::node().join("node_modules/.bin")].into_iter().chain(std::env::split_paths(&path)),
    )
    .map_err(|error| error.to_string())?;
    let shell = |line: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", line]).env("PATH", &path).env("PYTHONPATH", tests::tools::python());
        command
    };
    let there = match compiler.split_once(" -m ") {
        Some((_, module)) => tests::tools::python().join(module).is_dir(),
        None => {
            tests::tools::node().join("node_modules/.bin").join(compiler).exists()
                || which(compiler).is_some()
        }
    };
    if !there && in_registries && in_ci() {
        return Err(format!("`{compiler}` is not there: `cargo xtask setup` installs it"));
    }
    if !there {
        eprintln!("not built from source: {} (`{compiler}` is missing), its blink.wasm is taken", app.title);
        return Ok(folder.join("blink.wasm"));
    }
    let markdown = fs::read_to_string(folder.join("README.md")).map_err(|error| error.to_string())?;
    let mut lines = markdown.lines();
    let line =
        lines.find(|line| line.starts_with(compiler)).ok_or("the README does not say how it is built")?;
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())?.flatten() {
        if entry.path().is_file() && entry.path().extension().is_none_or(|e| e != "wasm") {
            sources.push((entry.file_name(), read_file(&entry.path()).map_err(|error| error.to_string())?));
        }
    }
    sources.sort();
    // The packages that were installed are named by their versions. Clang starts `wasm-ld`, and `asc` is a script for Node.js.
    let program = compiler.split_whitespace().next().unwrap_or_default();
    let own = tests::tools::node().join("node_modules/.bin").join(program);
    let programs = [
        which(program).unwrap_or(own),
        which("node").unwrap_or_default(),
        which("wasm-ld").unwrap_or_default(),
    ];
    let programs = programs.map(|path| identity(&path));
    let packages = [tests::tools::node(), tests::tools::python()].map(|it| it.display().to_string());
    let outside = programs.iter().chain(&packages).map(|text| text.as_bytes()).chain([line.as_bytes()]);
    let inside = sources.iter().flat_map(|(name, contents)| [name.as_encoded_bytes(), contents]);
    let key = digest(outside.chain(inside));
    // The settings of the module are beside it.
    let copy = target.join("source");
    for (name, contents) in &sources {
        write_file(&copy.join(name), contents).map_err(|error| error.to_string())?;
    }
    let wasm = kept::kept(&key, || {
        let output = shell(line).current_dir(&copy).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("{line}\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        read_file(&copy.join("blink.wasm")).map_err(|error| error.to_string())
    })?;
    let made = copy.join("blink.wasm");
    write_file(&made, &wasm).map_err(|error| error.to_string())?;
    Ok(made)
}

fn run(app: &App, board: &Board, module: &(String, Vec<u8>)) -> Result<(), Failed> {
    let folder = example(app);
    let markdown = fs::read_to_string(folder.join("README.md"))?;
    let commands = readme::commands(&markdown);
    let is_test = |shell: &str| shell.starts_with("cargo mpy run") && shell.ends_with("test.py\n");
    let expected = commands.iter().find(|command| is_test(&command.shell));
    let expected = &expected.ok_or("the README does not say what `cargo mpy run … test.py` prints")?.prints;
    let is_coremark = app.folder == "coremark";
    let all = std::env::var_os("MATRIX").is_some_and(|value| value == "all");
    let whole = all || matches!(board.emulator, Some(Emulator::Unix { .. }));
    let (turns, iterations) = if whole { (1000, "1000") } else { (100, "10") };
    let after = if is_coremark {
        vec![ITERATIONS.replace("ITERATIONS", iterations)]
    } else {
        let turns = TURNS.replace("TURNS", &turns.to_string());
        PIN.into_iter().map(str::to_owned).chain([turns, FOUND.to_owned()]).collect()
    };
    // Compiled one after the other: where there is little memory, not all of it fits the compiler at once.
    let after: String = after.iter().map(|code| format!("exec({})\n", python_literal(code))).collect();
    let apart = if is_coremark && !matches!(board.emulator, Some(Emulator::Qemu { heap: 1.., .. })) {
        &APART.replace("SIZE", &(module.1.len() + 512).to_string())
    } else {
        ""
    };
    let test = fs::read_to_string(folder.join("test.py"))?;
    let test: String =
        test.lines().filter(|line| !line.contains("simulated")).map(|line| format!("{line}\n")).collect();
    let code = format!("{BEFORE}{apart}{test}{after}");
    let patience = Duration::from_secs(if all { 3600 } else { 1200 });
    let printed = board::execute_within(board, std::slice::from_ref(module), &code, patience)?;
    let (said, after) = printed.split_once("--- free ").ok_or_else(|| printed.clone())?;
    // What it says every now and then belongs to its turns.
    let said = said
        .strip_prefix(expected.as_str())
        .ok_or_else(|| format!("--- the README says\n{expected}--- it prints\n{said}"))?;
    if said.lines().any(|line| !line.starts_with("blink ")) {
        return Err(format!("in its turns it says\n{said}").into());
    }
    let (free, after) = after.split_once('\n').unwrap_or((after, ""));
    // The collector is conservative: a word that nobody has written since, in the frame of whoever runs the program,
    // may look like the address of a block, and keeps what comes to lie there. One word keeps one block, and after
    // each collection the same blocks are taken again: so that shows after the first round of turns and is the same
    // from then on, while each turn that loses its smallest block loses 1 600 bytes in a hundred.
    let free: Vec<&str> = free.trim_matches(|c| "[] ".contains(c)).split(", ").collect();
    if free.len() != 11 || free.iter().any(|bytes| *bytes != free[0]) {
        return Err(format!("what is free after each round: {free:?}").into());
    }
    if !is_coremark {
        let seen = 11 * turns;
        let right = format!("--- pin [{seen}, {seen}, {}, 0]\n", 2 * seen);
        return if after == right {
            Ok(())
        } else {
            Err(format!("--- expected\n{right}--- it prints\n{after}").into())
        };
    }
    let (score, crc) = after.split_once('\n').unwrap_or((after, ""));
    eprintln!("CoreMark on {}: {} iterations a second", board.name, score.trim_start_matches("--- score "));
    let wanted = format!("performance {KNOWN_CRC}\nvalidation {KNOWN_CRC_VALIDATION}\n");
    if *expected == wanted && crc == format!("--- crc {KNOWN_CRC}\n") {
        return Ok(());
    }
    Err(format!(
        "--- EEMBC's CRCs are\n{wanted}--- the README has\n{expected}--- after all iterations\n{crc}"
    )
    .into())
}

/// Boards across, apps down.
fn table(boards: &[&Board], runs: &[(&str, &str)]) -> String {
    let mut text = String::from("| |");
    for board in boards {
        let small = board.name.rsplit_once('-').filter(|(_, size)| size.ends_with('k'));
        let size = small.map(|(_, size)| format!(", {} KiB", size.trim_end_matches('k'))).unwrap_or_default();
        write!(text, " {}{size} |", board.arch).expect("String");
    }
    text += "\n|---|";
    text += &"---|".repeat(boards.len());
    for app in &APPS {
        write!(text, "\n| [{}](examples/{}) |", app.title, app.folder).expect("String");
        for board in boards {
            text += if runs.contains(&(app.folder, &board.name)) { " runs |" } else { " – |" };
        }
    }
    text + "\n"
}

/// Compares the table with the README's, or puts it there when expectations are to be rewritten.
fn check(table: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let markdown = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let (before, rest) =
        markdown.split_once("<!-- matrix -->\n").ok_or("the README has no `<!-- matrix -->`")?;
    let (old, after) = rest.split_once("<!-- end -->").ok_or("the README has no `<!-- end -->`")?;
    if old == table {
        return Ok(());
    }
    if !blessing() {
        return Err(format!("the README's table is not what was seen (BLESS=1 writes it):\n{table}"));
    }
    let text = format!("{before}<!-- matrix -->\n{table}<!-- end -->{after}");
    fs::write(&path, text).map_err(|error| error.to_string())
}
