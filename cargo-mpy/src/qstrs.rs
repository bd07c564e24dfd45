//! The strings of a module in C, as MicroPython's `mpy_ld.py --preprocess` hands them to the compiler:
//! a header that defines each `MP_QSTR_name`, which the linker reads again for the strings themselves.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use target_specs::{Diagnostic, Place, Result};

use crate::toolchain;

const PREFIX: &str = "MP_QSTR_";

/// The header for C sources with these texts.
pub fn header(texts: &[String]) -> String {
    let mut header = String::from(
        "#include <stdint.h>\n\
         typedef uintptr_t mp_uint_t;\n\
         typedef intptr_t mp_int_t;\n\
         typedef uintptr_t mp_off_t;\n",
    );
    let mut own: BTreeSet<&str> = texts.iter().flat_map(|text| names(text)).collect();
    for (number, text) in (1..).zip(mpy_link::STATIC_QSTRS) {
        let name = escaped(text);
        own.remove(name.as_str());
        writeln!(header, "#define {PREFIX}{name} ({number})").expect("a String");
    }
    for (number, name) in (1..).zip(own) {
        writeln!(header, "#define {PREFIX}{name} (mp_native_qstr_table[{number}])").expect("a String");
    }
    header.push_str(
        "extern const uint16_t mp_native_qstr_table[];\n\
         extern const mp_uint_t mp_native_obj_table[];\n",
    );
    header
}

/// What follows `MP_QSTR_` wherever it stands, comments included, as the original does it.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(PREFIX).map(|(at, _)| {
        let rest = &text[at + PREFIX.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// A string as part of an identifier (`py/makeqstrdata.py`, `qstr_escape`); of the strings that every
/// MicroPython has, only these characters need it.
fn escaped(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c {
            ' ' => name.push_str("_space_"),
            '*' => name.push_str("_star_"),
            '/' => name.push_str("_slash_"),
            '<' => name.push_str("_lt_"),
            '>' => name.push_str("_gt_"),
            '-' => name.push_str("_hyphen_"),
            c if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
            c => write!(name, "_0x{:02x}_", u32::from(c)).expect("a String"),
        }
    }
    name
}

/// The strings of `#define MP_QSTR_name (mp_native_qstr_table[i])` lines, which come in table order.
///
/// # Errors
/// `io`, `bad-qstrs`.
pub fn read(path: &Path) -> Result<Vec<String>> {
    let text = String::from_utf8_lossy(&toolchain::read_file(path)?).into_owned();
    let mut strings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(rest) = line.strip_prefix("#define MP_QSTR_") else { continue };
        let Some((name, index)) = rest.split_once(" (mp_native_qstr_table[") else { continue };
        strings.push(name.to_owned());
        if index.strip_suffix("])").and_then(|index| index.parse().ok()) != Some(strings.len()) {
            return Err(Diagnostic::new(
                "bad-qstrs",
                format!("`{name}` is not entry {} of the table", strings.len()),
            )
            .at(Place::File { path: path.to_owned(), line: number, column: 0 })
            .help("the file is one that `cargo mpy link --preprocess` writes, its entries in order"));
        }
    }
    Ok(strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "a(MP_QSTR_zeta, MP_QSTR_alpha); // MP_QSTR_len\nMP_QSTR_alpha MP_QSTR__0x0a_".to_owned();
        let header = header(&[text]);
        assert!(header.contains("#define MP_QSTR__0x0a_ (3)\n"), "{header}");
        assert!(header.contains("#define MP_QSTR__lt_module_gt_ (7)\n"));
        assert!(header.contains("#define MP_QSTR_zip ("));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.h");
        toolchain::write_file(&path, header.as_bytes()).unwrap();
        assert_eq!(read(&path).unwrap(), ["alpha", "zeta"]);
        toolchain::write_file(&path, b"#define MP_QSTR_a (mp_native_qstr_table[2])\n").unwrap();
        assert_eq!(read(&path).unwrap_err().code, "bad-qstrs");
    }
}
