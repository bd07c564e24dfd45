//! Blocks, branches and what they carry.

use std::collections::HashMap;

use target_specs::{Diagnostic, Result};
use wasmparser::BlockType;

use super::builder::{Builder, DEEPEST};
use super::open::{Kind, Open};
use super::operand::Operand;
use crate::ir::{Expr, ExprKind, Form, Label, Loop, Stmt, Var, each};
use crate::module::place;
use crate::ops::OpId;
use crate::types::{FuncType, ValType};

impl Builder<'_, '_> {
    fn block_type(&self, ty: BlockType) -> FuncType {
        match ty {
            BlockType::Empty => FuncType::default(),
            BlockType::Type(ty) => FuncType {
                params: Vec::new(),
                results: crate::module::val_type(self.unit.name, ty).into_iter().collect(),
            },
            BlockType::FuncType(index) => self.unit.module.types[index as usize].clone(),
        }
    }

    /// # Errors
    /// `too-large`
    pub(super) fn open(&mut self, kind: Kind, ty: BlockType, start: usize) -> Result<()> {
        let ty = self.block_type(ty);
        let condition = (kind == Kind::If).then(|| {
            let condition = self.pop();
            if condition.traps {
                self.spill(|other| other.traps);
            }
            condition.expr
        });
        self.spill(|_| true);
        let params = self.pops(ty.params.len());
        let label = self.new_label();
        let ends = self.temps(&ty.results);
        let mut branch = ends.clone();
        if kind == Kind::Loop {
            self.has_loops = true;
            branch = self.temps(&ty.params);
            for (to, param) in branch.iter().zip(&params) {
                self.emit(Stmt::Set(*to, param.expr.clone()));
            }
        }
        let at = self.open.len();
        let mut beyond = 0;
        if at > DEEPEST {
            match kind {
                Kind::Loop => self.emit(Stmt::Label(label)),
                Kind::If => {
                    beyond = self.new_label();
                    let zero = ExprKind::Op(OpId::I32Eqz, condition.clone().into_iter().collect());
                    self.emit(Stmt::BrIf(Expr::new(zero, ValType::I32), vec![Stmt::Br(beyond)]));
                }
                Kind::Try => {
                    return Err(Diagnostic::new(
                        "too-large",
                        "blocks are nested too deep to catch exceptions",
                    )
                    .at(place(self.unit.name, None, start))
                    .help("divide the function"));
                }
                _ => {}
            }
        }
        let catching = match kind {
            Kind::Try => Some(at),
            _ => self.open[at - 1].catching,
        };
        self.open.push(Open {
            kind,
            label,
            height: self.stack.len(),
            results: ty.results,
            branch: branch.clone(),
            ends,
            params: params.clone(),
            condition,
            beyond,
            operators: self.operators,
            at: start,
            catching,
            ..Open::function(Vec::new())
        });
        if kind != Kind::Loop {
            self.stack.extend(params);
            return Ok(());
        }
        // A branch may set what the parameters come in while they wait.
        for from in branch {
            let param = self.temp_operand(from);
            let copy = self.temp(param.expr.ty);
            self.emit(Stmt::Set(copy, param.expr));
            let copy = self.temp_operand(copy);
            self.stack.push(copy);
        }
        Ok(())
    }

    /// Ends a part of the innermost block: the values on the stack go where its results are.
    pub(super) fn fall_through(&mut self) {
        self.flush_effects();
        let ends = self.open.last().expect("validated").ends.clone();
        let values = self.pops(ends.len());
        let sets = self.assign(&ends, values);
        self.emit_all(sets);
    }

    /// Statements that set all variables at once.
    fn assign(&mut self, vars: &[Var], values: Vec<Operand>) -> Vec<Stmt> {
        let several = values.len() > 1;
        self.passed += values.len();
        let mut sets = Vec::new();
        let mut last = Vec::new();
        for (var, value) in vars.iter().zip(values) {
            let mut value = value;
            if several && !value.constant {
                let temp = self.temp(value.expr.ty);
                sets.push(Stmt::Set(temp, value.expr));
                value = self.temp_operand(temp);
            }
            last.push(Stmt::Set(*var, value.expr));
        }
        sets.extend(last);
        sets
    }

    pub(super) fn alternative(&mut self) {
        if self.reachable {
            self.fall_through();
        }
        if self.open.len() > DEEPEST + 1 {
            self.end_then(self.reachable);
        }
        let open = self.open.last_mut().expect("validated");
        open.then = std::mem::take(&mut open.body);
        open.kind = Kind::Else;
        open.falls = self.reachable;
        let (height, params) = (open.height, open.params.clone());
        self.reachable = true;
        self.truncate(height);
        self.stack.extend(params);
    }

    pub(super) fn close(&mut self) {
        let falls = self.reachable;
        let kind = self.open.last().expect("validated").kind;
        if kind == Kind::Function {
            if falls {
                let leave = self.branch(0);
                self.emit_all(leave);
            } else if !self.open[0].results.is_empty() {
                self.emit(Stmt::NeverReached);
            }
            return;
        }
        if falls {
            self.fall_through();
        }
        if self.open.len() > DEEPEST + 1 {
            return self.close_deep(falls);
        }
        let mut open = self.open.pop().expect("validated");
        let label = open.label;
        let used = open.used;
        match kind {
            Kind::Block => self.add_block(label, std::mem::take(&mut open.body), used),
            Kind::Loop => {
                let operators = self.operators - open.operators;
                let (body, branches) = (std::mem::take(&mut open.body), open.branches);
                let form = Form::Label;
                let looped = Loop { label, body, branches, operators, trips: None, most_trips: None, form };
                self.emit_loop(looped);
            }
            _ => {
                if kind == Kind::If {
                    // Without an else its parameters are its results.
                    open.then = std::mem::take(&mut open.body);
                    open.falls = falls;
                    open.body = self.assign(&open.ends, std::mem::take(&mut open.params));
                }
                let condition = open.condition.take().expect("that of an if");
                let then = std::mem::take(&mut open.then);
                let otherwise = std::mem::take(&mut open.body);
                let chosen = Stmt::If { label, condition, then, otherwise, used, falls: open.falls };
                self.emit_of(open.at, chosen);
            }
        }
        self.end_block(open, falls || used);
    }

    /// Ends the first part of an `if` that is too deep for the tree.
    fn end_then(&mut self, falls: bool) {
        let open = self.open.last_mut().expect("validated");
        let (label, beyond) = (open.label, open.beyond);
        if falls {
            open.used = true;
            self.emit(Stmt::Br(label));
        }
        self.emit(Stmt::Label(beyond));
    }

    /// Ends a block that is too deep for the tree.
    fn close_deep(&mut self, falls: bool) {
        let open = self.open.last_mut().expect("validated");
        if open.kind == Kind::If {
            // Without an else its parameters are its results.
            let (ends, params) = (open.ends.clone(), std::mem::take(&mut open.params));
            self.end_then(falls);
            let sets = self.assign(&ends, params);
            self.emit_all(sets);
        }
        let open = self.open.last().expect("validated");
        let (label, used) = (open.label, open.used);
        if used {
            self.emit(Stmt::Label(label));
        }
        let open = self.open.pop().expect("validated");
        self.end_block(open, falls || used);
    }

    /// What follows a block, where it goes on if something goes to its end.
    fn end_block(&mut self, open: Open, falls: bool) {
        let through = match open.kind {
            Kind::If => true,
            Kind::Else => open.falls,
            _ => false,
        };
        self.reachable = falls || through;
        self.truncate(open.height);
        self.push_ends(open.ends);
    }

    /// Adds a block. It needs none if nothing branches to its end.
    pub(super) fn add_block(&mut self, label: Label, body: Vec<Stmt>, used: bool) {
        if used || !body.is_empty() {
            self.emit(Stmt::Block { label, body, used });
        }
    }

    /// Loops that [`passes`](crate::passes) may make several iterations of at a time are repeated from their end.
    fn emit_loop(&mut self, mut looped: Loop) {
        if looped.branches == 0 && looped.body.is_empty() {
            return;
        }
        if self.unit.is_for_speed && !self.unit.has_wide_addresses && is_repeated_once(&looped) {
            let body = std::mem::take(&mut looped.body);
            self.emit_all(repeated_at_end(body, Vec::new(), looped));
        } else {
            self.emit(Stmt::Loop(looped));
        }
    }

    /// The results of a block that has ended.
    pub(super) fn push_ends(&mut self, ends: Vec<Var>) {
        for end in ends {
            let operand = self.temp_operand(end);
            self.stack.push(operand);
        }
    }

    /// The index of the open block that a branch of this depth is to.
    pub(super) fn target(&self, depth: u32) -> usize {
        self.open.len() - 1 - depth as usize
    }

    /// How many values a branch carries.
    fn arity(&self, depth: u32) -> usize {
        let open = &self.open[self.target(depth)];
        if open.kind == Kind::Function { open.results.len() } else { open.branch.len() }
    }

    /// Statements that leave for a block's label with the values on the stack, which stay there.
    pub(super) fn branch(&mut self, depth: u32) -> Vec<Stmt> {
        let at = self.target(depth);
        let count = self.arity(depth);
        let values = self.stack[self.stack.len() - count..].to_vec();
        if self.open[at].kind == Kind::Function {
            return vec![Stmt::Return(values.into_iter().map(|value| value.expr).collect())];
        }
        self.open[at].branches += 1;
        self.open[at].used |= self.open[at].kind != Kind::Loop;
        let (vars, label) = (self.open[at].branch.clone(), self.open[at].label);
        let mut stmts = self.assign(&vars, values);
        stmts.push(Stmt::Br(label));
        stmts
    }

    /// `br` and `return`.
    pub(super) fn leave_by(&mut self, depth: u32) {
        self.flush_effects();
        let leave = self.branch(depth);
        self.emit_all(leave);
        self.reachable = false;
    }

    pub(super) fn branch_if(&mut self, condition: Expr, depth: u32) {
        self.spill(|operand| operand.traps);
        self.keep(self.arity(depth));
        let leave = self.branch(depth);
        self.emit(Stmt::BrIf(condition, leave));
    }

    pub(super) fn branch_table(&mut self, targets: &wasmparser::BrTable<'_>) {
        let index = self.pop().expr;
        self.flush_effects();
        self.keep(self.arity(targets.default()));
        // Cases of one label together, in the order of their first.
        let mut depths: Vec<(u32, Vec<usize>)> = Vec::new();
        let mut known = HashMap::new();
        for (case, depth) in targets.targets().enumerate() {
            let depth = depth.expect("validated");
            if depth == targets.default() {
                continue;
            }
            let at = *known.entry(depth).or_insert(depths.len());
            match depths.get_mut(at) {
                Some((_, list)) => list.push(case),
                None => depths.push((depth, vec![case])),
            }
        }
        let cases = depths.into_iter().map(|(depth, list)| (list, self.branch(depth))).collect();
        let default = self.branch(targets.default());
        self.emit(Stmt::Switch { index, cases, default });
        self.reachable = false;
    }
}

/// Whether one branch alone leads to a short loop, under a condition, with nothing to carry and in no more than blocks. That cannot
/// be told where blocks have become labels, as one may be that of a loop.
fn is_repeated_once(looped: &Loop) -> bool {
    if looped.branches != 1 || looped.operators > Loop::SHORT || repeats(&looped.body, looped.label).is_none()
    {
        return false;
    }
    let mut has_labels = false;
    each(&looped.body, &mut |stmt| has_labels |= matches!(stmt, Stmt::Label(_)));
    !has_labels
}

/// The statement that repeats a loop, or the block around it.
fn repeats(body: &[Stmt], label: Label) -> Option<usize> {
    body.iter().position(|stmt| match stmt {
        Stmt::BrIf(_, leave) => leave[..] == [Stmt::Br(label)],
        Stmt::Block { body, .. } => repeats(body, label).is_some(),
        _ => false,
    })
}

/// The same as a loop that is repeated once in `body`, but from the end of its own, after `before`. What is behind that is
/// executed only when the loop is left.
fn repeated_at_end(mut body: Vec<Stmt>, mut before: Vec<Stmt>, looped: Loop) -> Vec<Stmt> {
    let behind = body.split_off(repeats(&body, looped.label).map_or(body.len(), |at| at + 1));
    let last = body.pop();
    before.append(&mut body);
    let mut stmts = match last {
        Some(Stmt::Block { label, body, used }) => {
            vec![Stmt::Block { label, body: repeated_at_end(body, before, looped), used }]
        }
        last => {
            before.extend(last);
            vec![Stmt::Loop(Loop { body: before, ..looped })]
        }
    };
    stmts.extend(behind);
    stmts
}
