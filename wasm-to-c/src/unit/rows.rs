//! Rows of an array's initializer.

use std::fmt::Write as _;

/// Writes items, so many in a row.
pub(super) fn rows(c: &mut String, items: impl IntoIterator<Item: std::fmt::Display>, per_row: usize) {
    let mut count = 0;
    for item in items {
        c.push_str(if count % per_row == 0 { "    " } else { " " });
        let _ = write!(c, "{item},");
        count += 1;
        if count % per_row == 0 {
            c.push('\n');
        }
    }
    if count == 0 {
        c.push_str("    0,");
    }
    if count == 0 || count % per_row != 0 {
        c.push('\n');
    }
}
