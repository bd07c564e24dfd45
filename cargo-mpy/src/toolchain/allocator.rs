//! The allocator that a crate gets when it has none: which crates those are, and its library.

use std::path::{Path, PathBuf};
use std::process::Command;

use target_specs::Result;

use super::cargo::{Rust, TRIPLE};
use super::{cache_dir, capture, digest, failed, identity, io_error, write_file};
use crate::plan::CrateBuild;

/// What rustc says when there are two allocators, and when there is none.
const CONFLICTS: [&str; 2] =
    ["conflicts with global allocator in", "cannot define multiple global allocators"];
const MISSING: &str = "no global memory allocator found";

/// Whose allocator a crate is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    /// Its own, or a dependency's.
    Own,
    /// The bindings'.
    Bindings,
}

impl Allocator {
    /// What was right the last time; else what the sources of the package look like.
    pub fn guess(plan: &CrateBuild) -> Allocator {
        match std::fs::read_to_string(note(plan)).as_deref() {
            Ok("own") => Allocator::Own,
            Ok(_) => Allocator::Bindings,
            Err(_) if has_attribute(&plan.manifest.with_file_name("src")) => Allocator::Own,
            Err(_) => Allocator::Bindings,
        }
    }

    /// The other one, when that is what an error of rustc asks for.
    pub fn corrected(self, message: &str) -> Option<Allocator> {
        match self {
            Allocator::Bindings if CONFLICTS.iter().any(|text| message.contains(text)) => {
                Some(Allocator::Own)
            }
            Allocator::Own if message.contains(MISSING) => Some(Allocator::Bindings),
            _ => None,
        }
    }

    /// For the next build.
    pub fn remember(self, plan: &CrateBuild) -> Result<()> {
        write_file(&note(plan), if self == Allocator::Own { b"own" } else { b"bindings" })
    }
}

fn note(plan: &CrateBuild) -> PathBuf {
    plan.target_dir.join(format!(".{}.allocator", plan.package))
}

fn has_attribute(folder: &Path) -> bool {
    std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return has_attribute(&path);
        }
        path.extension().is_some_and(|extension| extension == "rs")
            && std::fs::read_to_string(&path).is_ok_and(|text| text.contains("#[global_allocator]"))
    })
}

/// The library of the bindings' allocator, built once per toolchain.
///
/// # Errors
/// When rustc cannot build it, or the cache cannot be written.
pub fn library(rust: &Rust) -> Result<PathBuf> {
    let sysroot = rust.sysroot.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let stamp = [identity(&rust.rustc), sysroot, c_runtime::RUST_ALLOCATOR.to_owned()];
    let folder = cache_dir().join(format!("allocator-{}", digest(&stamp)));
    let library = folder.join("libmpy_allocator.rlib");
    if library.is_file() {
        return Ok(library);
    }
    let io = |error: std::io::Error| io_error("write", &folder, &error);
    std::fs::create_dir_all(&folder).map_err(io)?;
    let scratch = tempfile::tempdir_in(&folder).map_err(io)?;
    let source = scratch.path().join("mpy_allocator.rs");
    write_file(&source, c_runtime::RUST_ALLOCATOR.as_bytes())?;
    let mut command = Command::new(&rust.rustc);
    command.args(["--edition", "2021", "--crate-type", "rlib", "--crate-name", "mpy_allocator"]);
    command.args(["--target", TRIPLE, "-Copt-level=s", "-Cpanic=abort", "-Cembed-bitcode=yes", "--out-dir"]);
    command.arg(scratch.path()).arg(&source);
    if let Some(sysroot) = &rust.sysroot {
        command.arg("--sysroot").arg(sysroot);
    }
    let output = capture(&mut command)?;
    if !output.status.success() {
        return Err(failed(&command, &output));
    }
    std::fs::rename(scratch.path().join("libmpy_allocator.rlib"), &library).map_err(io)?;
    Ok(library)
}
