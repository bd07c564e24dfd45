//! What is where in a linked module, for people.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use mpy_link::{Image, Part};
use target_specs::visible_line;

/// A function or datum of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub part: Part,
    /// Bytes from the start of the part.
    pub address: u32,
    pub size: u32,
    /// Rust's name where there is one.
    pub name: String,
    /// The crate it is of; in parentheses what is of none.
    pub owner: String,
    /// The object file it comes from; empty for what the linker makes.
    pub object: String,
}

/// Everything in `image`, with Rust's names where `names` has them for symbols and where symbols are mangled. What is
/// called otherwise and has come through WebAssembly is of the crate `module`.
pub fn entries(image: &Image, names: &HashMap<String, String>, module: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = image.map.iter().map(|entry| entry_of(entry, names, module)).collect();
    // What lies between them.
    for (part, whole) in
        [(Part::Text, image.sizes.text), (Part::Rodata, image.sizes.rodata), (Part::Bss, image.sizes.bss)]
    {
        let known: u32 = entries.iter().filter(|entry| entry.part == part).map(|entry| entry.size).sum();
        let size = u64::from(whole).saturating_sub(u64::from(known)) as u32;
        if size > 0 {
            let (name, owner) = ("alignment".to_owned(), "(linker)".to_owned());
            entries.push(Entry { part, address: 0, size, name, owner, object: String::new() });
        }
    }
    entries
}

fn entry_of(entry: &mpy_link::MapEntry, names: &HashMap<String, String>, module: &str) -> Entry {
    // Compilers mark their copies of a function: `f.constprop.0`.
    let (symbol, mark) = entry.symbol.split_at(entry.symbol.find('.').unwrap_or(entry.symbol.len()));
    // Bindings are named after the function that they call, which may have become part of them.
    let bound = symbol.find("_f_").map(|at| &symbol[at + 1..]).filter(|_| symbol.starts_with("mpy_"));
    let is_code = !["data", "rodata", "bss"].iter().any(|kind| {
        entry
            .section
            .trim_start_matches('.')
            .strip_prefix(kind)
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    let (name, owner) = if entry.object.is_empty() {
        (entry.section.clone(), "(linker)".to_owned())
    } else if let Some(name) = names.get(symbol) {
        (format!("{name}{mark}"), owner_of(name, module))
    } else if let Some(name) = bound.and_then(|symbol| names.get(symbol)) {
        (format!("{name} with its bindings"), owner_of(name, module))
    } else {
        let name = match symbol.strip_prefix("_R").or(symbol.strip_prefix("_Z")) {
            Some(_) => format!("{}{mark}", wasm_to_c::demangled(symbol)),
            None if entry.symbol.is_empty() => entry.section.clone(),
            None => entry.symbol.clone(),
        };
        let owner = match entry.object.split_once(':') {
            Some((archive, _)) => format!("({})", archive.trim_end_matches(".a")),
            None if !entry.object.ends_with(".o") => "(runtime)".to_owned(),
            None if symbol == "stack" => "(stack)".to_owned(),
            None if symbol.starts_with("mpy_") || symbol.starts_with("import_") => "(bindings)".to_owned(),
            None if is_code => module.to_owned(),
            None => "(data)".to_owned(),
        };
        (name, owner)
    };
    Entry {
        part: entry.part,
        address: entry.address,
        size: entry.size,
        name,
        owner,
        object: entry.object.clone(),
    }
}

/// The crate at the beginning of a path: of `<alloc::vec::Vec<T> as core::ops::Drop>::drop` that is `alloc`.
fn owner_of(name: &str, module: &str) -> String {
    let path = name.trim_start_matches(|c| "<&*[(".contains(c)).trim_start_matches("mut ");
    let path = path.strip_prefix("dyn ").unwrap_or(path);
    match path.split_once("::") {
        Some((owner, _)) if owner.chars().all(|c| c.is_alphanumeric() || c == '_') => owner.to_owned(),
        // `<&str as core::fmt::Display>::fmt`: a type of the language is of no crate, the trait is.
        _ => match name.split_once(" as ").and_then(|(_, of)| of.split_once("::")) {
            Some((owner, _)) if name.starts_with('<') => owner.to_owned(),
            _ => module.to_owned(),
        },
    }
}

/// Bytes by crate, the largest first.
pub fn by_owner(entries: &[Entry]) -> Vec<(&str, u32)> {
    let mut sums: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in entries {
        *sums.entry(&entry.owner).or_default() += entry.size;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(owner, size)| (std::cmp::Reverse(*size), *owner));
    sums
}

/// One line for each function and datum.
pub fn text(entries: &[Entry]) -> String {
    let mut rows = vec![["part", "address", "bytes", "name", "from"].map(str::to_owned)];
    for entry in entries.iter().filter(|entry| entry.name != "alignment" || !entry.object.is_empty()) {
        rows.push([
            entry.part.name().to_owned(),
            format!("{:#x}", entry.address),
            entry.size.to_string(),
            visible_line(&entry.name).into_owned(),
            visible_line(&entry.object).into_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_with_its_crate() {
        for (name, owner) in [
            ("filter::Median::add", "filter"),
            ("<filter::Median>::add", "filter"),
            ("<&str as core::fmt::Display>::fmt", "core"),
            ("<alloc::raw_vec::RawVecInner<_>>::reserve", "alloc"),
            ("core::ptr::drop_in_place::<wasm_bindgen::JsValue>", "core"),
            ("energy", "mine"),
            ("<[i16] as mine2::Sum>::sum", "mine2"),
        ] {
            assert_eq!(owner_of(name, "mine"), owner, "{name}");
        }
    }
}
