//! Names of functions.

/// The path of a function in Rust, without the hash that distinguishes functions of one name.
pub fn rust_name(function: &walrus::Function) -> String {
    wasm_to_c::demangled(function.name.as_deref().unwrap_or_default())
}
