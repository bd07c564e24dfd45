//! `cargo mpy link`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use clap::Args;
use memmap2::Mmap;
use mpy_link::{Input, InputKind, Options};
use target_specs::{Arch, Diagnostic, Place};

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

    /// Linker script with symbols at fixed addresses, such as the functions in a chip's ROM, for symbols that no object and
    /// no archive defines
    #[arg(short, long, value_name = "FILE.ld")]
    externs: Option<PathBuf>,

    /// Extensions of the architecture that the module needs, by name or as a number, if its objects do not say so: `zba,zcmp`
    #[arg(long, value_name = "FLAGS")]
    arch_flags: Option<String>,

    /// Header with `MP_QSTR_` definitions, created by `--preprocess`
    #[arg(long, value_name = "FILE")]
    qstrs: Option<PathBuf>,

    /// Name of the source file, which the module contains [default: none]
    #[arg(long, value_name = "NAME")]
    source_name: Option<String>,

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
        let arch_flags = self.arch_flags.as_ref().map_or(Ok(0), |flags| arch_flags(arch, flags))?;
        let file_name = self.source_name.unwrap_or_default();
        if file_name.len() > LONGEST_QSTR {
            let message = format!("the name of the source file is longer than {LONGEST_QSTR} bytes");
            return Err(Diagnostic::new("bad-value", message).into());
        }
        let externs = self.externs.map_or(Ok(Vec::new()), |path| externs(&path))?;
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
        let options = Options {
            file_name: &file_name,
            qstrs: &qstrs,
            externs: &externs,
            arch_flags,
            ..Options::new(arch)
        };
        let image = mpy_link::link(&inputs, &options)?;
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

/// The longest string of a module that every MicroPython takes (`MICROPY_QSTR_BYTES_IN_LEN`).
const LONGEST_QSTR: usize = 255;

/// The bits for extensions: their names, or a number in the notation of C or Python.
fn arch_flags(arch: &Arch, flags: &str) -> Result<u32, Diagnostic> {
    let known = mpy_link::extensions(arch)?;
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let refused = |message: String| {
        let help = if names.is_empty() {
            "omit --arch-flags".to_owned()
        } else {
            format!("give a number, or names separated by commas: {}", names.join(", "))
        };
        Diagnostic::new("bad-value", message).help(help)
    };
    if known.is_empty() {
        return Err(refused(format!("a module for `{}` cannot say which extensions it needs", arch.name)));
    }
    let lower = flags.to_ascii_lowercase();
    let number = match lower.get(..2) {
        Some("0x") => u32::from_str_radix(&lower[2..], 16),
        Some("0b") => u32::from_str_radix(&lower[2..], 2),
        _ => lower.parse(),
    };
    if let Ok(number) = number {
        return Ok(number);
    }
    lower.split(',').try_fold(0, |all, name| {
        let found = known.iter().find(|(known, _)| *known == name.trim());
        let (_, bit) =
            found.ok_or_else(|| refused(format!("`{name}` is no extension of `{}`", arch.name)))?;
        Ok(all | bit)
    })
}

/// The symbols at fixed addresses of a linker script: its lines `NAME = 0x…;` and `PROVIDE(NAME = 0x…);`. All others are
/// ignored.
fn externs(path: &Path) -> Result<Vec<(String, u32)>, Diagnostic> {
    let text = String::from_utf8_lossy(&toolchain::read_file(path)?).into_owned();
    let mut symbols: Vec<(String, u32)> = Vec::new();
    let mut seen = HashSet::new();
    for (number, line) in (1..).zip(without_comments(&text).lines()) {
        for statement in line.split_inclusive(';') {
            let Some((name, address)) = fixed_address(statement) else { continue };
            if !seen.insert(name.clone()) {
                let message = format!("duplicate symbol `{name}`: the file gives it an address twice");
                let place = Place::File { path: path.to_owned(), line: number, column: 0 };
                return Err(Diagnostic::new("duplicate-symbol", message)
                    .at(place)
                    .help("keep one of the two lines"));
            }
            symbols.push((name, address));
        }
    }
    Ok(symbols)
}

/// A text without C's comments, but with all its lines.
fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        kept += &rest[..start];
        let (comment, behind) = if rest[start..].starts_with("//") {
            rest[start..].split_at(rest[start..].find('\n').unwrap_or(rest.len() - start))
        } else {
            rest[start..].split_at(rest[start + 2..].find("*/").map_or(rest.len() - start, |end| end + 4))
        };
        kept.extend(comment.chars().filter(|c| *c == '\n'));
        rest = behind;
    }
    kept + rest
}

/// The symbol and the address of a statement `NAME = 0x…;` or `PROVIDE(NAME = 0x…);`.
fn fixed_address(statement: &str) -> Option<(String, u32)> {
    let statement: String = statement.chars().filter(|c| !c.is_whitespace()).collect();
    let statement = statement.strip_suffix(';')?;
    let statement = match statement.strip_prefix("PROVIDE(") {
        Some(statement) => statement.strip_suffix(')')?,
        None => statement,
    };
    let (name, address) = statement.split_once("=0x")?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let address = u32::from_str_radix(address, 16).ok()?;
    is_name.then(|| (name.to_owned(), address))
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
    fn extensions_are_names_or_a_number() {
        let of = |arch, flags| arch_flags(target_specs::arch(arch).unwrap(), flags);
        assert_eq!(of("rv32imc", "zba"), Ok(1));
        assert_eq!(of("rv32imc", "ZCMP,zba"), Ok(3));
        for (flags, number) in [("0", 0), ("1", 1), ("10", 10), ("0x1F", 31), ("0b101", 5)] {
            assert_eq!(of("rv32imc", flags), Ok(number), "{flags}");
        }
        for flags in ["", "zbb", "zba,", "0x", "-1", "4294967296", "0b2"] {
            let error = of("rv32imc", flags).unwrap_err();
            assert_eq!(error.help.as_deref(), Some("give a number, or names separated by commas: zba, zcmp"));
        }
        for arch in ["armv6m", "rv64imc"] {
            assert!(of(arch, "zba").unwrap_err().message.contains("cannot say"), "{arch}");
        }
    }

    #[test]
    fn symbols_at_fixed_addresses_are_found_in_linker_scripts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rom.ld");
        let read = |text: &str| {
            toolchain::write_file(&path, text.as_bytes()).unwrap();
            externs(&path)
        };
        let script = "/* no = 0x1;\n no2 = 0x2; */ // no3 = 0x3;\n\
            PROVIDE ( Cache_Read_Disable = 0x400047f0 );\nmemcpy = 0x4000DF48; a=0x1; _b2 = 0xffffffff ;\n\
            SECTIONS { .x : { c = .; } }\nd = 12;\ne = 0x123456789;\nf = 0x5\n1g = 0x6;\nPROVIDE(h = 0x7;\n";
        let found =
            [("Cache_Read_Disable", 0x4000_47f0), ("memcpy", 0x4000_df48), ("a", 1), ("_b2", u32::MAX)];
        assert_eq!(read(script), Ok(found.map(|(name, address)| (name.to_owned(), address)).to_vec()));
        assert_eq!(read("/* a = 0x1;"), Ok(Vec::new()));
        let error = read("a = 0x1;\n\nPROVIDE(a = 0x1);").unwrap_err();
        assert_eq!(error.code, "duplicate-symbol");
        assert!(matches!(error.at, Place::File { line: 3, .. }), "{error}");
    }

    #[test]
    fn archives_are_found_in_linker_scripts() {
        let script = "/* GNU ld script\n*/\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( /lib/a.a, b.a )\n";
        assert_eq!(script_files(script), Some(vec!["/lib/a.a", "b.a"]));
        assert_eq!(script_files("SECTIONS { }"), None);
        assert_eq!(script_files("/* no end"), None);
        assert_eq!(script_files("GROUP ( AS_NEEDED ( x.so ) )"), None);
    }
}
