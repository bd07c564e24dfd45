//! What a sum of products is made of.

use crate::ops::Cell;
use crate::types::ValType;

/// What products are added of: both factors are numbers of this kind, and the sum has 32 or 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Products {
    cell: Cell,
    is_long: bool,
}

impl Products {
    /// Of numbers that are loaded into values of this type, which that of the sum is.
    pub fn of(cell: Cell, ty: ValType) -> Option<Products> {
        let is_long = ty == ValType::I64;
        let exists = match cell {
            Cell::U8 | Cell::S8 => !is_long,
            Cell::U16 | Cell::S16 | Cell::U32 => matches!(ty, ValType::I32 | ValType::I64),
            Cell::S32 => is_long,
            _ => false,
        };
        exists.then_some(Products { cell, is_long })
    }

    /// The bytes of a number.
    pub fn bytes(self) -> u32 {
        self.cell.bytes()
    }

    /// The type of the sum.
    pub fn sum(self) -> ValType {
        if self.is_long { ValType::I64 } else { ValType::I32 }
    }

    /// What the names of C functions end with.
    pub fn name(self) -> String {
        format!("{}_{}", self.cell.name(), if self.is_long { 64 } else { 32 })
    }
}
