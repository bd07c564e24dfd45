//! Which proposals are translated, and what the others are called in messages.

use wasmparser::WasmFeatures;

/// The proposals this crate translates.
pub(crate) fn supported() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::FLOATS
        // Its encoding of table indices, which LLVM uses; its instructions are refused one by one.
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::EXTENDED_CONST
}
