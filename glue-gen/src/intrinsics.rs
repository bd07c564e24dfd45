//! wasm-bindgen's own imports, by name: its `lib.rs`, "Intrinsics".

/// The implementation of an intrinsic.
pub(crate) enum Intrinsic {
    /// Raises RuntimeError with a text.
    Throw,
    /// Writes a mutable slice back.
    WriteBack,
    /// Creates the exception of a `JsError`.
    Exception,
    /// `mpy_intrinsic_NAME` of `mpy_intrinsics.h`.
    Named(&'static str),
}

/// Whether the intrinsic may run the user's Python code, such as methods of objects that it reads.
pub(crate) fn runs_python(name: &str) -> bool {
    match find(name) {
        Some(Intrinsic::Throw | Intrinsic::WriteBack | Intrinsic::Exception) => false,
        Some(Intrinsic::Named(name)) => !matches!(
            name,
            "is_none"
                | "is_string"
                | "is_bigint"
                | "number_get"
                | "boolean_get"
                | "string_get"
                | "bigint_get"
                | "rethrow"
        ),
        None => true,
    }
}

pub(crate) fn find(name: &str) -> Option<Intrinsic> {
    Some(Intrinsic::Named(match name {
        "__wbindgen_throw" => return Some(Intrinsic::Throw),
        "__wbindgen_copy_to_typed_array" => return Some(Intrinsic::WriteBack),
        "Error" => return Some(Intrinsic::Exception),
        "__wbindgen_is_null" | "__wbindgen_is_undefined" | "__wbindgen_is_null_or_undefined" => "is_none",
        "__wbindgen_is_symbol" => "is_symbol",
        "__wbindgen_is_object" => "is_object",
        "__wbindgen_is_function" => "is_function",
        "__wbindgen_is_string" => "is_string",
        "__wbindgen_is_bigint" => "is_bigint",
        "__wbindgen_typeof" => "typeof",
        "__wbindgen_in" => "in",
        "__wbindgen_is_falsy" => "is_falsy",
        "__wbindgen_try_into_number" | "Number" | "__wbindgen_as_number" => "same",
        "__wbindgen_neg" => "neg",
        "__wbindgen_bit_and" => "bit_and",
        "__wbindgen_bit_or" => "bit_or",
        "__wbindgen_bit_xor" => "bit_xor",
        "__wbindgen_bit_not" => "bit_not",
        "__wbindgen_shl" => "shl",
        "__wbindgen_shr" => "shr",
        "__wbindgen_add" => "add",
        "__wbindgen_sub" => "sub",
        "__wbindgen_div" | "__wbindgen_checked_div" => "div",
        "__wbindgen_mul" => "mul",
        "__wbindgen_panic_error" => "panic_error",
        "__wbindgen_rem" => "rem",
        "__wbindgen_pow" => "pow",
        "__wbindgen_lt" => "lt",
        "__wbindgen_le" => "le",
        "__wbindgen_ge" => "ge",
        "__wbindgen_gt" => "gt",
        "__wbindgen_number_get" => "number_get",
        "__wbindgen_boolean_get" => "boolean_get",
        "__wbindgen_string_get" => "string_get",
        "__wbindgen_bigint_get_as_i64" => "bigint_get",
        "__wbindgen_debug_string" => "debug_string",
        "__wbindgen_rethrow" => "rethrow",
        "__wbindgen_jsval_eq" | "__wbindgen_jsval_loose_eq" => "eq",
        "_wbg_cb_unref" => "unref",
        _ => return None,
    }))
}
