//! `cargo mpy link`.

use std::path::PathBuf;

use clap::Args;
use mpy_link::{Input, InputKind, Options};
use target_specs::{Diagnostic, Place};

use crate::{Failure, toolchain, ui};

/// Link ELF objects into a native .mpy module, as MicroPython's mpy_ld.py does
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  arm-none-eabi-gcc -mthumb -mcpu=cortex-m0 -Os -fno-pic -mword-relocations -c module.c
  cargo mpy link --arch armv6m -o module.mpy module.o -l libgcc.a

The module starts at the function `mpy_init`.")]
pub struct Link {
    /// Architecture of the objects
    #[arg(short, long)]
    arch: String,

    /// File to write [default: the first object with `.mpy`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Archive whose members are linked where they are needed; may be given several times
    #[arg(short, long = "libs", value_name = "FILE.a")]
    libs: Vec<PathBuf>,

    /// Header with the `MP_QSTR_` definitions that `mpy_ld.py --preprocess` writes
    #[arg(long, value_name = "FILE")]
    qstrs: Option<PathBuf>,

    /// Objects, all of them linked
    #[arg(required = true, value_name = "FILE.o")]
    files: Vec<PathBuf>,
}

impl Link {
    pub fn run(self) -> Result<(), Failure> {
        let arch = target_specs::arch(&self.arch)?;
        let output = self.output.unwrap_or_else(|| self.files[0].with_extension("mpy"));
        let qstrs = match &self.qstrs {
            Some(path) => qstrs(path)?,
            None => Vec::new(),
        };
        let mut files = Vec::new();
        for (kind, paths) in [(InputKind::Object, &self.files), (InputKind::Lazy, &self.libs)] {
            for path in paths {
                files.push((path.display().to_string(), kind, toolchain::read_file(path)?));
            }
        }
        let inputs: Vec<Input> =
            files.iter().map(|(name, kind, data)| Input { name, kind: *kind, data }).collect();
        let file_name = output.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let image = mpy_link::link(&inputs, &Options { arch, file_name: &file_name, qstrs: &qstrs })?;
        toolchain::write_file(&output, &image.bytes)?;
        ui::status(
            "Linked",
            format_args!(
                "{}: {} bytes (text {}, rodata {}, bss {})",
                output.display(),
                image.bytes.len(),
                image.sizes.text,
                image.sizes.rodata,
                image.sizes.bss
            ),
        );
        Ok(())
    }
}

/// The strings of `#define MP_QSTR_name (mp_native_qstr_table[i])` lines, which come in table order.
fn qstrs(path: &std::path::Path) -> Result<Vec<String>, Diagnostic> {
    let text = String::from_utf8_lossy(&toolchain::read_file(path)?).into_owned();
    let mut strings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(rest) = line.strip_prefix("#define MP_QSTR_") else { continue };
        let Some((name, index)) = rest.split_once(" (mp_native_qstr_table[") else { continue };
        strings.push(name.to_owned());
        if index.strip_suffix("])").and_then(|index| index.parse().ok()) != Some(strings.len()) {
            return Err(Diagnostic::new(
                "bad-qstrs",
                format!("`{name}` is not entry {} of the table", strings.len()),
            )
            .at(Place::File { path: path.to_owned(), line: number, column: 0 })
            .help("the file is one that `mpy_ld.py --preprocess` writes, its entries in order"));
        }
    }
    Ok(strings)
}
