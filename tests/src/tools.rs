//! The tools that tests and benchmarks need beside those that users need (`tools.toml`); `cargo xtask setup` installs them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use cargo_mpy::toolchain::{cache_dir, digest, needs, output_of, package_manager, rust, which, write_file};
use cargo_mpy::ui;
use serde::Deserialize;
use target_specs::Result;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Tools {
    /// Packages, by package manager.
    packages: BTreeMap<String, Vec<String>>,
    /// Packages of what the benchmarks compare with, likewise.
    peers: BTreeMap<String, Vec<String>>,
    /// Packages of Python with the sources of others, by name.
    peer_sources: BTreeMap<String, SourcePackage>,
    /// Packages of Python.
    python: Vec<String>,
    /// Packages of Node.js.
    node: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcePackage {
    version: String,
    sha256: String,
}

fn tools() -> &'static Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    TOOLS.get_or_init(|| {
        toml::from_str(include_str!("../tools.toml")).unwrap_or_else(|error| panic!("tools.toml: {error}"))
    })
}

/// Where the Python packages are, for `PYTHONPATH`.
pub fn python() -> PathBuf {
    cache_dir().join(format!("python-{}", digest(&tools().python)))
}

/// Where the packages of Node.js are, in `node_modules`.
pub fn node() -> PathBuf {
    cache_dir().join(format!("node-{}", digest(&tools().node)))
}

/// Where the sources are that a package of Python brings.
pub fn peer_source(name: &str) -> PathBuf {
    let package = &tools().peer_sources[name];
    cache_dir()
        .join(format!("{name}-{}", digest([&package.sha256])))
        .join(format!("{name}-{}", package.version))
}

/// Installs the packages of the distribution, and in the cache those of Python and Node.js.
///
/// # Errors
/// As [`needs::install`]; `tool-failed` when the package manager of Python or Node.js fails.
pub fn install() -> Result<()> {
    install_packages(&tools().packages)?;
    // Some tests unwind.
    if let Err(missing) = rust::look_for_source()
        && !needs::add_source()?
    {
        return Err(missing);
    }
    needs::into_cache(&python(), &|target| {
        let packages = &tools().python;
        ui::status("Installing", format_args!("{} for Python", packages.join(" ")));
        let mut pip = Command::new("python3");
        let quiet = ["--quiet", "--no-warn-script-location", "--root-user-action=ignore"];
        pip.args(["-m", "pip", "install"]).args(quiet).arg("--target").arg(target).args(packages);
        output_of(&mut pip).map(drop)
    })?;
    // Node.js comes with its package manager, but Debian's without.
    if which("npm").is_none() && package_manager() == Some("apt") {
        needs::install(&["nodejs".to_owned(), "npm".to_owned()])?;
    }
    needs::into_cache(&node(), &|target| {
        let packages = &tools().node;
        ui::status("Installing", format_args!("{} for Node.js", packages.join(" ")));
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(target).args(packages);
        output_of(&mut npm).map(drop)
    })
}

/// Installs what the benchmarks compare with.
///
/// # Errors
/// As [`needs::install`]; `tool-failed` when the package manager of Python fails.
pub fn install_peers() -> Result<()> {
    install_packages(&tools().peers)?;
    for (name, package) in &tools().peer_sources {
        let source = peer_source(name);
        needs::into_cache(source.parent().unwrap_or(&source), &|target| {
            let SourcePackage { version, sha256 } = package;
            ui::status("Installing", format_args!("the source of {name} {version}"));
            let wanted = target.join("requirements.txt");
            write_file(&wanted, format!("{name}=={version} --hash=sha256:{sha256}\n").as_bytes())?;
            let mut pip = Command::new("python3");
            pip.args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-binary",
                name,
                "--require-hashes",
            ]);
            output_of(pip.arg("--requirement").arg(&wanted).arg("--dest").arg(target))?;
            let archive = target.join(format!("{name}-{version}.tar.gz"));
            output_of(Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(target)).map(drop)
        })?;
    }
    Ok(())
}

fn install_packages(packages: &BTreeMap<String, Vec<String>>) -> Result<()> {
    package_manager()
        .and_then(|manager| packages.get(manager))
        .map_or(Ok(()), |packages| needs::install(packages))
}
