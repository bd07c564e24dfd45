//! Embeds every `archs/*.toml`, `boards/*.toml` and `chips/*.toml`, so a new board is a new file and nothing else; likewise
//! the sources of the emulated boards' firmware.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut code = String::new();
    for folder in ["archs", "boards", "chips"] {
        println!("cargo::rerun-if-changed={folder}");
        embed(&root.join(folder), &folder.to_uppercase(), &mut code);
    }
    println!("cargo::rerun-if-changed=emulators/port");
    let port = root.join("emulators/port");
    let mut files = Vec::new();
    walk(&port, &mut files);
    write_table("PORT", &port, files, &mut code);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("specs.rs"), code).expect("OUT_DIR is writable");
}

fn embed(folder: &Path, constant: &str, code: &mut String) {
    let files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is part of the crate")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    write_table(constant, folder, files, code);
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is part of the crate") {
        let path = entry.expect("readable").path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

/// A table of name (relative to `folder`, with `/`) and text.
fn write_table(constant: &str, folder: &Path, mut files: Vec<PathBuf>, code: &mut String) {
    files.sort();
    writeln!(code, "/// Path and text.\npub const {constant}: &[(&str, &str)] = &[").expect("String");
    for file in files {
        let name = file.strip_prefix(folder).expect("in it").to_string_lossy().replace('\\', "/");
        writeln!(code, "    ({name:?}, include_str!({:?})),", file.display().to_string()).expect("String");
    }
    writeln!(code, "];").expect("String");
}
