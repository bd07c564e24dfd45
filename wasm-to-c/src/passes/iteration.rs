//! What one iteration of a loop does to variables, and where it accesses memory.

use std::collections::{BTreeMap, BTreeSet};

use super::linear::Linear;
use super::products::is_pure;
use crate::ir::{Access, Check, Expr, ExprKind, Form, Label, Loop, Stmt, Var, each};
use crate::ops::OpId;
use crate::range::{self, Range};
use crate::types::ValType;

/// What looks at an access when an iteration gets there: what is known then, and the number of the access in the loop.
pub(super) type Note<'n> = dyn FnMut(&Iteration, usize, &Access) + 'n;

/// What an iteration does, in terms of what variables have when it begins.
#[derive(Default)]
pub(super) struct Iteration {
    /// What variables have that it has set so far, if that is a sum.
    pub values: BTreeMap<Var, Option<Linear>>,
    /// What they can be, if that is not anything.
    ranges: BTreeMap<Var, Range>,
    /// Memories keep their sizes, and it is not left because of what it loads.
    is_strict: bool,
    /// Statements around the current one that may not execute it.
    conditions: usize,
    /// The current statement may trap.
    may_trap: bool,
    /// The number of statements so far that may have branched or trapped.
    turns: usize,
    /// Accesses so far.
    accesses: usize,
    /// The labels of blocks inside of the loop.
    labels: BTreeSet<Label>,
    /// The variables that may depend on what iterations load.
    loaded: BTreeSet<Var>,
}

impl Iteration {
    /// All that an iteration does; `None` if not all of that is looked at.
    pub fn of(looped: &Loop, note: &mut Note<'_>) -> Option<Iteration> {
        Iteration::default().whole(looped, note)
    }

    /// The same, and `None` if a memory may change its size, or the loop may be left because of what it has loaded.
    pub fn strict(looped: &Loop, note: &mut Note<'_>) -> Option<Iteration> {
        let iteration = Iteration { is_strict: true, ..Iteration::default() };
        iteration.whole(looped, note)
    }

    fn whole(mut self, looped: &Loop, note: &mut Note<'_>) -> Option<Iteration> {
        self.find_loaded(looped);
        self.body(&looped.body, note)?;
        if let Form::DoWhile { condition, .. } = &looped.form {
            self.may_trap = !is_pure(condition);
            self.expr(condition, note);
        }
        Some(self)
    }

    /// Whether each iteration that is followed by another one executes what is here.
    pub fn is_always(&self) -> bool {
        self.conditions == 0 && !self.may_trap
    }

    /// What is the same at two places if nothing between them branches or traps.
    pub fn straight(&self) -> usize {
        self.turns
    }

    fn find_loaded(&mut self, looped: &Loop) {
        each(&looped.body, &mut |stmt| {
            if let Stmt::Block { label, .. } | Stmt::If { label, .. } = stmt {
                self.labels.insert(*label);
            }
            self.loaded.extend(stmt.results());
        });
        loop {
            let mut found = Vec::new();
            each(&looped.body, &mut |stmt| match stmt {
                Stmt::Set(var, value) if self.is_loaded(value) => found.push(*var),
                _ => {}
            });
            let known = self.loaded.len();
            self.loaded.extend(found);
            if self.loaded.len() == known {
                return;
            }
        }
    }

    /// What an i32 is, by what variables have when the iteration begins.
    pub fn linear(&self, expr: &Expr) -> Option<Linear> {
        Linear::of(expr, &|var| match self.values.get(&var) {
            None => Some(Linear::var(var)),
            Some(value) => value.clone(),
        })
    }

    /// What an i32 can be, by what the iteration has set variables to.
    pub fn range(&self, expr: &Expr) -> Range {
        match &expr.kind {
            _ if expr.ty != ValType::I32 => Range::ANY,
            ExprKind::Const(constant) => Range::constant(*constant as u32),
            ExprKind::Get(var) => self.ranges.get(var).copied().unwrap_or(Range::ANY),
            ExprKind::Load(access) => range::of_cell(access.cell),
            ExprKind::Op(op, parts) if !matches!(op, OpId::Vector(_)) => {
                let parts: Vec<Range> = parts.iter().map(|part| self.range(part)).collect();
                range::result(*op, &parts)
            }
            _ => Range::ANY,
        }
    }

    /// What each iteration adds to a variable; `None` if that is not always the same sum.
    pub fn step(&self, var: Var) -> Option<Linear> {
        let Some(value) = self.values.get(&var) else { return Some(Linear::default()) };
        let step = value.clone()?.plus(u32::MAX, &Linear::var(var))?;
        let is_constant = step.terms.keys().all(|var| !self.values.contains_key(var));
        is_constant.then_some(step)
    }

    /// What each iteration adds to a sum.
    pub fn step_of(&self, linear: &Linear) -> Option<Linear> {
        let mut terms = linear.terms.iter();
        terms.try_fold(Linear::default(), |sum, (var, times)| sum.plus(*times, &self.step(*var)?))
    }

    /// Whether a statement may leave the loop by a branch.
    fn leaves(&self, stmt: &Stmt) -> bool {
        let mut leaves = false;
        each(std::slice::from_ref(stmt), &mut |stmt| {
            leaves |= match stmt {
                Stmt::Br(label) => !self.labels.contains(label),
                Stmt::Return(_) => true,
                _ => false,
            }
        });
        leaves
    }

    /// Whether a value may depend on what iterations load.
    fn is_loaded(&self, value: &Expr) -> bool {
        let mut is_loaded = false;
        value.each(&mut |part| {
            is_loaded |= match &part.kind {
                ExprKind::Get(var) => self.loaded.contains(var),
                ExprKind::Const(_) | ExprKind::Op(..) | ExprKind::Select(_) => false,
                _ => true,
            }
        });
        is_loaded
    }

    fn expr(&mut self, expr: &Expr, note: &mut Note<'_>) {
        expr.each_load(&mut |access| self.access(access, note));
    }

    fn access(&mut self, access: &Access, note: &mut Note<'_>) {
        note(self, self.accesses, access);
        self.accesses += 1;
    }

    fn unknown(&mut self, var: Var) {
        self.values.insert(var, None);
        self.ranges.remove(&var);
    }

    /// Nothing is known of what these statements set.
    fn forget(&mut self, body: &[Stmt]) {
        each(body, &mut |stmt| {
            let set = match stmt {
                Stmt::Set(var, _) => Some(var),
                _ => None,
            };
            stmt.results().iter().chain(set).for_each(|var| self.unknown(*var));
        });
    }

    fn body(&mut self, body: &[Stmt], note: &mut Note<'_>) -> Option<()> {
        body.iter().try_for_each(|stmt| self.stmt(stmt, note))
    }

    fn stmt(&mut self, stmt: &Stmt, note: &mut Note<'_>) -> Option<()> {
        let is_checked = matches!(stmt, Stmt::Store(Access { check: Check::Bounds | Check::Outside, .. }, _));
        self.may_trap = is_checked || !stmt.exprs().into_iter().all(is_pure);
        let turns = self.may_trap || !matches!(stmt, Stmt::Set(..) | Stmt::Store(..) | Stmt::Line(_));
        self.turns += usize::from(turns);
        let result = self.inner(stmt, note);
        self.turns += usize::from(turns);
        result
    }

    fn inner(&mut self, stmt: &Stmt, note: &mut Note<'_>) -> Option<()> {
        stmt.exprs().into_iter().for_each(|expr| self.expr(expr, note));
        if let Stmt::Store(access, _) = stmt {
            self.access(access, note);
        }
        match stmt {
            Stmt::Set(var, value) => {
                self.ranges.insert(*var, self.range(value));
                let value = self.linear(value);
                self.values.insert(*var, value);
            }
            Stmt::Block { label, body, used } => {
                // Branches to its end come from places where other values were set.
                let first = match used {
                    true if self.is_strict => 0,
                    true => body.iter().position(|stmt| branches(stmt, *label)).unwrap_or(body.len()),
                    false => body.len(),
                };
                let (before, behind) = body.split_at(first);
                self.body(before, note)?;
                self.conditions += 1;
                self.body(behind, note)?;
                self.conditions -= 1;
                self.forget(behind);
            }
            Stmt::If { .. } | Stmt::BrIf(..) | Stmt::Switch { .. } => {
                // A loop that is left because of what it found is often left at once.
                if self.is_strict
                    && self.leaves(stmt)
                    && stmt.exprs().into_iter().any(|condition| self.is_loaded(condition))
                {
                    return None;
                }
                let before = (self.values.clone(), self.ranges.clone());
                self.conditions += 1;
                for body in stmt.bodies() {
                    (self.values, self.ranges) = before.clone();
                    self.body(body, note)?;
                }
                self.conditions -= 1;
                (self.values, self.ranges) = before;
                // What is set before a loop is left does not matter in it.
                if matches!(stmt, Stmt::If { .. }) {
                    stmt.bodies().into_iter().for_each(|body| self.forget(body));
                }
            }
            Stmt::Call { .. } | Stmt::Bulk { .. } if !self.is_strict => {
                stmt.results().iter().for_each(|var| self.unknown(*var));
            }
            Stmt::Wide(_, _, results) => results.iter().for_each(|var| self.unknown(*var)),
            Stmt::Neighbours(_) if !self.is_strict => {}
            Stmt::Store(..)
            | Stmt::GlobalSet { .. }
            | Stmt::Eval(_)
            | Stmt::Br(_)
            | Stmt::Return(_)
            | Stmt::Trap(_)
            | Stmt::NeverReached
            | Stmt::Line(_) => {}
            Stmt::MakeFrame { .. }
            | Stmt::Call { .. }
            | Stmt::TailCall { .. }
            | Stmt::Bulk { .. }
            | Stmt::Loop(_)
            | Stmt::Label(_)
            | Stmt::Throw(..)
            | Stmt::ThrowRef(_)
            | Stmt::Rethrow(_)
            | Stmt::Leave(_)
            | Stmt::Try(_)
            | Stmt::Neighbours(_) => return None,
        }
        Some(())
    }
}

/// Whether a branch to a label is in a statement.
fn branches(stmt: &Stmt, to: Label) -> bool {
    let mut found = false;
    each(std::slice::from_ref(stmt), &mut |stmt| {
        found |= matches!(stmt, Stmt::Br(label) if *label == to);
    });
    found
}

/// Calls `change` with the number of each access in a loop, and the access.
pub(super) fn each_access(looped: &mut Loop, change: &mut impl FnMut(usize, &mut Access)) {
    let mut at = 0;
    let mut change = |access: &mut Access| {
        change(at, access);
        at += 1;
    };
    each_in(&mut looped.body, &mut change);
    if let Form::DoWhile { condition, .. } = &mut looped.form {
        each_of(condition, &mut change);
    }
}

/// In the order of [`Iteration::stmt`].
fn each_in(body: &mut [Stmt], change: &mut impl FnMut(&mut Access)) {
    for stmt in body {
        stmt.exprs_mut().into_iter().for_each(|expr| each_of(expr, change));
        if let Stmt::Store(access, _) = stmt {
            change(access);
        }
        stmt.bodies_mut().into_iter().for_each(|body| each_in(body, change));
    }
}

fn each_of(expr: &mut Expr, change: &mut impl FnMut(&mut Access)) {
    if let ExprKind::Load(access) = &mut expr.kind {
        change(access);
    }
    expr.parts_mut().iter_mut().for_each(|part| each_of(part, change));
}
