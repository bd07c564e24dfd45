//! The Python files of a package, which go beside its module: the setting `python`.

use std::path::Path;

use target_specs::{Diagnostic, Place, Result};

use crate::toolchain::{io_error, read_file};

/// Paths, with `/` between names, and contents.
pub type Files = Vec<(String, Vec<u8>)>;

/// All files in `folder` and its subdirectories, in the order of their paths, except hidden files, type stubs and the caches of
/// Python on this computer.
///
/// # Errors
/// `bad-value` if there is no such directory, a name is not Unicode, or Python would import a file in place of `module`; `io`.
pub fn read(folder: &Path, module: &str) -> Result<Files> {
    if !folder.is_dir() {
        return Err(wrong(folder, "the setting `python` names no directory".to_owned())
            .help("create it, or remove the setting"));
    }
    let mut files = Files::new();
    collect(folder, "", &mut files)?;
    files.sort();
    let takes_its_place = |path: &str| {
        let first = path.split('/').next().unwrap_or_default();
        first == module || ["py", "mpy"].iter().any(|end| first == format!("{module}.{end}"))
    };
    if let Some((path, _)) = files.iter().find(|(path, _)| takes_its_place(path)) {
        return Err(wrong(&folder.join(path), format!("it has the name of the module `{module}`")).help(
            "rename it, or the module by `name` in the settings: a package `NAME` can import its module as `_NAME`",
        ));
    }
    Ok(files)
}

fn collect(folder: &Path, below: &str, files: &mut Files) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| io_error("read", folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| io_error("read", folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| wrong(&path, "its name is not Unicode".to_owned()))?;
        if name.starts_with('.') || name == "__pycache__" || name.ends_with(".pyc") || name.ends_with(".pyi")
        {
            continue;
        }
        let known = format!("{below}{name}");
        if path.is_dir() {
            collect(&path, &format!("{known}/"), files)?;
        } else {
            files.push((known, read_file(&path)?));
        }
    }
    Ok(())
}

fn wrong(path: &Path, message: String) -> Diagnostic {
    Diagnostic::new("bad-value", message).at(Place::File { path: path.to_owned(), line: 0, column: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for path in
            ["b.py", "a/__init__.py", "a/data/t.bin", "a/t.pyi", "__pycache__/b.pyc", ".hidden/x.py", "b.pyc"]
        {
            crate::toolchain::write_file(&folder.path().join(path), path.as_bytes()).unwrap();
        }
        let files = read(folder.path(), "m").unwrap();
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a/__init__.py", "a/data/t.bin", "b.py"]);
        assert!(files.iter().all(|(path, data)| path.as_bytes() == data));
        for module in ["a", "b"] {
            assert_eq!(read(folder.path(), module).unwrap_err().code, "bad-value");
        }
        assert_eq!(read(&folder.path().join("b.py"), "m").unwrap_err().code, "bad-value");
    }
}
