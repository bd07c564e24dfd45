//! A plugin that adds instructions to an assembler.
//!
//! GNU binutils can read the description of a configurable processor from a shared library, which an environment
//! variable names. Distributions have an assembler for the small core only, but the source of binutils contains the
//! description of the larger one. The library is therefore built from that source on the user's machine, and is never
//! distributed.

use std::path::{Path, PathBuf};
use std::process::Command;

use target_specs::{Diagnostic, Result};

use super::{answer_of, cache, cache_dir, digest, io_error, output_of, which, write_file};

/// The environment variable that names the plugin for the assembler, the linker and the compiler.
pub const VARIABLE: &str = "XTENSA_GNU_CONFIG";

/// Debian's package with the source, of the same release as its cross assembler.
const SOURCE_PACKAGE: &str = "binutils-source";

/// The configuration that goes with the instruction set of `bfd/xtensa-modules.c`: little-endian,
/// with the 64 registers of the chips that modules are for.
const CONFIGURATION: &str = "\
#include \"xtensa-config.h\"
#undef XCHAL_HAVE_BE
#define XCHAL_HAVE_BE 0
#undef XCHAL_NUM_AREGS
#define XCHAL_NUM_AREGS 64
#define XTENSA_CONFIG_DEFINITION
#include \"xtensa-dynconfig.h\"
XTENSA_CONFIG_INSTANCE_LIST;
";

/// The plugin for the assembler of this C compiler, if it is built. A plugin that the user names in the environment is
/// used unchanged.
pub fn find(compiler: &Path) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let path = location(compiler).ok()?;
    cache::used(&path);
    cache::is_whole(&path).then_some(path)
}

/// The plugin for the assembler of this C compiler. It is built if necessary.
///
/// # Errors
/// `no-assembler-plugin` where the source cannot be fetched, `tool-failed`, `missing-tool`, `io`.
pub fn build(compiler: &Path, progress: &dyn Fn(&str)) -> Result<PathBuf> {
    if let Some(ready) = find(compiler) {
        return Ok(ready);
    }
    if which("apt-get").is_none() || which("dpkg-deb").is_none() {
        let message =
            "this compiler's assembler lacks instructions, and only apt can fetch their description";
        return Err(Diagnostic::new("no-assembler-plugin", message)
            .help(format!("install the chip vendor's own GCC, or name a plugin in {VARIABLE}")));
    }
    let target = location(compiler)?;
    cache::discard(&target);
    let temporary = tempfile::tempdir().map_err(|error| io_error("create", &std::env::temp_dir(), &error))?;
    let root = temporary.path();
    progress("fetching the assembler's instruction tables");
    // Root's apt fetches as a user who may not enter this folder.
    let sandbox = ["-o", "APT::Sandbox::User="];
    output_of(
        Command::new("apt-get").args(sandbox).args(["-q", "download", SOURCE_PACKAGE]).current_dir(root),
    )
    .map_err(|error| error.help(format!("`apt-get update` may be due: {SOURCE_PACKAGE} was not found")))?;
    let package = file_with(root, ".deb")?;
    output_of(Command::new("dpkg-deb").arg("-x").arg(package).arg(root))?;
    let tarball = file_with(&root.join("usr/src/binutils"), ".tar.xz")?;
    output_of(
        Command::new("tar")
            .arg("-xf")
            .arg(tarball)
            .args(["--strip-components=1", "--wildcards", "*/include/*", "*/bfd/xtensa-modules.c"])
            .current_dir(root),
    )?;
    write_file(&root.join("configuration.c"), CONFIGURATION.as_bytes())?;
    progress("building the assembler's plugin");
    output_of(
        Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-w", "-Iinclude", "-o", "plugin.so"])
            .args(["configuration.c", "bfd/xtensa-modules.c"])
            .current_dir(root),
    )?;
    write_file(&target, &super::read_file(&root.join("plugin.so"))?)?;
    cache::seal(&target)?;
    Ok(target)
}

/// Whether this compiler needs a plugin for one of its architectures. For the other architecture the variable must not
/// be set: the assembler would record the ABI of the plugin in the objects.
pub fn is_for_another(compiler: &Path) -> bool {
    let name = compiler.file_stem().unwrap_or_default();
    let mut compilers = target_specs::archs().iter().flat_map(|arch| &arch.compilers);
    compilers.any(|facts| facts.assembler_plugin && facts.commands.iter().any(|command| name == &**command))
}

/// The file of the plugin for this compiler's assembler. The versions must match.
fn location(compiler: &Path) -> Result<PathBuf> {
    let assembler = answer_of(Command::new(compiler).arg("-print-prog-name=as"))?;
    let version = answer_of(Command::new(assembler.trim()).arg("--version"))?;
    let hash = digest([CONFIGURATION, version.as_str()]);
    Ok(cache_dir().join("assembler-plugin").join(format!("{hash}.so")))
}

fn file_with(folder: &Path, end: &str) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).map_err(|error| io_error("read", folder, &error))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths.find(|path| path.to_string_lossy().ends_with(end)).ok_or_else(|| {
        Diagnostic::new("no-assembler-plugin", format!("the package {SOURCE_PACKAGE} holds no {end} file"))
    })
}
