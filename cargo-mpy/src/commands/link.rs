//! `cargo mpy link`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use memmap2::Mmap;
use mpy_link::{Input, InputKind, Options};
use target_specs::{Diagnostic, Place};

use crate::failure::Failure;
use crate::plan::default_board;
use crate::{map, qstrs, toolchain, ui};

/// Link ELF objects into a native .mpy module, as MicroPython's mpy_ld.py does
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  arm-none-eabi-gcc -mthumb -mcpu=cortex-m0 -mword-relocations -c module.c
  cargo mpy link --arch armv6m -o module.mpy module.o -l libgcc.a

The entry of the module is the function `mpy_init`. For modules that use
MicroPython's dynruntime.mk:
  make ARCH=armv6m MPY_LD='cargo mpy link'")]
pub struct Link {
    /// Architecture of the objects
    #[arg(short, long, default_value = default_arch())]
    arch: String,

    /// Output file [default: the first object's name with `.mpy`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Archive whose members are linked if they are needed, or a linker script that names archives; can be
    /// repeated
    #[arg(short, long = "libs", value_name = "FILE.a")]
    libs: Vec<PathBuf>,

    /// Header with `MP_QSTR_` definitions, created by `--preprocess`
    #[arg(long, value_name = "FILE")]
    qstrs: Option<PathBuf>,

    /// Write the layout of the module to this file
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,

    /// Instead of linking, find the `MP_QSTR_` names in C sources and write a header that defines them
    #[arg(long)]
    preprocess: bool,

    /// Objects to link; with --preprocess, C sources
    #[arg(required = true, value_name = "FILE.o")]
    files: Vec<PathBuf>,
}

/// The architecture of the default board.
fn default_arch() -> &'static str {
    target_specs::board(default_board()).map_or("", |board| &board.arch)
}

impl Link {
    pub fn run(self) -> Result<(), Failure> {
        if self.preprocess {
            return Ok(preprocess(&self.files, self.output)?);
        }
        let arch = target_specs::arch(&self.arch)?;
        let output = self.output.unwrap_or_else(|| self.files[0].with_extension("mpy"));
        let qstrs = match &self.qstrs {
            Some(path) => qstrs::read(path)?,
            None => Vec::new(),
        };
        let mut objects = Vec::new();
        for path in &self.files {
            objects.push((path.display().to_string(), toolchain::read_file(path)?));
        }
        let mut libraries = Vec::new();
        for path in &self.libs {
            library(path, &mut libraries)?;
        }
        let objects = objects.iter().map(|(name, data)| Input { name, kind: InputKind::Object, data });
        let libraries = libraries.iter().map(|(name, data)| Input { name, kind: InputKind::Lazy, data });
        let inputs: Vec<Input> = objects.chain(libraries).collect();
        let image = mpy_link::link(&inputs, &Options { arch, file_name: "", qstrs: &qstrs, objects: &[] })?;
        if let Some(path) = &self.map {
            toolchain::write_file(path, map::text(&map::entries(&image, &HashMap::new(), "")).as_bytes())?;
        }
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

/// Reads an archive, or the archives named by a GNU linker script in its place (glibc's `libm.a`).
fn library(path: &Path, files: &mut Vec<(String, Mmap)>) -> Result<(), Diagnostic> {
    let data = toolchain::map_file(path)?;
    let text = std::str::from_utf8(&data).unwrap_or_default();
    if data.starts_with(b"!<arch>\n") || data.starts_with(b"\x7fELF") || text.is_empty() {
        files.push((path.display().to_string(), data));
        return Ok(());
    }
    let names = script_files(text).ok_or_else(|| {
        Diagnostic::new("malformed-archive", "neither an archive nor a linker script that names archives")
            .at(Place::File { path: path.to_owned(), line: 0, column: 0 })
    })?;
    for name in names {
        let path = path.parent().unwrap_or(Path::new("")).join(name);
        files.push((path.display().to_string(), toolchain::map_file(&path)?));
    }
    Ok(())
}

/// The files of a linker script that contains only `OUTPUT_FORMAT(…)`, `GROUP(…)` and `INPUT(…)`.
fn script_files(text: &str) -> Option<Vec<&str>> {
    let mut files = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        rest = match rest.strip_prefix("/*") {
            Some(comment) => comment.split_once("*/")?.1,
            None => {
                let (command, after) = rest.split_once('(')?;
                let (words, after) = after.split_once(')')?;
                match command.trim_end() {
                    "OUTPUT_FORMAT" => {}
                    "GROUP" | "INPUT" => {
                        let words = words.split([',', ' ', '\t', '\n', '\r']);
                        files.extend(words.filter(|word| !word.is_empty()));
                    }
                    _ => return None,
                }
                after
            }
        }
        .trim_start();
    }
    Some(files)
}

/// Writes the header for C code with `MP_QSTR_` names.
fn preprocess(sources: &[PathBuf], output: Option<PathBuf>) -> Result<(), Diagnostic> {
    let output = output.unwrap_or_else(|| sources[0].with_extension("config.h"));
    let mut texts = Vec::new();
    for path in sources {
        texts.push(String::from_utf8_lossy(&toolchain::read_file(path)?).into_owned());
    }
    toolchain::write_file(&output, qstrs::header(&texts).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_found_in_linker_scripts() {
        let script = "/* GNU ld script\n*/\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( /lib/a.a, b.a )\n";
        assert_eq!(script_files(script), Some(vec!["/lib/a.a", "b.a"]));
        assert_eq!(script_files("SECTIONS { }"), None);
        assert_eq!(script_files("/* no end"), None);
        assert_eq!(script_files("GROUP ( AS_NEEDED ( x.so ) )"), None);
    }
}
