//! `cargo mpy new` and `cargo mpy init`: a crate that builds and runs at once. Cargo makes the package, so
//! names, editions, version control and workspaces are as its user knows them; a template fills it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use glue_gen::wbindgen;
use target_specs::{Diagnostic, Place};

use crate::failure::Failure;
use crate::manifest::Manifest;
use crate::session::connected::contents;
use crate::session::port_args::LOCAL_FILE;
use crate::toolchain::{self, cargo, read_file, write_file};
use crate::{plan, ui};

/// What a new crate begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// A class, with wasm-bindgen
    Class,
    /// Functions of numbers, without std or dependencies: the smallest module
    Minimal,
    /// Strings and collections, in MicroPython's heap
    Alloc,
    /// A filter for buffers of samples
    Dsp,
    /// A sensor on I2C, by a driver from crates.io
    Driver,
    /// Samples that an interrupt takes, and a filter
    Sampler,
}

impl Template {
    /// Its name in flags, and of its folder in `templates/`.
    pub fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// `src/lib.rs` and `test.py`, where `{module}` stands for what Python imports.
    fn files(self) -> (&'static str, &'static str) {
        macro_rules! template {
            ($name:literal) => {
                (
                    include_str!(concat!("../../templates/", $name, "/lib.rs")),
                    include_str!(concat!("../../templates/", $name, "/test.py")),
                )
            };
        }
        match self {
            Template::Class => template!("class"),
            Template::Minimal => template!("minimal"),
            Template::Alloc => template!("alloc"),
            Template::Dsp => template!("dsp"),
            Template::Driver => template!("driver"),
            Template::Sampler => template!("sampler"),
        }
    }

    /// Whether it uses wasm-bindgen.
    fn has_bindings(self) -> bool {
        self != Template::Minimal
    }

    /// Its other dependencies: name, version and features.
    fn dependencies(self) -> &'static [(&'static str, &'static str, &'static [&'static str])] {
        const MPY: (&str, &str, &[&str]) = ("mpy", env!("CARGO_PKG_VERSION"), &["hal"]);
        match self {
            Template::Driver => &[MPY, ("shtcx", "1.0", &[])],
            Template::Sampler => &[MPY],
            _ => &[],
        }
    }
}

/// Options of `new` and `init`.
#[derive(Debug, Args)]
pub struct Options {
    /// Template to start from [default: class]
    #[arg(long, value_enum)]
    pub template: Option<Template>,

    /// Name of the package [default: the directory's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Version control system, as for `cargo new`
    #[arg(long, value_name = "VCS", value_parser = ["git", "hg", "pijul", "fossil", "none"])]
    pub vcs: Option<String>,

    /// Add a workflow for this service that builds, tests and packs the module
    #[arg(long, value_enum, value_name = "SERVICE")]
    pub ci: Option<Ci>,
}

/// A service that runs workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// GitHub Actions, in .github/workflows
    Github,
}

/// Create a crate from a template
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy new my_dsp --template dsp
  cd my_dsp && cargo mpy run test.py     run it in MicroPython on this machine")]
pub struct New {
    /// Directory to create
    path: PathBuf,

    #[command(flatten)]
    options: Options,
}

/// Create a crate in an existing directory, or prepare the crate there for modules
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy init                         in the current directory
  cargo mpy init firmware --template minimal
  cargo mpy init --ci github             and add a workflow for GitHub Actions

If the directory contains a crate, it gets what it lacks: the crate type
`cdylib`, the dependency wasm-bindgen, profiles for small modules, a library
and test.py. Its other files and lines stay as they are.")]
pub struct Init {
    /// Directory of the crate
    #[arg(default_value = ".")]
    path: PathBuf,

    #[command(flatten)]
    options: Options,
}

impl New {
    pub(crate) fn run(self) -> Result<(), Failure> {
        make("new", &self.path, &self.options)
    }
}

impl Init {
    pub(crate) fn run(self) -> Result<(), Failure> {
        make("init", &self.path, &self.options)
    }
}

/// Writes a small crate into `folder`, as `new` makes one, but without cargo. Returns the script that runs it.
///
/// # Errors
/// As [`write_file`].
pub fn example(folder: &Path, name: &str) -> Result<String, Diagnostic> {
    let (library, test) = Template::Minimal.files();
    let script = test.replace("{module}", name);
    let manifest =
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n");
    for (file, text) in [("Cargo.toml", &*manifest), ("src/lib.rs", library), ("test.py", &script)] {
        write_file(&folder.join(file), text.as_bytes())?;
    }
    let mut manifest = Manifest::read(&folder.join("Cargo.toml"))?;
    manifest.add_cdylib(&[]);
    manifest.add_profiles();
    manifest.write()?;
    Ok(script)
}

/// Makes a crate at `path`, by cargo's command `verb`: `new` or `init`. A crate that is there is kept, and gets what it
/// lacks.
///
/// # Errors
/// `exists` before anything is written; cargo's own, shown as they are, with its exit code.
pub fn make(verb: &str, path: &Path, options: &Options) -> Result<(), Failure> {
    let manifest = path.join("Cargo.toml");
    if verb == "init" && manifest.exists() {
        prepare(path, &manifest, options)?;
    } else {
        create(verb, path, &manifest, options)?;
    }
    match options.ci {
        Some(Ci::Github) => add_workflow(path, &manifest),
        None => Ok(()),
    }
}

/// Makes a crate that is not there.
fn create(verb: &str, path: &Path, manifest: &Path, options: &Options) -> Result<(), Failure> {
    // Checked before cargo writes anything: it would keep a library that is there, and we replace it.
    for name in ["src/lib.rs", "test.py"] {
        let file = path.join(name);
        if file.exists() {
            return Err(Diagnostic::new("exists", format!("there is a {name} already"))
                .at(Place::File { path: file, line: 0, column: 0 })
                .help("choose another folder")
                .into());
        }
    }
    let name = options.name.clone().or_else(|| {
        let name = path.file_name().map(OsStr::to_owned);
        name.or_else(|| path.canonicalize().ok()?.file_name().map(OsStr::to_owned))?.into_string().ok()
    });
    if let Some(name) = name.map(|name| name.replace('-', "_")) {
        plan::check_name(&name, false).map_err(|error| error.at(Place::Argument(name)))?;
    }
    cargo::new_package(verb, path, options.name.as_deref(), options.vcs.as_deref())?;

    let template = options.template.unwrap_or(Template::Class);
    let (library, test) = template.files();
    let mut changed = Manifest::read(manifest)?;
    let module = changed.package().replace('-', "_");
    changed.add_cdylib(&[]);
    add_dependencies(&mut changed, template);
    complete(changed, path, manifest, template.has_bindings())?;
    write_file(&path.join("src/lib.rs"), library.as_bytes())?;
    write_file(&path.join("test.py"), test.replace("{module}", &module).as_bytes())?;
    ui::status("Created", format_args!("`{module}` in {}", path.display()));
    ui::status("Next", format_args!("`cargo mpy run test.py` there; `cargo mpy boards` lists boards"));
    Ok(())
}

/// Adds to the crate at `path` what it lacks for modules.
fn prepare(path: &Path, manifest: &Path, options: &Options) -> Result<(), Failure> {
    let mut changed = Manifest::read(manifest)?;
    let problem = |code, message: &str, help: &str| {
        let at = Place::File { path: manifest.to_owned(), line: 0, column: 0 };
        Err(Diagnostic::new(code, message.to_owned()).at(at).help(help).into())
    };
    if options.name.is_some() {
        return problem("exists", "there is a package already, and it has a name", "leave out `--name`");
    }
    if changed.is_macro() {
        let help = "choose a package with another library";
        return problem("no-library", "a procedural macro cannot be a module", help);
    }
    let module = changed.package().replace('-', "_");
    plan::check_name(&module, false)?;
    let library = path.join(changed.library_path());
    let existing = library.exists().then(|| read_file(&library)).transpose()?;
    let source = existing.as_ref().map(|source| String::from_utf8_lossy(source).into_owned());
    // Only the build knows what is exported. This is for hints.
    let exports = |mark: &str| source.as_ref().is_some_and(|source| source.contains(mark));
    let has_c_exports = exports("no_mangle") && !exports("wasm_bindgen");
    let template = options.template.unwrap_or(Template::Class);
    let has_bindings = options.template.map_or(!has_c_exports, Template::has_bindings);

    let mut said = Vec::new();
    let mut write = |file: &Path, text: &str| {
        said.push(file.strip_prefix(path).unwrap_or(file).display().to_string());
        write_file(file, text.as_bytes())
    };
    let script = path.join("test.py");
    let (code, test) = template.files();
    if existing.is_none() {
        write(&library, code)?;
        add_dependencies(&mut changed, template);
    }
    if !script.exists() {
        let text = if existing.is_none() { test.replace("{module}", &module) } else { contents(&module) };
        write(&script, &text)?;
    }
    // Other crates, and tests in tests/, use the library as before.
    changed.add_cdylib(&["lib"]);
    let added = complete(changed, path, manifest, has_bindings)?;
    for what in &added {
        ui::status("Added", format_args!("{what}, in Cargo.toml"));
    }
    for file in &said {
        ui::status("Created", file);
    }
    if added.is_empty() && said.is_empty() {
        ui::status("Unchanged", format_args!("`{module}` has what it needs"));
    }
    let is_marked = existing.is_none() || exports("wasm_bindgen") || exports("no_mangle");
    let next = if is_marked { "" } else { "write `#[wasm_bindgen]` above what Python shall use; " };
    ui::status("Next", format_args!("{next}`cargo mpy run test.py`"));
    Ok(())
}

/// Adds what the library of a template uses.
fn add_dependencies(manifest: &mut Manifest, template: Template) {
    for (name, version, features) in template.dependencies() {
        manifest.add_dependency(name, version, features);
    }
}

/// Writes the manifest of the crate at `path`, with what all modules need. Returns what was added.
fn complete(
    mut changed: Manifest,
    path: &Path,
    manifest: &Path,
    has_bindings: bool,
) -> Result<Vec<&'static str>, Failure> {
    if has_bindings {
        changed.add_dependency("wasm-bindgen", &format!("={}", wbindgen::VERSION), &[]);
    }
    let found = cargo::metadata(Some(manifest), Path::new("."))?;
    let is_root = |metadata: &cargo_metadata::Metadata| {
        let root = metadata.workspace_root.as_std_path().canonicalize();
        root.ok() == path.canonicalize().ok()
    };
    if found.as_ref().is_none_or(is_root) {
        changed.add_profiles();
    }
    // The port of somebody's desk is nobody else's.
    let ignored = path.join(".gitignore");
    if let Ok(mut text) = std::fs::read_to_string(&ignored)
        && !text.contains(LOCAL_FILE)
    {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text += &format!("/{LOCAL_FILE}\n");
        write_file(&ignored, text.as_bytes())?;
    }
    Ok(changed.write()?)
}

/// Adds a workflow for the crate at `path` to its repository, unless it has one.
fn add_workflow(path: &Path, manifest: &Path) -> Result<(), Failure> {
    let io = |error: std::io::Error| toolchain::io_error("find", path, &error);
    let path = path.canonicalize().map_err(io)?;
    let root = path.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&path);
    // Paths of workflows have slashes on every system. They are quoted.
    let in_repository = |folder: &Path| {
        let parts = folder.strip_prefix(root).unwrap_or(folder).components();
        let parts: Vec<String> =
            parts.map(|part| part.as_os_str().to_string_lossy().replace('\'', "''")).collect();
        if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
    };
    let target = match cargo::metadata(Some(manifest), Path::new("."))? {
        Some(metadata) => metadata.target_directory.into_std_path_buf(),
        None => path.join("target"),
    };
    let module = Manifest::read(manifest)?.package().replace('-', "_");
    let text = include_str!("../../templates/github.yml")
        .replace("{module}", &module)
        .replace("{folder}", &in_repository(&path))
        .replace("{target}", &in_repository(&target))
        .replace("{version}", env!("CARGO_PKG_VERSION"));
    let file = root.join(".github/workflows").join(format!("{module}.yml"));
    if file.exists() {
        return Err(Diagnostic::new("exists", "there is a workflow already")
            .at(Place::File { path: file, line: 0, column: 0 })
            .help("delete it for a new one")
            .into());
    }
    write_file(&file, text.as_bytes())?;
    ui::status("Created", format_args!("{}; its size budget is 64K", file.display()));
    Ok(())
}
