//! Blocks that are open.

use super::operand::Operand;
use crate::ir::{Expr, Handler, Label, Stmt, Var};
use crate::types::ValType;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Function,
    Block,
    Loop,
    If,
    Else,
    /// A `try_table`, or the body of a `try`.
    Try,
    /// A handler of a `try`.
    Catch,
}

/// A block that is open.
pub(super) struct Open {
    pub kind: Kind,
    pub label: Label,
    /// Branches to it.
    pub branches: usize,
    /// Something goes to its end by its label.
    pub used: bool,
    /// Operands below it.
    pub height: usize,
    pub results: Vec<ValType>,
    /// Where a branch puts its values: the results, or a loop's parameters.
    pub branch: Vec<Var>,
    /// Where the results are when it ends.
    pub ends: Vec<Var>,
    pub params: Vec<Operand>,
    /// What is in it so far.
    pub body: Vec<Stmt>,
    /// Of an `if`.
    pub condition: Option<Expr>,
    pub then: Vec<Stmt>,
    /// Of one that is too deep for the tree, the label of what it does not do.
    pub beyond: Label,
    /// The end of a part before this one is reached.
    pub falls: bool,
    /// Operators before it.
    pub operators: usize,
    /// The offset of its first operator in the module.
    pub at: usize,
    /// Of a `try` or `try_table`.
    pub tried: Tried,
    pub catches: Option<Vec<wasmparser::Catch>>,
    /// The block that an exception in it goes to.
    pub catching: Option<usize>,
}

impl Open {
    pub fn function(results: Vec<ValType>) -> Open {
        Open {
            kind: Kind::Function,
            label: 0,
            branches: 0,
            used: false,
            height: 0,
            results,
            branch: Vec::new(),
            ends: Vec::new(),
            params: Vec::new(),
            body: Vec::new(),
            condition: None,
            then: Vec::new(),
            beyond: 0,
            falls: false,
            operators: 0,
            at: 0,
            tried: Tried::default(),
            catches: None,
            catching: None,
        }
    }
}

/// What is known of an open `try`.
#[derive(Default)]
pub(super) struct Tried {
    /// Something inside may throw.
    pub caught: bool,
    pub catches_all: bool,
    /// Its body, once that has ended, and whether its end is reached.
    pub body: Option<(Vec<Stmt>, bool)>,
    pub handlers: Vec<Handler>,
    /// What the handler that is open catches, if it is reached, and whether it is noted.
    pub handler: Option<(Option<u32>, bool)>,
}
