//! A standard library for functions that MicroPython implements.
//!
//! `std` for [`TRIPLE`] has functions that do nothing, or panic: there is no output, no clock. An optimizer uses that: what
//! follows a call of such a function is removed. So they are taken out of the library before anything is linked with it. In a
//! copy of the library, their symbols have other names, of the same length, wherever they are: in the machine code, in the
//! bitcode, in the index of the archive. A program that calls one lacks a symbol then, which `c-runtime/src/std.rs` defines.

use std::path::{Path, PathBuf};

use target_specs::Result;

use super::rust::{Rust, TRIPLE};
use super::{cache, cache_dir, digest, identity, io_error, read_file, write_file};
use crate::wasm::std_functions;

/// The library, and what is missing in it.
pub struct StdLibrary {
    /// The folder to use instead of that of rustc.
    pub sysroot: PathBuf,
    /// The source of the library that defines what is missing.
    pub source: String,
}

/// The copy of the library of `rust`, which is made once; `None` if its functions are not found.
///
/// # Errors
/// When the cache cannot be written.
pub fn find(rust: &Rust) -> Result<Option<StdLibrary>> {
    // Only there, `cargo.rs` can make rustc use it.
    if !cfg!(unix) {
        return Ok(None);
    }
    let Some(original) = rust.sysroot.as_deref().or_else(|| rust.rustc.parent()?.parent()) else {
        return Ok(None);
    };
    let rustlib = original.join("lib/rustlib");
    let is_std = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    };
    let Some(library) = entries(&rustlib.join(TRIPLE).join("lib")).into_iter().find(is_std) else {
        return Ok(None);
    };
    let data = read_file(&library)?;
    let symbols: Vec<(&str, String)> = symbols(&data)
        .into_iter()
        .filter_map(|symbol| Some((symbol, std_functions::name(symbol)?)))
        .collect();
    if symbols.is_empty() {
        return Ok(None);
    }
    let defined = symbols.iter().map(|(symbol, name)| format!("define!({name:?}, {symbol:?});\n"));
    let source = format!("{}\n{}", c_runtime::RUST_STD, defined.collect::<String>());

    let stamp = [identity(&rust.rustc), original.display().to_string(), source.clone(), "3".to_owned()];
    let sysroot = cache_dir().join(format!("std-functions-{}", digest(&stamp)));
    let copied = |at: &Path| at.join("lib/rustlib").join(TRIPLE).join("lib");
    let name = library.file_name().unwrap_or_default();
    let copy = copied(&sysroot).join(name);
    if cache::is_whole(&copy) {
        cache::used(&sysroot);
        return Ok(Some(StdLibrary { sysroot, source }));
    }
    let io = |error: std::io::Error| io_error("write", &sysroot, &error);
    std::fs::create_dir_all(cache_dir()).map_err(io)?;
    let scratch = tempfile::tempdir_in(cache_dir()).map_err(io)?;
    let made = copied(scratch.path());
    std::fs::create_dir_all(&made).map_err(io)?;
    // All else is where it was: the other libraries, and what rustc has for this machine, such as its linker. With the
    // source, rustc would name the files of `std` by their places here.
    let others = entries(&rustlib)
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name != TRIPLE && name != "src"));
    for path in others {
        link(&path, &scratch.path().join("lib/rustlib").join(path.file_name().unwrap_or_default()))
            .map_err(io)?;
    }
    for path in entries(&rustlib.join(TRIPLE).join("lib")).into_iter().filter(|path| *path != library) {
        link(&path, &made.join(path.file_name().unwrap_or_default())).map_err(io)?;
    }
    let renamed = renamed(&data, symbols.iter().map(|(symbol, _)| *symbol));
    write_file(&made.join(name), &renamed)?;
    if std::fs::rename(scratch.path(), &sysroot).is_err() {
        // It is there, but damaged, or another process was faster.
        write_file(&copy, &renamed)?;
    }
    cache::seal(&copy)?;
    cache::forget_old();
    Ok(Some(StdLibrary { sysroot, source }))
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to).map(drop)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The symbols in the index of an archive; none if it has no such index.
fn symbols(data: &[u8]) -> Vec<&str> {
    /// The magic string, and the header of the first member, which has the name `/`.
    const HEADERS: usize = 8 + 60;
    let index = || {
        let header = data.strip_prefix(b"!<arch>\n")?.get(..60)?;
        let size: usize = std::str::from_utf8(&header[48..58]).ok()?.trim().parse().ok()?;
        let member = data.get(HEADERS..)?.get(..size).filter(|_| header.starts_with(b"/ "))?;
        // The number of symbols, that many offsets, and the names, which end with a zero byte.
        let count = u32::from_be_bytes(member.get(..4)?.try_into().ok()?) as usize;
        Some((member.get(4 + count.checked_mul(4)?..)?, count))
    };
    let (names, count) = index().unwrap_or_default();
    names.split(|byte| *byte == 0).take(count).filter_map(|name| std::str::from_utf8(name).ok()).collect()
}

/// An archive in which these symbols have other names. No symbol is a part of another one, because each begins as names of
/// Rust do.
fn renamed<'a>(data: &[u8], symbols: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut renamed = data.to_vec();
    for symbol in symbols {
        let symbol = symbol.as_bytes();
        let mut from = 0;
        while let Some(at) = find_bytes(&data[from..], symbol) {
            // Not `_R` or `_Z`, so that nobody takes it for a name of Rust.
            renamed[from + at + 1] = b'Q';
            from += at + symbol.len();
        }
    }
    renamed
}

fn find_bytes(data: &[u8], wanted: &[u8]) -> Option<usize> {
    let (first, last) = (*wanted.first()?, *wanted.last()?);
    let mut from = 0;
    // Most places are told by the last byte and then the first one.
    while let Some(at) = data.get(from + wanted.len() - 1..)?.iter().position(|byte| *byte == last) {
        let start = from + at;
        if data[start] == first && data[start..].starts_with(wanted) {
            return Some(start);
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_an_archive_are_read_if_it_has_them() {
        let member =
            |size: usize| format!("!<arch>\n/               0           0     0     0       {size:<10}`\n");
        let index = b"\0\0\0\x02\0\0\0\0\0\0\0\0one\0two\0\0\0";
        let archive = [member(index.len()).as_bytes(), index].concat();
        assert_eq!(symbols(&archive), ["one", "two"]);
        for length in 0..archive.len() {
            assert!(symbols(&archive[..length]).is_empty());
        }
        let other = [member(index.len()).replace("/ ", "x ").as_bytes(), index].concat();
        assert!(symbols(&other).is_empty());
        let many = [member(8).as_bytes(), b"\xff\xff\xff\xff\0\0\0\0"].concat();
        assert!(symbols(&many).is_empty());
    }

    #[test]
    fn symbols_get_names_of_the_same_length_wherever_they_are() {
        let renamed = |data: &str, symbols: &[&str]| {
            String::from_utf8(super::renamed(data.as_bytes(), symbols.iter().copied())).unwrap()
        };
        assert_eq!(renamed("_R3now_R3nowhere _R3no", &["_R3now"]), "_Q3now_Q3nowhere _R3no");
        assert_eq!(renamed("_Ra_Rb_Ra", &["_Rb", "_Ra"]), "_Qa_Qb_Qa");
        assert_eq!(renamed("", &["_Ra"]), "");
        assert_eq!(renamed("_R", &["_Ra"]), "_R");
    }
}
