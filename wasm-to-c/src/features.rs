//! The proposals of WebAssembly: which are translated, and what the others are called in messages.

use wasmparser::{Operator, WasmFeatures, for_each_operator};

/// The proposals this crate translates.
const TRANSLATED: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD);

/// The one that is recognised, so that a module that needs it is told so and not that it is invalid.
const REFUSED: WasmFeatures = WasmFeatures::GC;

/// What the validator is to accept.
pub(crate) fn valid() -> WasmFeatures {
    TRANSLATED | REFUSED
}

macro_rules! origins {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
        /// The operator's name, and the proposal it came with.
        pub(crate) fn origin(op: &Operator<'_>) -> (&'static str, &'static str) {
            match op {
                $(Operator::$op { .. } => (stringify!($op), stringify!($proposal)),)*
                _ => ("of an unknown kind", "unknown"),
            }
        }
    };
}
for_each_operator!(origins);
