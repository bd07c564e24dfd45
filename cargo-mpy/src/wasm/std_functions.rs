//! The functions of `std` that have no implementation in WebAssembly, and for which `c-runtime/src/std.rs` has one.

use walrus::{ExportId, ImportKind, Module};

/// Functions, by their last names in any module of `std`: they have been moved between modules.
const FUNCTIONS: [&str; 10] = [
    "Instant::now",
    "Instant::elapsed",
    "SystemTime::now",
    "SystemTime::elapsed",
    "sleep",
    "sleep_ms",
    "exit",
    "hashmap_random_keys",
    "_print",
    "_eprint",
];
/// Methods of `io::Write`, and the types that they are those of.
const METHODS: [&str; 4] = ["write", "write_vectored", "write_all", "write_fmt"];
const STREAMS: [(&str, &str); 4] =
    [("Stdout", "stdout"), ("StdoutLock", "stdout"), ("Stderr", "stderr"), ("StderrLock", "stderr")];

/// The name in `std.rs` of a function of `std`, whose symbol this is.
pub fn name(symbol: &str) -> Option<String> {
    let path = wasm_to_c::demangled(symbol);
    if path == symbol {
        return None;
    }
    let Some((ty, method)) = path.strip_prefix('<').and_then(|path| path.rsplit_once(">::")) else {
        return function(&path);
    };
    let Some((ty, of)) = ty.split_once(" as ") else { return function(&format!("{ty}::{method}")) };
    let ty = ty.trim_start_matches('&').strip_prefix("std::io::stdio::")?;
    let (_, stream) = STREAMS.into_iter().find(|(name, _)| *name == ty)?;
    (of.ends_with("::Write") && METHODS.contains(&method)).then(|| format!("{stream}::{method}"))
}

fn function(path: &str) -> Option<String> {
    let path = path.strip_prefix("std::")?;
    let is_it = |name: &&&str| path.strip_suffix(**name).is_some_and(|before| before.ends_with("::"));
    FUNCTIONS.iter().find(is_it).map(|name| (*name).to_owned())
}

/// Whether a program lacks functions of `std`. A linker imports what it does not find.
pub fn are_missing(module: &Module) -> bool {
    let functions = module.imports.iter().filter(|import| matches!(import.kind, ImportKind::Function(_)));
    functions.filter(|import| import.module == "env").any(|import| name(&import.name).is_some())
}

/// Hides those that are linked, which are exported unasked.
pub fn hide(module: &mut Module) {
    let exports = module.exports.iter().filter(|export| name(&export.name).is_some());
    for export in exports.map(walrus::Export::id).collect::<Vec<ExportId>>() {
        module.exports.delete(export);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_known_by_the_symbols_of_all_versions() {
        for (symbol, known) in [
            ("_RNvMNtCsebHcaeoSrxy_3std4timeNtB2_7Instant3now", "Instant::now"),
            ("_ZN3std4time7Instant3now17h0123456789abcdefE", "Instant::now"),
            ("_RNvMs5_NtCsebHcaeoSrxy_3std4timeNtB5_10SystemTime7elapsed", "SystemTime::elapsed"),
            ("_RNvNtNtCsebHcaeoSrxy_3std6thread9functions5sleep", "sleep"),
            ("_ZN3std6thread5sleep17h0123456789abcdefE", "sleep"),
            ("_RNvNtCsebHcaeoSrxy_3std7process4exit", "exit"),
            (
                "_RNvNtNtNtCsebHcaeoSrxy_3std3sys6random11unsupported19hashmap_random_keys",
                "hashmap_random_keys",
            ),
            ("_RNvNtNtCsebHcaeoSrxy_3std2io5stdio6__print", "_print"),
            (
                "_RNvXse_NtNtCsebHcaeoSrxy_3std2io5stdioRNtB5_6StdoutNtB7_5Write9write_fmt",
                "stdout::write_fmt",
            ),
            (
                "_RNvXsr_NtNtCsebHcaeoSrxy_3std2io5stdioNtB5_10StderrLockNtB7_5Write9write_all",
                "stderr::write_all",
            ),
            (
                "_ZN61_$LT$std..io..stdio..StdoutLock$u20$as$u20$std..io..Write$GT$5write17h0123456789abcdefE",
                "stdout::write",
            ),
        ] {
            assert_eq!(name(symbol).as_deref(), Some(known), "{symbol}");
        }
        for symbol in [
            "_ZN5other4time7Instant3now17h0123456789abcdefE",
            "_ZN3std4time7Instant7nowhere17h0123456789abcdefE",
            "_RNvXs0_NtNtCsebHcaeoSrxy_3std2io5stdioNtB5_9StderrRawNtB7_5Write5write",
            "_RNvXsd_NtNtCsebHcaeoSrxy_3std2io5stdioNtB5_6StdoutNtB7_5Write5flush",
            "_RNvXs3_NtNtCsebHcaeoSrxy_3std2io5stdioNtB5_5StdinNtB7_4Read4read",
            "std::time::Instant::now",
            "sleep",
            "",
        ] {
            assert_eq!(name(symbol), None, "{symbol}");
        }
    }
}
