//! Programs of this machine, compiled from C. As objects are, they are kept in the cache, named for what they were
//! made of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_mpy::toolchain::{answer_of, identity, objects, which};

/// Headers of the C library that the tests' C includes.
const LIBRARY: [&str; 7] =
    ["inttypes.h", "limits.h", "math.h", "setjmp.h", "stdio.h", "stdlib.h", "string.h"];

/// This C compiler, through ccache where that is installed: most files are the same in the next run.
pub fn cached(compiler: &str) -> Command {
    if which("ccache").is_none() {
        return Command::new(compiler);
    }
    let mut command = Command::new("ccache");
    // Files are the same in whatever folder they are.
    command.env("CCACHE_NOHASHDIR", "1").arg(compiler);
    command
}

/// A text that changes when the C library that this compiler links is replaced.
///
/// # Errors
/// When the compiler does not answer.
pub fn c_library(compiler: &str) -> Result<String, String> {
    let answer = answer_of(Command::new(compiler).arg("-print-file-name=libc.so.6"));
    Ok(identity(Path::new(answer.map_err(|error| error.to_string())?.trim())))
}

/// The program that `compiler`, with its flags, makes of these sources.
///
/// # Errors
/// What the compiler says against them.
pub fn program(compiler: &Command, sources: &[PathBuf], includes: &[&Path]) -> Result<PathBuf, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut command = Command::new(compiler.get_program());
    command.args(compiler.get_args());
    command.env("LIBRARY", c_library(&compiler.get_program().to_string_lossy())?);
    let paths: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
    let key = objects::key_of_several(&command, &paths, includes, &LIBRARY).map_err(|error| text(&error))?;
    let key = key.ok_or("the sources depend on more than their text")?;
    kept(&key, |folder| {
        let made = folder.join("program");
        for include in includes {
            command.arg("-I").arg(include);
        }
        let output = command.arg("-o").arg(&made).args(sources).output().map_err(|error| text(&error))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(made)
    })
}

/// The program that is kept under the digest of all that it is made of; or the one that `make` makes in an empty folder, which
/// is then kept.
///
/// # Errors
/// Those of `make`, and when nothing can be written to the cache.
pub fn kept(key: &str, make: impl FnOnce(&Path) -> Result<PathBuf, String>) -> Result<PathBuf, String> {
    let text = |error: std::io::Error| error.to_string();
    let program = objects::file(key, "run");
    if program.is_file() {
        return Ok(program);
    }
    let folder = program.parent().expect("a folder");
    fs::create_dir_all(folder).map_err(text)?;
    let unfinished = tempfile::tempdir_in(folder).map_err(text)?;
    // Whole or not at all, and never open for writing here: what is cannot be started.
    fs::rename(make(unfinished.path())?, &program).map_err(text)?;
    Ok(program)
}
