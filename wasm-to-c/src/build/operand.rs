//! Operands on the stack.

use crate::ir::{Expr, ExprKind, Outside};
use crate::types::ValType;

/// An operand that has not been used yet.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub expr: Expr,
    /// Locals it reads.
    pub locals: Vec<u32>,
    /// The same value whenever it is evaluated.
    pub constant: bool,
    /// It reads memory, a table or a global.
    pub state: bool,
    pub traps: bool,
    /// The operators that it is made of.
    pub operators: usize,
    /// The offset of the last of them in the module, or 0.
    pub at: usize,
}

impl Operand {
    /// A value that is the same whenever it is evaluated.
    pub fn constant(kind: ExprKind, ty: ValType) -> Operand {
        Operand {
            expr: Expr::new(kind, ty),
            locals: Vec::new(),
            constant: true,
            state: false,
            traps: false,
            operators: 1,
            at: 0,
        }
    }

    /// A value that depends on more than its parts, which effects may change.
    pub fn state(kind: ExprKind, ty: ValType) -> Operand {
        Operand { constant: false, state: true, ..Operand::constant(kind, ty) }
    }

    /// What `make` makes of the parts' expressions.
    pub fn of(parts: Vec<Operand>, ty: ValType, make: impl FnOnce(Vec<Expr>) -> ExprKind) -> Operand {
        let mut whole = Operand::constant(ExprKind::Null, ty);
        let mut exprs = Vec::with_capacity(parts.len());
        for part in parts {
            whole.locals.extend(part.locals);
            whole.constant &= part.constant;
            whole.state |= part.state;
            whole.traps |= part.traps;
            whole.operators += part.operators;
            exprs.push(part.expr);
        }
        whole.locals.sort_unstable();
        whole.locals.dedup();
        whole.expr.kind = make(exprs);
        whole
    }

    /// Whether it matters when it is evaluated.
    pub fn waits(&self) -> bool {
        !self.constant || self.traps
    }
}

/// An index into a memory or table, as 32 bits: none has more bytes or elements.
pub(super) fn index(operand: Operand, is_64: bool, outside: Outside) -> Operand {
    if is_64 { narrowed(operand, |index| ExprKind::Index(index, outside)) } else { operand }
}

/// An i64 as an i32, which may trap.
pub(super) fn narrowed(index: Operand, make: impl FnOnce(Box<Expr>) -> ExprKind) -> Operand {
    if let ExprKind::Const(value @ 0..=0xffff_ffff) = index.expr.kind {
        return Operand::constant(ExprKind::Const(value), ValType::I32);
    }
    let mut operand = Operand::of(vec![index], ValType::I32, |mut parts| make(Box::new(parts.remove(0))));
    operand.traps = true;
    operand
}
