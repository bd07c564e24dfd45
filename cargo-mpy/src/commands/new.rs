//! `cargo mpy new` and `cargo mpy init`: a crate that builds and runs at once. Cargo makes the package, so
//! names, editions, version control and workspaces are as its user knows them; a template fills it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use glue_gen::wbindgen;
use target_specs::{Diagnostic, Place};

use crate::failure::Failure;
use crate::session::port_args::LOCAL_FILE;
use crate::toolchain::{cargo, read_file, write_file};
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
        }
    }

    /// Lines of `[dependencies]`.
    fn dependencies(self) -> String {
        let version = wbindgen::VERSION;
        match self {
            Template::Class | Template::Dsp | Template::Alloc => format!("wasm-bindgen = \"={version}\"\n"),
            Template::Minimal => String::new(),
        }
    }
}

/// What a module has to fit into is small. Only the root of a workspace says this.
const PROFILES: &str = "
[profile.release]
opt-level = \"s\"
lto = true
codegen-units = 1
panic = \"abort\"

[profile.dev]
panic = \"abort\"
";

/// Options of `new` and `init`.
#[derive(Debug, Args)]
pub struct Options {
    /// Template to start from
    #[arg(long, value_enum, default_value = "class")]
    pub template: Template,

    /// Name of the package [default: the directory's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Version control system, as for `cargo new`
    #[arg(long, value_name = "VCS")]
    pub vcs: Option<String>,
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

/// Create a crate in an existing directory
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy init                         in the current directory
  cargo mpy init firmware --template minimal")]
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
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n{PROFILES}\n[workspace]\n"
    );
    for (file, text) in [("Cargo.toml", &*manifest), ("src/lib.rs", library), ("test.py", &script)] {
        write_file(&folder.join(file), text.as_bytes())?;
    }
    Ok(script)
}

/// Makes a crate at `path`, by cargo's command `verb`: `new` or `init`.
///
/// # Errors
/// `exists` before anything is written; cargo's own, shown as they are, with its exit code.
pub fn make(verb: &str, path: &Path, options: &Options) -> Result<(), Failure> {
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
    // The name of the package is cargo's to judge; that of the module is not.
    let name = options.name.clone().or_else(|| {
        let name = path.file_name().map(OsStr::to_owned);
        name.or_else(|| path.canonicalize().ok()?.file_name().map(OsStr::to_owned))?.into_string().ok()
    });
    if let Some(name) = name.map(|name| name.replace('-', "_"))
        && let Err(error) = plan::check_name(&name, false)
        && plan::is_identifier(&name)
    {
        return Err(error.into());
    }
    cargo::new_package(verb, path, options.name.as_deref(), options.vcs.as_deref())?;

    let manifest = path.join("Cargo.toml");
    let mut text = String::from_utf8_lossy(&read_file(&manifest)?).into_owned();
    if !text.contains("[dependencies]") {
        text += "\n[dependencies]\n";
    }
    text += &options.template.dependencies();
    text += "\n[lib]\ncrate-type = [\"cdylib\"]\n";
    let found = cargo::metadata(Some(&manifest), Path::new("."));
    let is_root = |metadata: &cargo_metadata::Metadata| {
        let root = metadata.workspace_root.as_std_path().canonicalize();
        root.ok() == path.canonicalize().ok()
    };
    if found.ok().flatten().as_ref().is_none_or(is_root) {
        text += PROFILES;
    }
    write_file(&manifest, text.as_bytes())?;

    // The port of somebody's desk is nobody else's.
    let ignored = path.join(".gitignore");
    if let Ok(mut text) = std::fs::read_to_string(&ignored)
        && !text.contains(LOCAL_FILE)
    {
        text += &format!("/{LOCAL_FILE}\n");
        write_file(&ignored, text.as_bytes())?;
    }

    let name = toml::from_str::<toml::Table>(&text)
        .ok()
        .and_then(|table| Some(table.get("package")?.get("name")?.as_str()?.replace('-', "_")));
    let module = name.unwrap_or_default();
    let (library, test) = options.template.files();
    write_file(&path.join("src/lib.rs"), library.as_bytes())?;
    write_file(&path.join("test.py"), test.replace("{module}", &module).as_bytes())?;
    ui::status("Created", format_args!("`{module}` in {}", path.display()));
    ui::status("Next", format_args!("`cargo mpy run test.py` there; `cargo mpy boards` lists boards"));
    Ok(())
}
