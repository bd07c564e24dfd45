//! Embeds every `archs/*.toml` and `boards/*.toml`, so a new board is a new file and nothing else.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut code = String::new();
    for folder in ["archs", "boards"] {
        println!("cargo::rerun-if-changed={folder}");
        embed(&root.join(folder), &folder.to_uppercase(), &mut code);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("specs.rs"), code).expect("OUT_DIR is writable");
}

fn embed(folder: &Path, constant: &str, code: &mut String) {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is part of the crate")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    writeln!(code, "const {constant}: &[(&str, &str)] = &[").expect("String");
    for file in files {
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        writeln!(code, "    ({name:?}, include_str!({:?})),", file.display().to_string()).expect("String");
    }
    writeln!(code, "];").expect("String");
}
