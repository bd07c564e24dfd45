//! `cargo mpy build`.

use std::path::PathBuf;

use clap::Args;

use crate::plan::{DEFAULT_PROFILE, Size};
use crate::{Failure, map, pipeline, ui};

/// What to build, how and for what: the options of every command that builds.
#[derive(Debug, Clone, Default, Args)]
pub struct BuildOptions {
    /// Build this WebAssembly file, binary or text, instead of the current crate
    #[arg(long = "wasm", value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Build for this board; can be repeated
    #[arg(short, long = "board", value_name = "NAME")]
    pub boards: Vec<String>,

    /// Build for this architecture; can be repeated
    #[arg(short, long = "arch", value_name = "ARCH")]
    pub archs: Vec<String>,

    /// Build this package of the workspace
    #[arg(short, long, value_name = "NAME", help_heading = "Cargo")]
    pub package: Option<String>,

    /// Build with this cargo profile [default: release]
    #[arg(long, value_name = "NAME", help_heading = "Cargo")]
    pub profile: Option<String>,

    /// Build with the profile `release`, the default
    #[arg(short, long, conflicts_with = "profile", help_heading = "Cargo")]
    pub release: bool,

    /// Features to enable, separated by commas or spaces
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Cargo")]
    pub features: Vec<String>,

    /// Enable all features
    #[arg(long, help_heading = "Cargo")]
    pub all_features: bool,

    /// Do not enable the `default` feature
    #[arg(long, help_heading = "Cargo")]
    pub no_default_features: bool,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Cargo")]
    pub manifest_path: Option<PathBuf>,

    /// Directory for all build output, as for cargo
    #[arg(long, value_name = "DIRECTORY", help_heading = "Cargo")]
    pub target_dir: Option<PathBuf>,

    /// Require Cargo.lock to be up to date
    #[arg(long, help_heading = "Cargo")]
    pub locked: bool,

    /// Run without accessing the network
    #[arg(long, help_heading = "Cargo")]
    pub offline: bool,

    /// Name of the module in Python [default: the library's name]
    #[arg(long, value_name = "NAME", help_heading = "Module")]
    pub name: Option<String>,

    /// Size of the shadow stack, for locals whose address is taken: `4096` or `4K` [default: 4K]
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub stack: Option<Size>,

    /// Size of a memory block for an allocator in the module [default: 0]
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub heap: Option<Size>,

    /// Maximum size of the module's memory, whatever page count it declares; accesses beyond it trap
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub limit: Option<Size>,

    /// Memory model: `direct` uses native addresses; in linear memory, an invalid access raises an exception
    /// (`checked`), wraps around (`masked`) or is not detected (`trusted`)
    /// [default: direct where possible, otherwise checked]
    #[arg(long, value_name = "MODEL", help_heading = "Module")]
    pub memory: Option<String>,

    /// Name the function in trap messages: `integer divide by zero in my_crate::step`
    /// [default: only in the profile dev]
    #[arg(long, help_heading = "Module")]
    pub trap_names: bool,
}

impl BuildOptions {
    /// Cargo's profile.
    pub fn profile(&self) -> &str {
        self.profile.as_deref().unwrap_or(DEFAULT_PROFILE)
    }

    /// The flags that are cargo's own.
    pub fn cargo_args(&self) -> Vec<String> {
        let mut args: Vec<String> =
            self.features.iter().flat_map(|features| ["--features".to_owned(), features.clone()]).collect();
        let switches = [
            (self.all_features, "--all-features"),
            (self.no_default_features, "--no-default-features"),
            (self.locked, "--locked"),
            (self.offline, "--offline"),
        ];
        args.extend(switches.iter().filter(|(set, _)| *set).map(|(_, flag)| (*flag).to_owned()));
        args
    }
}

/// Build the module for boards or architectures
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy
      build for the boards in Cargo.toml, or otherwise for this machine
  cargo mpy --board rp2040 --board pyboard
      build for two boards
  cargo mpy --arch armv7emsp --emit c
      print the C code instead of compiling it
  cargo mpy build --wasm filter.wat
      build a WebAssembly file
  cargo mpy --message-format json
      print diagnostics and modules as lines of JSON, for tools

The output is target/mpy/<arch>/<name>.mpy.

[package.metadata.mpy] in Cargo.toml contains defaults: boards = [\"rp2040\"],
name = \"filter\", stack = \"4K\", heap = \"8K\", memory = \"checked\".
[workspace.metadata.mpy] contains defaults for all packages. In both, a table
board.NAME contains the stack, heap and memory of one board. For a WebAssembly
file, the settings are in mpy.toml in the same directory. The table [imports]
maps host imports to Python functions, and [exports] gives parameter and
result types other than numbers:
\"env.log\" = \"my_module.log(str)\", greet = \"(utf16) -> utf16\".")]
pub struct Build {
    /// Same as `--wasm FILE`
    #[arg(value_name = "FILE.wasm", conflicts_with = "input")]
    pub file: Option<PathBuf>,

    #[command(flatten)]
    pub options: BuildOptions,

    /// Stop after this stage and print its result
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,

    /// Print the layout of the module by function and data object; same as `--emit map`
    #[arg(long, conflicts_with = "emit")]
    pub map: bool,

    /// Message format
    #[arg(long, value_name = "FORMAT", default_value = "human", value_enum)]
    pub message_format: MessageFormat,
}

/// A stage of the road whose result can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Stage {
    /// The build plan
    Plan,
    /// The WebAssembly module after all passes (a file)
    Wasm,
    /// The module as C code
    C,
    /// The bindings as C code
    Glue,
    /// The ELF object (a file per architecture)
    Obj,
    /// The layout of the module
    Map,
    /// The .mpy module (a file per architecture)
    Mpy,
}

/// Who is told what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MessageFormat {
    /// For people, on standard error
    Human,
    /// For tools: one JSON object per line on standard output
    Json,
}

impl Build {
    pub fn run(self) -> Result<(), Failure> {
        if self.message_format == MessageFormat::Json {
            ui::speak_json();
        }
        self.build()
    }

    fn build(self) -> Result<(), Failure> {
        let plan = pipeline::plan(&BuildOptions { input: self.file.or(self.options.input), ..self.options })?;
        let emit = if self.map { Some(Stage::Map) } else { self.emit };
        let built = pipeline::build(&plan, emit)?;
        if emit == Some(Stage::Map) {
            for one in &built {
                ui::output(format_args!("{}\n{}", one.target.arch.name, map::text(&one.map)));
            }
        }
        Ok(())
    }
}
