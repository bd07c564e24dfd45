//! The functions of `tests/peers`, by CMSIS and by us.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tests::tools::peer_source;

use super::build::{Builder, Road};
use super::measure::{Row, measure};
use super::subjects::{self, BY_HAND, Language, PEERS, PLAIN, Program};
use super::{Options, Result, cell, table, versions};
use crate::process::root;

/// As CMSIS-DSP is compiled for speed.
pub const FLAGS: &[&str] = &["-Ofast", "-ffp-contract=fast", "-DARM_MATH_LOOPUNROLL"];

/// Layers, which CMSIS-DSP does not have.
fn is_layer(program: &Program) -> bool {
    program.name.ends_with("_s8")
}

/// What calls CMSIS for a program, and where it includes from.
pub fn source(program: &Program) -> Result<Option<(String, Vec<PathBuf>)>> {
    if is_layer(program) {
        return Ok(None);
    }
    let dsp = peer_source("cmsisdsp");
    if !dsp.is_dir() {
        return Err("CMSIS-DSP is not installed: cargo xtask setup --peers".into());
    }
    let peers = root().join(PEERS);
    let text = std::fs::read_to_string(peers.join("cmsis.c"))?;
    let includes = vec![dsp.join("Include"), dsp.join("PrivateInclude"), dsp.join("Source"), peers];
    Ok(Some((format!("#define KERNEL_{}\n{text}", program.name), includes)))
}

/// The columns, and what they are relative to.
const COLUMNS: [&str; 4] = ["CMSIS, instructions", "rustc native", "plain Rust", "`examples/dsp-kernels`"];

/// Measures all, as one document.
pub fn compare(options: &Options, folder: &Path) -> Result<String> {
    let wanted: Vec<usize> = (0..PLAIN.len())
        .filter(|at| {
            let name = PLAIN[*at].name;
            options.only.is_empty() || options.only.iter().any(|part| name.contains(part.as_str()))
        })
        .collect();
    let mut wasm = Vec::new();
    for at in &wanted {
        let build = |program| subjects::wasm(program, Language::Rust, options, folder, "-O2", false);
        let both = (build(&PLAIN[*at])?, build(&BY_HAND[*at])?);
        let (Some(plain), Some(by_hand)) = both else { return Err("a crate was not built".into()) };
        wasm.push([plain, by_hand]);
    }
    let mut document = include_str!("cmsis.md").replace("{versions}", &versions()?);
    for name in &options.archs {
        let arch = target_specs::arch(name)?;
        let builder = Builder { arch, options, folder };
        let mut made = Vec::new();
        for (programs, which, language, road) in [
            (PLAIN, 0, Language::C, Road::Native),
            (PLAIN, 0, Language::Rust, Road::Native),
            (PLAIN, 0, Language::Rust, Road::Direct),
            (BY_HAND, 1, Language::Rust, Road::Direct),
        ] {
            let modules = wanted.iter().zip(&wasm).map(|(at, wasm)| {
                let program = &programs[*at];
                let module = builder.build(program, language, road, &wasm[which], "-O2");
                module.map_err(|error| format!("{name} {} {}: {error}", program.name, road.name()).into())
            });
            made.push((road, modules.collect::<Result<Vec<_>>>()?));
        }
        let programs: Vec<_> = wanted.iter().map(|at| &PLAIN[*at]).collect();
        let rows = measure(arch, &programs, &made, &|program| builder.hollow(program))?;
        let mut text = format!("## {}\n\n", arch.title);
        text.push_str(&shown(&rows));
        eprint!("{text}");
        document.push_str(&text);
    }
    Ok(document)
}

/// A row: instructions of CMSIS, and the others' as multiples of them.
fn shown(rows: &[Row]) -> String {
    let head: Vec<String> = ["function"].into_iter().chain(COLUMNS).map(str::to_owned).collect();
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let first = row.cells[0];
            let mut cells = vec![format!("`{}`", row.name), cell(first)];
            cells.extend(row.cells[1..].iter().map(|value| match (value, first) {
                (Some(value), Some(first)) => {
                    let mut text = cell(Some(*value));
                    let _ = write!(text, " ({:.2})", *value as f64 / first as f64);
                    text
                }
                _ => cell(*value),
            }));
            cells
        })
        .collect();
    table(&head, &lines)
}
