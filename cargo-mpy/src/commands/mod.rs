//! One file per subcommand: its options and its `run`.

mod addr2line;
mod bench;
mod boards;
mod build;
mod clean;
mod completions;
mod debug;
mod deploy;
mod dev;
mod doctor;
mod expand;
mod explain;
mod files;
mod inspect;
pub(crate) mod link;
pub mod new;
mod package;
mod profile;
mod run;
mod setup;
mod size;
pub mod test;

use clap::Subcommand;

use crate::failure::Failure;

/// A subcommand.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::New),
    Init(new::Init),
    Build(build::Build),
    Run(run::Run),
    Test(test::Test),
    Bench(bench::Bench),
    Profile(profile::Profiler),
    Size(size::Size),
    Expand(expand::Expand),
    Explain(explain::Explain),
    Deploy(deploy::Deploy),
    Dev(dev::Dev),
    Debug(debug::Debug),
    Monitor(deploy::Monitor),
    Package(package::Package),
    Setup(setup::Setup),
    Doctor(doctor::Doctor),
    Boards(boards::Boards),
    Link(link::Link),
    Inspect(inspect::Inspect),
    #[command(name = "addr2line")]
    Addr2line(addr2line::Addr2line),
    Clean(clean::Clean),
    Completions(completions::Completions),
}

impl Command {
    /// Whether the command may run programs from the cache, or add programs to it.
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
                | C::Addr2line(_)
                | C::Completions(_)
        );
        !without && !matches!(self, C::Clean(_))
    }

    /// Runs the command. `command_line` returns the whole definition of the command line.
    ///
    /// # Errors
    /// The error of the command, or the exit code of the program that it ran.
    pub fn run(self, command_line: impl FnOnce() -> clap::Command) -> Result<(), Failure> {
        match self {
            Command::New(command) => command.run(),
            Command::Init(command) => command.run(),
            Command::Build(command) => command.run(),
            Command::Run(command) => command.run(),
            Command::Test(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Profile(command) => command.run(),
            Command::Expand(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Size(command) => command.run(),
            Command::Deploy(command) => command.run(),
            Command::Dev(command) => command.run(),
            Command::Debug(command) => command.run(),
            Command::Monitor(command) => command.run(),
            Command::Package(command) => command.run(),
            Command::Setup(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Boards(command) => command.run(),
            Command::Link(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Addr2line(command) => command.run(),
            Command::Clean(command) => command.run(),
            Command::Completions(command) => command.run(command_line()),
        }
    }
}
