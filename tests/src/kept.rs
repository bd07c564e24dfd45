//! Results that are kept in the cache between runs of the tests, each under a digest of everything it depends on.
//! `FRESH=1` computes all of them again, as the nightly run does.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cargo_mpy::toolchain::{digest, identity, objects, rust, which};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::programs;

/// Whether results of earlier runs are ignored (`FRESH=1`).
pub fn fresh() -> bool {
    env::var_os("FRESH").is_some_and(|value| value == "1")
}

/// The result that was kept under this digest.
pub fn find<T: DeserializeOwned>(key: &str) -> Option<T> {
    if fresh() {
        return None;
    }
    serde_json::from_slice(&objects::find(key)?).ok()
}

/// Keeps a result under the digest of everything it depends on.
///
/// # Panics
/// When it is nothing that JSON can express.
pub fn keep<T: Serialize>(key: &str, result: &T) {
    objects::keep(key, &serde_json::to_vec(result).expect("a result that JSON can express"));
}

/// The result of `compute`, which depends on what this digest is of: kept, or computed now. Errors are not kept.
///
/// # Errors
/// Those of `compute`.
pub fn kept<T, E>(key: &str, compute: impl FnOnce() -> Result<T, E>) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
{
    if let Some(result) = find(key) {
        return Ok(result);
    }
    let result = compute()?;
    keep(key, &result);
    Ok(result)
}

/// A digest of these inputs and of this program, of which everything is that it calls: of all that matters to a result
/// which rests on nothing else.
///
/// # Panics
/// When this program cannot be read.
pub fn key_of_this_program<P: AsRef<[u8]>>(inputs: impl IntoIterator<Item = P>) -> String {
    /// Not the file of its name, which may be a later one.
    static PROGRAM: LazyLock<String> = LazyLock::new(|| match Path::new("/proc/self/exe") {
        own if own.exists() => digest_of(own),
        _ => digest_of(&env::current_exe().expect("a program")),
    });
    digest([&*PROGRAM, &digest(inputs)])
}

/// What `compute` makes of these inputs, where nothing else matters to it but this program: kept, or computed now. Where it
/// ends in a panic nothing is kept.
///
/// # Panics
/// As [`key_of_this_program`], and when the result is nothing that JSON can express.
pub fn by_this_program<T, P>(inputs: impl IntoIterator<Item = P>, compute: impl FnOnce() -> T) -> T
where
    T: Serialize + DeserializeOwned,
    P: AsRef<[u8]>,
{
    let Ok(result) = kept(&key_of_this_program(inputs), || Ok::<T, Infallible>(compute()));
    result
}

/// Texts that change when a compiler for one of the architectures, clang, a program that one of them starts, or the C library
/// of this machine is replaced or added.
pub fn compilers() -> Vec<String> {
    let compilers = target_specs::archs().iter().flat_map(|arch| &arch.compilers);
    let commands = compilers.flat_map(|compiler| &compiler.commands).map(String::as_str);
    let commands: BTreeSet<&str> = commands.chain(["gcc", "clang", "ld", "ar"]).collect();
    let here = commands.into_iter().filter_map(which);
    let text = |path: PathBuf| objects::programs(&path).unwrap_or_else(|_| identity(&path));
    here.map(text).chain(programs::c_library("gcc").ok()).collect()
}

/// Texts that change when another cargo or rustc, or another setting of theirs or of the tool, is used.
pub fn rust() -> Vec<String> {
    const SETTINGS: [&str; 7] =
        ["RUST", "CARGO_BUILD", "CARGO_ENCODED", "CARGO_HOME", "CARGO_MPY", "CARGO_PROFILE", "CARGO_TARGET"];
    let mut texts = vec![identity(&rust::cargo_program())];
    match rust::find() {
        Ok(rust) => texts.extend([format!("{rust:?}"), identity(&rust.cargo), identity(&rust.rustc)]),
        Err(why) => texts.push(why.to_string()),
    }
    let set = env::vars_os().map(|(name, value)| format!("{}={}", name.display(), value.display()));
    texts.extend(set.filter(|line| SETTINGS.iter().any(|prefix| line.starts_with(prefix))));
    let home = env::home_dir().unwrap_or_default().join(".cargo");
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join(".cargo"));
    let chosen = texts.iter().filter_map(|line| line.strip_prefix("CARGO_HOME=")).map(PathBuf::from);
    let places: Vec<PathBuf> = above.chain([home]).chain(chosen).collect();
    let files = places.iter().flat_map(|place| ["config.toml", "config"].map(|name| place.join(name)));
    texts.extend(files.filter_map(|file| std::fs::read_to_string(file).ok()));
    texts.sort();
    texts
}

/// A digest of a file, or of all files below a folder with their names.
///
/// # Panics
/// When one cannot be read.
pub fn digest_of(path: &Path) -> String {
    let mut parts = Vec::new();
    collect(path, &mut parts);
    digest(parts)
}

fn collect(path: &Path, parts: &mut Vec<Vec<u8>>) {
    if !path.is_dir() {
        parts.push(std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        return;
    }
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    for path in paths {
        parts.push(path.file_name().expect("a name").as_encoded_bytes().to_vec());
        collect(&path, parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_computed_once_for_each_input() {
        let folder = tempfile::tempdir().expect("a folder");
        let unique = folder.path().display().to_string();
        let ask =
            |input: &str, answer: Result<u32, String>| kept(&digest([unique.as_str(), input]), || answer);
        assert_eq!(ask("a", Err("not yet".to_owned())), Err("not yet".to_owned()));
        assert_eq!(ask("a", Ok(1)), Ok(1));
        assert_eq!(ask("a", Ok(2)), Ok(if fresh() { 2 } else { 1 }));
        assert_eq!(ask("b", Ok(3)), Ok(3));
    }

    #[test]
    fn a_program_computes_once_for_each_input() {
        let folder = tempfile::tempdir().expect("a folder");
        let unique = folder.path().display().to_string();
        let ask = |input: &str, answer: u32| by_this_program([unique.as_str(), input], || answer);
        assert_eq!([ask("a", 1), ask("a", 2), ask("b", 3)], [1, if fresh() { 2 } else { 1 }, 3]);
        let panics = || by_this_program([unique.as_str(), "c"], || panic!("it is wrong"));
        assert!(std::panic::catch_unwind::<_, u32>(std::panic::AssertUnwindSafe(panics)).is_err());
        assert_eq!(ask("c", 4), 4);
    }

    #[test]
    fn the_digest_of_a_folder_depends_on_names_and_contents() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::create_dir_all(folder.path().join("part")).expect("a folder");
            std::fs::write(folder.path().join(name), text).expect("a file");
            digest_of(folder.path())
        };
        let digests = [write("part/a", "1"), write("part/a", "2"), write("b", "2")];
        std::fs::rename(folder.path().join("b"), folder.path().join("c")).expect("a file");
        let renamed = digest_of(folder.path());
        assert!(digests.iter().enumerate().all(|(at, one)| !digests[..at].contains(one) && *one != renamed));
    }
}
