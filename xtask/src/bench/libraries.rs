//! Libraries in C, which a user would otherwise take, and the same functions by us.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tests::tools::peer_source;

use super::build::{Builder, Road};
use super::measure::{Row, measure};
use super::subjects::{self, BY_HAND, EMLEARN as EMLEARN_FOLDER, LEARNING, Language, PEERS, PLAIN, Program};
use super::{Options, Result, cell, table, versions};
use crate::process::root;

/// A comparison: the columns of its tables, of which the first one is the library's.
pub struct Library {
    columns: &'static [Column],
    /// The text before the tables.
    head: &'static str,
}

struct Column {
    head: &'static str,
    programs: &'static [Program],
    language: Language,
    road: Road,
}

pub const CMSIS: Library = Library {
    columns: &[
        Column { head: "CMSIS, instructions", programs: PLAIN, language: Language::C, road: Road::Native },
        Column { head: "rustc native", programs: PLAIN, language: Language::Rust, road: Road::Native },
        Column { head: "plain Rust", programs: PLAIN, language: Language::Rust, road: Road::Direct },
        Column {
            head: "`examples/dsp-kernels`",
            programs: BY_HAND,
            language: Language::Rust,
            road: Road::Direct,
        },
    ],
    head: include_str!("cmsis.md"),
};

pub const EMLEARN: Library = Library {
    columns: &[
        Column {
            head: "emlearn, instructions",
            programs: LEARNING,
            language: Language::C,
            road: Road::Native,
        },
        Column { head: "cargo mpy", programs: LEARNING, language: Language::Rust, road: Road::Direct },
    ],
    head: include_str!("peers.md"),
};

/// More flags for what calls a library: as CMSIS-DSP is compiled for speed, and others are too.
pub fn flags(program: &Program) -> &'static [&'static str] {
    const FLAGS: &[&str] = &["-Ofast", "-ffp-contract=fast", "-DARM_MATH_LOOPUNROLL"];
    if [PEERS, EMLEARN_FOLDER].contains(&program.folder) { FLAGS } else { &[] }
}

/// A translation unit: its text and where it includes from. There is none for layers, which CMSIS-DSP does not have.
type Source = Option<(String, Vec<PathBuf>)>;

/// What calls a library for a program, or `None` for programs that are not compared with one.
pub fn source(program: &Program) -> Result<Option<Source>> {
    let (name, file, folders): (_, _, &[&str]) = match program.folder {
        PEERS if program.name.ends_with("_s8") => return Ok(Some(None)),
        PEERS => ("cmsisdsp", "cmsis.c", &["Include", "PrivateInclude", "Source"]),
        EMLEARN_FOLDER => ("emlearn", "emlearn.c", &["emlearn"]),
        _ => return Ok(None),
    };
    let library = peer_source(name);
    if !library.is_dir() {
        return Err(format!("{name} is not installed: cargo xtask setup --peers").into());
    }
    let caller = root().join(program.folder);
    let text = std::fs::read_to_string(caller.join(file))?;
    let mut includes: Vec<_> = folders.iter().map(|folder| library.join(folder)).collect();
    includes.push(caller);
    Ok(Some(Some((format!("#define KERNEL_{}\n{text}", program.name), includes))))
}

impl Library {
    /// Measures all, as one document.
    pub fn compare(&self, options: &Options, folder: &Path) -> Result<String> {
        let all = self.columns[0].programs;
        let wanted: Vec<usize> = (0..all.len())
            .filter(|at| {
                let name = all[*at].name;
                options.only.is_empty() || options.only.iter().any(|part| name.contains(part.as_str()))
            })
            .collect();
        let mut wasm: Vec<Vec<Vec<u8>>> = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 && std::ptr::eq(column.programs, self.columns[at - 1].programs) {
                wasm.push(wasm[at - 1].clone());
                continue;
            }
            let modules = wanted.iter().map(|at| {
                let program = &column.programs[*at];
                subjects::wasm(program, Language::Rust, options, folder, "-O2", false)?
                    .ok_or_else(|| "a crate was not built".into())
            });
            wasm.push(modules.collect::<Result<_>>()?);
        }
        let mut document = self.head.replace("{versions}", &versions()?);
        for name in &options.archs {
            let arch = target_specs::arch(name)?;
            let builder = Builder { arch, options, folder };
            let mut made = Vec::new();
            for (column, wasm) in self.columns.iter().zip(&wasm) {
                let (language, road) = (column.language, column.road);
                let modules = wanted.iter().zip(wasm).map(|(at, wasm)| {
                    let program = &column.programs[*at];
                    let module = builder.build(program, language, road, wasm, "-O2");
                    module.map_err(|error| format!("{name} {} {}: {error}", program.name, road.name()).into())
                });
                made.push((road, modules.collect::<Result<Vec<_>>>()?));
            }
            let programs: Vec<_> = wanted.iter().map(|at| &all[*at]).collect();
            let rows = measure(arch, &programs, &made, &|program| builder.hollow(program))?;
            let text = format!("## {}\n\n{}", arch.title, self.shown(&rows));
            eprint!("{text}");
            document.push_str(&text);
        }
        Ok(document)
    }

    /// Rows: instructions of the library, and the others' as multiples of them.
    fn shown(&self, rows: &[Row]) -> String {
        let columns = self.columns.iter().map(|column| column.head);
        let head: Vec<String> = ["function"].into_iter().chain(columns).map(str::to_owned).collect();
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
}
