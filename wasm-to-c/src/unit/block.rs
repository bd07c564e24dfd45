//! The state of a module as one block of memory.

use crate::relocs::{Reference, Relocations};

/// The state of a module that is one block, whose address is known when the module runs.
#[derive(Default)]
pub(super) struct Block {
    pub members: String,
    pub names: Vec<String>,
    /// The statements that give the members their first values. They are 0 before.
    pub init: String,
}

/// The data objects that are in the block: those that change, and those with the address of one in the block.
pub(super) fn in_block(relocations: &Relocations) -> Vec<bool> {
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
    let mut todo: Vec<usize> = objects.filter(|object| !relocations.is_read_only(*object)).collect();
    while let Some(object) = todo.pop() {
        if !std::mem::replace(&mut within[object], true) {
            todo.append(&mut referring[object]);
        }
    }
    within
}
