//! The copy of wasm-bindgen's macro for crates that unwind.
//!
//! The macro declares imports as `extern "C"`. rustc assumes that such functions do not unwind, so no destructor would
//! run when an import raises a Python exception. These crates are therefore built with a copy of the macro that writes
//! `extern "C-unwind"`.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::MetadataCommand;
use glue_gen::wbindgen;
use target_specs::{Diagnostic, Result};

use super::crate_build::CrateBuild;
use super::rust::Rust;
use super::{cache, cache_dir, capture, io_error, read_file, write_file};

const PACKAGE: &str = "wasm-bindgen-macro-support";
/// The file that is changed, and the change.
const FILE: &str = "src/codegen.rs";
const FROM: &str = "extern \"C\" {";
const TO: &str = "extern \"C-unwind\" {";

/// The folder of the copy; `None` if the crate does not use wasm-bindgen.
///
/// # Errors
/// If the source of the macro is not the expected one, or the cache cannot be written. Cargo reports its own errors
/// later.
pub fn macros(rust: &Rust, plan: &CrateBuild) -> Result<Option<PathBuf>> {
    let mut command = Command::new(&rust.cargo);
    command.args(["metadata", "--format-version=1", "--manifest-path"]).arg(&plan.manifest);
    let access = ["--locked", "--offline", "--frozen"];
    command.args(plan.cargo_args.iter().filter(|argument| access.contains(&argument.as_str())));
    let output = capture(&mut command)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Ok(metadata) = MetadataCommand::parse(text.lines().last().unwrap_or_default()) else {
        return Ok(None);
    };
    let wanted = |package: &&cargo_metadata::Package| {
        package.name == PACKAGE && package.version.to_string() == wbindgen::VERSION
    };
    let Some(package) = metadata.packages.iter().find(wanted) else { return Ok(None) };
    let folder = cache_dir().join(format!("{PACKAGE}-{}-1", wbindgen::VERSION));
    if folder.is_dir() {
        cache::used(&folder);
        return Ok(Some(folder));
    }
    let source = package.manifest_path.as_std_path().parent().unwrap_or(Path::new("."));
    let io = |error: std::io::Error| io_error("write", &folder, &error);
    std::fs::create_dir_all(cache_dir()).map_err(io)?;
    let scratch = tempfile::tempdir_in(cache_dir()).map_err(io)?;
    let made = scratch.path().join(PACKAGE);
    copy(source, &made)?;
    let code = String::from_utf8_lossy(&read_file(&source.join(FILE))?).into_owned();
    if !code.contains(FROM) {
        return Err(Diagnostic::new(
            "invalid-bindings",
            format!("{PACKAGE} {} is not the one that is published", wbindgen::VERSION),
        )
        .help("build the crate with the package of crates.io, or with `panic = \"abort\"`"));
    }
    write_file(&made.join(FILE), code.replace(FROM, TO).as_bytes())?;
    // The copy belongs to no workspace, wherever the cache is.
    let mut manifest = read_file(&source.join("Cargo.toml"))?;
    manifest.extend(b"\n[workspace]\n");
    write_file(&made.join("Cargo.toml"), &manifest)?;
    match std::fs::rename(&made, &folder) {
        // Another process was faster. Its result is the same.
        Err(_) if folder.is_dir() => {}
        result => result.map_err(io)?,
    }
    cache::forget_old();
    Ok(Some(folder))
}

/// Copies a folder with its subfolders.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let io = |error: std::io::Error| io_error("read", from, &error);
    for entry in std::fs::read_dir(from).map_err(io)? {
        let entry = entry.map_err(io)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(io)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            write_file(&target, &read_file(&entry.path())?)?;
        }
    }
    Ok(())
}
