//! Types, variables and numbers in C.

use crate::ir::Var;
use crate::types::ValType;

/// The name of a variable.
pub(crate) fn variable(var: Var) -> String {
    match var {
        Var::Local(local) => format!("l{local}"),
        Var::Temp(temp) => format!("t{temp}"),
    }
}

/// The C type of a value.
pub fn c_type(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "uint32_t",
        ValType::I64 => "uint64_t",
        ValType::F32 => "float",
        ValType::F64 => "double",
        ValType::V128 => "wasm_v128_t",
        ValType::FuncRef | ValType::ExternRef | ValType::ExnRef => "uintptr_t",
    }
}

/// A number of a type, from its bits.
pub(crate) fn number(ty: ValType, bits: u64) -> String {
    match ty {
        ValType::I32 => int32(bits as u32),
        ValType::F32 => float32(bits as u32),
        ValType::F64 => float64(bits),
        _ => int64(bits),
    }
}

/// A vector, from its low and high half.
pub(crate) fn vector([low, high]: [u64; 2]) -> String {
    format!("WASM_V128({low:#x}ull, {high:#x}ull)")
}

fn int32(value: u32) -> String {
    match value.cast_signed() {
        0.. => format!("{value}u"),
        small @ -65536..=-1 => format!("(-{}u)", -small),
        _ => format!("{value:#x}u"),
    }
}

fn int64(value: u64) -> String {
    match value.cast_signed() {
        0.. => format!("{value}ull"),
        small @ -65536..=-1 => format!("(-{}ull)", -small),
        _ => format!("{value:#x}ull"),
    }
}

fn float32(bits: u32) -> String {
    let value = f32::from_bits(bits);
    if value.is_finite() { negative(format!("{value:?}f")) } else { format!("wasm_float32({bits:#x}u)") }
}

fn float64(bits: u64) -> String {
    let value = f64::from_bits(bits);
    if value.is_finite() { negative(format!("{value:?}")) } else { format!("wasm_float64({bits:#x}ull)") }
}

fn negative(text: String) -> String {
    if text.starts_with('-') { format!("({text})") } else { text }
}
