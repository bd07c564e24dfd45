//! C identifiers from WebAssembly's names, which may be any text.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Hands out C identifiers, each once.
#[derive(Debug, Default)]
pub struct Names {
    /// Identifiers, and the number with which one like it is tried next.
    taken: HashMap<String, u32>,
}

impl Names {
    /// An identifier that begins with `prefix` and reminds of `name`.
    pub fn unique(&mut self, prefix: &str, name: &str) -> String {
        let base = format!("{prefix}{}", readable(name));
        let Some(mut number) = self.taken.get(&base).copied() else {
            self.taken.insert(base.clone(), 2);
            return base;
        };
        loop {
            let candidate = format!("{base}_{number}");
            number += 1;
            if !self.taken.contains_key(&candidate) {
                self.taken.insert(candidate.clone(), 2);
                self.taken.insert(base, number);
                return candidate;
            }
        }
    }
}

/// A name as its source has it; Rust's paths without hashes and crate disambiguators.
pub fn demangled(name: &str) -> String {
    let mut text = Limited(String::new());
    // The end of what is too long is left out: a few bytes can be mangled text of any length.
    let _ = write!(text, "{:#}", rustc_demangle::demangle(name));
    text.0
}

/// The path of a function as its source calls it: Rust's names have `<a::T>::f` for a method `a::T::f`.
pub fn path(name: &str) -> String {
    let name = demangled(name);
    let Some(rest) = name.strip_prefix('<').filter(|rest| rest.starts_with(char::is_alphabetic)) else {
        return name;
    };
    let mut depth = 1;
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        match c {
            '<' => depth += 1,
            // Not that of `->`.
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        before = c;
        // `<T as Trait>::f` is no path.
        if depth == 1 && rest[at..].starts_with(" as ") {
            return name;
        }
        if depth == 0 {
            return match rest[at + 1..].strip_prefix("::") {
                Some(method) => format!("{}::{method}", &rest[..at]),
                None => name,
            };
        }
    }
    name
}

/// `text` as it may stand in a comment. Trigraphs are replaced before comments are.
pub fn comment(text: &str) -> String {
    let line = target_specs::visible(text).replace(['\n', '\t'], " ");
    line.replace("*/", "* /").replace("??", "? ?")
}

/// Text that takes no more once it has [`LONGEST`] bytes.
struct Limited(String);

const LONGEST: usize = 4096;

impl std::fmt::Write for Limited {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for c in text.chars() {
            if self.0.len() >= LONGEST {
                return Err(std::fmt::Error);
            }
            self.0.push(c);
        }
        Ok(())
    }
}

/// `text` as a string literal of C.
pub fn literal(text: impl AsRef<[u8]>) -> String {
    let escape = |byte: &u8| match byte {
        // A trigraph is two question marks and one more.
        b'?' => "\\?".to_owned(),
        b' '..=b'~' if !b"\\\"".contains(byte) => char::from(*byte).to_string(),
        _ => format!("\\{byte:03o}"),
    };
    format!("\"{}\"", text.as_ref().iter().map(escape).collect::<String>())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_paths() {
        assert_eq!(path("<filter::Median>::add"), "filter::Median::add");
        assert_eq!(path("<a::B<fn(u8) -> c::D>>::f::<E>"), "a::B<fn(u8) -> c::D>::f::<E>");
        for other in ["f", "<a::B as c::D>::f", "<[u8]>::f", "<a::B>", "<a::B", "<>::f", "<&a as b>::f", "<"]
        {
            assert_eq!(path(other), other);
        }
    }

    #[test]
    fn each_name_is_given_once() {
        let mut names = Names::default();
        let mut of = |name| names.unique("f_", name);
        assert_eq!(
            [of("a"), of("a"), of("a"), of("a_3"), of("a"), of("a_2")].join(" "),
            "f_a f_a_2 f_a_3 f_a_3_2 f_a_4 f_a_2_2"
        );
    }

    #[test]
    fn names_are_not_longer_than_people_read() {
        // Each part is the one before it twice (Rust's symbol names v0, "Backref").
        let parts: String = "mlkjihgfedcba9876543".chars().map(|at| format!("B{at}_E")).collect();
        let name = demangled(&format!("_RMC0{}p{parts}", "T".repeat(20)));
        assert!(name.starts_with("<((((") && name.len() == LONGEST, "{} {}", name.len(), &name[..40]);
        assert_eq!(demangled("_RMC0TpB3_E"), "<(_, _)>");
        assert_eq!(demangled(&"ä".repeat(LONGEST)).len(), LONGEST);
    }
}
