//! The cache: what is damaged there is made again or named, and nobody else can put programs into it.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CRATE: [(&str, &str); 2] = [
    (
        "Cargo.toml",
        "[package]\nname = \"cached\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
    ),
    ("src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn half(n: f64) -> f64 {\n    n / 2.0\n}\n"),
];

fn tool(folder: &Path, cache: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mpy"));
    command.arg("mpy").args(words).current_dir(folder).env("CARGO_MPY_CACHE", cache);
    command.output().expect("the tool starts")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every file below a folder; links to folders are not followed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_symlink() {
            continue;
        }
        match entry.is_dir() {
            true => found.extend(files(&entry)),
            false => found.push(entry),
        }
    }
    found
}

type Damage = (&'static str, fn(&Path));

/// Ways to damage a file.
const DAMAGES: [Damage; 4] = [
    ("emptied", |path| fs::write(path, "").expect("a writable file")),
    ("cut in half", |path| {
        let data = fs::read(path).expect("a readable file");
        fs::write(path, &data[..data.len() / 2]).expect("a writable file");
    }),
    ("changed", |path| {
        let mut data = fs::read(path).expect("a readable file");
        let middle = data.len() / 2;
        if let Some(byte) = data.get_mut(middle) {
            *byte ^= 0x20;
        }
        fs::write(path, data).expect("a writable file");
    }),
    ("removed", |path| fs::remove_file(path).expect("a writable folder")),
];

#[test]
fn a_damaged_cache_is_repaired() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in CRATE {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let cache = folder.path().join("cache");
    let archs = ["--arch", "x64", "--arch", "armv6m"];
    let build = || {
        for arch in ["x64", "armv6m"] {
            let _ = fs::remove_dir_all(folder.path().join("target/mpy").join(arch));
        }
        let output = tool(folder.path(), &cache, &archs);
        assert!(output.status.success(), "{}", said(&output));
        let module = |arch: &str| fs::read(folder.path().join(format!("target/mpy/{arch}/cached.mpy")));
        ([module("x64").expect("a module"), module("armv6m").expect("a module")], said(&output))
    };
    let (good, _) = build();
    let all = files(&cache);
    assert!(all.iter().any(|path| path.extension().is_some_and(|e| e == "rlib")), "{all:?}");
    assert!(all.iter().any(|path| path.extension().is_some_and(|e| e == "o")), "{all:?}");
    let contents = |path: &PathBuf| fs::read(path).unwrap_or_default();
    let whole: Vec<Vec<u8>> = all.iter().map(contents).collect();
    for (what, damage) in DAMAGES {
        all.iter().for_each(|path| damage(path));
        let (made, said) = build();
        assert_eq!(made, good, "{what}: {said}");
        // Once more, with nothing left to repair.
        let (made, said) = build();
        assert_eq!(made, good, "{what}: {said}");
        assert!(!said.contains("damaged"), "{what}: {said}");
        for (path, whole) in all.iter().zip(&whole) {
            let kind = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if matches!(kind, "o" | "rlib") || path.ends_with("rustc-unstable") {
                assert_eq!(contents(path).len(), whole.len(), "{} {what}", path.display());
            }
        }
    }
    // The modules themselves are not taken for up to date.
    for (what, damage) in DAMAGES {
        for name in ["cached.mpy", "cached.pyi", ".cached.stamp"] {
            damage(&folder.path().join("target/mpy/x64").join(name));
            let output = tool(folder.path(), &cache, &archs);
            assert!(output.status.success(), "{}", said(&output));
            let module = fs::read(folder.path().join("target/mpy/x64/cached.mpy")).expect("a module");
            assert!(module == good[0], "{name} {what}");
            assert!(folder.path().join("target/mpy/x64/cached.pyi").is_file());
        }
    }
}

/// The firmware of a board is made of the source in the cache, which takes minutes: here it is only looked at.
#[test]
fn damaged_firmware_is_not_run() {
    let board = target_specs::board("qemu-armv6m").expect("a board");
    let Some(firmware) = cargo_mpy::toolchain::micropython::Firmware::find(board) else { return };
    let made = firmware.path.parent().expect("a folder");
    let home = made.parent().expect("a folder");
    let cache = tempfile::tempdir().expect("a temporary folder");
    let copy = cache.path().join("micropython");
    fs::create_dir_all(copy.join(made.file_name().expect("a name"))).expect("a folder");
    for entry in fs::read_dir(home).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("source-") && entry.is_dir() {
            std::os::unix::fs::symlink(&entry, copy.join(&name)).expect("a link");
        } else if name.starts_with("source-") && entry.is_file() {
            fs::copy(&entry, copy.join(&name)).expect("a copy");
        }
    }
    let here = copy.join(made.file_name().expect("a name")).join(firmware.path.file_name().expect("a name"));
    let state = || {
        let output = tool(cache.path(), cache.path(), &["doctor", "--board", "qemu-armv6m"]);
        let text = said(&output);
        let line = text.lines().find(|line| line.contains("MicroPython on")).unwrap_or_default().to_owned();
        assert!(!line.is_empty(), "{text}");
        line.contains("firmware.elf")
    };
    for with_record in [false, true] {
        for (what, damage) in DAMAGES {
            fs::copy(&firmware.path, &here).expect("a copy");
            assert!(state(), "a whole firmware");
            if !with_record {
                fs::remove_file(here.with_extension("sum")).expect("a record");
            }
            damage(&here);
            // A byte that is changed is told by the record alone.
            assert!(!state() || what == "changed" && !with_record, "{what}, record: {with_record}");
            let _ = fs::remove_file(here.with_extension("sum"));
        }
    }
    // A name that leads to no source: there is one source.
    let names: Vec<PathBuf> = files(&copy).into_iter().filter(|path| path.parent() == Some(&copy)).collect();
    if files_named_source(&copy) == 1 {
        for (_, damage) in DAMAGES {
            fs::copy(&firmware.path, &here).expect("a copy");
            names.iter().filter(|path| path.is_file()).for_each(|path| damage(path));
            assert!(state());
        }
    }
}

/// How many sources are linked.
fn files_named_source(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_symlink()).count()
}

#[test]
fn a_cache_that_others_can_write_to_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = folder.path().join("cache");
    let run = || tool(folder.path(), &cache, &["doctor", "--board", "unix"]);
    run();
    let mode = |path: &Path| fs::metadata(path).expect("a folder").permissions().mode() & 0o777;
    assert_eq!(mode(&cache), 0o700);
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).expect("ours");
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("error[unsafe-cache]"), "{}", said(&output));
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).expect("ours");
    assert!(!said(&run()).contains("unsafe-cache"));
}

#[test]
fn without_home_nothing_is_run_from_a_shared_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mpy"));
    for name in ["HOME", "XDG_CACHE_HOME", "CARGO_MPY_CACHE"] {
        command.env_remove(name);
    }
    let output = command.args(["mpy", "doctor"]).env("TMPDIR", &temporary).output().expect("it starts");
    let text = said(&output);
    let cache = text.lines().find_map(|line| line.strip_prefix("cache: "));
    // The user's own folder, or none.
    assert!(cache.is_some() || text.contains("unsafe-cache"), "{text}");
    assert!(cache.is_none_or(|cache| !Path::new(cache).starts_with(std::env::temp_dir())), "{text}");
    assert!(files(&temporary).is_empty());
}
