//! `cargo xtask`: what only work on this project needs.

mod applications;
mod bench;
mod board;
mod hosts;
mod line;
mod packages;
mod process;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::process::{Result, cargo, run};

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
    /// Install what is needed to compile for macOS, Windows and Arm, do that, and compare the Windows program with that of
    /// this system
    Hosts,
    /// Create the packages for crates.io from the last commit, install them in an empty folder, and run a new crate
    Packages {
        /// Only create the packages
        #[arg(long)]
        no_install: bool,
    },
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
        Task::Hosts => hosts::check(),
        Task::Packages { no_install } => packages::check(!no_install),
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
