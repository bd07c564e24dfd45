//! Custom page sizes, which walrus keeps but does not let into a module.
//!
//! <https://github.com/WebAssembly/custom-page-sizes>

use walrus::Module;
use wasm_encoder::{Encode, MemorySection, MemoryType};
use wasmparser::{BinaryReaderError, Parser, Payload};

/// What a module says of its own memories, in their order.
pub struct Declared(Vec<wasmparser::MemoryType>);

/// The module `bytes` with memories of ordinary pages in the place of its own, and these; `None` when they have
/// ordinary pages already.
///
/// # Errors
/// Those of the binary format.
pub fn take(bytes: &[u8]) -> Result<Option<(Vec<u8>, Declared)>, BinaryReaderError> {
    // The header's size is in LEB128, so the section is found by where the one before it ends.
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
    /// Gives the memories of `module`, made of what [`take`] returned, their types again.
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
