//! Functions that ask `std` for what MicroPython does not have: files, sockets, processes and threads.
//!
//! On this target, `std` answers with one error, which is a constant. The compiler makes functions of `std` part of their
//! callers, so what is known is who uses the constant.

use std::collections::{BTreeSet, HashSet};

use memchr::memmem;
use walrus::{FunctionId, Module};
use wasm_to_c::relocs::{self, Reference};

use super::{callers, unreferenced};

/// The text of the error (`io::Error::UNSUPPORTED_PLATFORM`).
pub const TEXT: &str = "operation not supported on this platform";

/// The paths of the functions that use the error, in the linked module `bytes`. Functions of `std` count as their callers. If
/// the relocations of the module cannot be followed, there are none.
pub fn users(bytes: &[u8]) -> BTreeSet<String> {
    let has_text = |data: &[u8]| memmem::find(data, TEXT.as_bytes()).is_some();
    if !has_text(bytes) {
        return BTreeSet::new();
    }
    let Ok((bytes, relocations)) = relocs::read("", bytes) else { return BTreeSet::new() };
    let Ok(module) = Module::from_buffer(&bytes) else { return BTreeSet::new() };
    let segments: Vec<&[u8]> = module.data.iter().map(|segment| segment.value.as_slice()).collect();
    let objects = relocations.objects.iter().enumerate().filter(|(_, object)| {
        let data = segments.get(object.segment).and_then(|data| data.get(object.offset as usize..));
        data.is_some_and(|data| has_text(&data[..data.len().min(object.size as usize)]))
    });
    let mut wanted: HashSet<usize> = objects.map(|(at, _)| at).collect();
    let is_wanted = |reference: &Reference, wanted: &HashSet<usize>| match reference {
        Reference::Data { object, .. } => wanted.contains(object),
        Reference::Function(_) => false,
    };
    // Objects with the address of such an object: the error, and results that contain it.
    loop {
        let more = (0..relocations.objects.len()).filter(|at| {
            !wanted.contains(at)
                && relocations.in_object(*at).any(|(_, reference)| is_wanted(&reference, &wanted))
        });
        let more: Vec<usize> = more.collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    let uses = |function| {
        unreferenced::references(function, &relocations).iter().any(|reference| is_wanted(reference, &wanted))
    };
    let users = module.funcs.iter_local().filter(|(_, function)| uses(function));
    let users: BTreeSet<FunctionId> = users.map(|(id, _)| id).collect();
    callers::outside_of_std(&module, &users).iter().map(|path| without_hash(path).to_owned()).collect()
}

/// The name of a function, without what wasm-bindgen puts behind that of an export.
fn without_hash(name: &str) -> &str {
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.rsplit_once('_') {
        Some((name, hash)) if is_hash(hash) => name,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_the_error_has_no_users() {
        let bytes = wat::parse_str("(module (func (export \"f\") (result i32) i32.const 1024))").unwrap();
        assert_eq!(users(&bytes), BTreeSet::new());
        assert_eq!(users(TEXT.as_bytes()), BTreeSet::new());
    }

    #[test]
    fn names_of_exports_lose_their_hash() {
        assert_eq!(without_hash("spawn_3417d316b0806ac3"), "spawn");
        assert_eq!(without_hash("files::load_all"), "files::load_all");
        assert_eq!(without_hash("spawn_3417d316b0806ac"), "spawn_3417d316b0806ac");
    }
}
