//! The operand stack, and the statements before the next operator.

use std::collections::BTreeSet;

use super::open::Open;
use super::operand::Operand;
use crate::ir::{Expr, ExprKind, Label, Stmt, Var};
use crate::shadow_stack;
use crate::types::ValType;
use crate::unit::Unit;

/// Expressions of more operators are kept in a variable, for readers and for the compiler's sake.
const LONGEST: usize = 32;
/// So many operands may wait. Older ones are kept in variables, so that what looks at all of them takes no longer the more
/// there are.
const WAITING: usize = 100;
/// Blocks are nested no deeper in the tree, as passes recurse. What is deeper is made of labels and branches.
pub(super) const DEEPEST: usize = 1000;

pub(super) struct Builder<'a, 'm> {
    pub unit: &'a Unit<'m>,
    pub index: u32,
    pub stack: Vec<Operand>,
    /// The operands below do not wait.
    pub settled: usize,
    pub open: Vec<Open>,
    pub labels: Label,
    pub locals: Vec<ValType>,
    pub temps: Vec<ValType>,
    pub reachable: bool,
    /// Blocks opened in code that is not translated.
    pub skipped: usize,
    pub after_tee: bool,
    /// The frame on the shadow stack, where checks depend on it.
    pub frame: Option<shadow_stack::Frame>,
    /// The frame, where that is on the native stack.
    pub native_frame: Option<shadow_stack::Frame>,
    pub has_loops: bool,
    pub exceptions: Vec<Label>,
    /// The number of the operator that is read.
    pub number: usize,
    /// The operators that need no check, as passes over an earlier tree proved.
    pub proved: &'a BTreeSet<usize>,
    /// Operators that were read. A call counts for many.
    pub operators: usize,
    /// Values that branches and blocks pass.
    pub passed: usize,
    /// The offset of the operator that is read.
    pub at: usize,
}

impl Builder<'_, '_> {
    pub fn emit(&mut self, stmt: Stmt) {
        self.emit_of(self.at, stmt);
    }

    /// Emits a statement that an operator at another offset is translated to.
    pub fn emit_of(&mut self, at: usize, stmt: Stmt) {
        self.note_line(at);
        self.body().push(stmt);
    }

    pub fn emit_all(&mut self, stmts: Vec<Stmt>) {
        if !stmts.is_empty() {
            self.note_line(self.at);
        }
        self.body().extend(stmts);
    }

    /// Says which line the next statement is from.
    fn note_line(&mut self, at: usize) {
        if self.unit.has_lines() {
            let line = self.unit.line(at);
            self.body().push(Stmt::Line(line));
        }
    }

    /// The statements of the innermost block that is one in the tree.
    pub fn body(&mut self) -> &mut Vec<Stmt> {
        let at = (self.open.len() - 1).min(DEEPEST);
        &mut self.open[at].body
    }

    pub fn new_label(&mut self) -> Label {
        self.labels += 1;
        self.labels
    }

    pub fn temp(&mut self, ty: ValType) -> Var {
        self.temps.push(ty);
        Var::Temp(self.temps.len() as u32 - 1)
    }

    pub fn temps(&mut self, types: &[ValType]) -> Vec<Var> {
        types.iter().map(|ty| self.temp(*ty)).collect()
    }

    pub fn push(&mut self, operand: Operand) {
        let operand = Operand { at: self.at, ..operand };
        if operand.traps {
            self.spill(|other| other.traps);
        }
        let long = operand.operators > LONGEST;
        self.stack.push(operand);
        while self.stack.len() - self.settled > WAITING {
            if self.stack[self.settled].waits() {
                self.spill_at(self.settled);
            }
            self.settled += 1;
        }
        if long {
            let top = self.stack.len() - 1;
            let expr = &mut self.stack[top].expr;
            let mut products = 0;
            expr.each(&mut |part| products += usize::from(part.is_product()));
            if products > 1 && expr.ty == ValType::I32 && !expr.is_primary() {
                let sum = std::mem::replace(expr, Expr::i32(0));
                *expr = Expr::new(ExprKind::Computed(Box::new(sum)), ValType::I32);
            }
            self.spill_at(top);
        }
    }

    /// Pushes what is in a variable for operands.
    pub fn push_temp(&mut self, temp: Var) {
        let operand = self.temp_operand(temp);
        self.push(operand);
    }

    pub fn temp_operand(&self, temp: Var) -> Operand {
        let ty = match temp {
            Var::Local(local) => self.locals[local as usize],
            Var::Temp(temp) => self.temps[temp as usize],
        };
        Operand::constant(ExprKind::Get(temp), ty)
    }

    pub fn pop(&mut self) -> Operand {
        let operand = self.stack.pop().expect("validated");
        self.settled = self.settled.min(self.stack.len());
        operand
    }

    pub fn pops(&mut self, count: usize) -> Vec<Operand> {
        let operands = self.stack.split_off(self.stack.len() - count);
        self.settled = self.settled.min(self.stack.len());
        operands
    }

    /// The topmost operands as arguments.
    pub fn arguments(&mut self, count: usize) -> Vec<Expr> {
        self.pops(count).into_iter().map(|operand| operand.expr).collect()
    }

    pub fn truncate(&mut self, height: usize) {
        self.stack.truncate(height);
        self.settled = self.settled.min(height);
    }

    pub fn spill_at(&mut self, at: usize) {
        let temp = self.temp(self.stack[at].expr.ty);
        let kept = self.temp_operand(temp);
        let Operand { expr, at, .. } = std::mem::replace(&mut self.stack[at], kept);
        self.emit_of(if at == 0 { self.at } else { at }, Stmt::Set(temp, expr));
    }

    /// The operand in a variable, which is set before what comes next.
    pub fn kept(&mut self, operand: Operand) -> Operand {
        self.stack.push(operand);
        self.spill_at(self.stack.len() - 1);
        self.pop()
    }

    /// Keeps in variables the operands that `when` is true of.
    pub fn spill(&mut self, when: impl Fn(&Operand) -> bool) {
        for at in self.settled..self.stack.len() {
            if self.stack[at].waits() && when(&self.stack[at]) {
                self.spill_at(at);
            }
            if at == self.settled && !self.stack[at].waits() {
                self.settled += 1;
            }
        }
    }

    /// Keeps the topmost operands in variables, so that they can be used more than once.
    pub fn keep(&mut self, count: usize) {
        for at in self.stack.len() - count..self.stack.len() {
            if !self.stack[at].constant {
                self.spill_at(at);
            }
        }
    }

    /// Before something changes memory or a global, or may not come back.
    pub fn flush_effects(&mut self) {
        self.spill(|operand| operand.state || operand.traps);
    }
}
