//! Makes text from unknown sources safe to print.

use std::borrow::Cow;

/// Whether `c` is invisible, but can change how other text looks: a control character, or a character of Unicode's
/// category Cf (format), Zl or Zp (line and paragraph separators). Some of them make code look different from what it is
/// (<https://trojansource.codes>).
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` with its hidden characters in Rust's notation, `\u{202e}`. Newlines and tabs are kept.
pub fn visible(text: &str) -> Cow<'_, str> {
    replace_chars(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'), |c| c.escape_unicode().to_string())
}

/// Like [`visible`], for a single line: newlines and tabs are replaced as well.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    replace_chars(text, is_hidden, |c| c.escape_unicode().to_string())
}

/// `text`, which is JSON, with its hidden characters in JSON's notation.
pub fn visible_json(text: &str) -> Cow<'_, str> {
    replace_chars(text, is_hidden, |c| {
        c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    })
}

/// `text` with each character for which `is_replaced` is true replaced by its `replacement`.
pub fn replace_chars(
    text: &str,
    is_replaced: impl Fn(char) -> bool,
    replacement: impl Fn(char) -> String,
) -> Cow<'_, str> {
    if !text.chars().any(&is_replaced) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_replaced(c) { replacement(c) } else { c.to_string() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hidden_characters_are_replaced() {
        assert_eq!(visible("a\u{202e}b\n\tc\u{1b}[31m\r\0"), "a\\u{202e}b\n\tc\\u{1b}[31m\\u{d}\\u{0}");
        assert_eq!(visible_line("a\n\tb"), "a\\u{a}\\u{9}b");
        assert_eq!(visible_json("\"a\u{202e}\u{e0001}\""), "\"a\\u202e\\udb40\\udc01\"");
        let seen = "Ünïcödé 漢字 e\u{301} \u{1f40d} <b>'\"\\*/??/";
        assert!(matches!(visible(seen), Cow::Borrowed(text) if text == seen));
    }
}
