//! Reads whatever bytes there are as what wasm-bindgen's macro wrote and its descriptors say, and writes bindings:
//! a byte that counts words, the words, and the custom section.
#![no_main]

use glue_gen::wbindgen::{Raw, api};
use glue_gen::{Imports, glue};
use libfuzzer_sys::fuzz_target;
use wasm_bindgen_shared as shared;
use wasm_to_c::Interface;

/// The words that describe types are small numbers, but for the indices of functions.
fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.iter().map(|byte| if *byte < 0xf0 { u32::from(*byte) } else { u32::from(*byte) << 24 }).collect()
}

/// Names in a section: their lengths and bytes.
fn names(section: &[u8]) -> impl Iterator<Item = &str> {
    (0..section.len()).filter_map(|at| {
        let name = section.get(at + 1..at + 1 + usize::from(section[at]))?;
        let name = str::from_utf8(name).ok()?;
        (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)))
            .then_some(name)
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((count, rest)) = data.split_first() else { return };
    let (described, section) = rest.split_at(usize::from(*count).min(rest.len()));
    let words = words(described);
    let mut raw = Raw { section: section.to_vec(), ..Raw::default() };
    let hash = names(section).filter_map(|name| Some(name.split_once('-')?.1)).last().unwrap_or_default();
    // Each name may be a function's, or a class's and the next one its member's; each is said to have another type.
    let mut class = "";
    for (at, name) in names(section).take(64).enumerate() {
        let words = &words[(3 * at).min(words.len())..];
        let symbols = [
            shared::free_function_export_name(name),
            shared::struct_function_export_name(class, name),
            shared::struct_field_get(class, name),
        ];
        for symbol in symbols {
            raw.descriptors.insert(shared::mangled_symbol(&symbol, hash), words.to_vec());
        }
        raw.descriptors.insert(name.to_owned(), words.to_vec());
        class = name;
    }
    if !words.is_empty() && count % 2 == 1 {
        raw.generics.insert("cast".to_owned(), words);
    }
    match api(&raw) {
        Ok(api) => {
            let _ = glue("fuzz", &Interface::default(), Some(&api), &Imports::new());
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
});
