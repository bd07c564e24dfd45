//! The global allocator of crates that do not define one.

use std::path::{Path, PathBuf};
use std::process::Command;

use target_specs::Result;

use super::crate_build::{CrateBuild, Unit};
use super::rust::{Rust, TRIPLE};
use super::{cache, cache_dir, capture, digest, failed, identity, io_error, write_file};

/// The errors of rustc if there are two allocators, or none.
const CONFLICTS: [&str; 2] =
    ["conflicts with global allocator in", "cannot define multiple global allocators"];
const MISSING: &str = "no global memory allocator found";

/// The allocator that a crate is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    /// The crate's own, or that of a dependency.
    Own,
    /// The allocator of the bindings.
    Bindings,
}

impl Allocator {
    /// The allocator of the last build. Without one, a guess from the sources of the package.
    pub fn guess(plan: &CrateBuild) -> Allocator {
        match std::fs::read_to_string(note(plan, "allocator")).as_deref() {
            Ok("own") => Allocator::Own,
            Ok(_) => Allocator::Bindings,
            Err(_) if has_attribute(&plan.manifest.with_file_name("src")) => Allocator::Own,
            Err(_) => Allocator::Bindings,
        }
    }

    /// The other allocator, if an error of rustc asks for it.
    pub fn corrected(self, message: &str) -> Option<Allocator> {
        match self {
            Allocator::Bindings if CONFLICTS.iter().any(|text| message.contains(text)) => {
                Some(Allocator::Own)
            }
            Allocator::Own if message.contains(MISSING) => Some(Allocator::Bindings),
            _ => None,
        }
    }

    /// Records the choice for the next build.
    pub fn remember(self, plan: &CrateBuild) -> Result<()> {
        write_file(&note(plan, "allocator"), if self == Allocator::Own { b"own" } else { b"bindings" })
    }
}

/// The file with what the last build found out about this, for the next build.
pub fn note(plan: &CrateBuild, about: &str) -> PathBuf {
    let unit = match &plan.unit {
        Unit::Library => String::new(),
        Unit::Tests(None) => "tests.".to_owned(),
        Unit::Tests(Some(name)) => format!("tests.{name}."),
    };
    plan.target_dir.join(format!(".{}.{unit}{about}", plan.package))
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

/// The library with the allocator of the bindings.
///
/// # Errors
/// As [`library_of`].
pub fn library(rust: &Rust) -> Result<PathBuf> {
    library_of(rust, "allocator", "mpy_allocator", c_runtime::RUST_ALLOCATOR)
}

/// The library `name` with this source. It is built once for each toolchain, into the folder `folder-…` of the cache.
///
/// # Errors
/// When rustc cannot build it, or the cache cannot be written.
pub fn library_of(rust: &Rust, folder: &str, name: &str, source: &str) -> Result<PathBuf> {
    let sysroot = rust.sysroot.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let panic = if rust.unwinds { "unwind" } else { "abort" };
    let stamp = [identity(&rust.rustc), sysroot, source.to_owned(), panic.to_owned(), "2".to_owned()];
    let folder = cache_dir().join(format!("{folder}-{}", digest(&stamp)));
    let file_name = format!("lib{name}.rlib");
    let library = folder.join(&file_name);
    if cache::is_whole(&library) {
        cache::used(&folder);
        return Ok(library);
    }
    cache::discard(&library);
    let io = |error: std::io::Error| io_error("write", &folder, &error);
    std::fs::create_dir_all(&folder).map_err(io)?;
    let scratch = tempfile::tempdir_in(&folder).map_err(io)?;
    let path = scratch.path().join(format!("{name}.rs"));
    write_file(&path, source.as_bytes())?;
    let mut command = Command::new(&rust.rustc);
    command.args(["--edition", "2021", "--crate-type", "rlib", "--crate-name", name]);
    command.args(["--target", TRIPLE, "-Copt-level=s", "-Cembed-bitcode=yes", "--out-dir"]);
    command.arg(scratch.path()).arg(&path).arg(format!("-Cpanic={panic}"));
    if rust.unwinds {
        // `panic.rs` uses unstable features of `std`.
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    // The module must not depend on the location of the cache.
    command.arg(format!("--remap-path-prefix={}=mpy", scratch.path().display()));
    if let Some(sysroot) = &rust.sysroot {
        command.arg("--sysroot").arg(sysroot);
    }
    let output = capture(&mut command)?;
    if !output.status.success() {
        return Err(failed(&command, &output));
    }
    std::fs::rename(scratch.path().join(&file_name), &library).map_err(io)?;
    cache::seal(&library)?;
    cache::forget_old();
    Ok(library)
}
