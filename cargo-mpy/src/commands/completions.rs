//! `cargo mpy completions`.

use clap::Args;
use clap_complete::Shell;

use crate::failure::Failure;
use crate::ui;

/// Generate shell completions
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(cargo mpy completions bash)
  cargo mpy completions fish > ~/.config/fish/completions/cargo-mpy.fish

The completions are for `cargo-mpy build …`, which is the same as
`cargo mpy build …`.")]
pub struct Completions {
    /// Shell to generate completions for
    shell: Shell,
}

impl Completions {
    pub fn run(self, mut command_line: clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line, "cargo-mpy", &mut script);
        ui::output_bytes(&script);
        Ok(())
    }
}
