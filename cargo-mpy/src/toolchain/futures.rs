//! The crate that takes the place of `wasm-bindgen-futures`, whose futures are those of JavaScript.
//!
//! Cargo is told to use the sources in the cache for the package of the same name and version
//! ([`paths`](https://doc.rust-lang.org/cargo/reference/config.html#paths)). Unlike a patch, that does not change `Cargo.lock`,
//! but the dependencies must be the same.

use std::path::PathBuf;

use glue_gen::wbindgen;
use target_specs::Result;

use super::{cache, cache_dir, digest, write_file};

/// Its name.
pub const PACKAGE: &str = "wasm-bindgen-futures";

/// The version that depends on the wasm-bindgen whose data can be read.
const VERSION: &str = "0.4.80";

const MANIFEST: &str = include_str!("futures.toml");

/// Checks that `version` of the package is the one whose place is taken.
///
/// # Errors
/// `wasm-bindgen-version`, with the command that mends it.
pub fn check_version(version: &str) -> Result<()> {
    wbindgen::check_package(PACKAGE, version, VERSION)
}

/// The folder of the crate.
///
/// # Errors
/// When the cache cannot be written.
pub fn source() -> Result<PathBuf> {
    let manifest = format!("{MANIFEST}\n[workspace]\n").replace("@VERSION@", VERSION);
    let folder = cache_dir().join(format!("futures-{}", digest([&manifest, c_runtime::RUST_FUTURES])));
    let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", c_runtime::RUST_FUTURES)];
    // Cargo reads them. They are short, so they are compared.
    let is_there = |(name, text): &(&str, &str)| {
        std::fs::read(folder.join(name)).is_ok_and(|found| found == text.as_bytes())
    };
    if files.iter().all(is_there) {
        cache::used(&folder);
        return Ok(folder);
    }
    cache::discard(&folder);
    for (name, text) in files {
        write_file(&folder.join(name), text.as_bytes())?;
    }
    cache::forget_old();
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_the_place_of_one_version() {
        let manifest: toml::Table = MANIFEST.parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(PACKAGE));
        let wasm_bindgen = manifest["dependencies"]["wasm-bindgen"]["version"].as_str();
        assert_eq!(wasm_bindgen, Some(format!("={}", glue_gen::wbindgen::VERSION).as_str()));
        assert!(check_version(VERSION).is_ok());
        let error = check_version("0.4.50").unwrap_err();
        assert_eq!(error.code, "wasm-bindgen-version");
        assert!(error.help.unwrap().contains("--precise"));
    }
}
