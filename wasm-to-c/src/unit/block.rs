//! The state of a module as one block of memory.

use crate::options::CodePlace;
use crate::relocs::{Reference, Relocations};

/// The state of a module that is one block, whose address is known when the module runs.
#[derive(Default)]
pub(super) struct Block {
    /// The members: the number of elements of an array, the declaration, and the name.
    pub members: Vec<(u32, String, String)>,
    /// The statements that give the members their first values. They are 0 before.
    pub init: String,
}

/// The data objects that are in the block: those that change, and those with an address that is only known when the module
/// runs.
pub(super) fn in_block(relocations: &Relocations, code: CodePlace) -> Vec<bool> {
    let objects = 0..relocations.objects.len();
    let mut referring = vec![Vec::new(); objects.len()];
    for object in objects.clone() {
        for (_, reference) in relocations.in_object(object) {
            if let Reference::Data { object: target, .. } = reference {
                referring[target].push(object);
            }
        }
    }
    let mut within = vec![false; objects.len()];
    let changes = |object: &usize| {
        let has_address = relocations.in_object(*object).next().is_some();
        !relocations.is_read_only(*object) || code == CodePlace::Anywhere && has_address
    };
    let mut todo: Vec<usize> = objects.filter(changes).collect();
    while let Some(object) = todo.pop() {
        if !std::mem::replace(&mut within[object], true) {
            todo.append(&mut referring[object]);
        }
    }
    within
}
