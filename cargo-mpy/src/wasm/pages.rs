//! Custom page sizes, which walrus can write but does not accept when it reads.
//!
//! <https://github.com/WebAssembly/custom-page-sizes>

use walrus::Module;
use wasm_encoder::{Encode, MemorySection, MemoryType};
use wasmparser::{BinaryReaderError, Parser, Payload};

/// The types of a module's own memories, in order.
pub struct Declared(Vec<wasmparser::MemoryType>);

/// The module `bytes` with ordinary page sizes, and the original types of its memories; `None` if the page sizes are
/// ordinary.
///
/// # Errors
/// Constants of the binary format.
pub fn take(bytes: &[u8]) -> Result<Option<(Vec<u8>, Declared)>, BinaryReaderError> {
    // The size in the header is in LEB128, so the section starts where the previous one ends.
    let mut end = 8;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::MemorySection(section) = &payload {
            let range = section.range();
            let declared = section.clone().into_iter().collect::<Result<Vec<_>, _>>()?;
            if declared.iter().all(|memory| memory.page_size_log2.is_none()) {
                return Ok(None);
            }
            let mut ordinary = MemorySection::new();
            for memory in &declared {
                let (memory64, shared) = (memory.memory64, memory.shared);
                let maximum = shared.then_some(0);
                ordinary.memory(MemoryType { minimum: 0, maximum, memory64, shared, page_size_log2: None });
            }
            let mut whole = bytes[..end].to_vec();
            whole.push(wasm_encoder::SectionId::Memory.into());
            ordinary.encode(&mut whole);
            whole.extend(&bytes[range.end..]);
            return Ok(Some((whole, Declared(declared))));
        }
        if let Some((_, range)) = payload.as_section() {
            end = range.end;
        }
    }
    Ok(None)
}

impl Declared {
    /// Restores the types of the memories that [`take`] returned.
    pub fn put_back(self, module: &mut Module) {
        let own = module.memories.iter().filter(|memory| memory.import.is_none()).map(walrus::Memory::id);
        for (id, declared) in own.collect::<Vec<_>>().into_iter().zip(self.0) {
            let memory = module.memories.get_mut(id);
            memory.initial = declared.initial;
            memory.maximum = declared.maximum;
            memory.page_size_log2 = declared.page_size_log2;
        }
    }
}
