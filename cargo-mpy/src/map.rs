//! What is where in a linked module, as text for people.

use std::collections::HashMap;
use std::fmt::Write as _;

use mpy_link::Image;

/// One line for each function and datum, with Rust's names where `names` has them for symbols and
/// where symbols are mangled.
pub fn text(image: &Image, names: &HashMap<String, String>) -> String {
    let mut rows = vec![["part", "address", "bytes", "name", "from"].map(str::to_owned)];
    for entry in &image.map {
        // Compilers mark their copies of a function: `f.constprop.0`.
        let (symbol, mark) = entry.symbol.split_at(entry.symbol.find('.').unwrap_or(entry.symbol.len()));
        let name = match names.get(symbol) {
            Some(name) => format!("{name}{mark}"),
            None if entry.symbol.is_empty() => entry.section.clone(),
            None => format!("{:#}", rustc_demangle::demangle(&entry.symbol)),
        };
        rows.push([
            entry.part.name().to_owned(),
            format!("{:#x}", entry.address),
            entry.size.to_string(),
            name,
            entry.object.clone(),
        ]);
    }
    let widths: [usize; 5] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default());
    let mut text = String::new();
    for [part, address, bytes, name, from] in &rows {
        let [a, b, c, d, _] = widths;
        let line = format!("{part:a$}  {address:>b$}  {bytes:>c$}  {name:d$}  {from}");
        writeln!(text, "{}", line.trim_end()).expect("a String");
    }
    text
}
