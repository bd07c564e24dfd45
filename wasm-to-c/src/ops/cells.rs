//! Loads and stores.

use wasmparser::Operator;

use crate::types::ValType::{self, F32, F64, I32, I64, V128};

/// What a load or store accesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    U8,
    S8,
    U16,
    S16,
    U32,
    S32,
    U64,
    F32,
    F64,
    V128,
}

impl Cell {
    /// Its C type is `wasm_` and this, with a suffix if it need not be aligned.
    pub fn name(self) -> &'static str {
        match self {
            Cell::U8 => "u8",
            Cell::S8 => "s8",
            Cell::U16 => "u16",
            Cell::S16 => "s16",
            Cell::U32 => "u32",
            Cell::S32 => "s32",
            Cell::U64 => "u64",
            Cell::F32 => "f32",
            Cell::F64 => "f64",
            Cell::V128 => "v128",
        }
    }

    pub fn bytes(self) -> u32 {
        match self {
            Cell::U8 | Cell::S8 => 1,
            Cell::U16 | Cell::S16 => 2,
            Cell::U32 | Cell::S32 | Cell::F32 => 4,
            Cell::U64 | Cell::F64 => 8,
            Cell::V128 => 16,
        }
    }

    /// Whether a load extends its sign.
    pub fn is_signed(self) -> bool {
        matches!(self, Cell::S8 | Cell::S16 | Cell::S32)
    }
}

/// A load or store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    pub memarg: wasmparser::MemArg,
    pub cell: Cell,
    /// Of the value on the stack.
    pub ty: ValType,
    pub store: bool,
}

/// What an operator accesses in memory, when it does.
#[rustfmt::skip]
pub(crate) fn access(op: &Operator) -> Option<Access> {
    let (memarg, cell, ty, store) = match *op {
        Operator::I32Load { memarg } => (memarg, Cell::U32, I32, false),
        Operator::I64Load { memarg } => (memarg, Cell::U64, I64, false),
        Operator::F32Load { memarg } => (memarg, Cell::F32, F32, false),
        Operator::F64Load { memarg } => (memarg, Cell::F64, F64, false),
        Operator::I32Load8S { memarg } => (memarg, Cell::S8, I32, false),
        Operator::I32Load8U { memarg } => (memarg, Cell::U8, I32, false),
        Operator::I32Load16S { memarg } => (memarg, Cell::S16, I32, false),
        Operator::I32Load16U { memarg } => (memarg, Cell::U16, I32, false),
        Operator::I64Load8S { memarg } => (memarg, Cell::S8, I64, false),
        Operator::I64Load8U { memarg } => (memarg, Cell::U8, I64, false),
        Operator::I64Load16S { memarg } => (memarg, Cell::S16, I64, false),
        Operator::I64Load16U { memarg } => (memarg, Cell::U16, I64, false),
        Operator::I64Load32S { memarg } => (memarg, Cell::S32, I64, false),
        Operator::I64Load32U { memarg } => (memarg, Cell::U32, I64, false),
        Operator::I32Store { memarg } => (memarg, Cell::U32, I32, true),
        Operator::I64Store { memarg } => (memarg, Cell::U64, I64, true),
        Operator::F32Store { memarg } => (memarg, Cell::F32, F32, true),
        Operator::F64Store { memarg } => (memarg, Cell::F64, F64, true),
        Operator::I32Store8 { memarg } => (memarg, Cell::U8, I32, true),
        Operator::I32Store16 { memarg } => (memarg, Cell::U16, I32, true),
        Operator::I64Store8 { memarg } => (memarg, Cell::U8, I64, true),
        Operator::I64Store16 { memarg } => (memarg, Cell::U16, I64, true),
        Operator::I64Store32 { memarg } => (memarg, Cell::U32, I64, true),
        Operator::V128Load { memarg } => (memarg, Cell::V128, V128, false),
        Operator::V128Store { memarg } => (memarg, Cell::V128, V128, true),
        _ => return None,
    };
    Some(Access { memarg, cell, ty, store })
}
