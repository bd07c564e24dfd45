//! Text that others chose, as a person may be shown it.

use std::borrow::Cow;

/// Whether `c` is not seen itself, but changes what is seen: a control character, or one of Unicode's category Cf
/// (format), Zl or Zp (separators of lines and paragraphs). Among them are those that let code read otherwise than it is
/// (<https://trojansource.codes>).
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` with hidden characters as Rust writes them, `\u{202e}`. Ends of lines and tabs are kept.
pub fn visible(text: &str) -> Cow<'_, str> {
    spelled(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'), |c| c.escape_unicode().to_string())
}

/// As [`visible`], of what is to stay on one line.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    spelled(text, is_hidden, |c| c.escape_unicode().to_string())
}

/// `text`, which is JSON, with hidden characters as JSON writes them.
pub fn visible_json(text: &str) -> Cow<'_, str> {
    spelled(text, is_hidden, |c| {
        c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    })
}

/// `text` with the characters that are `wanted` as `spell` has them.
pub fn spelled(text: &str, wanted: impl Fn(char) -> bool, spell: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.chars().any(&wanted) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if wanted(c) { spell(c) } else { c.to_string() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_spelled_and_nothing_else() {
        assert_eq!(visible("a\u{202e}b\n\tc\u{1b}[31m\r\0"), "a\\u{202e}b\n\tc\\u{1b}[31m\\u{d}\\u{0}");
        assert_eq!(visible_line("a\n\tb"), "a\\u{a}\\u{9}b");
        assert_eq!(visible_json("\"a\u{202e}\u{e0001}\""), "\"a\\u202e\\udb40\\udc01\"");
        let seen = "Ünïcödé 漢字 e\u{301} \u{1f40d} <b>'\"\\*/??/";
        assert!(matches!(visible(seen), Cow::Borrowed(text) if text == seen));
    }
}
