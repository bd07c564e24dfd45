//! `cargo xtask`: what only work on this project needs.

mod applications;
mod bench;
mod board;
mod line;
mod packages;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

/// Tasks of the project's own development
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Install everything that the tests need: what `cargo mpy setup --all` installs, and their own tools
    Setup {
        /// Also install what the benchmarks compare with
        #[arg(long)]
        peers: bool,
    },
    /// Run tests, and store what they print as what they must print
    Bless {
        /// Arguments of `cargo test` [default: --workspace --no-fail-fast]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure CoreMark and the kernels, also as compiled by other tools (docs/benchmarks.md)
    Bench(Box<bench::Options>),
    /// Compare the examples with the same in Python (docs/applications.md)
    Applications(applications::Options),
    /// Measure how fast a file gets to a board, also by mpremote
    Line {
        /// The file [default: machine code, then noise]
        file: Option<PathBuf>,
    },
    Board(board::Options),
    /// Create the packages for crates.io from the last commit, install them in an empty folder, and run a new crate
    Packages,
    /// Publish the packages of the last commit
    Publish {
        /// Arguments of `cargo publish`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Setup { peers } => setup(peers),
        Task::Bless { arguments } => bless(&arguments),
        Task::Bench(options) => bench::run(&options),
        Task::Applications(options) => applications::run(&options),
        Task::Line { file } => line::run(file.as_deref()),
        Task::Board(options) => board::run(&options),
        Task::Packages => packages::check(),
        Task::Publish { arguments } => packages::publish(&arguments),
    };
    if let Err(error) = &done {
        eprintln!("{error}");
    }
    ExitCode::from(u8::from(done.is_err()))
}

fn setup(peers: bool) -> Result {
    run(cargo().args(["run", "--package", "cargo-mpy", "--", "mpy", "setup", "--yes", "--all"]))?;
    tests::tools::install()?;
    if peers {
        tests::tools::install_peers()?;
    }
    Ok(())
}

fn bless(arguments: &[String]) -> Result {
    let mut test = cargo();
    test.arg("test").args(arguments).env("BLESS", "1");
    if arguments.is_empty() {
        test.args(["--workspace", "--no-fail-fast"]);
    }
    run(&mut test)
}

/// The cargo that this was started by, in the root of the project.
fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root());
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("..")).to_owned()
}

fn run(command: &mut Command) -> Result {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
