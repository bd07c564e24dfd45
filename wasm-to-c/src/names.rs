//! C identifiers from WebAssembly's names, which may be any text.

use std::collections::HashSet;

/// Hands out C identifiers, each once.
#[derive(Debug, Default)]
pub struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// An identifier that begins with `prefix` and reminds of `name`.
    pub fn unique(&mut self, prefix: &str, name: &str) -> String {
        let base = format!("{prefix}{}", readable(name));
        let mut candidate = base.clone();
        let mut number = 2;
        while !self.taken.insert(candidate.clone()) {
            candidate = format!("{base}_{number}");
            number += 1;
        }
        candidate
    }
}

/// A name as its source has it; Rust's paths without hashes and crate disambiguators.
pub(crate) fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// `text` as it may stand in a comment. Trigraphs are replaced before comments are.
pub fn comment(text: &str) -> String {
    let line = target_specs::visible(text).replace(['\n', '\t'], " ");
    line.replace("*/", "* /").replace("??", "? ?")
}

/// `text` as a string literal.
pub(crate) fn literal(text: &str) -> String {
    let escape = |byte: u8| match byte {
        // A trigraph is two question marks and one more.
        b'?' => "\\?".to_owned(),
        b' '..=b'~' if !b"\\\"".contains(&byte) => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    };
    format!("\"{}\"", text.bytes().map(escape).collect::<String>())
}

/// What of a name a C identifier can hold.
fn readable(name: &str) -> String {
    let demangled = demangled(name);
    let mut text = String::new();
    for c in demangled.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            text.push(c);
        } else if !text.ends_with('_') {
            text.push('_');
        }
    }
    let text = text.trim_matches('_');
    // Names of generic code can be pages long.
    let end = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
    text[..end].to_owned()
}
