//! The examples that have a `compare.py`: what they do, done by the module, by bytecode and by viper, in instructions
//! of the whole processor.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cargo_mpy::toolchain::emulator::Run;
use cargo_mpy::toolchain::micropython::Firmware;
use target_specs::{Board, Emulator};

/// What does the same, by the names of `compare.py`'s functions.
pub const WAYS: [&str; 3] = ["native", "bytecode", "viper_"];

/// Every example that compares itself, by name.
pub fn applications() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the examples")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.join("compare.py").is_file())
        .collect();
    paths.sort();
    paths
}

/// Instructions of each of the [`WAYS`] on an emulated board, whose results must be equal.
///
/// # Errors
/// What went wrong, in words.
pub fn compare(
    board: &'static Board,
    example: &Path,
    module: (String, Vec<u8>),
) -> Result<[u64; WAYS.len()], String> {
    let code = fs::read_to_string(example.join("compare.py")).map_err(|error| error.to_string())?;
    let code = format!(
        "{code}\nimport gc, machine\nfor way in ({}):\n gc.collect()\n machine.idle()\n of = way()\n \
         machine.idle()\n print(result(of))\n",
        WAYS.join(", ")
    );
    // All that is executed counts, not the module's code alone.
    let mut whole = board.clone();
    if let Some(Emulator::Qemu { code, word_access_only, .. }) = &mut whole.emulator {
        *code = [0, u32::MAX];
        *word_access_only = false;
    }
    let firmware = Firmware::build(board, &|_| {}).map_err(|error| error.to_string())?;
    let modules = [module];
    let run = Run {
        board: &whole,
        firmware: &firmware,
        modules: &modules,
        code: &code,
        timeout: Duration::from_secs(300),
        arguments: &[],
    };
    let outcome = crate::board::run(&run, true, &mut |_| {}).map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&outcome.stdout);
    let results: Vec<&str> = printed.lines().collect();
    let said = || format!("{printed}{}{:?}", outcome.stderr, outcome.marks);
    let &[native, bytecode, viper] = results.as_slice() else { return Err(said()) };
    if native != bytecode || native != viper {
        return Err(format!("the results differ\n{}", said()));
    }
    let &[a, b, c, d, e, f] = outcome.marks.as_slice() else { return Err(said()) };
    Ok([b - a, d - c, f - e])
}
