//! `cargo mpy completions`.

use clap::Args;
use clap_complete::Shell;

use crate::{Failure, ui};

/// Print what makes a shell complete the words of `cargo-mpy`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(cargo mpy completions bash)
  cargo mpy completions fish > ~/.config/fish/completions/cargo-mpy.fish

Shells complete `cargo-mpy build …`, which is `cargo mpy build …`.")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::command_line(), "cargo-mpy", &mut script);
        ui::output_bytes(&script);
        Ok(())
    }
}
