//! The packages for crates.io, made from a clone of the last commit, and installed from there as a user installs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Result, cargo, root, run};

/// Packages that are published, all others being for work on this project.
const PRIVATE: [&str; 4] = ["--exclude", "tests", "--exclude", "xtask"];

/// Creates the packages. If wanted, installs the command from them in an empty folder, and runs a new crate there.
pub fn check(installs: bool) -> Result {
    let clone = clone()?;
    run(cargo_in(&clone).args(["package", "--workspace", "--no-verify", "--allow-dirty"]).args(PRIVATE))?;

    if !installs {
        return Ok(());
    }
    let registry = clone.join("registry");
    registry_of_dependencies(&clone, &registry)?;
    for entry in fs::read_dir(clone.join("target/package"))? {
        let package = entry?.path();
        if package.extension().is_some_and(|extension| extension == "crate") {
            add(&package, &registry)?;
        }
    }

    let empty = tempfile::tempdir()?;
    let installed = clone.join("installed");
    let mut install = cargo_in(empty.path());
    install.args(["install", "cargo-mpy", "--locked", "--root"]).arg(&installed);
    install.args(["--config", "source.crates-io.replace-with='packages'", "--config"]);
    install.arg(format!("source.packages.directory='{}'", registry.display()));
    run(&mut install)?;

    // What cargo finds on the path is a command of its own.
    let old = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(installed.join("bin")).chain(std::env::split_paths(&old)))?;
    let mpy = |folder: &Path, arguments: &[&str]| {
        run(cargo_in(folder).arg("mpy").args(arguments).env("PATH", &path))
    };
    mpy(empty.path(), &["new", "installed", "--template", "minimal", "--vcs", "none"])?;
    let crate_ = empty.path().join("installed");
    mpy(&crate_, &["build", "--board", "rp2040"])?;
    mpy(&crate_, &["run", "test.py"])?;
    mpy(&crate_, &["test"])?;
    Ok(())
}

/// Publishes the packages; `arguments` are those of `cargo publish`.
pub fn publish(arguments: &[String]) -> Result {
    let clone = clone()?;
    run(cargo_in(&clone).args(["publish", "--workspace", "--allow-dirty"]).args(PRIVATE).args(arguments))
}

/// A clone of the last commit, in which the command's package has the workspace's profile for releases: cargo reads profiles
/// in the root of a workspace alone, and a package from crates.io is its own root. Without it, `cargo install` takes
/// several times as long.
fn clone() -> std::result::Result<PathBuf, Box<dyn std::error::Error>> {
    let clone = root().join("target/publish");
    if clone.exists() {
        fs::remove_dir_all(&clone)?;
    }
    run(Command::new("git").args(["clone", "--quiet", "--local"]).arg(root()).arg(&clone))?;
    let workspace = fs::read_to_string(clone.join("Cargo.toml"))?;
    let (_, profile) = workspace.split_once("[profile.release]").ok_or("no profile for releases")?;
    let manifest = clone.join("cargo-mpy/Cargo.toml");
    let package = fs::read_to_string(&manifest)?;
    fs::write(&manifest, format!("{package}\n[profile.release]{profile}"))?;
    Ok(clone)
}

/// The dependencies of all packages, as a registry in a folder.
fn registry_of_dependencies(clone: &Path, registry: &Path) -> Result {
    run(cargo_in(clone)
        .args(["vendor", "--quiet", "--locked"])
        .arg(registry)
        .stdout(std::process::Stdio::null()))
}

/// Adds a package to a registry in a folder.
fn add(package: &Path, registry: &Path) -> Result {
    run(Command::new("tar").arg("xzf").arg(package).arg("-C").arg(registry))?;
    let name = package.file_stem().ok_or("a package without a name")?;
    let digest = cargo_mpy::toolchain::sha256(&fs::read(package)?);
    let checksum = format!("{{\"files\":{{}},\"package\":\"{digest}\"}}");
    Ok(fs::write(registry.join(name).join(".cargo-checksum.json"), checksum)?)
}

fn cargo_in(folder: &Path) -> Command {
    let mut command = cargo();
    // The clone has its own target folder, wherever this workspace's is.
    command.current_dir(folder).env_remove("CARGO_TARGET_DIR");
    command
}
