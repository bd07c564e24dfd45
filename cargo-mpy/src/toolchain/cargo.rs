//! Rust to WebAssembly: which cargo and rustc, a standard library for wasm32, the crate's build.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{Message, Metadata, TargetKind};
use glue_gen::wbindgen;
use target_specs::{Diagnostic, Place, Result};

use super::allocator::{self, Allocator};
use super::{cache, cache_dir, capture, digest, failed, io_error, output_of, shown, which, which_all};
use crate::plan::{CrateBuild, Unit};
use crate::{Failure, ui};

/// The target of every crate.
pub const TRIPLE: &str = "wasm32-unknown-unknown";

/// A Rust that can build for [`TRIPLE`].
#[derive(Debug, Clone)]
pub struct Rust {
    pub cargo: PathBuf,
    pub rustc: PathBuf,
    /// Folder with the standard library for [`TRIPLE`] that we built, when rustc has none.
    pub sysroot: Option<PathBuf>,
    /// The linker to name, when rustc does not find one by itself.
    pub linker: Option<PathBuf>,
}

/// A cargo, its rustc and where that has its libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    cargo: PathBuf,
    rustc: PathBuf,
    sysroot: PathBuf,
}

impl Candidate {
    fn new(cargo: PathBuf, rustc: PathBuf) -> Option<Self> {
        let sysroot = sysroot_of(&rustc)?;
        // Behind rustup's proxies are the programs themselves; naming them saves starting it thrice.
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
    // rustup's proxies are links to it, symbolic or hard: then it lies beside them.
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

/// The cargo to ask about crates: the one that runs us, else the one on `PATH`.
pub fn cargo_program() -> PathBuf {
    std::env::var_os("CARGO")
        .map(PathBuf::from)
        .filter(|path| path.is_file())
        .unwrap_or_else(|| "cargo".into())
}

/// Every Rust of this machine, the one the user means first.
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

/// What is there to build wasm32 with, before anything is built.
#[derive(Debug, Clone)]
pub enum Found {
    /// A toolchain with the target installed.
    Target(PathBuf),
    /// A toolchain with the standard library's source, to be built once (or built already).
    Source(PathBuf),
    /// None, and why.
    Nothing(Diagnostic),
}

/// Looks for a Rust without building anything.
pub fn look() -> Found {
    match choose(&candidates()) {
        Ok((rust, None)) => Found::Target(rust.rustc),
        Ok((rust, Some(_))) => Found::Source(rust.rustc),
        Err(error) => Found::Nothing(error),
    }
}

/// The best candidate, and its sysroot when the standard library has to be built from it.
fn choose(candidates: &[Candidate]) -> Result<(Rust, Option<PathBuf>)> {
    if candidates.is_empty() {
        return Err(Diagnostic::new("no-rust", "no Rust toolchain found")
            .help("install one with rustup: https://rustup.rs"));
    }
    let linker = |of: &Candidate| of.own_linker().or_else(|| any_linker(candidates));
    // The user's own toolchain before another one, one with the target before one that can make it.
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
    Rust { cargo: candidate.cargo.clone(), rustc: candidate.rustc.clone(), sysroot, linker }
}

fn any_linker(candidates: &[Candidate]) -> Option<PathBuf> {
    let versions = (14..30).rev().map(|version| format!("wasm-ld-{version}"));
    ["rust-lld".to_owned(), "wasm-ld".to_owned()]
        .into_iter()
        .chain(versions)
        .find_map(|name| which(&name))
        .or_else(|| candidates.iter().find_map(Candidate::own_linker))
}

/// The Rust to build with; builds a standard library for it once, when it has none.
///
/// # Errors
/// `no-rust`, `missing-wasm-target`, `missing-wasm-linker`: with the command that mends it.
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

/// Builds `std` for [`TRIPLE`] from the toolchain's source, once per rustc, in the form rustup
/// would have installed it: then building a crate costs what it costs with rustup's.
fn build_sysroot(rust: &Rust) -> Result<PathBuf> {
    let stamp = super::identity(&rust.rustc);
    let sysroot = cache_dir().join(format!("sysroot-{}", digest([stamp.as_bytes(), b"1"])));
    if cache::is_whole(&sysroot) {
        cache::used(&sysroot);
        return Ok(sysroot);
    }
    cache::discard(&sysroot);
    ui::status("Building", format_args!("Rust's standard library for {TRIPLE} (once per toolchain)"));
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
    command
        .args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TRIPLE, "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .current_dir(scratch.path())
        .env("RUSTC", &rust.rustc)
        // -Zbuild-std asks for a nightly or this; it concerns this build alone.
        .env("RUSTC_BOOTSTRAP", "1")
        // Bitcode beside machine code, so that crates with and without LTO can link it.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Cembed-bitcode=yes")
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
    match std::fs::rename(&made, &sysroot) {
        // Another process was faster: what it made is the same.
        Err(_) if sysroot.is_dir() => {}
        result => {
            result.map_err(io)?;
            cache::seal(&sysroot)?;
        }
    }
    cache::forget_old();
    Ok(sysroot)
}

/// What cargo knows of the crate in `folder`; `None` when there is no crate.
///
/// # Errors
/// Cargo's own, shown as it is, with its exit code.
pub fn metadata(manifest: Option<&Path>, folder: &Path) -> std::result::Result<Option<Metadata>, Failure> {
    let above = || folder.ancestors().any(|above| above.join("Cargo.toml").is_file());
    if manifest.is_none() && !above() {
        return Ok(None);
    }
    let mut command = Command::new(cargo_program());
    command.args(["metadata", "--format-version=1", "--no-deps"]).current_dir(folder);
    if let Some(manifest) = manifest {
        command.arg("--manifest-path").arg(manifest);
    }
    let output = capture(&mut command)?;
    if !output.status.success() {
        ui::raw(&output.stderr);
        return Err(cargo_failed(&cargo_program(), output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let parsed = cargo_metadata::MetadataCommand::parse(text.lines().last().unwrap_or_default());
    parsed.map(Some).map_err(|error| {
        Diagnostic::new("cargo", format!("cannot read `cargo metadata`: {error}"))
            .help(format!(
                "it is {}, was run as `{}` and said\n    {}",
                super::version_of(&cargo_program()),
                shown(&command),
                super::tail(&output)
            ))
            .into()
    })
}

/// Makes a library package at `path`, by cargo's command `verb`: `new` or `init`.
///
/// # Errors
/// Cargo's own, shown as it is, with its exit code.
pub fn new_package(
    verb: &str,
    path: &Path,
    name: Option<&str>,
    vcs: Option<&str>,
) -> std::result::Result<(), Failure> {
    let mut command = Command::new(cargo_program());
    command.args([verb, "--lib", "--quiet"]).arg(path);
    for (flag, value) in [("--name", name), ("--vcs", vcs)] {
        command.args(value.map(|value| [flag, value]).into_iter().flatten());
    }
    let output = capture(&mut command)?;
    ui::raw(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(cargo_failed(&cargo_program(), output.status)) }
}

/// Why cargo failed, beyond what it has said itself: it is too old, or it did not end as cargo does.
fn cargo_failed(cargo: &Path, status: ExitStatus) -> Failure {
    /// What cargo ends with after an error that it has told.
    const TOLD: i32 = 101;
    let version = super::version_of(cargo);
    let needed = super::version_number(env!("CARGO_PKG_RUST_VERSION"));
    if let (Some(found), Some((major, minor))) = (super::version_number(&version), needed)
        && found < (major, minor)
    {
        return Diagnostic::new("tool-failed", format!("{version} failed ({status}), and is old"))
            .help(format!("use Rust {major}.{minor} or later: `rustup update`"))
            .into();
    }
    match status.code() {
        Some(TOLD) => Failure::Exit(TOLD),
        _ => Diagnostic::new("tool-failed", format!("`{}` failed ({status})", cargo.display()))
            .help(format!("it is {version}; what it said is above, and `-v` shows how it was run"))
            .into(),
    }
}

/// A crate, built.
#[derive(Debug, Clone)]
pub struct Artifact {
    pub wasm: PathBuf,
    /// `opt-level` of the profile it was built with.
    pub opt_level: String,
}

/// Builds the crate's library as a WebAssembly module.
///
/// # Errors
/// Cargo's own, shown as they are, with its exit code.
pub fn build(rust: &Rust, plan: &CrateBuild, stack: u32) -> std::result::Result<Artifact, Failure> {
    if let Some(lock) =
        plan.manifest.ancestors().map(|above| above.with_file_name("Cargo.lock")).find(|path| path.is_file())
    {
        check_bindgen(&super::read_file(&lock)?)?;
    }
    let guess = Allocator::guess(plan);
    let (allocator, result) = match run(command(rust, plan, stack, guess)?, plan, guess) {
        Ok(Ended::WrongAllocator(right)) => {
            right.remember(plan)?;
            (right, run(command(rust, plan, stack, right)?, plan, right))
        }
        other => (guess, other),
    };
    match result? {
        Ended::Built(artifact) => Ok(artifact),
        Ended::WrongAllocator(_) => {
            // Neither will do, which the crate must mend.
            Err(Diagnostic::new("allocator", format!("`{}` has two global allocators", plan.package))
                .at(Place::File { path: plan.manifest.clone(), line: 0, column: 0 })
                .help(format!("it was built as if its allocator were {allocator:?}; leave one of them out"))
                .into())
        }
    }
}

/// Checks that the wasm-bindgen in `lock` is the one whose data this tool reads: its format changes
/// with every version, and finding that out after the build would be late.
fn check_bindgen(lock: &[u8]) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Package>,
    }
    #[derive(serde::Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    // What cargo cannot read is for cargo to say.
    let Ok(lock) = toml::from_str::<Lock>(&String::from_utf8_lossy(lock)) else { return Ok(()) };
    let found = lock.package.iter().find(|package| package.name == "wasm-bindgen");
    found.map_or(Ok(()), |found| wbindgen::check_version(&found.version))
}

fn command(rust: &Rust, plan: &CrateBuild, stack: u32, allocator: Allocator) -> Result<Command> {
    let mut command = Command::new(&rust.cargo);
    command.arg("rustc");
    match &plan.unit {
        Unit::Library => {
            command.args(["--lib", "--crate-type", "cdylib", "--profile", &plan.profile]);
        }
        // Tests have a profile of their own, which is to be like the module's.
        Unit::Tests(file) => {
            match file {
                None => command.arg("--lib"),
                Some(file) => command.args(["--test", file]),
            };
            command.args(["--profile", "test", "--config"]);
            command.arg(format!("profile.test.inherits={}", toml::Value::String(plan.profile.clone())));
        }
    }
    command
        .args(["--target", TRIPLE, "--message-format", "json-diagnostic-rendered-ansi"])
        .args(["-p", &plan.package, "--manifest-path"])
        .arg(&plan.manifest)
        .arg("--target-dir")
        .arg(&plan.target_dir)
        .args(&plan.cargo_args)
        .env("RUSTC", &rust.rustc)
        .current_dir(plan.manifest.parent().unwrap_or(Path::new(".")));
    match ui::level() {
        ui::Level::Quiet => drop(command.arg("--quiet")),
        ui::Level::Verbose => drop(command.arg("--verbose")),
        ui::Level::Normal => {}
    }
    if let Some(linker) = &rust.linker {
        // A configuration value, not a flag: flags would hide the user's.
        let toml = toml::Value::String(linker.to_string_lossy().into_owned());
        command.arg("--config").arg(format!("target.{TRIPLE}.linker={toml}"));
    }
    if let Some(sysroot) = &rust.sysroot {
        add_rustflag(&mut command, &format!("--sysroot={}", sysroot.display()));
    }
    // Flags of the final crate alone: they go behind whatever flags the user has set, and its
    // dependencies are not rebuilt when they change.
    command.arg("--");
    for argument in [
        // Where the stack ends and the data begins: the module needs no more memory than __heap_base.
        format!("-zstack-size={stack}"),
        "--stack-first".to_owned(),
        "--export=__heap_base".to_owned(),
        "--export=__data_end".to_owned(),
        "--export=__stack_pointer".to_owned(),
        // Which constants are addresses.
        "--emit-relocs".to_owned(),
    ] {
        command.arg(format!("-Clink-arg={argument}"));
    }
    // Names make the C readable and the messages useful; they do not reach the .mpy.
    command.arg("-Cstrip=none");
    // As if the crate had named them: https://doc.rust-lang.org/nightly/unstable-book/compiler-flags/extern.html
    command.arg("-Zunstable-options");
    if allocator == Allocator::Bindings {
        let library = allocator::library(rust)?;
        command.arg("--extern").arg(format!("force:mpy_allocator={}", library.display()));
    }
    let panic = allocator::library_of(rust, "panic", "mpy_panic", c_runtime::RUST_PANIC)?;
    command.arg("--extern").arg(format!("force:mpy_panic={}", panic.display()));
    if let Unit::Tests(_) = plan.unit {
        let harness = allocator::library_of(rust, "harness", "test", c_runtime::RUST_HARNESS)?;
        command.arg("--extern").arg(format!("test={}", harness.display()));
    }
    allow_unstable(&mut command, &plan.library)?;
    Ok(command)
}

/// Lets rustc take unstable options for the crate `library`. Build scripts look at the variable that
/// does so, and would be run again for every change of it: so a wrapper sets it for rustc alone.
fn allow_unstable(command: &mut Command, library: &str) -> Result<()> {
    const VARIABLE: &str = "RUSTC_BOOTSTRAP";
    const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
    let known = std::env::var(VARIABLE).ok().filter(|value| !value.is_empty());
    #[cfg(unix)]
    if known.is_none() && std::env::var_os(WRAPPER).is_none() {
        use std::os::unix::fs::PermissionsExt;
        const SCRIPT: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\"\n";
        let script = cache_dir().join("rustc-unstable");
        let is_executable = |data: std::fs::Metadata| data.permissions().mode() & 0o111 != 0;
        let is_whole = std::fs::read(&script).is_ok_and(|text| text == SCRIPT.as_bytes())
            && script.metadata().is_ok_and(is_executable);
        if !is_whole {
            // Complete when it appears: another build may be waiting for it.
            let io = |error: std::io::Error| io_error("write", &script, &error);
            std::fs::create_dir_all(cache_dir()).map_err(io)?;
            let made = tempfile::NamedTempFile::new_in(cache_dir()).map_err(io)?;
            std::fs::write(made.path(), SCRIPT).map_err(io)?;
            std::fs::set_permissions(made.path(), std::fs::Permissions::from_mode(0o755)).map_err(io)?;
            // Closed before it runs, which a file that is open for writing cannot.
            made.into_temp_path().persist(&script).map_err(|error| io(error.error))?;
        }
        command.env(WRAPPER, script);
        return Ok(());
    }
    let value = match known.as_deref() {
        Some("1") => "1".to_owned(),
        Some(others) => format!("{others},{library}"),
        None => library.to_owned(),
    };
    command.env(VARIABLE, value);
    Ok(())
}

/// Adds a compiler flag for every crate of [`TRIPLE`] without hiding the user's own: cargo takes
/// the first of these sources that is set (https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags).
fn add_rustflag(command: &mut Command, flag: &str) {
    let set = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    if let Some(mut flags) = set("CARGO_ENCODED_RUSTFLAGS") {
        flags.push("\x1f");
        flags.push(flag);
        command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    } else if let Some(flags) = set("RUSTFLAGS") {
        let words = flags.to_string_lossy().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        command.env("CARGO_ENCODED_RUSTFLAGS", [words.join("\x1f"), flag.to_owned()].join("\x1f"));
    } else {
        let toml = toml::Value::String(flag.to_owned());
        command.arg("--config").arg(format!("target.{TRIPLE}.rustflags=[{toml}]"));
    }
}

/// How cargo ended when it did not fail for the crate's sake.
enum Ended {
    Built(Artifact),
    /// The crate wants this one.
    WrongAllocator(Allocator),
}

fn run(mut command: Command, plan: &CrateBuild, allocator: Allocator) -> std::result::Result<Ended, Failure> {
    ui::verbose("Running", format_args!("`{}`", shown(&command)));
    let start = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    let mut child = start.map_err(|error| super::cannot_start(&command, &error))?;
    let (mut artifact, mut wanted) = (None, None);
    let (mut two_panic_handlers, mut has_told) = (false, false);
    let stdout = child.stdout.take().expect("it was piped");
    for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
        let made = match serde_json::from_str(&line) {
            Ok(Message::CompilerArtifact(made)) => made,
            Ok(Message::CompilerMessage(said)) => {
                wanted = wanted.or(allocator.corrected(&said.message.message));
                two_panic_handlers |= said.message.message.contains("`panic_impl`");
                has_told |= said.message.level == DiagnosticLevel::Error;
                if wanted.is_none() && ui::speaks_json() {
                    ui::json_line(&line);
                } else if wanted.is_none() {
                    ui::raw(said.message.rendered.unwrap_or_default().as_bytes());
                }
                continue;
            }
            _ => continue,
        };
        let ours = made.manifest_path.as_std_path() == plan.manifest;
        let is_it = match &plan.unit {
            Unit::Library => made.target.is_kind(TargetKind::CDyLib),
            Unit::Tests(_) => made.profile.test,
        };
        if ours && is_it {
            let wasm = made.filenames.iter().find(|file| file.extension() == Some("wasm"));
            artifact = wasm.map(|wasm| Artifact { wasm: wasm.into(), opt_level: made.profile.opt_level });
        }
    }
    let status = child.wait().map_err(|error| super::cannot_start(&command, &error))?;
    if !status.success() {
        if two_panic_handlers && matches!(plan.unit, Unit::Tests(_)) {
            return Err(Diagnostic::new(
                "panic-handler",
                "tests are linked with std, which has a panic handler too",
            )
            .at(Place::File { path: plan.manifest.clone(), line: 0, column: 0 })
            .help("write `#[cfg(not(test))]` above the crate's `#[panic_handler]`")
            .into());
        }
        let failure = || match status.code() {
            Some(code) if has_told => Failure::Exit(code),
            _ => cargo_failed(Path::new(command.get_program()), status),
        };
        return wanted.map(Ended::WrongAllocator).ok_or_else(failure);
    }
    artifact.map(Ended::Built).ok_or_else(|| {
        Diagnostic::new("no-wasm", format!("cargo built `{}` but no WebAssembly came of it", plan.package))
            .at(Place::File { path: plan.manifest.clone(), line: 0, column: 0 })
            .help("`-v` shows what was run")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_wasm_bindgen_is_answered_with_the_command_that_mends_it() {
        let lock = |version: &str| {
            format!(
                "version = 4\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"{version}\"\nchecksum = \"0\"\n"
            )
        };
        assert!(check_bindgen(lock(wbindgen::VERSION).as_bytes()).is_ok());
        assert!(check_bindgen(b"").is_ok());
        assert!(check_bindgen(b"not TOML").is_ok());
        let error = check_bindgen(lock("0.2.99").as_bytes()).unwrap_err();
        assert_eq!(error.code, "wasm-bindgen-version");
        assert!(error.help.unwrap().contains("--precise"));
    }

    /// A toolchain that has the given files below its sysroot.
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

        // It has the target: nothing is to be built, its own linker need not be named.
        let (rust, from) = choose(&[ready.clone(), source.clone()]).unwrap();
        assert_eq!((rust.rustc, rust.linker, from), (ready.rustc.clone(), None, None));

        // It has the source, another one the target: still the user's own.
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
