//! `cargo mpy build`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::failure::Failure;
use crate::options::{BuildOptions, Stage};
use crate::{map, pipeline, ui, user_module};

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

    /// With `--emit ir`, print the trees as they are after this pass [default: the last]
    #[arg(long, value_name = "PASS", requires = "emit", value_parser = pass_names())]
    pub after_pass: Option<String>,

    /// Print the layout of the module by function and data object; same as `--emit map`
    #[arg(long, conflicts_with = "emit")]
    pub map: bool,

    /// Message format
    #[arg(long, value_name = "FORMAT", default_value = "human", value_enum)]
    pub message_format: MessageFormat,
}

/// The passes over the trees of functions, after their construction.
fn pass_names_in_order() -> impl Iterator<Item = &'static str> {
    std::iter::once("build").chain(wasm_to_c::passes())
}

fn pass_names() -> PossibleValuesParser {
    PossibleValuesParser::new(pass_names_in_order())
}

/// The format of messages.
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
        let mut options = BuildOptions { input: self.file.or(self.options.input), ..self.options };
        let emit = if self.map { Some(Stage::Map) } else { self.emit };
        let in_firmware = emit == Some(Stage::Usermod);
        if in_firmware && options.boards.is_empty() && options.archs.is_empty() {
            options.archs = pipeline::one_of_each_width();
        }
        // All plans before a build, which takes longer.
        let packages = pipeline::each_package(&options)?;
        let plans = packages.iter().map(pipeline::plan).collect::<Result<Vec<_>, _>>()?;
        for mut plan in plans {
            if let Some(wanted) = &self.after_pass {
                plan.passes = pass_names_in_order().position(|name| name == wanted).unwrap_or(usize::MAX);
            }
            plan.in_firmware = in_firmware;
            let built = pipeline::build(&plan, emit)?;
            if in_firmware {
                ui::output(format_args!("{}\n", user_module::folder(&plan).display()));
            }
            if emit == Some(Stage::Map) {
                for one in &built {
                    ui::output(format_args!("{}\n{}", one.target.arch.name, map::text(&one.map)));
                }
            }
        }
        Ok(())
    }
}
