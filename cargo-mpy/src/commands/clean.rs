//! `cargo mpy clean`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::toolchain::{self, cargo, io_error};
use crate::{Failure, ui};

/// Remove what was built
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy clean
      the modules of the crate here, and what they were made of
  cargo mpy clean --cache
      compiled runtimes, libraries and MicroPythons of every crate; they
      are made anew when needed

What nobody has used for 60 days leaves the cache by itself, when something new
is put there.")]
pub struct Clean {
    /// Path of Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,

    /// Folder for everything that is made, as cargo's
    #[arg(long, value_name = "FOLDER")]
    target_dir: Option<PathBuf>,

    /// Remove what all crates share instead
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
                // Files of WebAssembly are built without a crate.
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
