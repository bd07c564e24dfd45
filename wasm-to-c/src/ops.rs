//! Operators as lines that look like C: operands `a` and `b` in, one value out. Those of vectors are in [`vectors`].

mod cells;
mod line;
pub(crate) mod vectors;

use wasmparser::Operator;

use crate::types::ValType::{F32, F64, I32, I64};
pub(crate) use cells::{Access, Cell, access};
pub(crate) use line::{Class, Simple};
pub(crate) use vectors::VectorOp;

macro_rules! simple {
    (@) => { false };
    (@traps) => { true };
    ($($name:ident $class:ident $template:literal $operands:literal $result:ident $($trap:ident)?;)*) => {
        /// The operators that compute one value from others, by their names in the specification.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum OpId {
            $($name,)*
            /// One of vectors.
            Vector(VectorOp),
        }

        impl OpId {
            /// The operator, if it is one of these.
            pub fn of(op: &Operator<'_>) -> Option<OpId> {
                match op {
                    $(Operator::$name { .. } => Some(OpId::$name),)*
                    other => VectorOp::of(other).map(OpId::Vector),
                }
            }

            /// Its line in the table.
            pub fn line(self) -> &'static Simple {
                match self {
                    $(OpId::$name => &const {
                        Simple {
                            class: Class::$class,
                            template: $template,
                            operands: $operands,
                            result: $result,
                            traps: simple!(@$($trap)?),
                        }
                    },)*
                    OpId::Vector(op) => op.line(),
                }
            }
        }
    };
}

impl OpId {
    /// Whether it compares two i32s.
    pub fn is_i32_comparison(self) -> bool {
        self != self.negated()
    }

    /// The comparison of i32s that holds if this one does not. Other operators stay as they are.
    pub fn negated(self) -> OpId {
        match self {
            OpId::I32Eq => OpId::I32Ne,
            OpId::I32Ne => OpId::I32Eq,
            OpId::I32LtS => OpId::I32GeS,
            OpId::I32GeS => OpId::I32LtS,
            OpId::I32LtU => OpId::I32GeU,
            OpId::I32GeU => OpId::I32LtU,
            OpId::I32GtS => OpId::I32LeS,
            OpId::I32LeS => OpId::I32GtS,
            OpId::I32GtU => OpId::I32LeU,
            OpId::I32LeU => OpId::I32GtU,
            other => other,
        }
    }

    /// The comparison that holds with its operands exchanged.
    pub fn mirrored(self) -> OpId {
        match self {
            OpId::I32LtS => OpId::I32GtS,
            OpId::I32GtS => OpId::I32LtS,
            OpId::I32LtU => OpId::I32GtU,
            OpId::I32GtU => OpId::I32LtU,
            OpId::I32LeS => OpId::I32GeS,
            OpId::I32GeS => OpId::I32LeS,
            OpId::I32LeU => OpId::I32GeU,
            OpId::I32GeU => OpId::I32LeU,
            other => other,
        }
    }
}

// WebAssembly core specification, 4.3 Numerics.
simple! {
    RefIsNull IsZero "{a} == 0" 1 I32;
    I32Eqz IsZero "{a} == 0" 1 I32;
    I32Eq Compare "{a} == {b}" 2 I32;
    I32Ne Compare "{a} != {b}" 2 I32;
    I32LtS Compare "(int32_t){a} < (int32_t){b}" 2 I32;
    I32LtU Compare "{a} < {b}" 2 I32;
    I32GtS Compare "(int32_t){a} > (int32_t){b}" 2 I32;
    I32GtU Compare "{a} > {b}" 2 I32;
    I32LeS Compare "(int32_t){a} <= (int32_t){b}" 2 I32;
    I32LeU Compare "{a} <= {b}" 2 I32;
    I32GeS Compare "(int32_t){a} >= (int32_t){b}" 2 I32;
    I32GeU Compare "{a} >= {b}" 2 I32;
    I64Eqz IsZero "{a} == 0" 1 I32;
    I64Eq Compare "{a} == {b}" 2 I32;
    I64Ne Compare "{a} != {b}" 2 I32;
    I64LtS Compare "(int64_t){a} < (int64_t){b}" 2 I32;
    I64LtU Compare "{a} < {b}" 2 I32;
    I64GtS Compare "(int64_t){a} > (int64_t){b}" 2 I32;
    I64GtU Compare "{a} > {b}" 2 I32;
    I64LeS Compare "(int64_t){a} <= (int64_t){b}" 2 I32;
    I64LeU Compare "{a} <= {b}" 2 I32;
    I64GeS Compare "(int64_t){a} >= (int64_t){b}" 2 I32;
    I64GeU Compare "{a} >= {b}" 2 I32;
    F32Eq Compare "{a} == {b}" 2 I32;
    F32Ne Compare "{a} != {b}" 2 I32;
    F32Lt Compare "{a} < {b}" 2 I32;
    F32Gt Compare "{a} > {b}" 2 I32;
    F32Le Compare "{a} <= {b}" 2 I32;
    F32Ge Compare "{a} >= {b}" 2 I32;
    F64Eq Compare "{a} == {b}" 2 I32;
    F64Ne Compare "{a} != {b}" 2 I32;
    F64Lt Compare "{a} < {b}" 2 I32;
    F64Gt Compare "{a} > {b}" 2 I32;
    F64Le Compare "{a} <= {b}" 2 I32;
    F64Ge Compare "{a} >= {b}" 2 I32;
    I32Clz Helper "wasm_clz32({a})" 1 I32;
    I32Ctz Helper "wasm_ctz32({a})" 1 I32;
    I32Popcnt Helper "wasm_popcnt32({a})" 1 I32;
    I32Add Plain "{a} + {b}" 2 I32;
    I32Sub Plain "{a} - {b}" 2 I32;
    I32Mul Plain "{a} * {b}" 2 I32;
    I32DivS Helper "wasm_div_s32({a}, {b})" 2 I32 traps;
    I32DivU Helper "wasm_div_u32({a}, {b})" 2 I32 traps;
    I32RemS Helper "wasm_rem_s32({a}, {b})" 2 I32 traps;
    I32RemU Helper "wasm_rem_u32({a}, {b})" 2 I32 traps;
    I32And Plain "{a} & {b}" 2 I32;
    I32Or Plain "{a} | {b}" 2 I32;
    I32Xor Plain "{a} ^ {b}" 2 I32;
    I32Shl Plain "{a} << ({b} & 31)" 2 I32;
    I32ShrS Plain "(uint32_t)((int32_t){a} >> ({b} & 31))" 2 I32;
    I32ShrU Plain "{a} >> ({b} & 31)" 2 I32;
    I32Rotl Helper "wasm_rotl32({a}, {b})" 2 I32;
    I32Rotr Helper "wasm_rotr32({a}, {b})" 2 I32;
    I64Clz Helper "wasm_clz64({a})" 1 I64;
    I64Ctz Helper "wasm_ctz64({a})" 1 I64;
    I64Popcnt Helper "wasm_popcnt64({a})" 1 I64;
    I64Add Plain "{a} + {b}" 2 I64;
    I64Sub Plain "{a} - {b}" 2 I64;
    I64Mul Plain "{a} * {b}" 2 I64;
    I64DivS Helper "wasm_div_s64({a}, {b})" 2 I64 traps;
    I64DivU Helper "wasm_div_u64({a}, {b})" 2 I64 traps;
    I64RemS Helper "wasm_rem_s64({a}, {b})" 2 I64 traps;
    I64RemU Helper "wasm_rem_u64({a}, {b})" 2 I64 traps;
    I64And Plain "{a} & {b}" 2 I64;
    I64Or Plain "{a} | {b}" 2 I64;
    I64Xor Plain "{a} ^ {b}" 2 I64;
    I64Shl Plain "{a} << ({b} & 63)" 2 I64;
    I64ShrS Plain "(uint64_t)((int64_t){a} >> ({b} & 63))" 2 I64;
    I64ShrU Plain "{a} >> ({b} & 63)" 2 I64;
    I64Rotl Helper "wasm_rotl64({a}, {b})" 2 I64;
    I64Rotr Helper "wasm_rotr64({a}, {b})" 2 I64;
    F32Abs Helper "wasm_abs32({a})" 1 F32;
    F32Neg Helper "wasm_neg32({a})" 1 F32;
    F32Ceil Helper "wasm_ceil32({a})" 1 F32;
    F32Floor Helper "wasm_floor32({a})" 1 F32;
    F32Trunc Helper "wasm_trunc32({a})" 1 F32;
    F32Nearest Helper "wasm_nearest32({a})" 1 F32;
    F32Sqrt Helper "wasm_sqrt32({a})" 1 F32;
    F32Add Helper "wasm_add32({a}, {b})" 2 F32;
    F32Sub Helper "wasm_sub32({a}, {b})" 2 F32;
    F32Mul Helper "wasm_mul32({a}, {b})" 2 F32;
    F32Div Helper "wasm_div32({a}, {b})" 2 F32;
    F32Min Helper "wasm_min32({a}, {b})" 2 F32;
    F32Max Helper "wasm_max32({a}, {b})" 2 F32;
    F32Copysign Helper "wasm_copysign32({a}, {b})" 2 F32;
    F64Abs Helper "wasm_abs64({a})" 1 F64;
    F64Neg Helper "wasm_neg64({a})" 1 F64;
    F64Ceil Helper "wasm_ceil64({a})" 1 F64;
    F64Floor Helper "wasm_floor64({a})" 1 F64;
    F64Trunc Helper "wasm_trunc64({a})" 1 F64;
    F64Nearest Helper "wasm_nearest64({a})" 1 F64;
    F64Sqrt Helper "wasm_sqrt64({a})" 1 F64;
    F64Add Helper "wasm_add64({a}, {b})" 2 F64;
    F64Sub Helper "wasm_sub64({a}, {b})" 2 F64;
    F64Mul Helper "wasm_mul64({a}, {b})" 2 F64;
    F64Div Helper "wasm_div64({a}, {b})" 2 F64;
    F64Min Helper "wasm_min64({a}, {b})" 2 F64;
    F64Max Helper "wasm_max64({a}, {b})" 2 F64;
    F64Copysign Helper "wasm_copysign64({a}, {b})" 2 F64;
    I32WrapI64 Plain "(uint32_t){a}" 1 I32;
    I32TruncF32S Helper "wasm_trunc_s32_f32({a})" 1 I32 traps;
    I32TruncF32U Helper "wasm_trunc_u32_f32({a})" 1 I32 traps;
    I32TruncF64S Helper "wasm_trunc_s32_f64({a})" 1 I32 traps;
    I32TruncF64U Helper "wasm_trunc_u32_f64({a})" 1 I32 traps;
    I64ExtendI32S Plain "(uint64_t)(int64_t)(int32_t){a}" 1 I64;
    I64ExtendI32U Plain "(uint64_t){a}" 1 I64;
    I64TruncF32S Helper "wasm_trunc_s64_f32({a})" 1 I64 traps;
    I64TruncF32U Helper "wasm_trunc_u64_f32({a})" 1 I64 traps;
    I64TruncF64S Helper "wasm_trunc_s64_f64({a})" 1 I64 traps;
    I64TruncF64U Helper "wasm_trunc_u64_f64({a})" 1 I64 traps;
    F32ConvertI32S Plain "(float)(int32_t){a}" 1 F32;
    F32ConvertI32U Plain "(float){a}" 1 F32;
    F32ConvertI64S Plain "(float)(int64_t){a}" 1 F32;
    F32ConvertI64U Plain "(float){a}" 1 F32;
    F32DemoteF64 Helper "wasm_demote({a})" 1 F32;
    F64ConvertI32S Plain "(double)(int32_t){a}" 1 F64;
    F64ConvertI32U Plain "(double){a}" 1 F64;
    F64ConvertI64S Plain "(double)(int64_t){a}" 1 F64;
    F64ConvertI64U Plain "(double){a}" 1 F64;
    F64PromoteF32 Plain "(double){a}" 1 F64;
    I32ReinterpretF32 Helper "wasm_bits32({a})" 1 I32;
    I64ReinterpretF64 Helper "wasm_bits64({a})" 1 I64;
    F32ReinterpretI32 Helper "wasm_float32({a})" 1 F32;
    F64ReinterpretI64 Helper "wasm_float64({a})" 1 F64;
    I32Extend8S Plain "(uint32_t)(int32_t)(int8_t){a}" 1 I32;
    I32Extend16S Plain "(uint32_t)(int32_t)(int16_t){a}" 1 I32;
    I64Extend8S Plain "(uint64_t)(int64_t)(int8_t){a}" 1 I64;
    I64Extend16S Plain "(uint64_t)(int64_t)(int16_t){a}" 1 I64;
    I64Extend32S Plain "(uint64_t)(int64_t)(int32_t){a}" 1 I64;
    I32TruncSatF32S Helper "wasm_sat_s32_f32({a})" 1 I32;
    I32TruncSatF32U Helper "wasm_sat_u32_f32({a})" 1 I32;
    I32TruncSatF64S Helper "wasm_sat_s32_f64({a})" 1 I32;
    I32TruncSatF64U Helper "wasm_sat_u32_f64({a})" 1 I32;
    I64TruncSatF32S Helper "wasm_sat_s64_f32({a})" 1 I64;
    I64TruncSatF32U Helper "wasm_sat_u64_f32({a})" 1 I64;
    I64TruncSatF64S Helper "wasm_sat_s64_f64({a})" 1 I64;
    I64TruncSatF64U Helper "wasm_sat_u64_f64({a})" 1 I64;
}
