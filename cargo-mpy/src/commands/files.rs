//! The files that commands which run Python take: a script and a module.

use std::path::{Path, PathBuf};

use target_specs::{Diagnostic, Place, Result};

use crate::toolchain;

/// The `.wasm` or `.wat` file and the script among the files of a command.
///
/// # Errors
/// `too-many-files` if there are several of a kind.
pub(super) fn module_and_script(files: Vec<PathBuf>) -> Result<(Option<PathBuf>, Option<PathBuf>)> {
    let is_module = |path: &PathBuf| path.extension().is_some_and(|e| e == "wasm" || e == "wat");
    let (modules, scripts): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(is_module);
    if let Some(extra) = modules.get(1).or(scripts.get(1)) {
        return Err(Diagnostic::new("too-many-files", "one script and one module at a time")
            .at(Place::Argument(extra.display().to_string())));
    }
    Ok((modules.into_iter().next(), scripts.into_iter().next()))
}

/// The code of a script, or otherwise that of `--execute`.
///
/// # Errors
/// `io`
pub(super) fn code(script: Option<&Path>, execute: Option<&str>) -> Result<Option<String>> {
    match script {
        Some(path) => Ok(Some(String::from_utf8_lossy(&toolchain::read_file(path)?).into_owned())),
        None => Ok(execute.map(str::to_owned)),
    }
}
