//! `cargo mpy build`.

use std::path::PathBuf;

use clap::Args;

use crate::plan::{DEFAULT_PROFILE, Size};
use crate::{Failure, map, pipeline, ui};

/// What to build, how and for what: the options of every command that builds.
#[derive(Debug, Clone, Default, Args)]
pub struct BuildOptions {
    /// A WebAssembly file, binary or text, to build instead of the crate here
    #[arg(long = "wasm", value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Build for this board; may be given several times
    #[arg(short, long = "board", value_name = "NAME")]
    pub boards: Vec<String>,

    /// Build for this architecture; may be given several times
    #[arg(short, long = "arch", value_name = "ARCH")]
    pub archs: Vec<String>,

    /// Package of the workspace to build
    #[arg(short, long, value_name = "NAME", help_heading = "Cargo")]
    pub package: Option<String>,

    /// Cargo's profile [default: release, a module has to fit a board]
    #[arg(long, value_name = "NAME", help_heading = "Cargo")]
    pub profile: Option<String>,

    /// The profile `release`, which is the default
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

    /// Path of Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Cargo")]
    pub manifest_path: Option<PathBuf>,

    /// Folder for everything that is made, as cargo's
    #[arg(long, value_name = "FOLDER", help_heading = "Cargo")]
    pub target_dir: Option<PathBuf>,

    /// Require Cargo.lock to be up to date
    #[arg(long, help_heading = "Cargo")]
    pub locked: bool,

    /// Do not use the network
    #[arg(long, help_heading = "Cargo")]
    pub offline: bool,

    /// Name Python imports [default: the library's]
    #[arg(long, value_name = "NAME", help_heading = "Module")]
    pub name: Option<String>,

    /// Bytes of stack for locals whose address is taken, as `4096` or `4K` [default: 4K]
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub stack: Option<Size>,

    /// Bytes of memory for an allocator inside the module [default: 0]
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub heap: Option<Size>,

    /// Bytes of all its memory, however many pages it declares: what lies behind them is not there
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub limit: Option<Size>,

    /// How addresses work: `direct` are the machine's own; in a memory apart a bad one is `trusted`,
    /// `masked` (it wraps) or `checked` (it raises) [default: direct where possible, else checked]
    #[arg(long, value_name = "WORD", help_heading = "Module")]
    pub memory: Option<String>,

    /// Let traps say which function they are in: `integer divide by zero in my_crate::step`
    /// [default: in the profile dev]
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
      for the boards of Cargo.toml, else for this machine
  cargo mpy --board rp2040 --board pyboard
      for two boards
  cargo mpy --arch armv7emsp --emit c
      print the C instead of compiling it
  cargo mpy build --wasm filter.wat
      from WebAssembly that is there already, or its text
  cargo mpy --message-format json
      for tools: problems and modules as lines of JSON

Results are target/mpy/<arch>/<name>.mpy.

[package.metadata.mpy] of Cargo.toml has defaults: boards = [\"rp2040\"],
name = \"filter\", stack = \"4K\", heap = \"8K\", memory = \"checked\".
[workspace.metadata.mpy] has defaults of those; the table board.NAME in either
has the stack, heap and memory of one board. Of a WebAssembly file they are in
mpy.toml beside it. Its table [imports] says what answers an import, [exports]
what a function takes and gives beyond numbers:
\"env.log\" = \"my_module.log(str)\", greet = \"(utf16) -> utf16\".")]
pub struct Build {
    /// The same as `--wasm FILE`
    #[arg(value_name = "FILE.wasm", conflicts_with = "input")]
    pub file: Option<PathBuf>,

    #[command(flatten)]
    pub options: BuildOptions,

    /// Stop after a stage and print what it made
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,

    /// Print what went where in the module, per function and datum: `--emit map`
    #[arg(long, conflicts_with = "emit")]
    pub map: bool,

    /// Whom to tell what happens
    #[arg(long, value_name = "FORMAT", default_value = "human", value_enum)]
    pub message_format: MessageFormat,
}

/// A stage of the road whose result can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Stage {
    /// What is going to be done
    Plan,
    /// The WebAssembly module after all passes (a file)
    Wasm,
    /// The module in C
    C,
    /// Its bindings in C
    Glue,
    /// The object (a file per architecture)
    Obj,
    /// What went where in the module
    Map,
    /// The module (a file per architecture)
    Mpy,
}

/// Who is told what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MessageFormat {
    /// People
    Human,
    /// Tools: one JSON object a line on standard output
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
