//! Functions that ask `std` for what MicroPython does not have: files, sockets, processes and threads.
//!
//! On this target, `std` answers with one error, which is a constant. The compiler makes functions of `std` part of their
//! callers, so what is known is who uses the constant.

use std::collections::{BTreeMap, BTreeSet};

use walrus::ir::{Instr, InstrLocId, Value, Visitor, dfs_in_order};
use walrus::{ConstExpr, DataKind, FunctionId, Module};
use wasm_to_c::relocs;

use super::callers;

/// The text of the error (`io::Error::UNSUPPORTED_PLATFORM`).
pub const TEXT: &str = "operation not supported on this platform";

/// The paths of the functions that use the error, in the linked module `bytes`. Functions of `std` count as their callers. If
/// the module does not say where its constants begin, there are none.
pub fn users(bytes: &[u8]) -> BTreeSet<String> {
    if !bytes.windows(TEXT.len()).any(|window| window == TEXT.as_bytes()) {
        return BTreeSet::new();
    }
    let Ok(module) = Module::from_buffer(bytes) else { return BTreeSet::new() };
    let memory = initial_memory(&module);
    // Objects with the text, or with the address of such an object: the text, the error, and results that contain it.
    let objects: Vec<(u32, &[u8])> = relocs::data_symbols(bytes)
        .into_iter()
        .filter_map(|(_, address, size)| {
            let (start, data) = memory.range(..=address).next_back()?;
            let from = usize::try_from(address - start).ok()?;
            Some((address, data.get(from..from.checked_add(size as usize)?)?))
        })
        .collect();
    let mut wanted: BTreeMap<u32, u32> = BTreeMap::new();
    let refers = |data: &[u8], wanted: &BTreeMap<u32, u32>| {
        let mut words =
            data.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        words.any(|word| is_in(wanted, word))
    };
    loop {
        let before = wanted.len();
        for (address, data) in &objects {
            let has_text = data.windows(TEXT.len()).any(|window| window == TEXT.as_bytes());
            if has_text || refers(data, &wanted) {
                wanted.insert(*address, u32::try_from(data.len()).unwrap_or(u32::MAX));
            }
        }
        if wanted.len() == before {
            break;
        }
    }
    let users = module.funcs.iter_local().filter(|(_, function)| {
        let mut found = Found { wanted: &wanted, is_there: false };
        dfs_in_order(&mut found, function, function.entry_block());
        found.is_there
    });
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

/// The bytes of the data segments, by their addresses.
fn initial_memory(module: &Module) -> BTreeMap<u32, &[u8]> {
    let segments = module.data.iter().filter_map(|segment| match segment.kind {
        DataKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } => {
            Some((offset.cast_unsigned(), segment.value.as_slice()))
        }
        _ => None,
    });
    segments.collect()
}

/// Whether an address is in one of these objects, by their addresses and sizes.
fn is_in(objects: &BTreeMap<u32, u32>, address: u32) -> bool {
    objects.range(..=address).next_back().is_some_and(|(start, size)| address - start < *size)
}

struct Found<'a> {
    wanted: &'a BTreeMap<u32, u32>,
    is_there: bool,
}

impl<'instr> Visitor<'instr> for Found<'_> {
    fn visit_instr(&mut self, instr: &'instr Instr, _: &'instr InstrLocId) {
        let address = match instr {
            Instr::Const(constant) => match constant.value {
                Value::I32(value) => Some(value.cast_unsigned()),
                _ => None,
            },
            // Of a constant address, a part may be in the instruction.
            Instr::Load(load) => u32::try_from(load.arg.offset).ok(),
            _ => None,
        };
        self.is_there |= address.is_some_and(|address| is_in(self.wanted, address));
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

    #[test]
    fn addresses_are_in_objects_up_to_their_end() {
        let objects = BTreeMap::from([(16, 4), (32, 0)]);
        let found: Vec<u32> = (0..40).filter(|address| is_in(&objects, *address)).collect();
        assert_eq!(found, [16, 17, 18, 19]);
    }
}
