//! Maintenance of the cache. Entries are named by a digest of their inputs, so an update adds entries next to the old
//! ones. Entries that have not been used for a long time are deleted. Damaged entries are detected by a record of their
//! contents, and built again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use target_specs::Result;

use super::{cache_dir, digest, write_file};
use crate::ui;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long an unused entry is kept.
const KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);
/// The folder of the cache for objects.
pub const OBJECTS: &str = "objects";
/// The folders of the cache that contain entries.
const FOLDERS: [&str; 4] = ["micropython", "emulator", "assembler-plugin", OBJECTS];
/// The maximum size of all objects in bytes. Development creates new ones all the time.
const MOST: u64 = 1 << 30;

/// Records the use of a file or folder of the cache: its modification time is the day of its last use.
pub fn used(path: &Path) {
    if age(path).is_some_and(|age| age > DAY) {
        // If the time cannot be set, the entry is built again after it was deleted.
        let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
    }
}

/// Deletes entries that have not been used for a long time. Called when an entry is added. Looks once a day.
pub fn forget_old() {
    let root = cache_dir();
    let looked = root.join("looked");
    if age(&looked).is_some_and(|age| age < DAY) || write_file(&looked, b"").is_err() {
        return;
    }
    let _ = File::open(&looked).and_then(|file| file.set_modified(SystemTime::now()));
    forget_old_in(&root);
    for folder in FOLDERS {
        forget_old_in(&root.join(folder));
    }
    forget_most_in(&root.join(OBJECTS), MOST);
}

/// Deletes the files that have not been used for the longest time, until the others have at most `most` bytes.
fn forget_most_in(folder: &Path, most: u64) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
        .filter_map(|entry| {
            let data = entry.metadata().ok()?;
            Some((data.modified().ok()?, data.len(), entry.path()))
        })
        .collect();
    files.sort();
    let mut kept = 0;
    for (_, bytes, path) in files.into_iter().rev() {
        kept += bytes;
        if kept > most && is_made(&path) {
            let _ = fs::remove_file(path);
        }
    }
}

fn forget_old_in(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in entries.filter(|path| is_made(path) && age(path).is_some_and(|age| age > KEPT)) {
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if removed.is_ok() {
            ui::verbose("Removed", format_args!("{}, long unused", path.display()));
        }
    }
}

/// Whether the file is named by a digest, or is the folder of an interrupted firmware build. Other files are never
/// deleted, because the user may have chosen a cache folder that contains them.
fn is_made(path: &Path) -> bool {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let digest = name.rsplit('-').next().unwrap_or_default();
    name.starts_with("building-") || digest.len() == 24 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The record of a file or folder. It has a line for each file: digest, size, modification time and name.
fn record_of(path: &Path) -> PathBuf {
    path.with_extension("sum")
}

/// A line of a record.
#[derive(Debug, PartialEq, Eq)]
struct Sum {
    digest: String,
    len: u64,
    modified: u128,
    name: PathBuf,
}

impl Sum {
    fn of(path: &Path, name: PathBuf) -> std::io::Result<Sum> {
        let (len, modified) = stat(path)?;
        Ok(Sum { digest: digest([fs::read(path)?]), len, modified, name })
    }

    fn parse(line: &str) -> Option<Sum> {
        let mut words = line.splitn(4, ' ');
        Some(Sum {
            digest: words.next()?.to_owned(),
            len: words.next()?.parse().ok()?,
            modified: words.next()?.parse().ok()?,
            name: words.next()?.into(),
        })
    }
}

/// The size of a file and its modification time.
fn stat(path: &Path) -> std::io::Result<(u64, u128)> {
    let data = path.metadata()?;
    let modified = data.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok((data.len(), modified.as_nanos()))
}

/// The files in a folder, or the file itself, with their names relative to the folder. Files compiled by Python are not
/// included.
fn files_of(path: &Path) -> std::io::Result<Vec<(PathBuf, PathBuf)>> {
    fn collect(folder: &Path, root: &Path, files: &mut Vec<(PathBuf, PathBuf)>) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("__pycache__") {
                collect(&path, root, files)?;
            } else if path.is_file() {
                files.push((path.clone(), path.strip_prefix(root).unwrap_or(&path).to_owned()));
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    if path.is_dir() {
        collect(path, path, &mut files)?;
    } else {
        files.push((path.to_owned(), PathBuf::new()));
    }
    Ok(files)
}

/// Records the contents of a new entry, so that damage can be detected.
///
/// # Errors
/// `io`, naming the file.
pub fn seal(path: &Path) -> Result<()> {
    let seal = || {
        let files = files_of(path)?;
        files.into_iter().map(|(path, name)| Sum::of(&path, name)).collect::<std::io::Result<Vec<_>>>()
    };
    write_record(path, &seal().map_err(|error| super::io_error("read", path, &error))?)
}

fn write_record(path: &Path, sums: &[Sum]) -> Result<()> {
    let line =
        |Sum { digest, len, modified, name }: &Sum| format!("{digest} {len} {modified} {}\n", name.display());
    write_file(&record_of(path), sums.iter().map(line).collect::<String>().as_bytes())
}

/// Whether an entry exists and is undamaged. A file is read only if it has changed since it was recorded.
pub fn is_whole(path: &Path) -> bool {
    if !path.exists() {
        return false;
    }
    let text = fs::read_to_string(record_of(path)).unwrap_or_default();
    let sums: Option<Vec<Sum>> = text.lines().map(Sum::parse).collect();
    let Some(mut sums) = sums.filter(|sums| !sums.is_empty()) else {
        // The entry is older than records are, or the record itself is damaged.
        let is_complete = |(file, name): &(PathBuf, PathBuf)| is_complete(file, name.as_os_str().is_empty());
        return files_of(path).is_ok_and(|files| files.iter().all(is_complete)) && seal(path).is_ok();
    };
    let mut changed = false;
    for sum in &mut sums {
        let file = if sum.name.as_os_str().is_empty() { path.to_owned() } else { path.join(&sum.name) };
        match stat(&file) {
            Ok((len, modified)) if (len, modified) == (sum.len, sum.modified) => {}
            Ok((len, modified)) => {
                if len != sum.len || !fs::read(&file).is_ok_and(|data| digest([data]) == sum.digest) {
                    return false;
                }
                sum.modified = modified;
                changed = true;
            }
            Err(_) => return false,
        }
    }
    if changed {
        // If the record cannot be written, the files are read again the next time.
        let _ = write_record(path, &sums);
    }
    true
}

/// Whether an ELF file or an archive is complete. An empty file is not complete if its name says that it is such a
/// file, or if it is the only file of the entry. Folders of sources contain empty files.
fn is_complete(path: &Path, is_all: bool) -> bool {
    let Ok(data) = fs::read(path) else { return false };
    if data.is_empty() {
        let kind = path.extension().unwrap_or_default();
        return !is_all && ["rlib", "so", "elf", "o"].iter().all(|made| kind != *made);
    }
    if data.starts_with(b"\x7fELF") {
        use object::read::elf::{ElfFile32, ElfFile64};
        // The section headers are at the end of the file, or before everything else.
        return match data.get(4) {
            Some(1) => ElfFile32::<object::Endianness>::parse(&*data).is_ok(),
            _ => ElfFile64::<object::Endianness>::parse(&*data).is_ok(),
        };
    }
    if data.starts_with(b"!<arch>\n") {
        let archive = object::read::archive::ArchiveFile::parse(&*data);
        return archive.is_ok_and(|archive| {
            archive.members().all(|member| member.is_ok_and(|member| member.data(&*data).is_ok()))
        });
    }
    true
}

/// Deletes a damaged entry before it is built again.
pub fn discard(path: &Path) {
    if path.exists() {
        ui::warning(format_args!("{} in the cache is damaged; making it again", path.display()));
    }
    // If it cannot be deleted, it cannot be written either, and that error names it.
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    let _ = fs::remove_file(record_of(path));
}

fn age(path: &Path) -> Option<Duration> {
    path.metadata().ok()?.modified().ok()?.elapsed().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let folder = tempfile::tempdir().unwrap();
        let digest = super::super::digest(["x"]);
        let old = |name: &str, days: u32| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("file"), "").unwrap();
            File::open(&path).unwrap().set_modified(SystemTime::now() - days * DAY).unwrap();
            path
        };
        let unused = old(&format!("runtime-{digest}"), 61);
        let recent = old(&format!("panic-{digest}"), 59);
        let used_again = old(&format!("sysroot-{digest}"), 61);
        let not_ours = old(".hello", 400);
        let left_behind = old("building-AbCdEf", 61);
        used(&used_again);
        forget_old_in(folder.path());
        for path in [recent, used_again, not_ours] {
            assert!(path.join("file").is_file(), "{}", path.display());
        }
        for path in [unused, left_behind] {
            assert!(!path.exists(), "{}", path.display());
        }
    }

    #[test]
    fn of_too_much_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [3, 1, 2].map(|days: u32| {
            let path = folder.path().join(format!("{}.o", super::super::digest([days.to_string()])));
            fs::write(&path, [0; 10]).unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(SystemTime::now() - days * DAY)
                .unwrap();
            path
        });
        forget_most_in(folder.path(), 20);
        assert_eq!(paths.map(|path| path.is_file()), [false, true, true]);
    }

    type Damage = (&'static str, fn(&Path));

    /// Ways to damage a file.
    const DAMAGES: [Damage; 4] = [
        ("emptied", |path| fs::write(path, "").unwrap()),
        ("cut in half", |path| {
            let data = fs::read(path).unwrap();
            fs::write(path, &data[..data.len() / 2]).unwrap();
        }),
        ("changed", |path| {
            let mut data = fs::read(path).unwrap();
            let middle = data.len() / 2;
            data[middle] ^= 1;
            fs::write(path, data).unwrap();
        }),
        ("removed", |path| fs::remove_file(path).unwrap()),
    ];

    /// An ELF file, an archive, other files, and all of them together.
    fn samples(folder: &Path) -> Vec<PathBuf> {
        // The section table, with two empty sections, is at the end.
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(64 + 100 + 2 * 64, 0);
        for (at, value) in
            [(16, 2), (18, 62), (20, 1), (40, 164), (52, 64), (58, 64), (60, 2), (62, 1), (232, 3)]
        {
            elf[at] = value;
        }
        let (header, body) = (format!("{:<48}{:<10}`\n", "x.o/", 100), [7; 100]);
        let archive = [b"!<arch>\n", header.as_bytes(), &body].concat();
        // Folders of sources contain empty files.
        write_file(&folder.join("made-1/__init__.py"), b"").unwrap();
        let contents: [(&str, &[u8]); 4] = [
            ("firmware.elf", &elf),
            ("liba.rlib", &archive),
            ("script", b"#!/bin/sh\n"),
            ("deep/b.c", b"int b;\n"),
        ];
        let paths = contents.map(|(name, data)| {
            let path = folder.join("made-1").join(name);
            write_file(&path, data).unwrap();
            path
        });
        [paths.to_vec(), vec![folder.join("made-1")]].concat()
    }

    #[test]
    fn damage_is_found() {
        for (what, damage) in DAMAGES {
            let count = samples(tempfile::tempdir().unwrap().path()).len();
            for number in 0..count {
                let folder = tempfile::tempdir().unwrap();
                let path = samples(folder.path()).swap_remove(number);
                assert!(!is_whole(&folder.path().join("nothing")));
                seal(&path).unwrap();
                assert!(is_whole(&path));
                let files: Vec<PathBuf> =
                    files_of(&path).unwrap().into_iter().map(|(file, _)| file).collect();
                for file in files {
                    let good = fs::read(&file).unwrap();
                    if good.is_empty() {
                        continue;
                    }
                    damage(&file);
                    assert!(!is_whole(&path), "{} of {} {what}", file.display(), path.display());
                    fs::write(&file, good).unwrap();
                    // The file was written again: it is read once more, and then known.
                    assert!(is_whole(&path));
                }
                // The record itself is damaged: a complete file is recorded again.
                damage(&record_of(&path));
                let _ = is_whole(&path);
                seal(&path).unwrap();
                assert!(is_whole(&path), "{} with its record {what}", path.display());
                damage(&samples(folder.path())[0]);
                discard(&path);
                assert!(!path.exists() && !record_of(&path).exists() && !is_whole(&path));
            }
        }
    }

    /// An entry that is older than records are.
    #[test]
    fn what_is_cut_short_is_found_without_a_record() {
        let folder = tempfile::tempdir().unwrap();
        for path in samples(folder.path()) {
            for (what, damage) in &DAMAGES[..2] {
                let files = files_of(&path).unwrap();
                let has_an_end = |name: &str| name.ends_with(".elf") || name.ends_with(".rlib");
                for (file, _) in files.iter().filter(|(file, _)| has_an_end(&file.to_string_lossy())) {
                    let good = fs::read(file).unwrap();
                    damage(file);
                    assert!(!is_whole(&path), "{} {what}", file.display());
                    fs::write(file, good).unwrap();
                }
            }
            assert!(is_whole(&path));
            fs::remove_file(record_of(&path)).unwrap();
        }
    }
}
