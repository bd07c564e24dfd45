//! The benchmarks: CoreMark and the kernels, by our roads, natively and by others' tools, on this machine and on
//! emulated boards, as one Markdown document.
//!
//! Emulated boards count the instructions that a module executes, which are the same on every run; this machine's
//! times are the least of several, taken in turns. All roads share the C compiler, its level of optimisation, the
//! bindings and the linker.

mod build;
mod libraries;
mod measure;
mod subjects;
mod ulab;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use build::{Builder, ROADS, Road};
use clap::Args;
use measure::Row;
use subjects::{Language, PROGRAMS};
use wasm_to_c::Safety;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Measures CoreMark and the kernels
#[derive(Debug, Args)]
pub struct Options {
    /// Architectures
    #[arg(long, value_delimiter = ',', default_value = "x64,armv6m,armv7emsp,rv32imc")]
    archs: Vec<String>,
    /// Only programs with one of these in their names
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Languages: rust, c
    #[arg(long, value_delimiter = ',', default_value = "rust,c")]
    languages: Vec<String>,
    /// Only native code and these roads, by how the heads of their columns begin
    #[arg(long, value_delimiter = ',')]
    roads: Vec<String>,
    /// EEMBC's CoreMark (github.com/eembc/coremark), for the same program in C
    #[arg(long)]
    coremark: Option<PathBuf>,
    /// A rustc that lies beside its cargo and has the source of its library, for native Rust
    #[arg(long)]
    rustc: Option<PathBuf>,
    /// Folder of wasm-rt.h, wasm2c being on PATH
    #[arg(long)]
    wasm2c: Option<PathBuf>,
    /// Folder of w2c2's sources with `w2c2-bin`, the program
    #[arg(long)]
    w2c2: Option<PathBuf>,
    /// Compare signal processing and layers of neural networks with CMSIS-DSP, which `cargo xtask setup --peers` installs, on
    /// the architectures of Arm; nothing else is measured
    #[arg(long)]
    cmsis: bool,
    /// Compare signal processing and machine learning with emlearn, which `cargo xtask setup --peers` installs; nothing else is
    /// measured
    #[arg(long, conflicts_with = "cmsis")]
    emlearn: bool,
    /// With --emlearn: also compare functions of arrays with ulab (github.com/v923z/micropython-ulab), on this machine
    #[arg(long, requires = "emlearn")]
    ulab: Option<PathBuf>,
    /// MicroPython's tools/mpy_ld.py, for sizes
    #[arg(long)]
    mpy_ld: Option<PathBuf>,
    /// Write the document here
    #[arg(long)]
    out: Option<PathBuf>,
    /// More flags for the C that is ours, to try them
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    flags: Vec<String>,
    /// Leave out sizes
    #[arg(long)]
    no_sizes: bool,
    /// Sizes alone
    #[arg(long)]
    no_speed: bool,
    /// Keep what is made here
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// Roads whose modules' sizes are shown, in the order of the columns; behind them comes mpy_ld.py's.
const SIZED: &[Road] = &[
    Road::Native,
    Road::Direct,
    Road::Ours(Safety::Checked),
    Road::Ours(Safety::Masked),
    Road::Ours(Safety::Trusted),
    Road::Wasm2c { checked: true },
];

/// Runs a command; its output, or what it said when it failed.
pub fn checked(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = [output.stderr, output.stdout].concat();
    let errors = String::from_utf8_lossy(&errors);
    let errors: String = errors.lines().take(20).map(|line| format!("{line}\n")).collect();
    Err(format!("{command:?}: {}\n{errors}", output.status).into())
}

/// Measures what the options say.
///
/// # Errors
/// Whatever goes wrong.
pub fn run(options: &Options) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let folder = options.keep.clone().unwrap_or_else(|| scratch.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    prepare(&folder)?;
    let library =
        if options.cmsis { Some(libraries::CMSIS) } else { options.emlearn.then_some(libraries::EMLEARN) };
    if let Some(library) = library {
        let mut document = library.compare(options, &folder)?;
        if let Some(ulab) = &options.ulab {
            document += &ulab::compare(ulab, &folder)?;
        }
        return match &options.out {
            Some(path) => Ok(std::fs::write(path, document)?),
            None => Ok(()),
        };
    }
    let wanted = |name: &str, among: &[String]| {
        among.is_empty() || among.iter().any(|part| name.contains(part.as_str()))
    };
    let roads: Vec<Road> = ROADS
        .iter()
        .copied()
        .filter(|road| {
            *road == Road::Native
                || options.roads.is_empty()
                || options.roads.iter().any(|name| road.name().starts_with(name.as_str()))
        })
        .collect();
    let mut document = String::new();
    let mut sizes: Vec<(String, Vec<Row>)> = Vec::new();
    for language in [Language::Rust, Language::C] {
        if !wanted(&format!("{language:?}").to_lowercase(), &options.languages) {
            continue;
        }
        let mut programs = Vec::new();
        for program in PROGRAMS.iter().filter(|program| wanted(program.name, &options.only)) {
            if let Some(wasm) = subjects::wasm(program, language, options, &folder, "-O2", false)? {
                programs.push((program, wasm));
            }
        }
        for name in options.archs.iter().filter(|_| !options.no_speed) {
            let arch = target_specs::arch(name)?;
            let builder = Builder { arch, options, folder: &folder };
            // As cargo-mpy builds crates.
            let mut with_vectors = Vec::new();
            for (program, wasm) in &programs {
                let vectors = (arch.simd.is_some() && language == Language::Rust)
                    .then(|| subjects::wasm(program, language, options, &folder, "-O2", true))
                    .transpose()?;
                with_vectors.push(vectors.flatten().unwrap_or_else(|| wasm.clone()));
            }
            let mut made = Vec::new();
            for road in &roads {
                let mut modules = Vec::new();
                for ((program, wasm), with_vectors) in programs.iter().zip(&with_vectors) {
                    let wasm = if road.is_ours() { with_vectors } else { wasm };
                    let module = builder.build(program, language, *road, wasm, "-O2");
                    modules.push(
                        module
                            .map_err(|error| format!("{name} {} {}: {error}", program.name, road.name()))?,
                    );
                }
                made.push((*road, modules));
            }
            let programs: Vec<_> = programs.iter().map(|(program, _)| *program).collect();
            let rows = measure::measure(arch, &programs, &made, &|program| builder.hollow(program))?;
            let table = speed_table(arch, language, &roads, &rows);
            eprint!("{table}");
            document.push_str(&table);
        }
        if language == Language::Rust && !options.no_sizes {
            let mut small = Vec::new();
            for (program, _) in &programs {
                if let Some(wasm) = subjects::wasm(program, language, options, &folder, "-Os", false)? {
                    small.push((*program, wasm));
                }
            }
            for name in &options.archs {
                let arch = target_specs::arch(name)?;
                let builder = Builder { arch, options, folder: &folder };
                let mut rows = Vec::new();
                for (program, wasm) in &small {
                    let mut cells = Vec::new();
                    for road in SIZED {
                        let made = builder.build(program, language, *road, wasm, "-Os")?;
                        cells.push(made.map(|made| made.mpy.len() as u64));
                    }
                    let size = match builder.by_mpy_ld(program, wasm) {
                        Ok(size) => size,
                        Err(error) => {
                            eprintln!("{name} {}: {error}", program.name);
                            None
                        }
                    };
                    cells.push(size.map(|size| size as u64));
                    rows.push(Row { name: program.name, cells });
                }
                eprint!("{}", size_table(name, &rows));
                sizes.push((name.clone(), rows));
            }
        }
    }
    for (arch, rows) in &sizes {
        document.push_str(&size_table(arch, rows));
    }
    if let Some(path) = &options.out {
        let text = format!("{}{document}", include_str!("head.md"));
        std::fs::write(path, text.replace("{versions}", &versions()?))?;
    }
    Ok(())
}

/// Headers where the compilers look for them.
fn prepare(folder: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(folder.join("include"))?;
    for (name, text) in c_runtime::HEADERS {
        std::fs::write(folder.join("include").join(name), text)?;
    }
    std::fs::create_dir_all(folder.join("libc"))?;
    for name in ["alloca", "assert", "endian", "errno", "math", "setjmp", "stdio", "stdlib", "string"] {
        std::fs::write(folder.join("libc").join(format!("{name}.h")), include_str!("libc.h"))?;
    }
    Ok(())
}

fn versions() -> Result<String> {
    let mut text = String::new();
    for (program, args) in [
        ("gcc", &["-dumpfullversion"][..]),
        ("arm-none-eabi-gcc", &["-dumpfullversion"]),
        ("riscv64-unknown-elf-gcc", &["-dumpfullversion"]),
        ("clang", &["--version"]),
        ("wasm2c", &["--version"]),
    ] {
        let said = checked(Command::new(program).args(args)).unwrap_or_else(|_| "not there".to_owned());
        let _ = writeln!(text, "- `{program}` {}", said.lines().next().unwrap_or_default());
    }
    Ok(text)
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).unwrap_or("")).collect();
    parts.join(" ")
}

fn cell(value: Option<u64>) -> String {
    value.map_or("–".to_owned(), thousands)
}

fn share(part: Option<u64>, whole: Option<u64>) -> String {
    match (part, whole) {
        (Some(part), Some(whole)) if whole > 0 => format!("{:.0} %", 100.0 * part as f64 / whole as f64),
        _ => "–".to_owned(),
    }
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|---|{}\n", head.join(" | "), "---:|".repeat(head.len() - 1));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text.push('\n');
    text
}

fn speed_table(arch: &target_specs::Arch, language: Language, roads: &[Road], rows: &[Row]) -> String {
    let unit = if arch.name == "x64" { "ns" } else { "instructions" };
    let mut text = format!("## {} from {language:?}\n\n", arch.title);
    let mut head = vec!["program".to_owned(), format!("native, {unit}")];
    head.extend(roads[1..].iter().map(|road| road.name().to_owned()));
    let mut lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let native = row.cells[0];
            let mut cells = vec![row.name.to_owned(), cell(native)];
            cells.extend(row.cells[1..].iter().map(|value| match native {
                Some(_) => share(native, *value),
                None => cell(*value),
            }));
            cells
        })
        .collect();
    let mut mean = vec!["geometric mean".to_owned(), String::new()];
    mean.extend((1..roads.len()).map(|at| {
        let shares: Vec<f64> =
            rows.iter().filter_map(|row| Some((row.cells[0]? as f64 / row.cells[at]? as f64).ln())).collect();
        let mean = (shares.iter().sum::<f64>() / shares.len() as f64).exp();
        if shares.is_empty() { "–".to_owned() } else { format!("{:.1} %", 100.0 * mean) }
    }));
    lines.push(mean);
    text.push_str(&table(&head, &lines));
    text
}

fn size_table(arch: &str, rows: &[Row]) -> String {
    let mut text = format!("## Bytes of the module at `-Os`, {arch}\n\n");
    let mut head = vec!["program".to_owned()];
    head.extend(SIZED.iter().map(|road| road.name().to_owned()));
    head.extend(["wasm2c, mpy_ld.py", "direct / native", "checked / mpy_ld.py"].map(str::to_owned));
    let ratios = [(1, 0), (2, SIZED.len())];
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let mut cells = vec![row.name.to_owned()];
            cells.extend(row.cells.iter().map(|value| cell(*value)));
            cells.extend(ratios.map(|(part, whole)| share(row.cells[part], row.cells[whole])));
            cells
        })
        .collect();
    text.push_str(&table(&head, &lines));
    for ((part, whole), what) in ratios.into_iter().zip(["direct / native", "checked / mpy_ld.py"]) {
        let both = |row: &Row| Some((row.cells[part]?, row.cells[whole]?));
        let mut shares: Vec<u64> =
            rows.iter().filter_map(both).map(|(part, whole)| 100 * part / whole).collect();
        shares.sort_unstable();
        if let (Some(median), Some(most)) = (shares.get(shares.len() / 2), shares.last()) {
            let _ = writeln!(text, "{what}: median {median} %, at most {most} %.\n");
        }
    }
    text
}
