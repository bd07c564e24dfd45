//! One file per subcommand: its options and its `run`.

pub mod boards;
pub mod build;
// doctor
pub mod link;
// run
// setup

use clap::Subcommand;

use crate::Failure;

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    Build(build::Build),

    Link(link::Link),
    Boards(boards::Boards),
}

impl Command {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Command::Build(command) => command.run(),

            Command::Link(command) => command.run(),
            Command::Boards(command) => command.run(),
        }
    }
}
