//! GDB.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use target_specs::{Arch, Diagnostic, Result};

use super::{answer_of, cannot_start, install_help, rust, shown, which};
use crate::ui;

/// The environment variable that names another GDB.
const VARIABLE: &str = "CARGO_MPY_GDB";

/// The package that contains a GDB for all processors, by package manager.
pub const PACKAGES: [(&str, &str); 4] =
    [("apt", "gdb-multiarch"), ("dnf", "gdb"), ("pacman", "gdb"), ("brew", "gdb")];

/// A GDB that knows the processors of an architecture: the one that the user names, that for all processors, one of the same
/// toolchain as a C compiler, or the system's.
///
/// # Errors
/// `missing-tool`, `unsupported-gdb` if those that are installed know other processors.
pub fn find(arch: &Arch) -> Result<PathBuf> {
    let named = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty());
    let compilers = arch.compilers.iter().flat_map(|compiler| &compiler.commands);
    let of_toolchains = compilers.filter_map(|name| Some(format!("{}gdb", name.strip_suffix("gcc")?)));
    let usual = std::iter::once("gdb-multiarch".to_owned()).chain(of_toolchains).chain(["gdb".to_owned()]);
    let names: Vec<String> = named.map_or_else(|| usual.collect(), |name| vec![name]);
    let here: Vec<PathBuf> = names.iter().filter_map(|name| which(name)).collect();
    let name = processor(arch);
    let found = here.iter().find(|gdb| {
        let command = format!("set architecture {name}");
        answer_of(Command::new(gdb).args(["-nx", "-batch", "-ex", &command])).is_ok()
    });
    if let Some(found) = found {
        return Ok(found.clone());
    }
    Err(match here.first() {
        Some(gdb) => {
            let message = format!("`{}` does not know the processors of {}", gdb.display(), arch.name);
            let help =
                format!("{}; or name that of the chip's vendor: {VARIABLE}=…", install_help(&PACKAGES));
            Diagnostic::new("unsupported-gdb", message).help(help)
        }
        None => {
            let message = format!("no GDB for {} is installed: {}", arch.name, names.join(", "));
            Diagnostic::new("missing-tool", message).help(install_help(&PACKAGES))
        }
    })
}

/// GDB's name for the processors of an architecture, which is that of binutils.
pub fn processor(arch: &Arch) -> &str {
    arch.disassembler.get(1).map_or("auto", String::as_str)
}

/// Where the source of Rust's library is, which the compiler calls by another path: both paths.
pub fn rust_library() -> Option<(String, PathBuf)> {
    let rustc = rust::look_for_source().ok()?;
    let version = answer_of(Command::new(&rustc).arg("-vV")).ok()?;
    let hash = version.lines().find_map(|line| line.strip_prefix("commit-hash: "))?;
    let sysroot = answer_of(Command::new(&rustc).args(["--print", "sysroot"])).ok()?;
    Some((format!("/rustc/{hash}"), Path::new(sysroot.trim()).join("lib/rustlib/src/rust")))
}

/// Gives the terminal to GDB until it ends. Returns its exit code. Ctrl-C is for GDB.
///
/// # Errors
/// `missing-tool`
pub fn run(gdb: &Path, arguments: &[String]) -> Result<i32> {
    let mut command = Command::new(gdb);
    command.args(arguments).stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    ui::verbose("Running", format_args!("`{}`", shown(&command)));
    // It fails if another handler is set, and there is none.
    let _ = ctrlc::set_handler(|| {});
    let status = command.status().map_err(|error| cannot_start(&command, &error))?;
    Ok(status.code().unwrap_or(1))
}
