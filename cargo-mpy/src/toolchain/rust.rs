//! The Rust toolchain: cargo, rustc, and a standard library for wasm32.

use std::path::{Path, PathBuf};
use std::process::Command;

use target_specs::{Diagnostic, Result};

use super::crate_build::CrateBuild;
use super::{cache, cache_dir, capture, digest, failed, io_error, output_of, which, which_all};
use crate::ui;

/// The target that all crates are built for.
pub const TRIPLE: &str = "wasm32-unknown-unknown";

/// A Rust toolchain that can build for [`TRIPLE`].
#[derive(Debug, Clone)]
pub struct Rust {
    /// The path of cargo.
    pub cargo: PathBuf,
    /// The path of rustc.
    pub rustc: PathBuf,
    /// The folder of a standard library for [`TRIPLE`] that was built here, if rustc has none.
    pub sysroot: Option<PathBuf>,
    /// The linker to use, if rustc does not find one itself.
    pub linker: Option<PathBuf>,
    /// Whether panics unwind. The standard library in `sysroot` then does too.
    pub unwinds: bool,
}

/// A cargo, its rustc, and the folder of its libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    cargo: PathBuf,
    rustc: PathBuf,
    sysroot: PathBuf,
}

impl Candidate {
    fn new(cargo: PathBuf, rustc: PathBuf) -> Option<Self> {
        let sysroot = sysroot_of(&rustc)?;
        // The programs behind rustup's proxies. Calling them directly avoids three starts of a proxy.
        let behind = |name: &str, proxy: PathBuf| {
            let program = sysroot.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if program.is_file() && is_proxy(&proxy) { program } else { proxy }
        };
        let (cargo, rustc) = (behind("cargo", cargo), behind("rustc", rustc));
        Some(Candidate { cargo, rustc, sysroot })
    }

    fn has_target(&self) -> bool {
        entries(&self.sysroot.join("lib/rustlib").join(TRIPLE).join("lib"))
            .iter()
            .any(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libcore-")))
    }

    fn has_source(&self) -> bool {
        self.sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
    }

    fn own_linker(&self) -> Option<PathBuf> {
        let name = format!("rust-lld{}", std::env::consts::EXE_SUFFIX);
        entries(&self.sysroot.join("lib/rustlib"))
            .into_iter()
            .map(|host| host.join("bin").join(&name))
            .find(|path| path.is_file())
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn is_proxy(program: &Path) -> bool {
    let target = program.canonicalize().unwrap_or_else(|_| program.to_owned());
    // rustup's proxies are symbolic or hard links to rustup, which is in the same folder.
    target.file_stem().is_some_and(|name| name == "rustup")
        || (target.with_file_name("rustup").is_file() && !target.with_file_name("../lib/rustlib").is_dir())
}

fn sysroot_of(rustc: &Path) -> Option<PathBuf> {
    if !is_proxy(rustc) {
        let real = rustc.canonicalize().ok()?;
        let above = real.parent()?.parent()?;
        if above.join("lib/rustlib").is_dir() {
            return Some(above.to_owned());
        }
    }
    let text = output_of(Command::new(rustc).args(["--print", "sysroot"])).ok()?;
    Some(PathBuf::from(text.trim()))
}

/// The cargo for metadata: the one that runs this program, otherwise the one on `PATH`.
pub fn cargo_program() -> PathBuf {
    std::env::var_os("CARGO")
        .map(PathBuf::from)
        .filter(|path| path.is_file())
        .unwrap_or_else(|| "cargo".into())
}

/// All Rust toolchains of this machine. The one that the user chose is first.
fn candidates() -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |candidate: Option<Candidate>| {
        if let Some(candidate) = candidate
            && !found.iter().any(|known| known.rustc == candidate.rustc)
        {
            found.push(candidate);
        }
    };
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_file());
    if let Some(cargo) = named("CARGO").or_else(|| which("cargo")) {
        let beside = cargo.with_file_name(format!("rustc{}", std::env::consts::EXE_SUFFIX));
        let rustc = named("RUSTC").or(Some(beside).filter(|path| path.is_file())).or_else(|| which("rustc"));
        add(rustc.and_then(|rustc| Candidate::new(cargo, rustc)));
    }
    let rustup_home = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let rustup_home = rustup_home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".rustup")));
    let installed = rustup_home.map(|home| entries(&home.join("toolchains"))).unwrap_or_default();
    for bin in installed.iter().map(|toolchain| toolchain.join("bin")) {
        let (cargo, rustc) = (bin.join("cargo"), bin.join("rustc"));
        if cargo.is_file() && rustc.is_file() {
            add(Candidate::new(cargo, rustc));
        }
    }
    for rustc in which_all("rustc") {
        let cargo = rustc.with_file_name(format!("cargo{}", std::env::consts::EXE_SUFFIX));
        if cargo.is_file() && !is_proxy(&rustc) {
            add(Candidate::new(cargo, rustc));
        }
    }
    found
}

/// What can be used to build for wasm32 without building a standard library first.
#[derive(Debug, Clone)]
pub enum Found {
    /// A toolchain with the target installed.
    Target(PathBuf),
    /// A toolchain with the source of the standard library, which is built once, or has been built.
    Source(PathBuf),
    /// None, and the reason.
    Nothing(Diagnostic),
}

/// Looks for a toolchain. Builds nothing.
pub fn look() -> Found {
    match choose(&candidates()) {
        Ok((rust, None)) => Found::Target(rust.rustc),
        Ok((rust, Some(_))) => Found::Source(rust.rustc),
        Err(error) => Found::Nothing(error),
    }
}

/// The best candidate, and its sysroot if the standard library has to be built from its source.
fn choose(candidates: &[Candidate]) -> Result<(Rust, Option<PathBuf>)> {
    if candidates.is_empty() {
        return Err(Diagnostic::new("no-rust", "no Rust toolchain found")
            .help("install one with rustup: https://rustup.rs"));
    }
    let linker = |of: &Candidate| of.own_linker().or_else(|| any_linker(candidates));
    // The user's toolchain is preferred, then one that has the target, then one that can build it.
    let (active, others) = candidates.split_at(1);
    for group in [active, others] {
        if let Some(ready) = group.iter().find(|candidate| candidate.has_target())
            && let Some(linker) = linker(ready)
        {
            let linker = Some(linker).filter(|_| ready.own_linker().is_none());
            return Ok((rust(ready, None, linker), None));
        }
        if let Some(source) = group.iter().find(|candidate| candidate.has_source())
            && let Some(linker) = linker(source)
        {
            return Ok((rust(source, None, Some(linker)), Some(source.sysroot.clone())));
        }
    }
    let can = candidates.iter().any(|candidate| candidate.has_target() || candidate.has_source());
    if can {
        return Err(Diagnostic::new("missing-wasm-linker", "no linker for WebAssembly found").help(
            super::install_help(&[("apt", "lld"), ("dnf", "lld"), ("pacman", "lld"), ("brew", "lld")]),
        ));
    }
    let mut help = if which("rustup").is_some() {
        format!("rustup target add {TRIPLE}")
    } else {
        format!("install Rust with rustup (https://rustup.rs), then: rustup target add {TRIPLE}")
    };
    if which("apt-get").is_some() {
        help.push_str("\nor Debian's own: sudo apt-get install rustc-web cargo-web rust-web-src lld");
    }
    Err(Diagnostic::new("missing-wasm-target", format!("no Rust toolchain can build for {TRIPLE}"))
        .help(help))
}

fn rust(candidate: &Candidate, sysroot: Option<PathBuf>, linker: Option<PathBuf>) -> Rust {
    let (cargo, rustc) = (candidate.cargo.clone(), candidate.rustc.clone());
    Rust { cargo, rustc, sysroot, linker, unwinds: false }
}

fn any_linker(candidates: &[Candidate]) -> Option<PathBuf> {
    let versions = (14..30).rev().map(|version| format!("wasm-ld-{version}"));
    ["rust-lld".to_owned(), "wasm-ld".to_owned()]
        .into_iter()
        .chain(versions)
        .find_map(|name| which(&name))
        .or_else(|| candidates.iter().find_map(Candidate::own_linker))
}

/// The toolchain to build with. Builds a standard library for it once if it has none.
///
/// # Errors
/// `no-rust`, `missing-wasm-target`, `missing-wasm-linker`, each with the command that fixes it.
pub fn find() -> Result<Rust> {
    let candidates = candidates();
    let (mut rust, source) = choose(&candidates)?;
    if rust.rustc != candidates[0].rustc {
        ui::verbose(
            "Using",
            format_args!("{}: the active toolchain cannot build {TRIPLE}", rust.rustc.display()),
        );
    }
    if source.is_some() {
        rust.sysroot = Some(build_sysroot(&rust)?);
    }
    Ok(rust)
}

/// The toolchain to build `plan` with.
///
/// # Errors
/// As [`find`]; `missing-rust-src` if the crate unwinds, and no toolchain has the source of a standard library that
/// does.
pub fn find_for(plan: &CrateBuild) -> Result<Rust> {
    if !plan.unwinds {
        return find();
    }
    let candidates = candidates();
    let mut rust = choose_unwinding(&candidates)?;
    rust.sysroot = Some(build_sysroot(&rust)?);
    Ok(rust)
}

/// The rustc whose source is used to build an unwinding standard library.
///
/// # Errors
/// As [`find_for`].
pub fn look_for_source() -> Result<PathBuf> {
    choose_unwinding(&candidates()).map(|rust| rust.rustc)
}

/// The best candidate to build an unwinding standard library with.
fn choose_unwinding(candidates: &[Candidate]) -> Result<Rust> {
    // If there is no Rust at all, that is the error.
    choose(candidates)?;
    let Some(source) = candidates.iter().find(|candidate| candidate.has_source()) else {
        let message =
            "`panic = \"unwind\"` needs the source of Rust's standard library, which is not installed";
        let help = if which("rustup").is_some() {
            "rustup component add rust-src\nor write `panic = \"abort\"` in the profile"
        } else {
            "install Rust with rustup (https://rustup.rs), then: rustup component add rust-src\n\
             or write `panic = \"abort\"` in the profile"
        };
        return Err(Diagnostic::new("missing-rust-src", message).help(help));
    };
    let linker = source.own_linker().or_else(|| any_linker(candidates));
    Ok(Rust { unwinds: true, ..rust(source, None, linker) })
}

/// Builds `std` for [`TRIPLE`] from the toolchain's source, once for each rustc. The result has the layout of rustup's,
/// so building a crate takes no longer than with rustup's.
fn build_sysroot(rust: &Rust) -> Result<PathBuf> {
    let stamp = super::identity(&rust.rustc);
    let kind: &[u8] = if rust.unwinds { b"1 unwinding" } else { b"1" };
    let sysroot = cache_dir().join(format!("sysroot-{}", digest([stamp.as_bytes(), kind])));
    if cache::is_whole(&sysroot) {
        cache::used(&sysroot);
        return Ok(sysroot);
    }
    cache::discard(&sysroot);
    let what = if rust.unwinds { ", unwinding" } else { "" };
    ui::status("Building", format_args!("Rust's standard library for {TRIPLE}{what} (once per toolchain)"));
    let progress = ui::Progress::new("Building", 0);
    progress.message("core, alloc, std");

    let cache = cache_dir();
    let io = |error: std::io::Error| io_error("write", &cache, &error);
    std::fs::create_dir_all(&cache).map_err(io)?;
    let scratch = tempfile::tempdir_in(&cache).map_err(io)?;
    let manifest = scratch.path().join("Cargo.toml");
    let text = "[package]\nname = \"sysroot\"\nedition = \"2021\"\n\
                [lib]\npath = \"lib.rs\"\n[profile.release]\nopt-level = 3\ndebug = 0\n[workspace]\n";
    std::fs::write(&manifest, text).map_err(io)?;
    std::fs::write(scratch.path().join("lib.rs"), "#![no_std]\n").map_err(io)?;

    let target = scratch.path().join("target");
    let mut command = Command::new(&rust.cargo);
    let (runtime, flags) = match rust.unwinds {
        true => ("-Zbuild-std=std,panic_unwind", "-Cembed-bitcode=yes\x1f-Cpanic=unwind"),
        false => ("-Zbuild-std=std,panic_abort", "-Cembed-bitcode=yes"),
    };
    command
        .args(["build", "--release", runtime, "--target", TRIPLE, "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .current_dir(scratch.path())
        .env("RUSTC", &rust.rustc)
        // -Zbuild-std requires a nightly toolchain or this variable, which is set for this build only.
        .env("RUSTC_BOOTSTRAP", "1")
        // With bitcode in addition to machine code, so that crates with and without LTO can be linked.
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    let output = capture(&mut command)?;
    if !output.status.success() {
        return Err(failed(&command, &output));
    }

    let made = scratch.path().join("sysroot");
    let libraries = made.join("lib/rustlib").join(TRIPLE).join("lib");
    std::fs::create_dir_all(&libraries).map_err(io)?;
    for path in entries(&target.join(TRIPLE).join("release/deps")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libsysroot-") {
            std::fs::copy(&path, libraries.join(name)).map_err(io)?;
        }
    }
    // Older versions build too, and abort.
    let tag = b"__cpp_exception";
    let throws = |path: &PathBuf| {
        let is_runtime =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libunwind-"));
        is_runtime
            && std::fs::read(path).is_ok_and(|bytes| bytes.windows(tag.len()).any(|window| window == tag))
    };
    if rust.unwinds && !entries(&libraries).iter().any(throws) {
        let message = format!("{} cannot unwind in WebAssembly", rust.rustc.display());
        return Err(Diagnostic::new("no-unwinding", message)
            .help("update Rust: rustup update\nor write `panic = \"abort\"` in the profile"));
    }
    match std::fs::rename(&made, &sysroot) {
        // Another process was faster. Its result is the same.
        Err(_) if sysroot.is_dir() => {}
        result => {
            result.map_err(io)?;
            cache::seal(&sysroot)?;
        }
    }
    cache::forget_old();
    Ok(sysroot)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A toolchain that has these files below its sysroot.
    fn toolchain(folder: &Path, name: &str, files: &[&str]) -> Candidate {
        let sysroot = folder.join(name);
        for file in files {
            let path = sysroot.join("lib/rustlib").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        Candidate { cargo: sysroot.join("bin/cargo"), rustc: sysroot.join("bin/rustc"), sysroot }
    }

    const TARGET: &str = "wasm32-unknown-unknown/lib/libcore-0123.rlib";
    const SOURCE: &str = "src/rust/library/std/Cargo.toml";
    const LINKER: &str = "some-host/bin/rust-lld";

    #[test]
    fn the_active_toolchain_goes_before_a_better_one() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str, files: &[&str]| toolchain(folder.path(), name, files);
        let bare = of("bare", &[LINKER]);
        let ready = of("ready", &[TARGET, LINKER]);
        let source = of("source", &[SOURCE]);

        // It has the target: nothing needs to be built, and it finds its own linker.
        let (rust, from) = choose(&[ready.clone(), source.clone()]).unwrap();
        assert_eq!((rust.rustc, rust.linker, from), (ready.rustc.clone(), None, None));

        // It has the source, and another toolchain has the target: the user's toolchain is still chosen.
        let (rust, from) = choose(&[source.clone(), ready.clone()]).unwrap();
        assert_eq!((rust.rustc, from), (source.rustc.clone(), Some(source.sysroot.clone())));
        assert!(rust.linker.is_some());

        // It has neither.
        let (rust, _) = choose(&[bare.clone(), source.clone(), ready.clone()]).unwrap();
        assert_eq!(rust.rustc, ready.rustc);

        let error = choose(&[bare]).unwrap_err();
        assert_eq!(error.code, "missing-wasm-target");
        assert!(error.help.unwrap().contains("rustup target add wasm32-unknown-unknown"));
        assert_eq!(choose(&[]).unwrap_err().code, "no-rust");
    }
}
