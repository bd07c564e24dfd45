//! Names that Python and MicroPython have already, and those that they accept.

use std::collections::BTreeSet;

/// Words that cannot be names (Python's "Keywords", and the soft ones that are names).
pub const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Modules that are a part of MicroPython on some port, and are found before files (`MP_REGISTER_MODULE`).
pub const BUILT_IN_MODULES: &[&str] = &[
    "__main__",
    "_asyncio",
    "_espnow",
    "_onewire",
    "_rp2",
    "_thread",
    "_webrepl",
    "ble",
    "board",
    "btree",
    "builtins",
    "cmath",
    "deflate",
    "esp",
    "esp32",
    "ffi",
    "framebuf",
    "gc",
    "lwip",
    "marshal",
    "math",
    "microbit",
    "micropython",
    "mimxrt",
    "network",
    "nrf",
    "openamp",
    "pyb",
    "renesas",
    "samd",
    "stm",
    "sys",
    "termios",
    "tls",
    "ubluepy",
    "uctypes",
    "vfs",
];

/// Modules that are a part of MicroPython, and are found after files (`MP_REGISTER_EXTENSIBLE_MODULE`; in some versions
/// before them).
pub const EXTENSIBLE_MODULES: &[&str] = &[
    "array",
    "binascii",
    "bluetooth",
    "collections",
    "cryptolib",
    "errno",
    "hashlib",
    "heapq",
    "io",
    "json",
    "machine",
    "os",
    "platform",
    "random",
    "re",
    "select",
    "socket",
    "ssl",
    "struct",
    "time",
    "websocket",
];

/// Whether Python may give `name` a meaning of its own ("Reserved classes of identifiers").
pub(crate) fn is_special(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

/// Whether Python reads `name` unchanged: it converts identifiers to a normal form.
/// <https://docs.python.org/3/reference/lexical_analysis.html#identifiers>
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| unicode_ident::is_xid_start(c) || c == '_')
        && chars.all(unicode_ident::is_xid_continue)
        && unicode_normalization::is_nfkc(name)
        && !KEYWORDS.contains(&name)
        && name != "_" // which type checkers take for a name of nothing
}

/// The names of parameters in Python: those in Rust, where they can be names there.
pub(crate) fn parameter_names<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut seen = BTreeSet::from(["self".to_owned()]);
    let one = |(i, name): (usize, &String)| {
        let mut unique = match name.as_str() {
            name if is_identifier(name) && !is_special(name) => name.to_owned(),
            name if KEYWORDS.contains(&name) => format!("{name}_"),
            _ => format!("p{i}"),
        };
        while !seen.insert(unique.clone()) {
            unique.push('_');
        }
        unique
    };
    names.into_iter().enumerate().map(one).collect()
}
