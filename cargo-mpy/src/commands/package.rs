//! `cargo mpy package`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use target_specs::{Arch, Diagnostic, Place, Result};

use crate::failure::Failure;
use crate::options::BuildOptions;
use crate::pipeline::Built;
use crate::plan::BuildPlan;
use crate::python_files::Files;
use crate::romfs;
use crate::toolchain::{self, cc};
use crate::{pipeline, ui};

/// Create a package for `mip`, ROMFS images, and a zip
#[derive(Debug, Args)]
#[command(
    visible_alias = "publish",
    after_help = "\
Examples:
  cargo mpy package                    for all architectures
  cargo mpy package --board rp2040 --board pyboard

target/mpy/package/NAME-VERSION contains
  ARCH/package.json, ARCH/NAME.mpy     for `mip install URL/ARCH/`
  package.json, NAME/__init__.py       for `mip install URL/`, which installs
                                       all architectures; the board imports
                                       its own
  NAME-ARCH.romfs                      for `mpremote romfs deploy`
  NAME.pyi                             for editors
NAME-VERSION.zip, beside that directory, contains the same files. URL is the
place where you publish the package: a web server, or
github:USER/REPOSITORY/DIRECTORY.

The files of the directory that the setting `python` names are installed beside
the module."
)]
pub struct Package {
    /// Directory for the package [default: target/mpy/package]
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,

    /// Add the package to this directory too, which a web server can offer as an index: `mip install --index URL NAME`
    #[arg(long, value_name = "DIRECTORY")]
    index: Option<PathBuf>,

    #[command(flatten)]
    options: BuildOptions,
}

impl Package {
    pub fn run(self) -> std::result::Result<(), Failure> {
        for options in pipeline::each_package(&self.options)? {
            self.package(options)?;
        }
        Ok(())
    }

    fn package(&self, mut options: BuildOptions) -> std::result::Result<(), Failure> {
        let mut plan = pipeline::plan(&options)?;
        if plan.by_default {
            // Without a board or architecture, the package is for all architectures.
            let (here, missing): (Vec<_>, Vec<_>) =
                target_specs::archs().iter().partition(|arch| cc::find(arch).is_ok());
            if !missing.is_empty() {
                let names: Vec<&str> = missing.iter().map(|arch| arch.name.as_str()).collect();
                ui::warning(format_args!("no compiler for {}: the package is without", names.join(", ")));
            }
            options.archs = here.iter().map(|arch| arch.name.clone()).collect();
            plan = pipeline::plan(&options)?;
        }
        let built = pipeline::build(&plan, None)?;
        let mut archs: Vec<&str> = built.iter().map(|one| one.target.arch.name.as_str()).collect();
        archs.dedup();
        if archs.len() < built.len() {
            return Err(Diagnostic::new("which-board", "two boards of one architecture want it differently")
                .help("package for one of them, or for the architecture with `--arch`")
                .into());
        }
        let version = plan.version.as_deref().unwrap_or("0.0.0");
        let name = format!("{}-{version}", plan.module);
        let parent = self.out.clone().unwrap_or_else(|| plan.out_dir.join("package"));
        let (files, urls) = contents(&plan, version, &built)?;
        write_folder(&parent.join(&name), &files)?;
        let archive = parent.join(format!("{name}.zip"));
        let zipped = zip(&name, &files)
            .map_err(|error| Diagnostic::new("io", format!("cannot make the archive: {error}")))?;
        toolchain::write_file(&archive, &zipped)?;
        ui::status("Packaged", format_args!("{} for {}", parent.join(&name).display(), archs.join(", ")));
        ui::status("Packaged", archive.display());
        if let Some(index) = &self.index {
            add_to_index(index, &plan.module, version, &files, urls)?;
            ui::status("Packaged", index.display());
        }
        Ok(())
    }
}

/// The directory of a package with the Python files that go beside the module.
const PYTHON: &str = "python";

/// What `mip` installs: the destination of each file, and its path in the package.
type Urls = Vec<(String, String)>;

/// The files in a package, and what `mip` installs for all architectures.
fn contents(plan: &BuildPlan, version: &str, built: &[Built]) -> Result<(Files, Urls)> {
    let module = &plan.module;
    let python = plan.python_files()?;
    let mut files: Files = Vec::new();
    let mut all = vec![(format!("{module}/__init__.py"), format!("{module}/__init__.py"))];
    // In a directory of their own, as the package has other files.
    all.extend(python.iter().map(|(path, _)| (path.clone(), format!("{PYTHON}/{path}"))));
    for one in built {
        let arch = &one.target.arch.name;
        let file = format!("{module}.mpy");
        all.push((format!("{module}/{arch}.mpy"), format!("{arch}/{file}")));
        // `mip` does not resolve `..`, so each has its own.
        let of_arch = python.iter().cloned().chain([(file, toolchain::read_file(&one.mpy)?)]);
        let (mut urls, mut entries) = (Vec::new(), Vec::new());
        for (path, data) in of_arch {
            urls.push((path.clone(), path.clone()));
            romfs::put(&mut entries, &format!("lib/{path}"), data.clone());
            files.push((format!("{arch}/{path}"), data));
        }
        files.push((format!("{arch}/package.json"), json_of(version, &urls)));
        files.push((format!("{module}-{arch}.romfs"), romfs::image(&entries)));
    }
    let archs: Vec<&Arch> = built.iter().map(|one| one.target.arch).collect();
    files.push(("package.json".to_owned(), json_of(version, &all)));
    files.push((format!("{module}/__init__.py"), chooser(module, version, &archs).into_bytes()));
    files.extend(python.into_iter().map(|(path, data)| (format!("{PYTHON}/{path}"), data)));
    if let Some(one) = built.first() {
        files.push((format!("{module}.pyi"), toolchain::read_file(&one.mpy.with_extension("pyi"))?));
    }
    files.sort();
    Ok((files, all))
}

/// A package.json for `mip`: the destination of each file, and its path relative to package.json.
fn json_of(version: &str, urls: &[(String, String)]) -> Vec<u8> {
    let json = json!({ "urls": urls, "version": version });
    format!("{json:#}\n").into_bytes()
}

/// A Python module that is the native module for the architecture of the board.
fn chooser(module: &str, version: &str, archs: &[&Arch]) -> String {
    let mut text = String::from(
        "def _choose():\n    import sys\n\n    \
         # The best module for the architecture of this board.\n    \
         arch = getattr(sys.implementation, \"_mpy\", 0) >> 10 & 15\n",
    );
    // Those for some processors first, as boards with these load others too.
    let (special, usual): (Vec<&Arch>, _) = archs.iter().partition(|arch| !arch.processors.is_empty());
    if !special.is_empty() {
        text.push_str(
            "    processor = getattr(sys.implementation, \"_machine\", \"\").split(\" with \")[-1]\n",
        );
    }
    let mut word = "if";
    for arch in special.iter().chain(&usual) {
        // MP_NATIVE_ARCH_* has four bits.
        let machine = arch.processors.first().map_or("", String::as_str);
        let loads_it = |number: &u8| {
            Arch::best_for(*number, machine, archs.iter().copied()).is_some_and(|best| best.name == arch.name)
        };
        let numbers: Vec<String> = (0..16).filter(loads_it).map(|number| number.to_string()).collect();
        let mut condition = match &numbers[..] {
            [number] => format!("== {number}"),
            _ => format!("in ({})", numbers.join(", ")),
        };
        if !arch.processors.is_empty() {
            // Not every MicroPython takes several prefixes at a time.
            write!(condition, " and any(processor.startswith(name) for name in {:?})", arch.processors)
                .expect("a String");
        }
        let name = &arch.name;
        write!(text, "    {word} arch {condition}:\n        from . import {name} as module\n")
            .expect("a String");
        word = "elif";
    }
    // Memories and globals of WebAssembly are not copied: the module answers for them.
    write!(
        text,
        "    else:\n        raise ImportError(\"{module} has no module for this board's architecture\")\n    \
         package = sys.modules[__name__]\n    \
         globals().pop(module.__name__.rsplit(\".\", 1)[1])\n    \
         module.__module__ = package\n    \
         known = dir(package)\n    \
         for name in dir(module):\n        if name not in known and name != \"__module__\":\n            \
         globals()[name] = getattr(module, name)\n\n\n\
         _choose()\ndel _choose\nglobals().setdefault(\"__version__\", \"{version}\")\n"
    )
    .expect("a String");
    text
}

/// The first hexadecimal digits of the digest of a file, which name it in an index. micropython-lib's index has as many.
const SHORT: usize = 8;

/// Adds the package of all architectures to an index: the files that `mip` and other tools ask a server for, as
/// `tools/build.py` of micropython-lib lays them out (version 2).
fn add_to_index(index: &Path, module: &str, version: &str, files: &Files, urls: Urls) -> Result<()> {
    let bad = |path: &Path, what: String| {
        let at = Place::File { path: path.to_owned(), line: 0, column: 0 };
        Diagnostic::new("bad-value", what).at(at).help("name another directory with `--index`, or correct it")
    };
    let find = |path: &str| files.iter().find(|(known, _)| known == path).map(|(_, data)| data);

    let list = index.join("index.json");
    let mut known: serde_json::Value = match std::fs::read(&list) {
        Ok(data) => serde_json::from_slice(&data)
            .map_err(|error| bad(&list, format!("it is no index of packages: {error}")))?,
        Err(_) => json!({ "v": 2, "packages": [] }),
    };
    let packages = known["packages"].as_array_mut();
    let packages = packages.ok_or_else(|| bad(&list, "it is no index of packages".to_owned()))?;

    let mut hashes = Vec::new();
    for (target, path) in urls {
        let data = find(&path).expect("each URL is that of a file");
        let digest = toolchain::sha256(data);
        let short = &digest[..SHORT];
        let file = index.join("file").join(&short[..2]).join(short);
        if std::fs::read(&file).is_ok_and(|old| old != *data) {
            return Err(bad(&file, format!("another file with the short name of {target}")));
        }
        toolchain::write_file(&file, data)?;
        hashes.push((target, short.to_owned()));
    }
    let entry = json!({ "v": 1, "hashes": hashes, "deps": [], "version": version });
    let entry = format!("{entry:#}\n").into_bytes();
    let old = packages.iter().position(|package| package["name"] == module);
    let old = old.map(|at| packages.remove(at)).unwrap_or_default();
    let mut versions = serde_json::Map::new();
    // Boards ask with the version of `.mpy` files that they load, or, for `--no-mpy`, with `py`.
    for kind in [&mpy_link::VERSION.to_string(), "py"] {
        for name in [version, "latest"] {
            toolchain::write_file(&index.join(format!("package/{kind}/{module}/{name}.json")), &entry)?;
        }
        let known = old["versions"][kind].as_array().cloned().unwrap_or_default();
        let mut all: Vec<_> = known.into_iter().filter(|known| known != version).collect();
        all.push(version.into());
        versions.insert(kind.to_owned(), all.into());
    }
    packages.push(json!({
        "name": module, "version": version, "versions": versions,
        "author": "", "description": "", "license": "", "path": "",
    }));
    packages.sort_by_key(|package| package["name"].to_string());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    known["updated"] = now.as_secs().into();
    toolchain::write_file(&list, format!("{known:#}\n").as_bytes())
}

/// Writes a directory, and replaces an old one. Never leaves part of a directory.
fn write_folder(folder: &Path, files: &Files) -> Result<()> {
    let io = |verb: &'static str, error: &std::io::Error| toolchain::io_error(verb, folder, error);
    let parent = folder.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|error| io("create", &error))?;
    let temporary = tempfile::tempdir_in(parent).map_err(|error| io("create", &error))?;
    let fresh = temporary.path().join("package");
    for (path, data) in files {
        toolchain::write_file(&fresh.join(path), data)?;
    }
    if folder.exists() {
        std::fs::rename(folder, temporary.path().join("old")).map_err(|error| io("replace", &error))?;
    }
    std::fs::rename(&fresh, folder).map_err(|error| io("create", &error))
}

/// A zip of files in one directory. The same input gives the same bytes.
fn zip(folder: &str, files: &Files) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, data) in files {
        writer.start_file(format!("{folder}/{path}"), zip::write::SimpleFileOptions::default())?;
        writer.write_all(data)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_get_the_best_module_of_a_package() {
        let archs = |names: &[&str]| -> Vec<&'static Arch> {
            names.iter().map(|name| target_specs::arch(name).expect("an architecture")).collect()
        };
        let text = chooser("m", "1.2.3", &archs(&["armv6m", "armv7m", "armv7emsp", "rv32imc"]));
        assert!(text.contains("if arch == 4:\n        from . import armv6m "), "{text}");
        // A Cortex-M4 without FPU, and an M7.
        assert!(text.contains("elif arch in (5, 6):\n        from . import armv7m "), "{text}");
        assert!(text.contains("elif arch in (7, 8):\n        from . import armv7emsp "), "{text}");
        assert!(text.contains("elif arch == 11:\n        from . import rv32imc "), "{text}");
        // What only some processors with a number have.
        let text = chooser("m", "1.2.3", &archs(&["armv6m", "armv7emdp", "armv81m"]));
        assert!(
            text.contains(
                "    if arch == 8 and any(processor.startswith(name) for name in \
                 [\"AE302F80F55D5\", \"AE722F80F55D5\", \"Cortex-M55\"]):\n        \
                 from . import armv81m as module\n    \
                 elif arch in (4, 5, 6, 7):\n        from . import armv6m as module\n    \
                 elif arch == 8:\n        from . import armv7emdp as module\n"
            ),
            "{text}"
        );
        assert!(text.contains("    processor = getattr("), "{text}");
        let text = chooser("m", "1.2.3", &archs(&["armv6m"]));
        assert!(!text.contains("processor"), "{text}");
        assert!(text.contains("if arch in (4, 5, 6, 7, 8):\n"), "{text}");
    }
}
