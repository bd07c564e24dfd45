//! `torture/torture.c`, compiled for every architecture by every compiler there is here, linked and run on its
//! board: every part returns what the same C returns as a program of this machine. What was proven so is the
//! table of `docs/architectures.md`, which `BLESS=1` rewrites.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;

use cargo_mpy::toolchain::{cc, which};
use libtest_mimic::{Failed, Trial};
use mpy_link::{Input, InputKind};
use target_specs::Board;
use tests::{blessing, board, in_ci, programs};

/// Optimisation levels that make different code: small, and with tables and literals everywhere.
const LEVELS: [&str; 2] = ["-Os", "-O2"];

/// What was proven: architecture, compiler, board, level.
static PROVEN: Mutex<BTreeSet<[String; 4]>> = Mutex::new(BTreeSet::new());

fn main() -> ExitCode {
    let arguments = tests::arguments();
    let mut trials = Vec::new();
    let mut all_here = true;
    for (board, why_not) in board::boards() {
        let arch = target_specs::arch(&board.arch).expect("a board's architecture");
        for compiler in &arch.compilers {
            let Some(name) = compiler.commands.iter().find(|name| which(name).is_some()) else {
                if compiler.clang {
                    assert!(!in_ci(), "{} cannot be tested with clang", arch.name);
                    all_here = false;
                }
                continue;
            };
            // A second compiler's code differs enough at one level.
            let levels = if compiler.clang { &LEVELS[..1] } else { &LEVELS[..] };
            for &level in levels {
                let trial = format!("{}::torture{level}::{name}", board.name);
                let trial = Trial::test(trial, move || play(board, name, level));
                let nightly = board::is_nightly(board) || level != LEVELS[0];
                trials.push(trial.with_ignored_flag(why_not.is_some() || nightly));
            }
        }
        if let Some(why) = why_not {
            all_here = false;
            eprintln!("skipped: {} ({why})", board.name);
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Only a whole run proves a whole table.
    let some = conclusion.num_filtered_out + conclusion.num_ignored > 0 || arguments.list;
    if conclusion.has_failed() || some || !all_here {
        return conclusion.exit_code();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/architectures.md");
    let table = document();
    if blessing() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        fs::write(&path, &table).expect("a writable file");
    }
    if fs::read_to_string(&path).unwrap_or_default() == table {
        return ExitCode::SUCCESS;
    }
    eprintln!("docs/architectures.md says something else than this run proves; BLESS=1 writes it:\n{table}");
    ExitCode::FAILURE
}

/// What this run has proven, as a document.
fn document() -> String {
    let mut text = String::from(
        "# Architectures and compilers\n\n\
         `cargo test -p tests --test torture` verifies this table; with `BLESS=1` it writes the file. The test compiles\n\
         `tests/torture/torture.c` (64-bit and float arithmetic, switch tables, function pointers, initialised data with\n\
         pointers, statics, recursion, more than 64 KiB of code) with each compiler, links it with `mpy-link`, imports it\n\
         in MicroPython, and compares every result with the same C on the host. Compilers marked \u{201c}not tried\u{201d} were\n\
         not installed, or are another name for a compiler that was.\n\n\
         | architecture | compiler | verified in MicroPython on | optimisation |\n\
         |---|---|---|---|\n",
    );
    let proven = PROVEN.lock().expect("no trial panics with it");
    for arch in target_specs::archs() {
        for compiler in arch.compilers.iter().flat_map(|compiler| &compiler.commands) {
            let rows =
                || proven.iter().filter(|[name, command, ..]| *name == arch.name && command == compiler);
            let boards: BTreeSet<&str> = rows().map(|[_, _, board, _]| board.as_str()).collect();
            let levels: BTreeSet<&str> = rows().map(|[.., level]| level.as_str()).collect();
            let join = |words: BTreeSet<&str>| words.into_iter().collect::<Vec<_>>().join(", ");
            let (boards, levels) = match boards.is_empty() {
                true => ("not tried".to_owned(), "–".to_owned()),
                false => (join(boards), join(levels)),
            };
            writeln!(text, "| `{}` | `{compiler}` | {boards} | {levels} |", arch.name).expect("a String");
        }
    }
    text
}

fn play(board: &Board, compiler: &str, level: &str) -> Result<(), Failed> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("torture/torture.c");
    let folder = tempfile::tempdir()?;
    let include = folder.path().join("include");
    fs::create_dir(&include)?;
    for (name, text) in c_runtime::HEADERS {
        fs::write(include.join(name), text)?;
    }
    let arch = target_specs::arch(&board.arch)?;
    let image = link(&source, folder.path(), &include, board, compiler, level)?;
    if image.sizes.text <= 0x1_0000 {
        return Err(format!("only {} bytes of code", image.sizes.text).into());
    }

    let mut host = Command::new("cc");
    host.args(["-DHOST", "-O1", "-fwrapv", "-ffp-contract=off"]);
    let program = programs::program(&host, &[source], &[&include])?;
    let expected = String::from_utf8(Command::new(&program).output()?.stdout)?;
    let parts = expected.lines().count();
    let code = format!(
        "import torture, gc\nfor again in range(2):\n for part in range({parts}):\n  \
         if again: gc.collect()\n  print(part, '%08x' % torture.run(part))\n"
    );
    let printed = board::execute(board, &[("torture.mpy".to_owned(), image.bytes)], &code)?;
    // Twice: statics and initialised data keep their meaning from call to call.
    if printed != format!("{expected}{expected}") {
        return Err(format!("--- this machine\n{expected}--- the board, twice\n{printed}").into());
    }
    let row = [arch.name.as_str(), compiler, board.name.as_str(), level].map(str::to_owned);
    PROVEN.lock().expect("no trial panics with it").insert(row);
    Ok(())
}

fn link(
    source: &Path,
    folder: &Path,
    include: &Path,
    board: &Board,
    compiler: &str,
    level: &str,
) -> Result<mpy_link::Image, Failed> {
    let arch = target_specs::arch(&board.arch)?;
    let compiler = cc::find_named(arch, compiler)?;
    let object: PathBuf = folder.join("torture.o");
    compiler.compile(source, &object, &board.c_flags, level, &[include])?;
    let data = fs::read(&object)?;
    let runtime = compiler.runtime(&board.c_flags, level, include)?;
    let library = compiler.library(&board.c_flags)?;
    let mut inputs = vec![Input { name: "torture.o", kind: InputKind::Object, data: &data }];
    let lazy = runtime.iter().chain(&library);
    inputs.extend(lazy.map(|(name, data)| Input { name, kind: InputKind::Lazy, data }));
    let qstrs = ["run".to_owned()];
    let options =
        mpy_link::Options { file_name: "torture.mpy", qstrs: &qstrs, ..mpy_link::Options::new(arch) };
    Ok(mpy_link::link(&inputs, &options)?)
}
