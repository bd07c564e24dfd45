//! Functions of arrays by ulab, a module in C that is built into MicroPython's unix port, and by a module of ours in the same
//! interpreter.

use std::path::Path;
use std::time::Duration;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::emulator::{Run, run};
use cargo_mpy::toolchain::micropython::Firmware;
use tests::board;

use super::{Result, table, thousands};
use crate::process::root;

/// Processes whose results are compared, as each has its memory where it happens to be.
const PROCESSES: usize = 5;

/// MicroPython's floats: what they are called, and what `make` is told. ulab is compiled for speed, where the port is for size.
const FLOATS: [(&str, &[&str]); 2] = [
    ("double", &["COPT=-O3 -DNDEBUG"]),
    (
        "single",
        &["COPT=-O3 -DNDEBUG", "CFLAGS_EXTRA=-Wno-error -DMICROPY_FLOAT_IMPL=MICROPY_FLOAT_IMPL_FLOAT"],
    ),
];

/// Measures all, as a part of a document. `ulab` is its repository.
pub fn compare(ulab: &Path, folder: &Path) -> Result<String> {
    let source = ulab.join("code/ulab.c");
    let text = std::fs::read_to_string(&source)
        .map_err(|error| format!("{} is no clone of ulab: {}: {error}", ulab.display(), source.display()))?;
    let version = text.lines().find_map(|line| line.strip_prefix("#define ULAB_VERSION "));
    let version = version.ok_or_else(|| format!("{}: no ULAB_VERSION", source.display()))?.trim();
    let ulab = std::path::absolute(ulab)?;
    let folder = std::path::absolute(folder)?;
    let unix = target_specs::board("unix")?;
    let options = BuildOptions {
        manifest_path: Some(root().join("tests/ulab/Cargo.toml")),
        ..board::options(unix, &folder.join("rust-ulab"))
    };
    let module = board::module(&options).map_err(|failure| format!("{failure:?}"))?;
    let code = std::fs::read_to_string(root().join("tests/ulab/compare.py"))?;
    let mut document = String::new();
    for (precision, make) in FLOATS {
        let build = folder.join("ulab").join(precision);
        let firmware = Firmware::with_user_modules(unix, &ulab, &build, make)?;
        // By function: nanoseconds of ulab's, and how many times as many ours takes.
        let mut rows: Vec<(String, Vec<f64>, Vec<f64>)> = Vec::new();
        for _ in 0..PROCESSES {
            let modules = [module.clone()];
            let timeout = Duration::from_secs(300);
            let run_it = Run {
                board: unix,
                firmware: &firmware,
                modules: &modules,
                code: &code,
                timeout,
                arguments: &[],
            };
            let outcome = run(&run_it, &mut |_| {})?;
            let printed = String::from_utf8_lossy(&outcome.stdout).into_owned();
            if outcome.status != 0 {
                return Err(format!("ulab, {precision} precision: {printed}{}", outcome.stderr).into());
            }
            for (at, line) in printed.lines().enumerate() {
                let [name, time, ratio] = line.split(' ').collect::<Vec<_>>()[..] else {
                    return Err(format!("not a row: {line}").into());
                };
                if at == rows.len() {
                    rows.push((name.to_owned(), Vec::new(), Vec::new()));
                }
                rows[at].1.push(time.parse()?);
                rows[at].2.push(ratio.parse()?);
            }
        }
        let head = ["function", "ulab, ns", "cargo mpy, ns", "cargo mpy / ulab"].map(str::to_owned);
        let lines: Vec<Vec<String>> = rows
            .into_iter()
            .map(|(name, times, ratios)| {
                let (time, ratio) = (super::measure::median(times), super::measure::median(ratios));
                let ours = thousands((time * ratio) as u64);
                vec![format!("`{name}`"), thousands(time as u64), ours, format!("{ratio:.2}")]
            })
            .collect();
        let text = format!("## ulab {version} on x86-64, {precision} precision\n\n{}", table(&head, &lines));
        eprint!("{text}");
        document.push_str(&text);
    }
    Ok(document)
}
