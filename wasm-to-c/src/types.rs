//! The types of values and functions.

/// A numeric, vector or reference type of the spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValType {
    /// An integer of 32 bits.
    I32,
    /// An integer of 64 bits.
    I64,
    /// A float of 32 bits (IEEE 754 binary32).
    F32,
    /// A float of 64 bits (IEEE 754 binary64).
    F64,
    /// A vector of 128 bits.
    V128,
    /// A reference to a function, or null.
    FuncRef,
    /// A reference to something of the embedder's, or null.
    ExternRef,
    /// A reference to a caught exception, or null.
    ExnRef,
}

impl ValType {
    /// Its name in the text format.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ValType::I32 => "i32",
            ValType::I64 => "i64",
            ValType::F32 => "f32",
            ValType::F64 => "f64",
            ValType::V128 => "v128",
            ValType::FuncRef => "funcref",
            ValType::ExternRef => "externref",
            ValType::ExnRef => "exnref",
        }
    }

    /// The member of `wasm_value_t` that holds it. A vector takes two of these.
    pub(crate) fn member(self) -> Option<char> {
        match self {
            ValType::I32 => Some('i'),
            ValType::I64 => Some('q'),
            ValType::F32 => Some('f'),
            ValType::F64 => Some('d'),
            ValType::V128 => None,
            ValType::FuncRef | ValType::ExternRef | ValType::ExnRef => Some('r'),
        }
    }

    /// How many `wasm_value_t` hold it.
    pub(crate) fn values(self) -> usize {
        if self == ValType::V128 { 2 } else { 1 }
    }
}

/// A function type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FuncType {
    /// The types of the parameters.
    pub params: Vec<ValType>,
    /// The types of the results.
    pub results: Vec<ValType>,
}
