//! What values can be, and so which accesses need a check.
//!
//! The pass follows the statements in their order. Where paths meet, a fact is the union of what was known on each. What is
//! known of variables that a loop sets is assumed and then checked ([`Pass::looped`]), or follows from how often the loop steps
//! them ([`Pass::enter`]).

use std::collections::HashMap;

use super::facts::{Fact, Facts};
use super::loops;
use super::sets::Sets;
use crate::ir::{Access, Bulk, Check, Expr, ExprKind, Function, Label, Loop, Stmt, Var};
use crate::ops::OpId;
use crate::range::{self, Range};
use crate::unit::Unit;

struct Pass<'a, 'm> {
    unit: &'a Unit<'m>,
    sets: Sets,
    /// What is known here; `None` if nothing gets here.
    here: Option<Facts>,
    /// What is known where branches to a block's end meet.
    joins: HashMap<Label, Facts>,
    /// The local with the address of the frame on the shadow stack, and what is known of it. Nothing else sets it.
    frame: Option<(Var, Fact)>,
    /// The number of the current statement.
    at: usize,
    /// The locals that are not parameters. They are 0 until they are set.
    zeroed: std::ops::Range<u32>,
    /// Behind this statement is nothing that is repeated before the current one.
    repeated: usize,
    /// How many statements may be read again.
    left: usize,
}

/// How often the body of a loop is read again before nothing is assumed of what it sets.
const ATTEMPTS: usize = 3;
/// How many statements of loops are read again, for each statement of a function.
const AGAIN: usize = 16;

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    let mut pass = Pass {
        unit,
        sets: Sets::of(&function.body),
        here: Some(Facts::default()),
        joins: HashMap::new(),
        frame: None,
        at: 0,
        zeroed: function.ty.params.len() as u32..function.locals.len() as u32,
        repeated: 0,
        left: 0,
    };
    pass.left = AGAIN * pass.sets.statements();
    pass.body(&mut function.body);
}

impl Pass<'_, '_> {
    fn fact(&self, var: Var) -> Fact {
        self.fact_among(self.here.as_ref(), var)
    }

    fn fact_among(&self, facts: Option<&Facts>, var: Var) -> Fact {
        if let Some((_, fact)) = self.frame.filter(|(frame, _)| *frame == var) {
            return fact;
        }
        match (facts.and_then(|facts| facts.get(var)), var) {
            (Some(fact), _) => fact,
            (None, Var::Local(local)) if self.zeroed.contains(&local) && !self.was_set(var) => {
                Fact { range: Range::constant(0), ..Fact::NONE }
            }
            _ => Fact::NONE,
        }
    }

    /// Whether a variable may have been set.
    fn was_set(&self, var: Var) -> bool {
        self.sets.first(var).is_some_and(|first| first <= self.at.max(self.repeated))
    }

    fn range(&self, expr: &Expr) -> Range {
        range::of(expr, &|var| self.fact(var).range)
    }

    /// Whether it is an index times the size of an element, or a sum with one.
    fn is_element(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Get(var) => self.fact(*var).is_element,
            ExprKind::Op(OpId::I32Shl, parts) => matches!(parts[1].known(), Some(1..=3)),
            ExprKind::Op(OpId::I32Mul, parts) => matches!(parts[1].known(), Some(2 | 4 | 8)),
            ExprKind::Op(OpId::I32Add, parts) => parts.iter().any(|part| self.is_element(part)),
            _ => false,
        }
    }

    fn set(&mut self, var: Var, fact: Fact) {
        if let Some(here) = &mut self.here {
            here.set(var, fact);
        }
    }

    /// Nothing is known but the frame.
    fn forget(&mut self) {
        self.here = Some(Facts::default());
        self.repeated = usize::MAX;
    }

    /// The value is in a range.
    fn narrow(&mut self, expr: &Expr, to: Range) {
        match &expr.kind {
            ExprKind::Get(var) => {
                let fact = self.fact(*var);
                if let Some(here) = &mut self.here {
                    if here.get(*var).is_none() {
                        here.add(*var, Fact { range: to, ..fact });
                    }
                    here.narrow(*var, to);
                    if let Some((of, by)) = fact.sum {
                        here.narrow(of, to.moved(by.wrapping_neg()));
                    }
                }
            }
            ExprKind::Op(OpId::I32Add, parts) => {
                if let Some(constant) = parts[1].known() {
                    self.narrow(&parts[0], to.moved(constant.wrapping_neg()));
                }
            }
            ExprKind::Op(OpId::I32Sub, parts) => {
                if let Some(constant) = parts[1].known() {
                    self.narrow(&parts[0], to.moved(constant));
                }
            }
            _ => {}
        }
    }

    /// The condition is not zero, or is zero.
    fn assume(&mut self, condition: &Expr, holds: bool) {
        match &condition.kind {
            ExprKind::Op(OpId::I32Eqz, parts) => self.assume(&parts[0], !holds),
            ExprKind::Op(op, parts) if op.is_i32_comparison() => {
                let op = if holds { *op } else { op.negated() };
                let (a, b) = (self.range(&parts[0]), self.range(&parts[1]));
                self.narrow(&parts[0], range::compared(op, b));
                self.narrow(&parts[1], range::compared(op.mirrored(), a));
            }
            ExprKind::Get(_) => {
                let op = if holds { OpId::I32Ne } else { OpId::I32Eq };
                self.narrow(condition, range::compared(op, Range::constant(0)));
            }
            _ => {}
        }
    }

    /// Goes to the end of a block.
    fn branch(&mut self, label: Label) {
        let Some(here) = self.here.take() else { return };
        let joined = match self.joins.remove(&label) {
            Some(mut known) => {
                known.join(|var| self.fact_among(Some(&here), var));
                known
            }
            None => here,
        };
        self.joins.insert(label, joined);
    }

    /// The end of a block, where those that branched to it come in.
    fn end(&mut self, label: Label) {
        let Some(mut joined) = self.joins.remove(&label) else { return };
        if let Some(here) = self.here.take() {
            joined.join(|var| self.fact_among(Some(&here), var));
        }
        self.here = Some(joined);
    }

    /// Goes on where another path ends with these facts.
    fn meet(&mut self, other: Option<Facts>) {
        match (self.here.take(), other) {
            (Some(mut here), Some(other)) => {
                here.join(|var| self.fact_among(Some(&other), var));
                self.here = Some(here);
            }
            (here, other) => self.here = here.or(other),
        }
    }

    /// Nothing is known of what statements up to `last` set, but of some variables.
    fn forget_set(&mut self, last: usize, but: &[Var]) {
        let (sets, at) = (&self.sets, self.at);
        if let Some(here) = &mut self.here {
            let is_set = |var| sets.any(var, at, last) && !but.contains(&var);
            here.map(|var, fact| if is_set(var) { Fact::NONE } else { fact.without_sum(is_set) });
        }
    }

    /// A loop. What is known of a variable at the start of its first iteration is assumed of all. If iterations end with
    /// other values, the body is read again, with less.
    fn looped(&mut self, looped: &mut Loop) {
        let (start, last) = (self.at, self.sets.end(self.at));
        let steps = self.enter(looped);
        let joins = self.joins.clone();
        for attempt in 0.. {
            let is_last = attempt == ATTEMPTS || self.left == 0;
            if is_last {
                self.forget_set(last, &steps);
            }
            let Some(head) = self.here.clone() else { break };
            self.body(&mut looped.body);
            self.left = self.left.saturating_sub(last.min(self.at) - start + joins.len());
            let back = self.joins.remove(&looped.label);
            let Some(back) = back.filter(|_| !is_last) else { return };
            // What holds at the start of each iteration.
            let at = std::mem::replace(&mut self.at, start);
            let mut both = head.clone();
            both.map(|var, fact| {
                if steps.contains(&var) || !self.sets.any(var, start, last) {
                    return fact;
                }
                let other = self.fact_among(Some(&back), var);
                let joined = fact.join(other);
                match joined == fact {
                    true => fact,
                    false => Fact { range: fact.range.widened(joined.range), ..joined },
                }
            });
            if both == head {
                self.at = at;
                return;
            }
            self.here = Some(both);
            self.joins.clone_from(&joins);
        }
        self.body(&mut looped.body);
        self.joins.remove(&looped.label);
    }

    /// What is known at the start of the first iteration of a loop, and the variables of which it is known what it is at the
    /// start of each.
    ///
    /// A variable that is set once in the loop, in no loop inside, and to itself plus a constant, is at most as many steps
    /// from its value at the entry as iterations came before. If it is set in every iteration, and the loop ends when it is
    /// a number that the steps from another number reach, these are counted.
    fn enter(&mut self, looped: &mut Loop) -> Vec<Var> {
        let (start, last) = (self.at, self.sets.end(self.at));
        let mut iterations = None;
        if let Some((local, until)) = loops::exit_test(looped) {
            let var = Var::Local(local);
            looped.entry = self.fact(var).range.known().map(|first| (local, first));
            let step = self.sets.step(var, start, last).filter(|step| step.is_always);
            iterations =
                looped.entry.zip(step).and_then(|((_, first), step)| loops::trips(first, until, step.by));
        }
        self.repeated = self.repeated.max(last);
        let counted = looped.entry.filter(|_| iterations.is_some_and(|iterations| iterations > 0));
        let before = iterations.filter(|iterations| *iterations > 0).map(|iterations| iterations - 1);
        let sets = &self.sets;
        let mut steps = Vec::new();
        let Some(here) = &mut self.here else { return steps };
        if let Some((local, first)) = counted {
            // It may have been 0 because nothing had set it.
            let is_element = here.get(Var::Local(local)).is_some_and(|fact| fact.is_element);
            here.set(Var::Local(local), Fact { range: Range::constant(first), is_element, sum: None });
        }
        here.map(|var, fact| match sets.step(var, start, last).zip(before) {
            Some((step, before)) => {
                steps.push(var);
                Fact { range: fact.range.stepped(step.by, before), ..Fact::NONE }
            }
            None => fact.without_sum(|of| sets.any(of, start, last)),
        });
        steps
    }

    fn body(&mut self, body: &mut [Stmt]) {
        for stmt in body {
            self.at += 1;
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        stmt.exprs_mut().into_iter().for_each(|expr| self.expr(expr));
        stmt.results().iter().for_each(|result| self.set(*result, Fact::NONE));
        match stmt {
            Stmt::Set(var, value) => {
                let sum = value.sum().filter(|(of, _)| of != var);
                let fact = Fact { range: self.range(value), is_element: self.is_element(value), sum };
                self.set(*var, fact);
            }
            Stmt::MakeFrame { local, size, .. } => {
                let fact = Fact { range: Range::of_frame(*size), ..Fact::NONE };
                self.frame = Some((Var::Local(*local), fact));
            }
            Stmt::GlobalSet { value, check, .. } => {
                let range = self.range(value);
                if range.is_in_frame() {
                    *check = Check::None(range.proof());
                }
            }
            Stmt::Store(access, _) => self.access(access),
            Stmt::Bulk { op, args, checks, .. } => {
                let at = |memory: u32, arg: usize| {
                    self.unit.check_block(memory, self.range(&args[arg]), args[2].known())
                };
                match *op {
                    Bulk::MemoryFill(memory) => checks[0] = at(memory, 0),
                    Bulk::MemoryCopy(to, from) => *checks = [at(to, 0), at(from, 1)],
                    _ => {}
                }
            }
            Stmt::Block { label, body, .. } => {
                self.body(body);
                self.end(*label);
            }
            Stmt::Loop(looped) => self.looped(looped),
            Stmt::If { label, condition, then, otherwise, .. } => {
                let before = self.here.clone();
                self.assume(condition, true);
                self.body(then);
                let after = std::mem::replace(&mut self.here, before);
                self.assume(condition, false);
                self.body(otherwise);
                self.meet(after);
                self.end(*label);
            }
            Stmt::BrIf(condition, leave) => {
                let before = self.here.clone();
                self.assume(condition, true);
                self.body(leave);
                self.here = before;
                self.assume(condition, false);
            }
            Stmt::Switch { cases, default, .. } => {
                let before = self.here.clone();
                for body in cases.iter_mut().map(|(_, body)| body).chain([default]) {
                    self.here.clone_from(&before);
                    self.body(body);
                }
                self.here = None;
            }
            Stmt::Try(tried) => {
                let before = self.here.clone();
                let (start, last) = (self.at, self.sets.end(self.at));
                self.body(&mut tried.body);
                let after = self.here.take();
                // An exception may come from anywhere in the body.
                let at = std::mem::replace(&mut self.at, start);
                self.here = before;
                self.forget_set(last, &[]);
                let caught = self.here.take();
                self.at = at;
                self.here = after;
                self.branch(tried.label);
                for body in tried.handlers.bodies_mut() {
                    self.here.clone_from(&caught);
                    self.body(body);
                    self.branch(tried.label);
                }
                self.end(tried.label);
            }
            Stmt::Br(label) => self.branch(*label),
            Stmt::Label(_) => self.forget(),
            Stmt::Return(_)
            | Stmt::TailCall { .. }
            | Stmt::Unreachable
            | Stmt::NeverReached
            | Stmt::Leave(_) => self.here = None,
            Stmt::Call { .. }
            | Stmt::Wide(..)
            | Stmt::Eval(_)
            | Stmt::Throw(..)
            | Stmt::ThrowRef(_)
            | Stmt::Rethrow(_)
            | Stmt::Neighbours(_) => {}
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        expr.parts_mut().iter_mut().for_each(|part| self.expr(part));
        match &mut expr.kind {
            ExprKind::Load(access) => self.access(access),
            // GCC makes `x << 2 & 1020` of a byte that is shifted, for which there is no instruction, and of a product
            // what scales an index.
            ExprKind::Op(op @ OpId::I32Shl, parts) => {
                if let Some(by @ 1..=3) = parts[1].known()
                    && self.range(&parts[0]).is_cell()
                {
                    *op = OpId::I32Mul;
                    parts[1] = Expr::i32(1 << by);
                }
            }
            _ => {}
        }
    }

    fn access(&mut self, access: &mut Access) {
        let range = self.range(&access.address);
        access.check = self.unit.check(access, range);
        let sum = access.address.op(OpId::I32Add);
        let sum = sum.and_then(|parts| Some((self.range(&parts[0]), parts[1].known()?)));
        access.sum_is_exact = sum.is_some_and(|(range, constant)| range.may_add(constant));
        access.is_element = self.is_element(&access.address);
        // What may trap is evaluated in a statement of its own before anything else that may.
        let inside = self.unit.accessed(access);
        self.narrow(&access.address, inside);
    }
}
