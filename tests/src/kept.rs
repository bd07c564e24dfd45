//! Results that are kept in the cache between runs of the tests, each under a digest of everything it depends on.
//! `FRESH=1` computes all of them again, as the nightly run does.

use std::env;
use std::path::Path;

use cargo_mpy::toolchain::{digest, objects};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
