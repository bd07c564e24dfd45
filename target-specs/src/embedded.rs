//! The files of `archs/`, `boards/`, `chips/` and `emulators/`, which are part of the program.

include!(concat!(env!("OUT_DIR"), "/specs.rs"));

/// Parses every file of a table.
pub fn parse<T: serde::de::DeserializeOwned>(files: &[(&str, &str)]) -> Vec<T> {
    files
        .iter()
        .map(|(file, text)| {
            // A test parses all of them, so this cannot fail for users.
            toml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"))
        })
        .collect()
}
