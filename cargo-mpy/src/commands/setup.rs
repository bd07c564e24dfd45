//! `cargo mpy setup`.

use std::time::Duration;

use clap::Args;
use target_specs::Diagnostic;

use super::doctor::{Wanted, report, unwinds_here};
use super::new;
use crate::failure::Failure;
use crate::options::BuildOptions;
use crate::plan::default_board;
use crate::session::emulated::firmware;
use crate::session::events::{Events, Output};
use crate::session::loaded::Loaded;
use crate::toolchain::needs::{self, Need, State, needs};
use crate::toolchain::{self, emulator, rust};
use crate::{pipeline, ui};

/// Install what is missing to build and run modules, and test it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy setup
      for the boards of the current crate
  cargo mpy setup --board rp2040
  cargo mpy setup --yes --all
      for every board that runs on this machine, without asking

Packages are installed with apt, as root or with sudo. On systems without apt,
the commands to run are printed. The firmware of emulated boards is built.
Finally a module is built, and run if one of the boards runs on this machine.")]
pub struct Setup {
    #[command(flatten)]
    wanted: Wanted,

    /// Install without asking
    #[arg(short, long)]
    yes: bool,
}

impl Setup {
    pub fn run(self) -> Result<(), Failure> {
        let boards = self.wanted.boards()?;
        let unwinds = unwinds_here();
        let before = needs(&boards, unwinds, self.wanted.debugger);
        report(&before);

        // Rust first: the target of rustup is smaller than another Rust.
        let lacks_rust = before.first().is_some_and(Need::is_missing);
        let mut missing = before;
        if missing.iter().any(Need::is_missing) {
            if !self.yes && !ui::ask("Install what is missing?") {
                let help = packages(&missing);
                return Err(Diagnostic::new("setup-declined", "nothing was installed")
                    .help(format!(
                        "`cargo mpy setup --yes` installs it; or: {}",
                        needs::how_to_install(&help)
                    ))
                    .into());
            }
            if lacks_rust && needs::add_target()? {
                missing = needs(&boards, unwinds, self.wanted.debugger);
            }
            if unwinds && rust::look_for_source().is_err() && needs::add_source()? {
                missing = needs(&boards, unwinds, self.wanted.debugger);
            }
            let packages = packages(&missing);
            if !packages.is_empty() {
                needs::install(&packages)?;
            }
            missing = needs(&boards, unwinds, self.wanted.debugger);
        }
        if let Some(Need { what, state: State::Missing { help, .. } }) =
            missing.iter().find(|need| need.is_missing())
        {
            return Err(Diagnostic::new("setup-incomplete", format!("{what} is still missing"))
                .help(help.clone())
                .into());
        }

        // Builds what cannot be installed.
        rust::find()?;
        for board in &boards {
            if board.emulator.is_some() {
                firmware(board)?;
            }
        }
        self.try_it(&boards)
    }

    /// Builds a crate and runs it, if requested, on this computer and on the smallest processor.
    fn try_it(&self, boards: &[&'static target_specs::Board]) -> Result<(), Failure> {
        let folder = toolchain::cache_dir().join("hello");
        let script = new::example(&folder, "hello")?;
        let runnable = boards.iter().filter(|board| board.emulator.is_some());
        let chosen: Vec<_> = runnable
            .clone()
            .find(|board| board.name == default_board())
            .into_iter()
            .chain(runnable.clone().find(|board| board.name != default_board()))
            .collect();
        let plan_for = |board: &target_specs::Board| {
            pipeline::plan(&BuildOptions {
                boards: vec![board.name.clone()],
                manifest_path: Some(folder.join("Cargo.toml")),
                ..Default::default()
            })
        };
        if let ([], Some(board)) = (&chosen[..], boards.first()) {
            // Only boards without an emulator: nothing is run on this computer.
            pipeline::build(&plan_for(board)?, None)?;
            let stand_in = target_specs::arch(&board.arch)?.test_board.as_deref().unwrap_or(default_board());
            ui::status("Ready", "`cargo mpy deploy` in a crate of your own puts it on a connected board");
            ui::status("", format_args!("to run it here as well: `cargo mpy setup --board {stand_in}`"));
            return Ok(());
        }
        for board in chosen {
            let plan = plan_for(board)?;
            for built in pipeline::build(&plan, None)? {
                let Loaded { modules, mut faults } = Loaded::new(&plan, &built)?;
                let firmware = firmware(board)?;
                ui::status("Running", format_args!("hello in MicroPython on {}", board.name));
                let timeout = Duration::from_secs(60);
                let run = emulator::Run {
                    board,
                    firmware: &firmware,
                    modules: &modules,
                    code: &script,
                    timeout,
                    arguments: &[],
                };
                let mut output = Output::new(Events::default(), false, &mut faults);
                let outcome = emulator::run(&run, &mut |bytes| output.write(bytes));
                let outcome = outcome.map_err(|error| faults.explained(error))?;
                ui::raw(outcome.stderr.as_bytes());
                if outcome.status != 0 {
                    return Err(Failure::Exit(outcome.status));
                }
            }
        }
        ui::status("Ready", "`cargo mpy run -e 'import …'` in a crate of your own does the same");
        Ok(())
    }
}

/// The packages that contain what is missing.
fn packages(needs: &[Need]) -> Vec<String> {
    let mut packages: Vec<String> = Vec::new();
    for need in needs {
        if let State::Missing { packages: of, .. } = &need.state {
            packages.extend(of.iter().flat_map(|package| package.split(' ')).map(str::to_owned));
        }
    }
    packages.sort();
    packages.dedup();
    packages
}
