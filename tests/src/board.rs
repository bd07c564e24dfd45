//! The emulated boards, for tests: their MicroPython, and what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::emulator::{self, Outcome, Run};
use cargo_mpy::toolchain::micropython::{Firmware, emulated, missing_tools};
use cargo_mpy::toolchain::{digest, identity, read_file, which};
use cargo_mpy::{Failure, pipeline};
use target_specs::{Board, Emulator};

use crate::{in_ci, kept, nightly};

/// Boards that stand for the others in most runs: one for each family of compilers. Tests on the others are ignored, and
/// run nightly (`cargo test -- --ignored`).
const FAMILIES: [&str; 4] = ["unix", "qemu-armv6m", "qemu-rv32imc", "qemu-xtensawin"];

/// Whether tests that are much the same on all boards run on this one only nightly.
pub fn is_nightly(board: &Board) -> bool {
    !FAMILIES.contains(&board.name.as_str())
}

/// A board of this machine for each architecture, and why the others cannot run; in CI they all must.
pub fn boards() -> Vec<(&'static Board, Option<String>)> {
    checked(|board| !is_small(board))
}

/// The boards of these names that are here, in the order of [`boards`]; says which are not.
pub fn named(names: &[&str]) -> Vec<&'static Board> {
    let wanted = boards().into_iter().filter(|(board, _)| names.contains(&board.name.as_str()));
    wanted
        .filter_map(|(board, why_not)| {
            let Some(why) = why_not else { return Some(board) };
            eprintln!("skipped: {} ({why})", board.name);
            None
        })
        .collect()
}

/// The boards that have little memory, likewise.
pub fn small_boards() -> Vec<(&'static Board, Option<String>)> {
    checked(is_small)
}

fn is_small(board: &Board) -> bool {
    matches!(board.emulator, Some(Emulator::Qemu { heap: 1.., .. }))
}

fn checked(wanted: impl Fn(&Board) -> bool) -> Vec<(&'static Board, Option<String>)> {
    emulated()
        .filter(|board| wanted(board))
        .map(|board| {
            let missing = missing_tools(board);
            let why = (!missing.is_empty()).then(|| format!("missing: {missing:?}"));
            if let (Some(why), true) = (&why, in_ci()) {
                panic!("{} cannot be tested: {why}", board.name);
            }
            (board, why)
        })
        .collect()
}

/// The names of those that are not missing; without those that run only nightly, unless they run now.
pub fn here(boards: &[(&Board, Option<String>)]) -> Vec<String> {
    let everywhere = nightly();
    let runs = |board: &Board| everywhere || !is_nightly(board);
    let here = boards.iter().filter(|(board, why)| why.is_none() && runs(board));
    here.map(|(board, _)| board.name.clone()).collect()
}

/// Builds a `.wasm` file for a board and reads the module.
pub fn build(wasm: &Path, board: &Board, target_dir: &Path) -> Result<Vec<u8>, String> {
    let options = BuildOptions { input: Some(wasm.to_owned()), ..options(board, target_dir) };
    Ok(module(&options).map_err(|failure| format!("{failure:?}"))?.1)
}

/// The target folder of all crates that tests build, so that what several depend on is built once. `tmpdir` is
/// `CARGO_TARGET_TMPDIR` of the test.
pub fn crates(tmpdir: &str) -> PathBuf {
    Path::new(tmpdir).join("crates")
}

/// The target folder of crates that tests build with debug information: cargo would link each of them again after every build
/// without it. What is compiled for this machine is that of [`crates`].
///
/// # Panics
/// When it cannot be made.
pub fn crates_with_lines(tmpdir: &str) -> PathBuf {
    let lines = Path::new(tmpdir).join("lines");
    #[cfg(unix)]
    {
        let host = crates(tmpdir).join("mpy/wasm/release");
        let folder = lines.join("mpy/wasm");
        for folder in [&host, &folder] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        match std::os::unix::fs::symlink(&host, folder.join("release")) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => panic!("{error}"),
            _ => {}
        }
    }
    lines
}

/// Options of a build for one board.
pub fn options(board: &Board, target_dir: &Path) -> BuildOptions {
    BuildOptions {
        boards: vec![board.name.clone()],
        target_dir: Some(target_dir.to_owned()),
        ..Default::default()
    }
}

/// Builds what `options` say, for their one target: the module's file name, and its bytes.
pub fn module(options: &BuildOptions) -> Result<(String, Vec<u8>), Failure> {
    let plan = pipeline::plan(options)?;
    let built = pipeline::build(&plan, None)?;
    Ok((format!("{}.mpy", plan.module), read_file(&built[0].mpy)?))
}

/// File name and bytes of modules, by board.
pub type ByBoard = BTreeMap<String, (String, Vec<u8>)>;

/// Builds what `options` say for these boards at once.
///
/// # Errors
/// Those of the build.
pub fn modules(options: BuildOptions, boards: &[String]) -> Result<ByBoard, Failure> {
    let plan = pipeline::plan(&BuildOptions { boards: boards.to_vec(), ..options })?;
    let mut modules = BTreeMap::new();
    for (target, built) in plan.targets.iter().zip(pipeline::build(&plan, None)?) {
        let bytes = read_file(&built.mpy)?;
        let of = |board: &String| (board.clone(), (format!("{}.mpy", plan.module), bytes.clone()));
        modules.extend(target.boards.iter().map(of));
    }
    Ok(modules)
}

/// Texts and digests of all that a module is made from.
type Inputs = dyn Fn() -> Vec<String> + Send + Sync;

/// A module that is built for all its boards when the first of them wants it.
pub struct Modules {
    options: BuildOptions,
    boards: Vec<String>,
    inputs: Option<Box<Inputs>>,
    built: OnceLock<Result<ByBoard, String>>,
}

impl Modules {
    /// What `options` say, for these boards.
    pub fn new(options: BuildOptions, boards: Vec<String>) -> Modules {
        Modules { options, boards, inputs: None, built: OnceLock::new() }
    }

    /// The same, which is not asked of cargo again while this program, the options and `inputs` are the same, and the files
    /// that were made are there.
    #[must_use]
    pub fn made_from(self, inputs: impl Fn() -> Vec<String> + Send + Sync + 'static) -> Modules {
        Modules { inputs: Some(Box::new(inputs)), ..self }
    }

    /// The module for one of the boards.
    ///
    /// # Errors
    /// Those of the build, for each board.
    pub fn of(&self, board: &Board) -> Result<(String, Vec<u8>), String> {
        let built = self.built.get_or_init(|| self.build()).as_ref()?;
        built.get(&board.name).cloned().ok_or_else(|| format!("no module for {}", board.name))
    }

    fn build(&self) -> Result<ByBoard, String> {
        let build = || modules(self.options.clone(), &self.boards).map_err(|failure| format!("{failure:?}"));
        let (Some(inputs), Some(folder)) = (&self.inputs, &self.options.target_dir) else { return build() };
        let key = || {
            let options = format!("{:?} {:?}", self.options, self.boards);
            kept::key_of_this_program(inputs().into_iter().chain([options]))
        };
        // Board, name of the file, and digest.
        if let Some(known) = kept::find::<Vec<(String, String, String)>>(&key()) {
            let read = |(board, name, sum): (String, String, String)| {
                let arch = &target_specs::board(&board).ok()?.arch;
                let bytes = std::fs::read(folder.join("mpy").join(arch).join(&name)).ok()?;
                (digest([&bytes]) == sum).then_some((board, (name, bytes)))
            };
            if let Some(modules) = known.into_iter().map(read).collect() {
                return Ok(modules);
            }
        }
        let modules = build()?;
        let line = |(board, (name, bytes)): (&String, &(String, Vec<u8>))| {
            (board.clone(), name.clone(), digest([bytes]))
        };
        // What is locked may have been written by the build.
        kept::keep(&key(), &modules.iter().map(line).collect::<Vec<_>>());
        Ok(modules)
    }
}

/// A digest of our own code that starts boards and talks to them.
static DRIVER: LazyLock<String> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cargo-mpy/src");
    ["serial", "toolchain/emulator.rs"].map(|part| kept::digest_of(&source.join(part))).concat()
});

/// Runs code on a board of this machine, and counts the instructions of native code if `counts` is set. A run that ended
/// well is kept: the same code with the same modules on the same board is not run again.
///
/// # Errors
/// As [`emulator::run`]; `output` has then seen what was printed before.
pub fn run(run: &Run, counts: bool, output: &mut dyn FnMut(&[u8])) -> target_specs::Result<Outcome> {
    let program = match &run.board.emulator {
        Some(Emulator::Qemu { program, .. }) => which(program).map(|path| identity(&path)),
        _ => None,
    };
    let board = format!("{:?} {program:?} {} {counts}", run.board.emulator, identity(&run.firmware.path));
    let parts = [&board, &*DRIVER, target_specs::EMULATOR_PLUGIN, run.code].map(str::as_bytes);
    let modules = run.modules.iter().flat_map(|(name, data)| [name.as_bytes(), data]);
    let key = digest(parts.into_iter().chain(modules));
    if let Some((stdout, stderr, marks)) = kept::find::<(String, String, Vec<u64>)>(&key) {
        output(stdout.as_bytes());
        return Ok(Outcome { stdout: stdout.into_bytes(), stderr, status: 0, marks });
    }
    let outcome = if counts { emulator::count(run, output)? } else { emulator::run(run, output)? };
    if let (0, Ok(stdout)) = (outcome.status, str::from_utf8(&outcome.stdout)) {
        kept::keep(&key, &(stdout, &outcome.stderr, &outcome.marks));
    }
    Ok(outcome)
}

/// Runs Python on a board; what it prints, and the traceback when it ends with one.
///
/// # Errors
/// What it printed and the traceback, or why it did not end.
pub fn execute(board: &Board, modules: &[(String, Vec<u8>)], code: &str) -> Result<String, String> {
    execute_within(board, modules, code, Duration::from_secs(1200))
}

/// As [`execute`], for that long at most.
///
/// # Errors
/// As [`execute`].
pub fn execute_within(
    board: &Board,
    modules: &[(String, Vec<u8>)],
    code: &str,
    timeout: Duration,
) -> Result<String, String> {
    let firmware = Firmware::build(board, &|_| {}).map_err(|error| error.to_string())?;
    execute_on(&firmware, board, modules, code, timeout)
}

/// As [`execute_within`], with this firmware of the board.
///
/// # Errors
/// As [`execute`].
pub fn execute_on(
    firmware: &Firmware,
    board: &Board,
    modules: &[(String, Vec<u8>)],
    code: &str,
    timeout: Duration,
) -> Result<String, String> {
    let mut printed = Vec::new();
    let outcome =
        run(&Run { board, firmware, modules, code, timeout, arguments: &[] }, false, &mut |bytes| {
            printed.extend_from_slice(bytes);
        });
    let mut text = String::from_utf8_lossy(&printed).replace("\r\n", "\n");
    match outcome {
        Ok(outcome) if outcome.status == 0 => return Ok(text),
        Ok(outcome) => text.push_str(&outcome.stderr),
        Err(error) => text.push_str(&error.to_string()),
    }
    Err(text)
}
