//! Growing old in the cache. What is there is named for what it was made of, so what an update makes stands beside what
//! it replaces; that goes when nobody has used it for long.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{cache_dir, objects, write_file};
use crate::ui;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long something stays that nobody uses.
const KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);
/// Folders of the cache that have such things in them.
const FOLDERS: [&str; 4] = ["micropython", "emulator", "assembler-plugin", objects::FOLDER];
/// Bytes of the objects that stay at most: what is worked on makes new ones all the time.
const MOST: u64 = 1 << 30;

/// Notes that this file or folder of the cache is used: its time of change is that of its last use, to the day.
pub fn used(path: &Path) {
    if age(path).is_some_and(|age| age > DAY) {
        // Where it cannot be noted, it is made anew some day.
        let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
    }
}

/// Removes what nobody has used for long. To be called when something new was made: that is what makes others old.
/// It looks once a day.
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
    forget_most_in(&root.join(objects::FOLDER), MOST);
}

/// Removes what was not used for longest, until the rest has this many bytes.
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

/// Whether it is named for what it was made of, or is a firmware's folder that was left behind half built. Nothing else is
/// removed: the user may have chosen a folder for the cache that has other things in it.
fn is_made(path: &Path) -> bool {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let digest = name.rsplit('-').next().unwrap_or_default();
    name.starts_with("building-") || digest.len() == 24 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
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
}
