//! How much faster the applications among the examples are than the same in Python, as one Markdown document.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use cargo_mpy::commands::build::BuildOptions;
use clap::Parser;
use tests::applications::{applications, compare};
use tests::board;

/// Compares the applications with the same in bytecode and in viper
#[derive(Debug, Parser)]
struct Options {
    /// Emulated boards
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "qemu-armv6m,qemu-armv7emsp,qemu-rv32imc,qemu-xtensa,qemu-xtensawin"
    )]
    boards: Vec<String>,
    /// Write the document here
    #[arg(long)]
    out: Option<PathBuf>,
}

const HEAD: &str = "\
# Applications

Made by

```sh
cargo run --release -p tests --bin applications -- --out docs/applications.md
```

Each example that has a `compare.py` does its work in the module, in MicroPython's bytecode and in
`@micropython.viper`; the results are equal to the last bit. Counted are all instructions that the emulated board
executes meanwhile, MicroPython's and the collector's among them, from the call in Python to its result.
The Python is written to be quick: buffers that are there already, tables, slices where they copy.

";

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|part| std::str::from_utf8(part).unwrap_or_default())
        .collect();
    parts.join(" ")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let scratch = tempfile::tempdir()?;
    let mut document = HEAD.to_owned();
    for example in applications() {
        let name = example.file_name().unwrap_or_default().to_string_lossy();
        let manifest = fs::read_to_string(example.join("Cargo.toml"))?;
        let about = manifest.lines().find_map(|line| line.strip_prefix("description = ")).unwrap_or_default();
        let about = about.trim_matches('"');
        write!(document, "## [`{name}`](../examples/{name})\n\n{about}.\n\n")?;
        document += "| board | module, bytes | instructions | times as fast as bytecode | as viper |\n|---|---:|---:|---:|---:|\n";
        for name in &options.boards {
            let board = target_specs::board(name)?;
            let build = BuildOptions {
                manifest_path: Some(example.join("Cargo.toml")),
                ..board::options(board, scratch.path())
            };
            let module = board::module(&build).map_err(|failure| format!("{failure:?}"))?;
            let size = module.1.len() as u64;
            let [native, bytecode, viper] = compare(board, &example, module)?;
            let times = |other: u64| format!("{:.1}", other as f64 / native as f64);
            writeln!(
                document,
                "| {} | {} | {} | {} | {} |",
                board.title,
                thousands(size),
                thousands(native),
                times(bytecode),
                times(viper)
            )?;
            eprintln!("{name} {}: {native} {bytecode} {viper}", example.display());
        }
        document.push('\n');
    }
    match &options.out {
        Some(path) => fs::write(path, document)?,
        None => print!("{document}"),
    }
    Ok(())
}
