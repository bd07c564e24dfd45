//! The programs that a set of boards needs, and which of them are installed.

use std::path::Path;
use std::process::{Command, Stdio};

use target_specs::{Arch, Board, Diagnostic, Result};

use super::micropython::{Firmware, missing_tools};
use super::rust::{self, Found, TRIPLE};
use super::{cannot_start, cc, debugger, install_command, package_manager, shown, which};
use crate::ui;

/// A requirement of a build or a run.
#[derive(Debug, Clone)]
pub struct Need {
    /// Its name, for a person.
    pub what: String,
    /// Whether it is installed.
    pub state: State,
}

/// Whether something is installed.
#[derive(Debug, Clone)]
pub enum State {
    /// Installed, at this path.
    Here(String),
    /// Not built yet; the text says what builds it.
    Later(String),
    /// Missing.
    Missing {
        /// The packages that contain it, for the package manager of this machine.
        packages: Vec<String>,
        /// How to install it.
        help: String,
    },
}

impl Need {
    /// Whether it must be installed before a build or a run.
    pub fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing { .. })
    }
}

/// The requirements of `boards`, in the order in which they are needed. With `unwinds`, also those of a crate that
/// unwinds; with `debugger`, also GDB.
pub fn needs(boards: &[&Board], unwinds: bool, debugger: bool) -> Vec<Need> {
    let mut needs = vec![rust()];
    needs.extend(unwinds.then(source));
    let mut archs: Vec<&str> = boards.iter().map(|board| board.arch.as_str()).collect();
    archs.sort_unstable();
    archs.dedup();
    needs.extend(archs.iter().filter_map(|arch| target_specs::arch(arch).ok()).map(compiler));
    needs.extend(boards.iter().filter(|board| board.emulator.is_some()).map(|board| micropython(board)));
    if debugger {
        needs.extend(archs.iter().filter_map(|arch| target_specs::arch(arch).ok()).map(gdb));
    }
    needs
}

fn gdb(arch: &Arch) -> Need {
    let state = match debugger::find(arch) {
        Ok(path) => State::Here(path.display().to_string()),
        Err(error) => {
            let manager = package_manager();
            let package = debugger::PACKAGES.iter().find(|(name, _)| Some(*name) == manager);
            let is_there = error.code != "missing-tool" && which("gdb-multiarch").is_some();
            match package.filter(|_| !is_there) {
                Some((_, package)) => {
                    let help = error.help.unwrap_or_default();
                    State::Missing { packages: vec![(*package).to_owned()], help }
                }
                // No package brings it.
                None => State::Later(error.message),
            }
        }
    };
    Need { what: format!("GDB for {}", arch.name), state }
}

fn rust() -> Need {
    let state = match rust::look() {
        Found::Target(rustc) => State::Here(rustc.display().to_string()),
        Found::Source(rustc) => State::Here(format!("{}, with its own std", rustc.display())),
        Found::Nothing(Diagnostic { help, .. }) => {
            let packages = ["rustc-web", "cargo-web", "rust-web-src", "lld"];
            let packages = packages.iter().filter(|_| package_manager() == Some("apt"));
            State::Missing {
                packages: packages.map(ToString::to_string).collect(),
                help: help.unwrap_or_default(),
            }
        }
    };
    Need { what: format!("Rust for {TRIPLE}"), state }
}

/// The source of the standard library that unwinding crates need.
fn source() -> Need {
    let state = match rust::look_for_source() {
        Ok(rustc) => State::Here(rustc.display().to_string()),
        Err(error) => State::Missing { packages: Vec::new(), help: error.help.unwrap_or_default() },
    };
    Need { what: "Rust's source, for `panic = \"unwind\"`".to_owned(), state }
}

fn compiler(arch: &target_specs::Arch) -> Need {
    let state = match cc::find(arch) {
        Ok(compiler) => State::Here(compiler.program().display().to_string()),
        Err(error) => {
            let package = package_manager().and_then(|manager| {
                arch.compilers.iter().find_map(|compiler| compiler.packages.get(manager))
            });
            State::Missing {
                packages: package.into_iter().cloned().collect(),
                help: error.help.unwrap_or_default(),
            }
        }
    };
    Need { what: format!("C compiler for {}", arch.name), state }
}

fn micropython(board: &Board) -> Need {
    let missing = missing_tools(board);
    let state = match (Firmware::find(board), &missing[..]) {
        (Some(firmware), []) => State::Here(firmware.path.display().to_string()),
        (None, []) => State::Later("`cargo mpy setup` or the first run builds it".to_owned()),
        (_, missing) => {
            let programs: Vec<&str> = missing.iter().map(|tool| tool.program.as_str()).collect();
            let packages = missing.iter().filter_map(|tool| tool.package.clone()).collect();
            State::Missing { packages, help: format!("needs {}", programs.join(", ")) }
        }
    };
    Need { what: format!("MicroPython on {}", board.name), state }
}

/// `apt-get` as this user can run it: as root, or with `sudo`.
fn apt_get() -> Option<Command> {
    if package_manager() != Some("apt") {
        return None;
    }
    let root = super::output_of(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut command = if root {
        Command::new("apt-get")
    } else {
        let mut command = Command::new(which("sudo")?);
        command.arg("apt-get");
        command
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Some(command)
}

/// The command that installs packages here, as a person would type it.
pub fn how_to_install(packages: &[String]) -> String {
    match package_manager() {
        Some(manager) => install_command(manager, &packages.join(" ")),
        None => format!("install {}", packages.join(", ")),
    }
}

/// Installs packages with the distribution's package manager and shows its output.
///
/// # Errors
/// `cannot-install` with the command to type, if it cannot be run or fails.
pub fn install(packages: &[String]) -> Result<()> {
    let problem = |message: &str| {
        Diagnostic::new("cannot-install", message)
            .help(format!("install them yourself: {}", how_to_install(packages)))
    };
    let apt_get = || apt_get().ok_or_else(|| problem("this tool cannot install packages here"));
    ui::status("Installing", packages.join(" "));
    let install = || stream(apt_get()?.args(["install", "-y", "--no-install-recommends"]).args(packages));
    if install()? {
        return Ok(());
    }
    // The package lists may be old, or missing in a new container.
    stream(apt_get()?.arg("update"))?;
    if install()? { Ok(()) } else { Err(problem("the package manager failed")) }
}

/// Creates a folder of the cache if it does not exist. An incomplete folder never appears.
///
/// # Errors
/// Those of `make`; `io`.
pub fn into_cache(folder: &Path, make: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    if folder.is_dir() {
        super::cache::used(folder);
        return Ok(());
    }
    let parent = super::cache_dir();
    std::fs::create_dir_all(&parent).map_err(|error| super::io_error("create", &parent, &error))?;
    let temporary =
        tempfile::tempdir_in(&parent).map_err(|error| super::io_error("create", &parent, &error))?;
    let made = temporary.path().join("made");
    make(&made)?;
    std::fs::rename(&made, folder).map_err(|error| super::io_error("create", folder, &error))
}

/// Adds the target to the active toolchain with rustup; returns whether that worked.
///
/// # Errors
/// If rustup is installed and cannot be started.
pub fn add_target() -> Result<bool> {
    let Some(rustup) = which("rustup") else { return Ok(false) };
    ui::status("Adding", format_args!("the target {TRIPLE}"));
    stream(Command::new(rustup).args(["target", "add", TRIPLE]))
}

/// Adds the source of Rust's standard library to the active toolchain; returns whether that worked.
///
/// # Errors
/// As [`add_target`].
pub fn add_source() -> Result<bool> {
    let Some(rustup) = which("rustup") else { return Ok(false) };
    ui::status("Adding", "the component rust-src");
    stream(Command::new(rustup).args(["component", "add", "rust-src"]))
}

/// Runs a command and shows its output; returns whether it succeeded.
fn stream(command: &mut Command) -> Result<bool> {
    ui::verbose("Running", format_args!("`{}`", shown(command)));
    let quiet = ui::level() == ui::Level::Quiet;
    let out = || if quiet { Stdio::null() } else { Stdio::inherit() };
    let status = command.stdin(Stdio::null()).stdout(out()).stderr(out()).status();
    Ok(status.map_err(|error| cannot_start(command, &error))?.success())
}
