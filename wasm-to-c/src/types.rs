//! The types of values and functions.

/// A numeric or reference type of the spec.
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
            ValType::FuncRef => "funcref",
            ValType::ExternRef => "externref",
            ValType::ExnRef => "exnref",
        }
    }

    /// The member of `wasm_value_t` that holds it.
    pub(crate) fn member(self) -> char {
        match self {
            ValType::I32 => 'i',
            ValType::I64 => 'q',
            ValType::F32 => 'f',
            ValType::F64 => 'd',
            ValType::FuncRef | ValType::ExternRef | ValType::ExnRef => 'r',
        }
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
