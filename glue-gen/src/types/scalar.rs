//! The four number types of WebAssembly. `mpy_scalars.h` documents which Python values they accept.

use wasm_to_c::ValType;

/// A number type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    I32,
    I64,
    F32,
    F64,
}

impl Scalar {
    /// `types` as scalars, or the first that is none.
    pub(crate) fn all(types: &[ValType]) -> Result<Vec<Scalar>, ValType> {
        types
            .iter()
            .map(|ty| match ty {
                ValType::I32 => Ok(Scalar::I32),
                ValType::I64 => Ok(Scalar::I64),
                ValType::F32 => Ok(Scalar::F32),
                ValType::F64 => Ok(Scalar::F64),
                other => Err(*other),
            })
            .collect()
    }

    pub(crate) fn c_type(self) -> &'static str {
        match self {
            Scalar::I32 => "uint32_t",
            Scalar::I64 => "uint64_t",
            Scalar::F32 => "float",
            Scalar::F64 => "double",
        }
    }

    /// The suffix of its conversion functions `mpy_to_*` and `mpy_from_*`.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Scalar::I32 => "i32",
            Scalar::I64 => "i64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
        }
    }

    /// Its letter in the type of an import, and the member of `mpy_slot_t` that holds it.
    pub(crate) fn letter(self) -> char {
        match self {
            Scalar::I32 => 'i',
            Scalar::I64 => 'q',
            Scalar::F32 => 'f',
            Scalar::F64 => 'd',
        }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Scalar::F32 | Scalar::F64)
    }
}
