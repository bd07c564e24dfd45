//! An emulated board on a pseudo-terminal, for trying things without a real one. It ends with this program.

use std::path::PathBuf;

use clap::Args;

/// Run an emulated board on a pseudo-terminal
#[derive(Debug, Args)]
pub struct Options {
    /// One of the emulated boards of `cargo mpy boards`
    board: String,
    /// Make a link to the terminal
    link: Option<PathBuf>,
    /// Bytes per second and direction [default: as fast as can be]
    rate: Option<f64>,
}

/// Runs the board, after saying where it is.
///
/// # Errors
/// What keeps it from starting.
pub fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let served = tests::line::serve(target_specs::board(&options.board)?, options.rate)?;
    if let Some(link) = &options.link {
        let _ = std::fs::remove_file(link);
        std::os::unix::fs::symlink(&served.path, link)?;
    }
    println!("{}", served.path);
    loop {
        std::thread::park();
    }
}
