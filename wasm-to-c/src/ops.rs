//! Operators as lines that look like C: operands `a`, `b`, `c` in, one value out.

use wasmparser::Operator;

use crate::ValType::{self, F32, F64, I32, I64};

/// An operator that computes one value from others and touches nothing else.
pub(crate) struct Simple {
    pub template: &'static str,
    pub operands: usize,
    pub result: ValType,
    pub traps: bool,
}

macro_rules! simple {
    ($op:expr; $($name:ident $template:literal $operands:literal $result:ident $($trap:ident)?;)*) => {
        match $op {
            $(Operator::$name { .. } => Some(Simple {
                template: $template,
                operands: $operands,
                result: $result,
                traps: false $(|| stringify!($trap) == "traps")?,
            }),)*
            _ => None,
        }
    };
}

/// The line of an operator, when it has one (WebAssembly core specification, 4.3 Numerics).
#[rustfmt::skip]
pub(crate) fn simple(op: &Operator) -> Option<Simple> {
    simple! { op;
        RefIsNull "{a} == 0" 1 I32;
        I32Eqz "{a} == 0" 1 I32;
        I32Eq "{a} == {b}" 2 I32;
        I32Ne "{a} != {b}" 2 I32;
        I32LtS "(int32_t){a} < (int32_t){b}" 2 I32;
        I32LtU "{a} < {b}" 2 I32;
        I32GtS "(int32_t){a} > (int32_t){b}" 2 I32;
        I32GtU "{a} > {b}" 2 I32;
        I32LeS "(int32_t){a} <= (int32_t){b}" 2 I32;
        I32LeU "{a} <= {b}" 2 I32;
        I32GeS "(int32_t){a} >= (int32_t){b}" 2 I32;
        I32GeU "{a} >= {b}" 2 I32;
        I64Eqz "{a} == 0" 1 I32;
        I64Eq "{a} == {b}" 2 I32;
        I64Ne "{a} != {b}" 2 I32;
        I64LtS "(int64_t){a} < (int64_t){b}" 2 I32;
        I64LtU "{a} < {b}" 2 I32;
        I64GtS "(int64_t){a} > (int64_t){b}" 2 I32;
        I64GtU "{a} > {b}" 2 I32;
        I64LeS "(int64_t){a} <= (int64_t){b}" 2 I32;
        I64LeU "{a} <= {b}" 2 I32;
        I64GeS "(int64_t){a} >= (int64_t){b}" 2 I32;
        I64GeU "{a} >= {b}" 2 I32;
        F32Eq "{a} == {b}" 2 I32;
        F32Ne "{a} != {b}" 2 I32;
        F32Lt "{a} < {b}" 2 I32;
        F32Gt "{a} > {b}" 2 I32;
        F32Le "{a} <= {b}" 2 I32;
        F32Ge "{a} >= {b}" 2 I32;
        F64Eq "{a} == {b}" 2 I32;
        F64Ne "{a} != {b}" 2 I32;
        F64Lt "{a} < {b}" 2 I32;
        F64Gt "{a} > {b}" 2 I32;
        F64Le "{a} <= {b}" 2 I32;
        F64Ge "{a} >= {b}" 2 I32;
        I32Clz "wasm_clz32({a})" 1 I32;
        I32Ctz "wasm_ctz32({a})" 1 I32;
        I32Popcnt "wasm_popcnt32({a})" 1 I32;
        I32Add "{a} + {b}" 2 I32;
        I32Sub "{a} - {b}" 2 I32;
        I32Mul "{a} * {b}" 2 I32;
        I32DivS "wasm_div_s32({a}, {b})" 2 I32 traps;
        I32DivU "wasm_div_u32({a}, {b})" 2 I32 traps;
        I32RemS "wasm_rem_s32({a}, {b})" 2 I32 traps;
        I32RemU "wasm_rem_u32({a}, {b})" 2 I32 traps;
        I32And "{a} & {b}" 2 I32;
        I32Or "{a} | {b}" 2 I32;
        I32Xor "{a} ^ {b}" 2 I32;
        I32Shl "{a} << ({b} & 31)" 2 I32;
        I32ShrS "(uint32_t)((int32_t){a} >> ({b} & 31))" 2 I32;
        I32ShrU "{a} >> ({b} & 31)" 2 I32;
        I32Rotl "wasm_rotl32({a}, {b})" 2 I32;
        I32Rotr "wasm_rotr32({a}, {b})" 2 I32;
        I64Clz "wasm_clz64({a})" 1 I64;
        I64Ctz "wasm_ctz64({a})" 1 I64;
        I64Popcnt "wasm_popcnt64({a})" 1 I64;
        I64Add "{a} + {b}" 2 I64;
        I64Sub "{a} - {b}" 2 I64;
        I64Mul "{a} * {b}" 2 I64;
        I64DivS "wasm_div_s64({a}, {b})" 2 I64 traps;
        I64DivU "wasm_div_u64({a}, {b})" 2 I64 traps;
        I64RemS "wasm_rem_s64({a}, {b})" 2 I64 traps;
        I64RemU "wasm_rem_u64({a}, {b})" 2 I64 traps;
        I64And "{a} & {b}" 2 I64;
        I64Or "{a} | {b}" 2 I64;
        I64Xor "{a} ^ {b}" 2 I64;
        I64Shl "{a} << ({b} & 63)" 2 I64;
        I64ShrS "(uint64_t)((int64_t){a} >> ({b} & 63))" 2 I64;
        I64ShrU "{a} >> ({b} & 63)" 2 I64;
        I64Rotl "wasm_rotl64({a}, {b})" 2 I64;
        I64Rotr "wasm_rotr64({a}, {b})" 2 I64;
        F32Abs "wasm_abs32({a})" 1 F32;
        F32Neg "wasm_neg32({a})" 1 F32;
        F32Ceil "wasm_ceil32({a})" 1 F32;
        F32Floor "wasm_floor32({a})" 1 F32;
        F32Trunc "wasm_trunc32({a})" 1 F32;
        F32Nearest "wasm_nearest32({a})" 1 F32;
        F32Sqrt "wasm_sqrt32({a})" 1 F32;
        F32Add "wasm_add32({a}, {b})" 2 F32;
        F32Sub "wasm_sub32({a}, {b})" 2 F32;
        F32Mul "wasm_mul32({a}, {b})" 2 F32;
        F32Div "wasm_div32({a}, {b})" 2 F32;
        F32Min "wasm_min32({a}, {b})" 2 F32;
        F32Max "wasm_max32({a}, {b})" 2 F32;
        F32Copysign "wasm_copysign32({a}, {b})" 2 F32;
        F64Abs "wasm_abs64({a})" 1 F64;
        F64Neg "wasm_neg64({a})" 1 F64;
        F64Ceil "wasm_ceil64({a})" 1 F64;
        F64Floor "wasm_floor64({a})" 1 F64;
        F64Trunc "wasm_trunc64({a})" 1 F64;
        F64Nearest "wasm_nearest64({a})" 1 F64;
        F64Sqrt "wasm_sqrt64({a})" 1 F64;
        F64Add "wasm_add64({a}, {b})" 2 F64;
        F64Sub "wasm_sub64({a}, {b})" 2 F64;
        F64Mul "wasm_mul64({a}, {b})" 2 F64;
        F64Div "wasm_div64({a}, {b})" 2 F64;
        F64Min "wasm_min64({a}, {b})" 2 F64;
        F64Max "wasm_max64({a}, {b})" 2 F64;
        F64Copysign "wasm_copysign64({a}, {b})" 2 F64;
        I32WrapI64 "(uint32_t){a}" 1 I32;
        I32TruncF32S "wasm_trunc_s32_f32({a})" 1 I32 traps;
        I32TruncF32U "wasm_trunc_u32_f32({a})" 1 I32 traps;
        I32TruncF64S "wasm_trunc_s32_f64({a})" 1 I32 traps;
        I32TruncF64U "wasm_trunc_u32_f64({a})" 1 I32 traps;
        I64ExtendI32S "(uint64_t)(int64_t)(int32_t){a}" 1 I64;
        I64ExtendI32U "(uint64_t){a}" 1 I64;
        I64TruncF32S "wasm_trunc_s64_f32({a})" 1 I64 traps;
        I64TruncF32U "wasm_trunc_u64_f32({a})" 1 I64 traps;
        I64TruncF64S "wasm_trunc_s64_f64({a})" 1 I64 traps;
        I64TruncF64U "wasm_trunc_u64_f64({a})" 1 I64 traps;
        F32ConvertI32S "(float)(int32_t){a}" 1 F32;
        F32ConvertI32U "(float){a}" 1 F32;
        F32ConvertI64S "(float)(int64_t){a}" 1 F32;
        F32ConvertI64U "(float){a}" 1 F32;
        F32DemoteF64 "wasm_demote({a})" 1 F32;
        F64ConvertI32S "(double)(int32_t){a}" 1 F64;
        F64ConvertI32U "(double){a}" 1 F64;
        F64ConvertI64S "(double)(int64_t){a}" 1 F64;
        F64ConvertI64U "(double){a}" 1 F64;
        F64PromoteF32 "(double){a}" 1 F64;
        I32ReinterpretF32 "wasm_bits32({a})" 1 I32;
        I64ReinterpretF64 "wasm_bits64({a})" 1 I64;
        F32ReinterpretI32 "wasm_float32({a})" 1 F32;
        F64ReinterpretI64 "wasm_float64({a})" 1 F64;
        I32Extend8S "(uint32_t)(int32_t)(int8_t){a}" 1 I32;
        I32Extend16S "(uint32_t)(int32_t)(int16_t){a}" 1 I32;
        I64Extend8S "(uint64_t)(int64_t)(int8_t){a}" 1 I64;
        I64Extend16S "(uint64_t)(int64_t)(int16_t){a}" 1 I64;
        I64Extend32S "(uint64_t)(int64_t)(int32_t){a}" 1 I64;
        I32TruncSatF32S "wasm_sat_s32_f32({a})" 1 I32;
        I32TruncSatF32U "wasm_sat_u32_f32({a})" 1 I32;
        I32TruncSatF64S "wasm_sat_s32_f64({a})" 1 I32;
        I32TruncSatF64U "wasm_sat_u32_f64({a})" 1 I32;
        I64TruncSatF32S "wasm_sat_s64_f32({a})" 1 I64;
        I64TruncSatF32U "wasm_sat_u64_f32({a})" 1 I64;
        I64TruncSatF64S "wasm_sat_s64_f64({a})" 1 I64;
        I64TruncSatF64U "wasm_sat_u64_f64({a})" 1 I64;
    }
}

/// A load or store: the C type of the cell, and what a load makes of it.
pub(crate) struct Access {
    pub memarg: wasmparser::MemArg,
    /// Cell type without alignment suffix: `wasm_u8`, `wasm_s16`, …
    pub cell: &'static str,
    /// Bytes of the cell.
    pub bytes: u32,
    /// Of the value on the stack.
    pub ty: ValType,
    pub store: bool,
}

/// What an operator accesses in memory, when it does.
#[rustfmt::skip]
pub(crate) fn access(op: &Operator) -> Option<Access> {
    let (memarg, cell, bytes, ty, store) = match *op {
        Operator::I32Load { memarg } => (memarg, "wasm_u32", 4, I32, false),
        Operator::I64Load { memarg } => (memarg, "wasm_u64", 8, I64, false),
        Operator::F32Load { memarg } => (memarg, "wasm_f32", 4, F32, false),
        Operator::F64Load { memarg } => (memarg, "wasm_f64", 8, F64, false),
        Operator::I32Load8S { memarg } => (memarg, "wasm_s8", 1, I32, false),
        Operator::I32Load8U { memarg } => (memarg, "wasm_u8", 1, I32, false),
        Operator::I32Load16S { memarg } => (memarg, "wasm_s16", 2, I32, false),
        Operator::I32Load16U { memarg } => (memarg, "wasm_u16", 2, I32, false),
        Operator::I64Load8S { memarg } => (memarg, "wasm_s8", 1, I64, false),
        Operator::I64Load8U { memarg } => (memarg, "wasm_u8", 1, I64, false),
        Operator::I64Load16S { memarg } => (memarg, "wasm_s16", 2, I64, false),
        Operator::I64Load16U { memarg } => (memarg, "wasm_u16", 2, I64, false),
        Operator::I64Load32S { memarg } => (memarg, "wasm_s32", 4, I64, false),
        Operator::I64Load32U { memarg } => (memarg, "wasm_u32", 4, I64, false),
        Operator::I32Store { memarg } => (memarg, "wasm_u32", 4, I32, true),
        Operator::I64Store { memarg } => (memarg, "wasm_u64", 8, I64, true),
        Operator::F32Store { memarg } => (memarg, "wasm_f32", 4, F32, true),
        Operator::F64Store { memarg } => (memarg, "wasm_f64", 8, F64, true),
        Operator::I32Store8 { memarg } => (memarg, "wasm_u8", 1, I32, true),
        Operator::I32Store16 { memarg } => (memarg, "wasm_u16", 2, I32, true),
        Operator::I64Store8 { memarg } => (memarg, "wasm_u8", 1, I64, true),
        Operator::I64Store16 { memarg } => (memarg, "wasm_u16", 2, I64, true),
        Operator::I64Store32 { memarg } => (memarg, "wasm_u32", 4, I64, true),
        _ => return None,
    };
    Some(Access { memarg, cell, bytes, ty, store })
}
