//! One file per subcommand: its options and its `run`.

pub mod bench;
pub mod boards;
pub mod build;
pub mod clean;
pub mod completions;
pub mod deploy;
pub mod dev;
pub mod doctor;
pub mod expand;
pub mod explain;
pub mod inspect;
pub mod link;
pub mod new;
pub mod package;
pub mod run;
pub mod setup;
pub mod size;
pub mod test;

use clap::Subcommand;

use crate::failure::Failure;

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    New(new::New),
    Init(new::Init),
    Build(build::Build),
    Run(run::Run),
    Test(test::Test),
    Bench(bench::Bench),
    Size(size::Size),
    Expand(expand::Expand),
    Explain(explain::Explain),
    Deploy(deploy::Deploy),
    Dev(dev::Dev),
    Monitor(deploy::Monitor),
    Package(package::Package),
    Setup(setup::Setup),
    Doctor(doctor::Doctor),
    Boards(boards::Boards),
    Link(link::Link),
    Inspect(inspect::Inspect),
    Clean(clean::Clean),
    Completions(completions::Completions),
}

impl Command {
    /// Whether it may run programs that are kept in the cache, or put them there.
    pub fn uses_cache(&self) -> bool {
        use Command as C;
        let without = matches!(
            self,
            C::New(_)
                | C::Init(_)
                | C::Explain(_)
                | C::Monitor(_)
                | C::Boards(_)
                | C::Link(_)
                | C::Completions(_)
        );
        !without && !matches!(self, C::Clean(_))
    }

    /// Runs it; `command_line` is the whole of what clap knows.
    ///
    /// # Errors
    /// What the command found wrong, or the exit code of the program it ran.
    pub fn run(self, command_line: impl FnOnce() -> clap::Command) -> Result<(), Failure> {
        match self {
            Command::New(command) => command.run(),
            Command::Init(command) => command.run(),
            Command::Build(command) => command.run(),
            Command::Run(command) => command.run(),
            Command::Test(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Expand(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Size(command) => command.run(),
            Command::Deploy(command) => command.run(),
            Command::Dev(command) => command.run(),
            Command::Monitor(command) => command.run(),
            Command::Package(command) => command.run(),
            Command::Setup(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Boards(command) => command.run(),
            Command::Link(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Clean(command) => command.run(),
            Command::Completions(command) => command.run(command_line()),
        }
    }
}
