//! `cargo mpy clean`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::toolchain::{self, cargo, io_error};
use crate::ui;

/// Delete build output or the cache
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy clean
      delete the modules of the current crate and their intermediate files
  cargo mpy clean --cache
      delete the runtimes, libraries and firmware that all crates share; they
      are rebuilt when needed

Cache entries unused for 60 days are deleted automatically, when a new entry is
added.")]
pub struct Clean {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,

    /// Directory for all build output, as for cargo
    #[arg(long, value_name = "DIRECTORY")]
    target_dir: Option<PathBuf>,

    /// Delete the cache that all crates share instead
    #[arg(long)]
    cache: bool,
}

impl Clean {
    pub fn run(self) -> Result<(), Failure> {
        if self.cache {
            return remove(&toolchain::cache_dir());
        }
        let folder = std::env::current_dir().unwrap_or_default();
        let target = match self.target_dir {
            Some(target) => folder.join(target),
            None => match cargo::metadata(self.manifest_path.as_deref(), &folder)? {
                Some(metadata) => metadata.target_directory.into(),
                // WebAssembly files are built without a crate.
                None => folder.join("target"),
            },
        };
        remove(&target.join("mpy"))
    }
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match std::fs::remove_dir_all(folder) {
        Ok(()) => ui::status("Removed", folder.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            ui::status("Clean", format_args!("there is no {}", folder.display()));
        }
        Err(error) => return Err(io_error("remove", folder, &error).into()),
    }
    Ok(())
}
