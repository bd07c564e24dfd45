//! What is known of an operator that computes one value.

use crate::types::ValType;

/// What the C of an operator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A comparison with zero of any type.
    IsZero,
    /// Another comparison.
    Compare,
    /// A call of one of `wasm.h`'s functions.
    Helper,
    /// Any other expression.
    Plain,
}

/// An operator that computes one value from others and touches nothing else.
#[derive(Debug)]
pub(crate) struct Simple {
    pub class: Class,
    /// Its C, with the operands `{a}`, `{b}` and `{c}`.
    pub template: &'static str,
    pub operands: usize,
    pub result: ValType,
    pub traps: bool,
}
