//! `cargo mpy doctor`.

use clap::Args;
use target_specs::{Board, Result};

use crate::failure::Failure;
use crate::options::BuildOptions;
use crate::toolchain::needs::{Need, State, needs};
use crate::toolchain::{self, cargo, micropython};
use crate::{plan, ui};

/// The boards that `doctor` and `setup` check.
#[derive(Debug, Clone, Args)]
pub struct Wanted {
    /// Check this board; can be repeated
    #[arg(short, long = "board", value_name = "NAME")]
    boards: Vec<String>,

    /// Check every board that runs on this machine
    #[arg(long)]
    all: bool,

    /// Also check GDB, for `cargo mpy debug`
    #[arg(long)]
    pub debugger: bool,
}

impl Wanted {
    /// The boards: those that are named, otherwise those of the current crate, otherwise the board that every computer
    /// has.
    pub fn boards(&self) -> std::result::Result<Vec<&'static Board>, Failure> {
        let mut names = self.boards.clone();
        if self.all {
            names.extend(micropython::emulated().map(|board| board.name.clone()));
        }
        if names.is_empty() {
            let boards =
                plan_here().map(|plan| plan.targets.into_iter().flat_map(|target| target.boards).collect());
            names = boards.unwrap_or_else(|| vec![plan::default_board().to_owned()]);
        }
        let mut boards = names.iter().map(|name| target_specs::board(name)).collect::<Result<Vec<_>>>()?;
        boards.sort_by(|a, b| a.name.cmp(&b.name));
        boards.dedup_by(|a, b| a.name == b.name);
        Ok(boards)
    }
}

/// The plan for the crate in the current folder, if there is one.
fn plan_here() -> Option<plan::BuildPlan> {
    let folder = std::env::current_dir().unwrap_or_default();
    let metadata = cargo::metadata(None, &folder).ok().flatten()?;
    plan::plan(&BuildOptions::default(), Some(&metadata), &folder).ok()
}

/// Whether panics of the crate in the current folder unwind.
pub fn unwinds_here() -> bool {
    plan_here().is_some_and(|plan| matches!(plan.source, plan::Source::Crate(build) if build.unwinds))
}

/// Report what is missing to build and run modules
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy doctor                    for the boards of the current crate
  cargo mpy doctor --board rp2040
  cargo mpy doctor --all              for every board that runs on this machine

The exit code is 1 if something is missing. `cargo mpy setup` installs it.")]
pub struct Doctor {
    #[command(flatten)]
    wanted: Wanted,
}

impl Doctor {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let needs = needs(&self.wanted.boards()?, unwinds_here(), self.wanted.debugger);
        report(&needs);
        ui::output(format_args!("\ncache: {}\n", toolchain::cache_dir().display()));
        if needs.iter().any(Need::is_missing) { Err(Failure::Exit(1)) } else { Ok(()) }
    }
}

/// Prints the requirements, and whether they are met.
pub fn report(needs: &[Need]) {
    let rows: Vec<[&str; 3]> = needs
        .iter()
        .map(|need| match &need.state {
            State::Here(place) => ["ok", need.what.as_str(), place.as_str()],
            State::Later(when) => ["later", &need.what, when],
            State::Missing { help, .. } => ["missing", &need.what, help],
        })
        .collect();
    ui::table(&["", "what", "where"], &rows);
}
