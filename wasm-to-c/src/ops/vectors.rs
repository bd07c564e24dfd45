//! Operators of vectors: fixed-width and relaxed SIMD (WebAssembly core specification, 4.3.5 and 4.3.6).
//!
//! Each has a function of its name in `wasm_simd.h`. Those that access memory are made of an access of a number, or of a
//! whole vector, and one of the others.

use wasmparser::{BlockType, Operator};

use super::cells::{Access, Cell};
use super::line::{Class, Simple};
use crate::types::ValType::{F32, F64, I32, I64, V128};

macro_rules! vectors {
    (@ $c:literal 1) => { concat!("simd_", $c, "({a})") };
    (@ $c:literal 2) => { concat!("simd_", $c, "({a}, {b})") };
    (@ $c:literal 3) => { concat!("simd_", $c, "({a}, {b}, {c})") };
    ($($name:ident $c:literal $operands:tt $result:ident;)*) => {
        /// The operators that compute one value from vectors and numbers, by their names in the specification.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum VectorOp {
            $($name,)*
        }

        impl VectorOp {
            /// The operator, if it is one of these.
            pub fn of(op: &Operator<'_>) -> Option<VectorOp> {
                match op {
                    $(Operator::$name { .. } => Some(VectorOp::$name),)*
                    _ => None,
                }
            }

            /// Its line in the table.
            pub fn line(self) -> &'static Simple {
                match self {
                    $(VectorOp::$name => &const {
                        Simple {
                            class: Class::Helper,
                            template: vectors!(@ $c $operands),
                            operands: $operands,
                            result: $result,
                            traps: false,
                        }
                    },)*
                }
            }
        }
    };
}

// The name, that of the function in C, how many operands it has, and its result. The number of a lane is the last operand.
// The operand of the first two is the number that they load.
vectors! {
    V128Load32Zero "v128_load32_zero" 1 V128;
    V128Load64Zero "v128_load64_zero" 1 V128;
    I8x16ExtractLaneS "i8x16_extract_lane_s" 2 I32;
    I8x16ExtractLaneU "i8x16_extract_lane_u" 2 I32;
    I8x16ReplaceLane "i8x16_replace_lane" 3 V128;
    I16x8ExtractLaneS "i16x8_extract_lane_s" 2 I32;
    I16x8ExtractLaneU "i16x8_extract_lane_u" 2 I32;
    I16x8ReplaceLane "i16x8_replace_lane" 3 V128;
    I32x4ExtractLane "i32x4_extract_lane" 2 I32;
    I32x4ReplaceLane "i32x4_replace_lane" 3 V128;
    I64x2ExtractLane "i64x2_extract_lane" 2 I64;
    I64x2ReplaceLane "i64x2_replace_lane" 3 V128;
    F32x4ExtractLane "f32x4_extract_lane" 2 F32;
    F32x4ReplaceLane "f32x4_replace_lane" 3 V128;
    F64x2ExtractLane "f64x2_extract_lane" 2 F64;
    F64x2ReplaceLane "f64x2_replace_lane" 3 V128;
    I8x16Swizzle "i8x16_swizzle" 2 V128;
    I8x16Splat "i8x16_splat" 1 V128;
    I16x8Splat "i16x8_splat" 1 V128;
    I32x4Splat "i32x4_splat" 1 V128;
    I64x2Splat "i64x2_splat" 1 V128;
    F32x4Splat "f32x4_splat" 1 V128;
    F64x2Splat "f64x2_splat" 1 V128;
    I8x16Eq "i8x16_eq" 2 V128;
    I8x16Ne "i8x16_ne" 2 V128;
    I8x16LtS "i8x16_lt_s" 2 V128;
    I8x16LtU "i8x16_lt_u" 2 V128;
    I8x16GtS "i8x16_gt_s" 2 V128;
    I8x16GtU "i8x16_gt_u" 2 V128;
    I8x16LeS "i8x16_le_s" 2 V128;
    I8x16LeU "i8x16_le_u" 2 V128;
    I8x16GeS "i8x16_ge_s" 2 V128;
    I8x16GeU "i8x16_ge_u" 2 V128;
    I16x8Eq "i16x8_eq" 2 V128;
    I16x8Ne "i16x8_ne" 2 V128;
    I16x8LtS "i16x8_lt_s" 2 V128;
    I16x8LtU "i16x8_lt_u" 2 V128;
    I16x8GtS "i16x8_gt_s" 2 V128;
    I16x8GtU "i16x8_gt_u" 2 V128;
    I16x8LeS "i16x8_le_s" 2 V128;
    I16x8LeU "i16x8_le_u" 2 V128;
    I16x8GeS "i16x8_ge_s" 2 V128;
    I16x8GeU "i16x8_ge_u" 2 V128;
    I32x4Eq "i32x4_eq" 2 V128;
    I32x4Ne "i32x4_ne" 2 V128;
    I32x4LtS "i32x4_lt_s" 2 V128;
    I32x4LtU "i32x4_lt_u" 2 V128;
    I32x4GtS "i32x4_gt_s" 2 V128;
    I32x4GtU "i32x4_gt_u" 2 V128;
    I32x4LeS "i32x4_le_s" 2 V128;
    I32x4LeU "i32x4_le_u" 2 V128;
    I32x4GeS "i32x4_ge_s" 2 V128;
    I32x4GeU "i32x4_ge_u" 2 V128;
    I64x2Eq "i64x2_eq" 2 V128;
    I64x2Ne "i64x2_ne" 2 V128;
    I64x2LtS "i64x2_lt_s" 2 V128;
    I64x2GtS "i64x2_gt_s" 2 V128;
    I64x2LeS "i64x2_le_s" 2 V128;
    I64x2GeS "i64x2_ge_s" 2 V128;
    F32x4Eq "f32x4_eq" 2 V128;
    F32x4Ne "f32x4_ne" 2 V128;
    F32x4Lt "f32x4_lt" 2 V128;
    F32x4Gt "f32x4_gt" 2 V128;
    F32x4Le "f32x4_le" 2 V128;
    F32x4Ge "f32x4_ge" 2 V128;
    F64x2Eq "f64x2_eq" 2 V128;
    F64x2Ne "f64x2_ne" 2 V128;
    F64x2Lt "f64x2_lt" 2 V128;
    F64x2Gt "f64x2_gt" 2 V128;
    F64x2Le "f64x2_le" 2 V128;
    F64x2Ge "f64x2_ge" 2 V128;
    V128Not "v128_not" 1 V128;
    V128And "v128_and" 2 V128;
    V128AndNot "v128_andnot" 2 V128;
    V128Or "v128_or" 2 V128;
    V128Xor "v128_xor" 2 V128;
    V128Bitselect "v128_bitselect" 3 V128;
    V128AnyTrue "v128_any_true" 1 I32;
    I8x16Abs "i8x16_abs" 1 V128;
    I8x16Neg "i8x16_neg" 1 V128;
    I8x16Popcnt "i8x16_popcnt" 1 V128;
    I8x16AllTrue "i8x16_all_true" 1 I32;
    I8x16Bitmask "i8x16_bitmask" 1 I32;
    I8x16NarrowI16x8S "i8x16_narrow_i16x8_s" 2 V128;
    I8x16NarrowI16x8U "i8x16_narrow_i16x8_u" 2 V128;
    I8x16Shl "i8x16_shl" 2 V128;
    I8x16ShrS "i8x16_shr_s" 2 V128;
    I8x16ShrU "i8x16_shr_u" 2 V128;
    I8x16Add "i8x16_add" 2 V128;
    I8x16AddSatS "i8x16_add_sat_s" 2 V128;
    I8x16AddSatU "i8x16_add_sat_u" 2 V128;
    I8x16Sub "i8x16_sub" 2 V128;
    I8x16SubSatS "i8x16_sub_sat_s" 2 V128;
    I8x16SubSatU "i8x16_sub_sat_u" 2 V128;
    I8x16MinS "i8x16_min_s" 2 V128;
    I8x16MinU "i8x16_min_u" 2 V128;
    I8x16MaxS "i8x16_max_s" 2 V128;
    I8x16MaxU "i8x16_max_u" 2 V128;
    I8x16AvgrU "i8x16_avgr_u" 2 V128;
    I16x8ExtAddPairwiseI8x16S "i16x8_extadd_pairwise_i8x16_s" 1 V128;
    I16x8ExtAddPairwiseI8x16U "i16x8_extadd_pairwise_i8x16_u" 1 V128;
    I16x8Abs "i16x8_abs" 1 V128;
    I16x8Neg "i16x8_neg" 1 V128;
    I16x8Q15MulrSatS "i16x8_q15mulr_sat_s" 2 V128;
    I16x8AllTrue "i16x8_all_true" 1 I32;
    I16x8Bitmask "i16x8_bitmask" 1 I32;
    I16x8NarrowI32x4S "i16x8_narrow_i32x4_s" 2 V128;
    I16x8NarrowI32x4U "i16x8_narrow_i32x4_u" 2 V128;
    I16x8ExtendLowI8x16S "i16x8_extend_low_i8x16_s" 1 V128;
    I16x8ExtendHighI8x16S "i16x8_extend_high_i8x16_s" 1 V128;
    I16x8ExtendLowI8x16U "i16x8_extend_low_i8x16_u" 1 V128;
    I16x8ExtendHighI8x16U "i16x8_extend_high_i8x16_u" 1 V128;
    I16x8Shl "i16x8_shl" 2 V128;
    I16x8ShrS "i16x8_shr_s" 2 V128;
    I16x8ShrU "i16x8_shr_u" 2 V128;
    I16x8Add "i16x8_add" 2 V128;
    I16x8AddSatS "i16x8_add_sat_s" 2 V128;
    I16x8AddSatU "i16x8_add_sat_u" 2 V128;
    I16x8Sub "i16x8_sub" 2 V128;
    I16x8SubSatS "i16x8_sub_sat_s" 2 V128;
    I16x8SubSatU "i16x8_sub_sat_u" 2 V128;
    I16x8Mul "i16x8_mul" 2 V128;
    I16x8MinS "i16x8_min_s" 2 V128;
    I16x8MinU "i16x8_min_u" 2 V128;
    I16x8MaxS "i16x8_max_s" 2 V128;
    I16x8MaxU "i16x8_max_u" 2 V128;
    I16x8AvgrU "i16x8_avgr_u" 2 V128;
    I16x8ExtMulLowI8x16S "i16x8_extmul_low_i8x16_s" 2 V128;
    I16x8ExtMulHighI8x16S "i16x8_extmul_high_i8x16_s" 2 V128;
    I16x8ExtMulLowI8x16U "i16x8_extmul_low_i8x16_u" 2 V128;
    I16x8ExtMulHighI8x16U "i16x8_extmul_high_i8x16_u" 2 V128;
    I32x4ExtAddPairwiseI16x8S "i32x4_extadd_pairwise_i16x8_s" 1 V128;
    I32x4ExtAddPairwiseI16x8U "i32x4_extadd_pairwise_i16x8_u" 1 V128;
    I32x4Abs "i32x4_abs" 1 V128;
    I32x4Neg "i32x4_neg" 1 V128;
    I32x4AllTrue "i32x4_all_true" 1 I32;
    I32x4Bitmask "i32x4_bitmask" 1 I32;
    I32x4ExtendLowI16x8S "i32x4_extend_low_i16x8_s" 1 V128;
    I32x4ExtendHighI16x8S "i32x4_extend_high_i16x8_s" 1 V128;
    I32x4ExtendLowI16x8U "i32x4_extend_low_i16x8_u" 1 V128;
    I32x4ExtendHighI16x8U "i32x4_extend_high_i16x8_u" 1 V128;
    I32x4Shl "i32x4_shl" 2 V128;
    I32x4ShrS "i32x4_shr_s" 2 V128;
    I32x4ShrU "i32x4_shr_u" 2 V128;
    I32x4Add "i32x4_add" 2 V128;
    I32x4Sub "i32x4_sub" 2 V128;
    I32x4Mul "i32x4_mul" 2 V128;
    I32x4MinS "i32x4_min_s" 2 V128;
    I32x4MinU "i32x4_min_u" 2 V128;
    I32x4MaxS "i32x4_max_s" 2 V128;
    I32x4MaxU "i32x4_max_u" 2 V128;
    I32x4DotI16x8S "i32x4_dot_i16x8_s" 2 V128;
    I32x4ExtMulLowI16x8S "i32x4_extmul_low_i16x8_s" 2 V128;
    I32x4ExtMulHighI16x8S "i32x4_extmul_high_i16x8_s" 2 V128;
    I32x4ExtMulLowI16x8U "i32x4_extmul_low_i16x8_u" 2 V128;
    I32x4ExtMulHighI16x8U "i32x4_extmul_high_i16x8_u" 2 V128;
    I64x2Abs "i64x2_abs" 1 V128;
    I64x2Neg "i64x2_neg" 1 V128;
    I64x2AllTrue "i64x2_all_true" 1 I32;
    I64x2Bitmask "i64x2_bitmask" 1 I32;
    I64x2ExtendLowI32x4S "i64x2_extend_low_i32x4_s" 1 V128;
    I64x2ExtendHighI32x4S "i64x2_extend_high_i32x4_s" 1 V128;
    I64x2ExtendLowI32x4U "i64x2_extend_low_i32x4_u" 1 V128;
    I64x2ExtendHighI32x4U "i64x2_extend_high_i32x4_u" 1 V128;
    I64x2Shl "i64x2_shl" 2 V128;
    I64x2ShrS "i64x2_shr_s" 2 V128;
    I64x2ShrU "i64x2_shr_u" 2 V128;
    I64x2Add "i64x2_add" 2 V128;
    I64x2Sub "i64x2_sub" 2 V128;
    I64x2Mul "i64x2_mul" 2 V128;
    I64x2ExtMulLowI32x4S "i64x2_extmul_low_i32x4_s" 2 V128;
    I64x2ExtMulHighI32x4S "i64x2_extmul_high_i32x4_s" 2 V128;
    I64x2ExtMulLowI32x4U "i64x2_extmul_low_i32x4_u" 2 V128;
    I64x2ExtMulHighI32x4U "i64x2_extmul_high_i32x4_u" 2 V128;
    F32x4Ceil "f32x4_ceil" 1 V128;
    F32x4Floor "f32x4_floor" 1 V128;
    F32x4Trunc "f32x4_trunc" 1 V128;
    F32x4Nearest "f32x4_nearest" 1 V128;
    F32x4Abs "f32x4_abs" 1 V128;
    F32x4Neg "f32x4_neg" 1 V128;
    F32x4Sqrt "f32x4_sqrt" 1 V128;
    F32x4Add "f32x4_add" 2 V128;
    F32x4Sub "f32x4_sub" 2 V128;
    F32x4Mul "f32x4_mul" 2 V128;
    F32x4Div "f32x4_div" 2 V128;
    F32x4Min "f32x4_min" 2 V128;
    F32x4Max "f32x4_max" 2 V128;
    F32x4PMin "f32x4_pmin" 2 V128;
    F32x4PMax "f32x4_pmax" 2 V128;
    F64x2Ceil "f64x2_ceil" 1 V128;
    F64x2Floor "f64x2_floor" 1 V128;
    F64x2Trunc "f64x2_trunc" 1 V128;
    F64x2Nearest "f64x2_nearest" 1 V128;
    F64x2Abs "f64x2_abs" 1 V128;
    F64x2Neg "f64x2_neg" 1 V128;
    F64x2Sqrt "f64x2_sqrt" 1 V128;
    F64x2Add "f64x2_add" 2 V128;
    F64x2Sub "f64x2_sub" 2 V128;
    F64x2Mul "f64x2_mul" 2 V128;
    F64x2Div "f64x2_div" 2 V128;
    F64x2Min "f64x2_min" 2 V128;
    F64x2Max "f64x2_max" 2 V128;
    F64x2PMin "f64x2_pmin" 2 V128;
    F64x2PMax "f64x2_pmax" 2 V128;
    I32x4TruncSatF32x4S "i32x4_trunc_sat_f32x4_s" 1 V128;
    I32x4TruncSatF32x4U "i32x4_trunc_sat_f32x4_u" 1 V128;
    F32x4ConvertI32x4S "f32x4_convert_i32x4_s" 1 V128;
    F32x4ConvertI32x4U "f32x4_convert_i32x4_u" 1 V128;
    I32x4TruncSatF64x2SZero "i32x4_trunc_sat_f64x2_s_zero" 1 V128;
    I32x4TruncSatF64x2UZero "i32x4_trunc_sat_f64x2_u_zero" 1 V128;
    F64x2ConvertLowI32x4S "f64x2_convert_low_i32x4_s" 1 V128;
    F64x2ConvertLowI32x4U "f64x2_convert_low_i32x4_u" 1 V128;
    F32x4DemoteF64x2Zero "f32x4_demote_f64x2_zero" 1 V128;
    F64x2PromoteLowF32x4 "f64x2_promote_low_f32x4" 1 V128;
    I8x16RelaxedSwizzle "i8x16_relaxed_swizzle" 2 V128;
    I32x4RelaxedTruncF32x4S "i32x4_relaxed_trunc_f32x4_s" 1 V128;
    I32x4RelaxedTruncF32x4U "i32x4_relaxed_trunc_f32x4_u" 1 V128;
    I32x4RelaxedTruncF64x2SZero "i32x4_relaxed_trunc_f64x2_s_zero" 1 V128;
    I32x4RelaxedTruncF64x2UZero "i32x4_relaxed_trunc_f64x2_u_zero" 1 V128;
    F32x4RelaxedMadd "f32x4_relaxed_madd" 3 V128;
    F32x4RelaxedNmadd "f32x4_relaxed_nmadd" 3 V128;
    F64x2RelaxedMadd "f64x2_relaxed_madd" 3 V128;
    F64x2RelaxedNmadd "f64x2_relaxed_nmadd" 3 V128;
    I8x16RelaxedLaneselect "i8x16_relaxed_laneselect" 3 V128;
    I16x8RelaxedLaneselect "i16x8_relaxed_laneselect" 3 V128;
    I32x4RelaxedLaneselect "i32x4_relaxed_laneselect" 3 V128;
    I64x2RelaxedLaneselect "i64x2_relaxed_laneselect" 3 V128;
    F32x4RelaxedMin "f32x4_relaxed_min" 2 V128;
    F32x4RelaxedMax "f32x4_relaxed_max" 2 V128;
    F64x2RelaxedMin "f64x2_relaxed_min" 2 V128;
    F64x2RelaxedMax "f64x2_relaxed_max" 2 V128;
    I16x8RelaxedQ15mulrS "i16x8_relaxed_q15mulr_s" 2 V128;
    I16x8RelaxedDotI8x16I7x16S "i16x8_relaxed_dot_i8x16_i7x16_s" 2 V128;
    I32x4RelaxedDotI8x16I7x16AddS "i32x4_relaxed_dot_i8x16_i7x16_add_s" 3 V128;
}

/// Whether it has to do with vectors, besides by the types of variables and functions.
pub(crate) fn is_any(op: &Operator<'_>) -> bool {
    let is_vector = |ty: &BlockType| matches!(ty, BlockType::Type(wasmparser::ValType::V128));
    match op {
        Operator::V128Const { .. }
        | Operator::I8x16Shuffle { .. }
        | Operator::V128Load { .. }
        | Operator::V128Store { .. } => true,
        Operator::Block { blockty }
        | Operator::Loop { blockty }
        | Operator::If { blockty }
        | Operator::Try { blockty } => is_vector(blockty),
        Operator::TryTable { try_table } => is_vector(&try_table.ty),
        other => VectorOp::of(other).is_some() || access(other).is_some(),
    }
}

/// The number of the lane that an operator takes out or replaces.
pub(crate) fn lane(op: &Operator<'_>) -> Option<u8> {
    match *op {
        Operator::I8x16ExtractLaneS { lane }
        | Operator::I8x16ExtractLaneU { lane }
        | Operator::I8x16ReplaceLane { lane }
        | Operator::I16x8ExtractLaneS { lane }
        | Operator::I16x8ExtractLaneU { lane }
        | Operator::I16x8ReplaceLane { lane }
        | Operator::I32x4ExtractLane { lane }
        | Operator::I32x4ReplaceLane { lane }
        | Operator::I64x2ExtractLane { lane }
        | Operator::I64x2ReplaceLane { lane }
        | Operator::F32x4ExtractLane { lane }
        | Operator::F32x4ReplaceLane { lane }
        | Operator::F64x2ExtractLane { lane }
        | Operator::F64x2ReplaceLane { lane } => Some(lane),
        _ => None,
    }
}

/// What becomes of a number in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A vector, by an operator that has it as its operand.
    Vector(VectorOp),
    /// The same, widened by another operator.
    Widened(VectorOp),
    /// A lane of a vector, by an operator that replaces that.
    Lane(VectorOp, u8),
    /// It was one, which an operator takes out.
    Stored(VectorOp, u8),
}

/// What an operator accesses of which a vector is made, or that is a lane of one.
#[rustfmt::skip]
pub(crate) fn access(op: &Operator<'_>) -> Option<(Access, Use)> {
    use Use::{Lane, Stored, Vector, Widened};
    use VectorOp::{
        I8x16ExtractLaneU, I8x16ReplaceLane, I8x16Splat, I16x8ExtendLowI8x16S, I16x8ExtendLowI8x16U, I16x8ExtractLaneU,
        I16x8ReplaceLane, I16x8Splat, I32x4ExtendLowI16x8S, I32x4ExtendLowI16x8U, I32x4ExtractLane, I32x4ReplaceLane,
        I32x4Splat, I64x2ExtendLowI32x4S, I64x2ExtendLowI32x4U, I64x2ExtractLane, I64x2ReplaceLane, I64x2Splat,
        V128Load32Zero, V128Load64Zero,
    };
    let (memarg, cell, what) = match *op {
        Operator::V128Load8Splat { memarg } => (memarg, Cell::U8, Vector(I8x16Splat)),
        Operator::V128Load16Splat { memarg } => (memarg, Cell::U16, Vector(I16x8Splat)),
        Operator::V128Load32Splat { memarg } => (memarg, Cell::U32, Vector(I32x4Splat)),
        Operator::V128Load64Splat { memarg } => (memarg, Cell::U64, Vector(I64x2Splat)),
        Operator::V128Load32Zero { memarg } => (memarg, Cell::U32, Vector(V128Load32Zero)),
        Operator::V128Load64Zero { memarg } => (memarg, Cell::U64, Vector(V128Load64Zero)),
        Operator::V128Load8x8S { memarg } => (memarg, Cell::U64, Widened(I16x8ExtendLowI8x16S)),
        Operator::V128Load8x8U { memarg } => (memarg, Cell::U64, Widened(I16x8ExtendLowI8x16U)),
        Operator::V128Load16x4S { memarg } => (memarg, Cell::U64, Widened(I32x4ExtendLowI16x8S)),
        Operator::V128Load16x4U { memarg } => (memarg, Cell::U64, Widened(I32x4ExtendLowI16x8U)),
        Operator::V128Load32x2S { memarg } => (memarg, Cell::U64, Widened(I64x2ExtendLowI32x4S)),
        Operator::V128Load32x2U { memarg } => (memarg, Cell::U64, Widened(I64x2ExtendLowI32x4U)),
        Operator::V128Load8Lane { memarg, lane } => (memarg, Cell::U8, Lane(I8x16ReplaceLane, lane)),
        Operator::V128Load16Lane { memarg, lane } => (memarg, Cell::U16, Lane(I16x8ReplaceLane, lane)),
        Operator::V128Load32Lane { memarg, lane } => (memarg, Cell::U32, Lane(I32x4ReplaceLane, lane)),
        Operator::V128Load64Lane { memarg, lane } => (memarg, Cell::U64, Lane(I64x2ReplaceLane, lane)),
        Operator::V128Store8Lane { memarg, lane } => (memarg, Cell::U8, Stored(I8x16ExtractLaneU, lane)),
        Operator::V128Store16Lane { memarg, lane } => (memarg, Cell::U16, Stored(I16x8ExtractLaneU, lane)),
        Operator::V128Store32Lane { memarg, lane } => (memarg, Cell::U32, Stored(I32x4ExtractLane, lane)),
        Operator::V128Store64Lane { memarg, lane } => (memarg, Cell::U64, Stored(I64x2ExtractLane, lane)),
        _ => return None,
    };
    let ty = if cell == Cell::U64 { I64 } else { I32 };
    Some((Access { memarg, cell, ty, store: matches!(what, Stored(..)) }, what))
}
