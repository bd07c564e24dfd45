//! Builds crates for WebAssembly with cargo.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use cargo_metadata::diagnostic::{Diagnostic as RustcDiagnostic, DiagnosticLevel};
use cargo_metadata::{Message, Metadata, TargetKind};
use glue_gen::wbindgen;
use target_specs::{Diagnostic, Place, Result};

use super::allocator::{self, Allocator};
use super::crate_build::{CrateBuild, Link, Unit};
use super::rust::{Rust, TRIPLE, cargo_program};
use super::std_library::{self, StdLibrary};
#[cfg(unix)]
use super::{cache_dir, io_error};
use super::{capture, futures, shown, unwinding};
use crate::failure::Failure;
use crate::ui;

/// Cargo's metadata of the crate in `folder`; `None` if there is no crate.
///
/// # Errors
/// Cargo's own errors, which cargo has printed, with its exit code.
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

/// Cargo's metadata of the crate with its dependencies, and with the features of each of them. Cargo reports its own errors
/// when it builds the crate, and then there is none.
pub fn dependencies(plan: &CrateBuild) -> Option<Metadata> {
    let mut command = Command::new(cargo_program());
    command.args(["metadata", "--format-version=1", "--filter-platform", TRIPLE, "--manifest-path"]);
    command
        .arg(&plan.manifest)
        .args(plan.cargo_args.iter().filter(|argument| !argument.starts_with("--jobs")));
    let output = capture(&mut command).ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    cargo_metadata::MetadataCommand::parse(text.lines().last().unwrap_or_default()).ok()
}

/// Creates a library package at `path` with cargo's command `verb`: `new` or `init`.
///
/// # Errors
/// Cargo's own errors, which cargo has printed, with its exit code.
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

/// The reason of a failure of cargo if cargo has not printed it: cargo is too old, or was killed.
fn cargo_failed(cargo: &Path, status: ExitStatus) -> Failure {
    /// Cargo's exit code after an error that it has printed.
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

/// The result of a build.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The WebAssembly module.
    pub wasm: PathBuf,
    /// `opt-level` of the profile it was built with.
    pub opt_level: String,
}

/// Builds the crate's library as a WebAssembly module.
///
/// # Errors
/// Cargo's own errors, which cargo has printed, with its exit code.
pub fn build(rust: &Rust, plan: &CrateBuild, link: Link) -> std::result::Result<Artifact, Failure> {
    let lock = plan.manifest.ancestors().map(|above| above.with_file_name("Cargo.lock"));
    if let Some(lock) = lock.into_iter().find(|path| path.is_file()) {
        check_bindgen(&super::read_file(&lock)?)?;
    }
    let guess = Allocator::guess(plan);
    let (allocator, result) = match run(command(rust, plan, link, guess)?, plan, guess) {
        Ok(BuildResult::WrongAllocator(right)) => {
            right.remember(plan)?;
            (right, run(command(rust, plan, link, right)?, plan, right))
        }
        other => (guess, other),
    };
    match result? {
        BuildResult::Built(artifact) => Ok(artifact),
        BuildResult::WrongAllocator(_) => {
            // Neither allocator works. The error of rustc says why.
            Err(Diagnostic::new("allocator", format!("`{}` has two global allocators", plan.package))
                .at(Place::File { path: plan.manifest.clone(), line: 0, column: 0 })
                .help(format!("it was built as if its allocator were {allocator:?}; leave one of them out"))
                .into())
        }
    }
}

/// Makes cargo compile the build scripts and procedural macros of `plan` where it does for `home`, a target folder beside that of
/// `plan` or the same. Cargo puts them in a folder with the profile's name, locks it, and tells apart what differs. This folder
/// becomes a link into `home`, unless it is there. Errors do not matter: without the link they are compiled again.
pub fn share_host(plan: &CrateBuild, home: &Path) {
    // https://doc.rust-lang.org/cargo/reference/build-cache.html
    let name = match (&plan.unit, plan.profile.as_str()) {
        (Unit::Tests(_), _) | (_, "dev" | "test") => "debug",
        (_, "bench") => "release",
        (_, profile) => profile,
    };
    let link = plan.target_dir.join(name);
    if plan.target_dir == home || link.exists() {
        return;
    }
    // Only users with certain rights can make links on Windows.
    #[cfg(unix)]
    if let Some(folder) = home.file_name() {
        // Cargo makes no folder where a link leads nowhere.
        let folders = [&plan.target_dir, &home.join(name)];
        let made = folders.into_iter().try_for_each(std::fs::create_dir_all);
        // Relative, as users move target folders.
        let _ = made.and_then(|()| std::os::unix::fs::symlink(Path::new("..").join(folder).join(name), link));
    }
}

/// Checks that the wasm-bindgen in `lock` is the version whose data this program can read. The format changes with
/// every version, and an error after the build would be late.
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
    // If cargo cannot read the file either, cargo reports it.
    let Ok(lock) = toml::from_str::<Lock>(&String::from_utf8_lossy(lock)) else { return Ok(()) };
    let found = |name| lock.package.iter().find(|package| package.name == name);
    found("wasm-bindgen").map_or(Ok(()), |found| wbindgen::check_version(&found.version))?;
    found(futures::PACKAGE).map_or(Ok(()), |found| futures::check_version(&found.version))
}

/// What the program was linked with in the last build.
pub fn last_link(plan: &CrateBuild) -> Option<Link> {
    let text = std::fs::read_to_string(link_note(plan)).ok()?;
    let (stack, std) = text.split_once(' ')?;
    Some(Link { stack: stack.parse().ok()?, has_std: std == "std" })
}

/// Records what the program must be linked with.
///
/// # Errors
/// When the file cannot be written.
pub fn remember_link(plan: &CrateBuild, link: Link) -> Result<()> {
    let text = format!("{} {}", link.stack, if link.has_std { "std" } else { "" });
    super::write_file(&link_note(plan), text.as_bytes())
}

fn link_note(plan: &CrateBuild) -> PathBuf {
    allocator::note(plan, &format!("{}.link", plan.profile))
}

fn command(rust: &Rust, plan: &CrateBuild, link: Link, allocator: Allocator) -> Result<Command> {
    let mut command = Command::new(&rust.cargo);
    command.arg("rustc");
    match &plan.unit {
        Unit::Library => {
            command.args(["--lib", "--crate-type", "cdylib", "--profile", &plan.profile]);
        }
        // Tests have a separate profile, which must be the same as that of the module.
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
    // Only lines: with more, rustc makes other code. Without them there is nothing to debug, whatever the manifest says.
    let debug = if plan.has_lines { "\"line-tables-only\"" } else { "false" };
    command.arg("--config").arg(format!("profile.{}.debug={debug}", plan.profile));
    // What runs on this machine has none of it, and is the same with it and without it.
    command.arg("--config").arg(format!("profile.{}.build-override.debug=false", plan.profile));
    match ui::level() {
        ui::Level::Quiet => drop(command.arg("--quiet")),
        ui::Level::Verbose => drop(command.arg("--verbose")),
        ui::Level::Normal => {}
    }
    if let Some(linker) = &rust.linker {
        // A configuration value instead of a flag: a flag would override the user's flags.
        let toml = toml::Value::String(linker.to_string_lossy().into_owned());
        command.arg("--config").arg(format!("target.{TRIPLE}.linker={toml}"));
    }
    let std = std_library::find(rust)?;
    let mut flags = Vec::new();
    if let Some(sysroot) = &rust.sysroot {
        let sysroot = std.as_ref().map_or(sysroot, |std| &std.sysroot);
        flags.push(format!("--sysroot={}", sysroot.display()));
        if rust.unwinds {
            flags.push("-Cpanic=unwind".to_owned());
        }
    }
    if plan.has_vectors {
        flags.push("-Ctarget-feature=+simd128".to_owned());
    }
    if !flags.is_empty() {
        add_rustflags(&mut command, &flags);
    }
    #[cfg(unix)]
    wrap_rustc(&mut command, plan, std.as_ref().filter(|_| rust.sysroot.is_none()))?;
    let macros = if rust.unwinds { unwinding::macros(rust, plan)? } else { None };
    let paths = [Some(futures::source()?), macros].into_iter().flatten();
    let paths = paths.map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>();
    command.arg("--config").arg(format!("paths={}", toml::Value::from(paths)));
    // Flags for the final crate only. They are added after the user's flags, and a change does not rebuild the
    // dependencies.
    command.arg("--");
    for argument in [
        // The end of the stack and the start of the data. The module then needs no more memory than `__heap_base`.
        format!("-zstack-size={}", link.stack),
        "--stack-first".to_owned(),
        // What is undefined is imported, also where rustc no longer asks for that by itself.
        "--allow-undefined".to_owned(),
        "--export=__heap_base".to_owned(),
        "--export=__data_end".to_owned(),
        "--export=__stack_pointer".to_owned(),
        // The relocations say which constants are addresses.
        "--emit-relocs".to_owned(),
    ] {
        command.arg(format!("-Clink-arg={argument}"));
    }
    // Names make the C readable and the messages useful. They are not part of the .mpy file.
    command.arg("-Cstrip=none");
    // As if the crate had declared them: https://doc.rust-lang.org/nightly/unstable-book/compiler-flags/extern.html
    command.arg("-Zunstable-options");
    if allocator == Allocator::Bindings {
        let library = allocator::library(rust)?;
        command.arg("--extern").arg(format!("force:mpy_allocator={}", library.display()));
    }
    let panic = allocator::library_of(rust, "panic", "mpy_panic", c_runtime::RUST_PANIC)?;
    command.arg("--extern").arg(format!("force:mpy_panic={}", panic.display()));
    if let Some(std) = std.filter(|_| link.has_std) {
        let library = allocator::library_of(rust, "std", "mpy_std", &std.source)?;
        command.arg("--extern").arg(format!("force:mpy_std={}", library.display()));
    }
    if let Unit::Tests(_) = plan.unit {
        let harness = allocator::library_of(rust, "harness", "test", c_runtime::RUST_HARNESS)?;
        command.arg("--extern").arg(format!("test={}", harness.display()));
    }
    allow_unstable(&mut command, &plan.library)?;
    Ok(command)
}

/// Allows unstable options for the crate `library`. Build scripts depend on the variable that does so, and would run
/// again after each change of it. A wrapper therefore sets it for rustc only.
fn allow_unstable(command: &mut Command, library: &str) -> Result<()> {
    const VARIABLE: &str = "RUSTC_BOOTSTRAP";
    #[cfg(unix)]
    const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
    let known = std::env::var(VARIABLE).ok().filter(|value| !value.is_empty());
    #[cfg(unix)]
    if known.is_none() && std::env::var_os(WRAPPER).is_none() {
        command.env(WRAPPER, script("rustc-unstable", "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\"\n")?);
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

/// A shell script in the cache.
#[cfg(unix)]
fn script(name: &str, text: &str) -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let script = cache_dir().join(name);
    let is_executable = |data: std::fs::Metadata| data.permissions().mode() & 0o111 != 0;
    let is_whole = std::fs::read(&script).is_ok_and(|found| found == text.as_bytes())
        && script.metadata().is_ok_and(is_executable);
    if !is_whole {
        // The file must appear complete, because another build may be waiting for it.
        let io = |error: std::io::Error| io_error("write", &script, &error);
        std::fs::create_dir_all(cache_dir()).map_err(io)?;
        let made = tempfile::NamedTempFile::new_in(cache_dir()).map_err(io)?;
        std::fs::write(made.path(), text).map_err(io)?;
        std::fs::set_permissions(made.path(), std::fs::Permissions::from_mode(0o755)).map_err(io)?;
        // Closed before it runs: a file that is open for writing cannot be executed.
        made.into_temp_path().persist(&script).map_err(|error| io(error.error))?;
    }
    Ok(script)
}

/// Compiles every crate for [`TRIPLE`] with our standard library, without flags of cargo, of which it takes those of one
/// source only. And lets the crate getrandom, which refuses to be compiled for [`TRIPLE`] otherwise, call a function that
/// the program provides: the bindings do. A backend that the user chose is kept.
#[cfg(unix)]
fn wrap_rustc(command: &mut Command, plan: &CrateBuild, std: Option<&StdLibrary>) -> Result<()> {
    const WRAPPER: &str = "RUSTC_WRAPPER";
    const SCRIPT: &str = r#"#!/bin/sh
case "$*" in
*"--target wasm32-unknown-unknown"*)
    case "$CARGO_PKG_NAME $CARGO_PKG_VERSION $*" in
    *"--cfg getrandom_backend"*) ;;
    "getrandom 0.2."*) set -- "$@" --cfg 'feature="custom"' ;;
    "getrandom 0.3."*) set -- "$@" --cfg 'getrandom_backend="custom"' ;;
    "getrandom "*'feature="wasm_js"'*) ;;
    "getrandom "*) set -- "$@" --cfg 'getrandom_backend="custom"' ;;
    esac
    set -- "$@" ${CARGO_MPY_SYSROOT:+--sysroot "$CARGO_MPY_SYSROOT"}
esac
exec ${CARGO_MPY_WRAPPER:+"$CARGO_MPY_WRAPPER"} "$@"
"#;
    if let Some(std) = std {
        command.env("CARGO_MPY_SYSROOT", &std.sysroot);
    }
    let set = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    let other = set(WRAPPER).or_else(|| set("CARGO_BUILD_RUSTC_WRAPPER"));
    if let Some(other) = other.or_else(|| configured_wrapper(&plan.manifest)) {
        command.env("CARGO_MPY_WRAPPER", other);
    }
    command.env(WRAPPER, script("rustc-wrapper", SCRIPT)?);
    Ok(())
}

/// `build.rustc-wrapper` in the configuration of cargo for a manifest
/// (https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure).
#[cfg(unix)]
fn configured_wrapper(manifest: &Path) -> Option<OsString> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let folders = manifest.ancestors().skip(1).map(|above| above.join(".cargo")).chain(home);
    let files = folders.flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name)));
    files.into_iter().find_map(|file| {
        let config: toml::Table = std::fs::read_to_string(&file).ok()?.parse().ok()?;
        let wrapper = PathBuf::from(config.get("build")?.get("rustc-wrapper")?.as_str()?);
        // A path with several parts is relative to the folder that `.cargo` is in.
        let is_path = wrapper.components().count() > 1;
        let folder = file.parent().and_then(Path::parent).filter(|_| is_path);
        Some(folder.map_or(wrapper.clone(), |folder| folder.join(&wrapper)).into_os_string())
    })
}

/// Adds compiler flags for every crate of [`TRIPLE`] and keeps the user's flags. Cargo uses the first of these sources
/// that is set (https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags).
fn add_rustflags(command: &mut Command, more: &[String]) {
    let set = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    if let Some(mut flags) = set("CARGO_ENCODED_RUSTFLAGS") {
        flags.push("\x1f");
        flags.push(more.join("\x1f"));
        command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    } else if let Some(flags) = set("RUSTFLAGS") {
        let words = flags.to_string_lossy().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        command.env("CARGO_ENCODED_RUSTFLAGS", [words.join("\x1f"), more.join("\x1f")].join("\x1f"));
    } else {
        let toml = toml::Value::from(more.to_vec());
        command.arg("--config").arg(format!("target.{TRIPLE}.rustflags={toml}"));
    }
}

/// The result of a run of cargo, unless the crate does not compile.
enum BuildResult {
    Built(Artifact),
    /// The crate needs this allocator.
    WrongAllocator(Allocator),
}

fn run(
    mut command: Command,
    plan: &CrateBuild,
    allocator: Allocator,
) -> std::result::Result<BuildResult, Failure> {
    ui::verbose("Running", format_args!("`{}`", shown(&command)));
    let start = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    let mut child = start.map_err(|error| super::cannot_start(&command, &error))?;
    let (mut artifact, mut wanted) = (None, None);
    let (mut two_panic_handlers, mut has_told) = (false, false);
    let mut closure = None;
    let stdout = child.stdout.take().expect("it was piped");
    for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
        let made = match serde_json::from_str(&line) {
            Ok(Message::CompilerArtifact(made)) => made,
            Ok(Message::CompilerMessage(said)) => {
                wanted = wanted.or(allocator.corrected(&said.message.message));
                closure = closure.or_else(|| closure_parameter(&said.message));
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
        if let Some(closure) = closure {
            return Err(closure.into());
        }
        let failure = || match status.code() {
            Some(code) if has_told => Failure::Exit(code),
            _ => cargo_failed(Path::new(command.get_program()), status),
        };
        return wanted.map(BuildResult::WrongAllocator).ok_or_else(failure);
    }
    artifact.map(BuildResult::Built).ok_or_else(|| {
        Diagnostic::new("no-wasm", format!("cargo built `{}` but no WebAssembly came of it", plan.package))
            .at(Place::File { path: plan.manifest.clone(), line: 0, column: 0 })
            .help("`-v` shows what was run")
            .into()
    })
}

/// The error for a parameter that is a closure or a function pointer, which Python cannot pass to Rust. It says what to
/// write instead. The error of rustc only names a trait of wasm-bindgen.
fn closure_parameter(said: &RustcDiagnostic) -> Option<Diagnostic> {
    // rustc reports each type twice: at the attribute, and at the type itself.
    let span = said.spans.iter().find(|span| span.is_primary && span.expansion.is_none())?;
    if !lacks_conversion_of_closure(&said.message) {
        return None;
    }
    let place = Place::File {
        path: PathBuf::from(&span.file_name),
        line: u32::try_from(span.line_start).unwrap_or_default(),
        column: u32::try_from(span.column_start).unwrap_or_default(),
    };
    let message = "a closure or a function pointer cannot be passed from Python to Rust";
    let help = "use `&Callback`, which can be any Python function: `#[wasm_bindgen] extern \"C\" { type Callback; \
                #[wasm_bindgen(method, js_name = \"__call__\")] fn call(this: &Callback, n: u32) -> u32; }`";
    Some(Diagnostic::new("unsupported-bindings", message).at(place).help(help))
}

fn lacks_conversion_of_closure(message: &str) -> bool {
    let bound =
        message.strip_prefix("the trait bound `").and_then(|rest| rest.strip_suffix("` is not satisfied"));
    bound.and_then(|bound| bound.rsplit_once(": ")).is_some_and(|(ty, name)| {
        name.ends_with("FromWasmAbi") && ["dyn Fn", "fn("].iter().any(|function| ty.contains(function))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closures_as_parameters_are_told_from_other_types() {
        let lacks =
            |bound: &str| lacks_conversion_of_closure(&format!("the trait bound `{bound}` is not satisfied"));
        for bound in [
            "dyn Fn(u32) -> u32: RefFromWasmAbi",
            "(dyn FnMut(u32) + 'static): RefMutFromWasmAbi",
            "ScopedClosure<'static, dyn FnMut(u32)>: FromWasmAbi",
            "ScopedClosure<'static, (dyn FnMut(u32) + 'static)>: OptionFromWasmAbi",
            "Box<dyn Fn(u32)>: FromWasmAbi",
            "extern \"C\" fn(u32) -> u32: wasm_bindgen::convert::FromWasmAbi",
        ] {
            assert!(lacks(bound), "{bound}");
        }
        for bound in ["Thing: FromWasmAbi", "Box<dyn Fn(u32)>: Clone", "fn(): IntoWasmAbi"] {
            assert!(!lacks(bound), "{bound}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn build_scripts_are_compiled_in_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let [home, target_dir] = ["wasm", "wasm-simd"].map(|name| folder.path().join(name));
        let build = |unit, profile: &str, target_dir: &Path| CrateBuild {
            package: "m".to_owned(),
            library: "m".to_owned(),
            manifest: PathBuf::new(),
            root: PathBuf::new(),
            profile: profile.to_owned(),
            cargo_args: Vec::new(),
            target_dir: target_dir.to_owned(),
            unit,
            unwinds: false,
            has_lines: false,
            has_vectors: false,
            tests: Vec::new(),
        };
        share_host(&build(Unit::Library, "release", &home), &home);
        assert!(!home.exists());
        for (unit, profile, name) in [
            (Unit::Library, "release", "release"),
            (Unit::Library, "dev", "debug"),
            (Unit::Tests(None), "small", "debug"),
            (Unit::Library, "small", "small"),
        ] {
            share_host(&build(unit, profile, &target_dir), &home);
            let file = home.join(name).join(profile);
            std::fs::write(&file, "").unwrap();
            assert!(target_dir.join(name).join(profile).is_file(), "{profile}");
        }
        // Where cargo has put them already, they stay.
        std::fs::create_dir(target_dir.join("own")).unwrap();
        share_host(&build(Unit::Library, "own", &target_dir), &home);
        assert!(!target_dir.join("own").is_symlink() && !home.join("own").exists());
        // A link that leads nowhere leads somewhere again.
        std::fs::remove_dir_all(&home).unwrap();
        share_host(&build(Unit::Library, "release", &target_dir), &home);
        assert!(target_dir.join("release").is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn a_wrapper_of_the_compiler_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("a/b/Cargo.toml");
        let config = |at: &str, text: &str| {
            let path = folder.path().join(at).join(".cargo/config.toml");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        config("", "[build]\nrustc-wrapper = \"bin/wrap\"\n");
        assert_eq!(configured_wrapper(&manifest), Some(folder.path().join("bin/wrap").into()));
        config("a", "[net]\noffline = true\n");
        assert_eq!(configured_wrapper(&manifest), Some(folder.path().join("bin/wrap").into()));
        config("a/b", "build.rustc-wrapper = \"sccache\"\n");
        assert_eq!(configured_wrapper(&manifest), Some("sccache".into()));
    }

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
}
