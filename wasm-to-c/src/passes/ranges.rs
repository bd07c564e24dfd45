//! What values can be, and so which accesses need a check.
//!
//! The pass follows the statements in their order. Each variable has a sum of values that never change ([`Affine`]), and a fact
//! is about such values: what a condition or an access says of one holds for all variables that depend on it. Where paths meet, a
//! fact is the union of what was known on each. Variables that a loop steps are sums with the number of its iteration
//! ([`Pass::enter`]); what is known of others that it sets is assumed and then checked ([`Pass::looped`]).

use std::collections::HashMap;

use super::facts::{Facts, Value};
use super::loops;
use super::sets::Sets;
use super::values::{Affine, Atom, Atoms, Ranges};
use crate::ir::{Access, Bulk, Check, Expr, ExprKind, Function, Label, Loop, Stmt, Var};
use crate::ops::OpId;
use crate::range::{self, Range};
use crate::unit::Unit;

struct Pass<'a, 'm> {
    unit: &'a Unit<'m>,
    sets: Sets,
    atoms: Atoms,
    /// What is known here; `None` if nothing gets here.
    here: Option<Facts>,
    /// What is known where branches to a block's end meet.
    joins: HashMap<Label, Facts>,
    /// The local with the address of the frame on the shadow stack, and that address. Nothing else sets it.
    frame: Option<(Var, Affine)>,
    /// The number of the current statement.
    at: usize,
    /// What the parameters are when the function is called.
    params: Vec<Atom>,
    /// How many locals there are. Those that are not parameters are 0 until they are set.
    locals: u32,
    /// Behind this statement is nothing that is repeated before the current one.
    repeated: usize,
    /// What is known of addresses behind the current statement, as an access in it would have trapped.
    behind: Vec<(Affine, Range)>,
    /// How many statements may be read again.
    left: usize,
    /// By the number of a loop, what held of the variables that it sets when it was read last. It is a good guess when that
    /// is read again as the loop around is.
    guesses: HashMap<usize, Vec<Assumed>>,
}

/// A comparison of two values.
struct Test {
    op: OpId,
    a: Affine,
    b: Affine,
}

/// A variable that a loop sets, and what is assumed of it at the start of each iteration.
#[derive(Debug, Clone)]
struct Assumed {
    var: Var,
    /// What it has when the loop is entered, and what that can be.
    first: Value,
    entered: Range,
    /// What each iteration adds to it.
    step: Option<Affine>,
    /// No step was assumed yet.
    may_step: bool,
    /// What some iterations add to it, and none otherwise.
    some: Option<u32>,
    /// What it can be follows from how often the loop is repeated.
    is_counted: bool,
    range: Range,
    /// How often it was assumed to be larger.
    widened: usize,
    is_element: bool,
}

/// What a variable has where iterations end.
struct End {
    /// How much more than at the start.
    step: Option<Affine>,
    range: Range,
    is_element: bool,
}

impl Assumed {
    /// Whether the next iteration starts with no more than this one.
    fn holds(&self, end: &End) -> bool {
        (self.step.is_none() || self.step == end.step)
            && (self.is_counted || self.range.union(end.range) == self.range)
            && (end.is_element || !self.is_element)
    }

    /// Assumes nothing.
    fn nothing(&mut self) {
        *self = Assumed { step: None, range: Range::ANY, is_element: false, ..self.clone() };
    }

    /// Assumes less, or that it is stepped as it seems to be.
    fn weaken(&mut self, end: End) {
        if self.step.is_some() && self.step != end.step {
            self.step = None;
        } else if self.may_step && end.step.is_some() {
            (self.step, self.may_step, self.range) = (end.step, false, self.entered);
        } else {
            let range = self.range.union(end.range);
            self.widened += usize::from(range != self.range);
            self.range = if self.widened > WIDENED { Range::ANY } else { self.range.widened(range) };
        }
        self.is_element &= end.is_element;
    }

    /// Assumes no more than it is entered with and iterations end with. Whether that is more than before.
    fn tighten(&mut self, end: End) -> bool {
        let range = if self.is_counted { self.range } else { self.entered.union(end.range) };
        let finds = self.may_step && end.step.is_some();
        if finds {
            (self.step, self.may_step) = (end.step, false);
        }
        std::mem::replace(&mut self.range, range) != range || finds
    }
}

/// How often the body of a loop is read again before nothing is assumed of what it sets.
const ATTEMPTS: usize = 7;
/// How often the range of a variable grows before nothing is assumed of it.
const WIDENED: usize = 2;
/// How many statements of loops are read again, for each statement of a function.
const AGAIN: usize = 64;

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    let mut atoms = Atoms::default();
    let params = function.ty.params.iter().map(|_| atoms.add(Range::ANY)).collect();
    let mut pass = Pass {
        unit,
        sets: Sets::of(&function.body),
        atoms,
        here: Some(Facts::default()),
        joins: HashMap::new(),
        frame: None,
        at: 0,
        params,
        locals: function.locals.len() as u32,
        repeated: 0,
        behind: Vec::new(),
        left: 0,
        guesses: HashMap::new(),
    };
    pass.left = AGAIN * pass.sets.statements();
    pass.body(&mut function.body);
}

impl Pass<'_, '_> {
    /// What a variable has where these facts hold, if that is known.
    fn value_among(&self, facts: Option<&Facts>, var: Var) -> Option<Value> {
        let of = |sum: Affine| Some(Value { sum, is_element: false });
        match (facts.and_then(|facts| facts.get(var)), &self.frame, var) {
            (_, Some((frame, sum)), _) if *frame == var => of(sum.clone()),
            (Some(value), ..) => Some(value.clone()),
            (None, _, Var::Local(local)) if local < self.locals && !self.was_set(var) => {
                of(self.params.get(local as usize).map_or(Affine::constant(0), |param| Affine::of(*param)))
            }
            _ => None,
        }
    }

    /// What a variable has.
    fn value(&mut self, var: Var) -> Value {
        self.value_among(self.here.as_ref(), var).unwrap_or_else(|| {
            let value = Value { sum: self.any(), is_element: false };
            self.set(var, value.clone());
            value
        })
    }

    /// Whether a variable may have been set.
    fn was_set(&self, var: Var) -> bool {
        self.sets.first(var).is_some_and(|first| first <= self.at.max(self.repeated))
    }

    /// A value of which nothing is known.
    fn any(&mut self) -> Affine {
        self.within(Range::ANY)
    }

    /// A value of which only a range is known.
    fn within(&mut self, range: Range) -> Affine {
        match range.known() {
            Some(constant) => Affine::constant(constant),
            None => Affine::of(self.atoms.add(range)),
        }
    }

    fn range(&self, value: &Affine) -> Range {
        match &self.here {
            Some(here) => self.atoms.range(value, &here.ranges),
            None => self.atoms.range(value, &Ranges::default()),
        }
    }

    /// Whether it is an index times the size of an element, or a sum with one.
    fn is_element(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Get(var) => {
                self.value_among(self.here.as_ref(), *var).is_some_and(|value| value.is_element)
            }
            ExprKind::Op(OpId::I32Shl, parts) => matches!(parts[1].known(), Some(1..=3)),
            ExprKind::Op(OpId::I32Mul, parts) => matches!(parts[1].known(), Some(2 | 4 | 8)),
            ExprKind::Op(OpId::I32Add, parts) => parts.iter().any(|part| self.is_element(part)),
            _ => false,
        }
    }

    fn set(&mut self, var: Var, value: Value) {
        if let Some(here) = &mut self.here {
            here.set(var, value);
        }
    }

    /// Nothing is known but the frame.
    fn forget(&mut self) {
        self.here = Some(Facts::default());
        self.repeated = usize::MAX;
    }

    /// The value is in a range.
    fn narrow(&mut self, value: &Affine, to: Range) {
        if let Some(here) = &mut self.here {
            here.ranges.narrow(value, to, &self.atoms);
        }
    }

    /// The comparison holds, or does not.
    fn assume(&mut self, test: &Test, holds: bool) {
        let op = if holds { test.op } else { test.op.negated() };
        // It may be one with 0 of what an operator makes of another comparison.
        let made = test.a.atom().filter(|_| test.b.known() == Some(0));
        if let Some((inner, operands)) = made.and_then(|atom| self.atoms.maker(atom)).cloned() {
            let is_set = op == OpId::I32Ne;
            match &operands[..] {
                [a, b] if inner.is_i32_comparison() && (is_set || op == OpId::I32Eq) => {
                    return self.assume(&Test { op: inner, a: a.clone(), b: b.clone() }, is_set);
                }
                _ => {}
            }
        }
        let (a, b) = (self.range(&test.a), self.range(&test.b));
        self.narrow(&test.a, range::compared(op, b));
        self.narrow(&test.b, range::compared(op.mirrored(), a));
    }

    /// Goes to the end of a block.
    fn branch(&mut self, label: Label) {
        let Some(here) = self.here.take() else { return };
        let joined = match self.joins.remove(&label) {
            Some(known) => self.join(known, &here),
            None => here,
        };
        self.joins.insert(label, joined);
    }

    /// The end of a block, where those that branched to it come in.
    fn end(&mut self, label: Label) {
        let joined = self.joins.remove(&label);
        self.meet(joined);
    }

    /// Goes on where another path ends with these facts.
    fn meet(&mut self, other: Option<Facts>) {
        self.here = match (self.here.take(), other) {
            (Some(here), Some(other)) => Some(self.join(here, &other)),
            (here, other) => here.or(other),
        };
    }

    /// What is known where two paths meet.
    fn join(&mut self, mut facts: Facts, other: &Facts) -> Facts {
        let ranges = facts.ranges.clone();
        facts.ranges.join(&other.ranges, &self.atoms);
        facts.change(|var, value| {
            let there = self.value_among(Some(other), var)?;
            let is_element = value.is_element && there.is_element;
            if there.sum == value.sum {
                return Some(Value { is_element, ..there });
            }
            let range = self.atoms.range(&value.sum, &ranges);
            let range = range.union(self.atoms.range(&there.sum, &other.ranges));
            (is_element || !range.is_any()).then(|| Value { sum: self.within(range), is_element })
        });
        facts
    }

    /// A loop. What is known of a variable when it is entered is assumed at the start of each iteration, and so is what it seems
    /// to be stepped by. If iterations end with something else, the body is read again, with less. Once that holds, what the loop
    /// is entered with and iterations end with is tried.
    fn looped(&mut self, looped: &mut Loop) {
        let (start, last) = (self.at, self.sets.end(self.at));
        self.enter_first();
        self.repeated = self.repeated.max(last);
        let Some(entry) = self.here.clone() else { return self.body(&mut looped.body) };
        let mut assumed = self.assumed(looped, &entry);
        let joins = self.joins.clone();
        // What was assumed when iterations ended with no more.
        let mut proved: Option<Vec<Assumed>> = None;
        let mut failed = false;
        for attempt in 0.. {
            let is_last = failed || attempt == ATTEMPTS || self.left == 0;
            if is_last {
                match proved.take() {
                    Some(proved) => {
                        self.guesses.insert(start, proved.clone());
                        assumed = proved;
                    }
                    None => assumed.iter_mut().for_each(Assumed::nothing),
                }
            }
            self.at = start;
            self.joins.clone_from(&joins);
            self.here = Some(entry.clone());
            (looped.trips, looped.most_trips) = self.trips(looped, &assumed).unwrap_or_default();
            let known = self.atoms.count();
            let heads = self.enter(looped.trips, &mut assumed);
            self.body(&mut looped.body);
            self.left = self.left.saturating_sub(last.min(self.at) - start + joins.len());
            let back = self.joins.remove(&looped.label);
            let Some(back) = back.filter(|_| !is_last) else { return };
            let ends = assumed
                .iter()
                .zip(heads)
                .map(|(assumed, head)| self.end_of(assumed.var, &back, &head, known));
            let ends: Vec<End> = ends.collect();
            let holds = assumed.iter().zip(&ends).all(|(assumed, end)| assumed.holds(end));
            let both = assumed.clone();
            let pairs = assumed.iter_mut().zip(ends);
            if holds {
                // All are tightened, not only those up to the first.
                let is_more = pairs.fold(false, |is_more, (assumed, end)| assumed.tighten(end) | is_more);
                if proved.is_some() || !is_more {
                    self.guesses.insert(start, both);
                    return;
                }
                proved = Some(both);
            } else if proved.is_some() {
                failed = true;
            } else {
                pairs.for_each(|(assumed, end)| assumed.weaken(end));
            }
        }
    }

    /// What is first assumed of the variables that a loop sets.
    fn assumed(&self, looped: &Loop, entry: &Facts) -> Vec<Assumed> {
        let (start, last) = (self.at, self.sets.end(self.at));
        let set = entry.vars().filter(|(var, _)| self.sets.any(*var, start, last));
        let guesses = self.guesses.get(&start).map_or(&[][..], |guesses| guesses);
        set.map(|(var, first)| {
            let guess = guesses.iter().find(|guess| guess.var == *var);
            let step = self.sets.step(*var, start, last);
            let always = step.filter(|step| step.is_always && loops::is_repeated_at_end(looped));
            let always = always.map(|step| Affine::constant(step.by));
            let entered = self.range(&first.sum);
            // A step that is no constant is not the same any more.
            let guessed = |guess: &Assumed| guess.step.clone().filter(|step| step.known().is_some());
            Assumed {
                var: *var,
                first: first.clone(),
                entered,
                may_step: guess.map_or(always.is_none(), |guess| !guess.may_step && guess.step.is_some()),
                step: guess.map_or(always, guessed),
                some: step.map(|step| step.by),
                is_counted: false,
                range: guess.map_or(entered, |guess| guess.range.union(entered)),
                widened: 0,
                is_element: first.is_element && guess.is_none_or(|guess| guess.is_element),
            }
        })
        .collect()
    }

    /// What a variable has where iterations end that start with `head`, when there were so many atoms before the loop.
    fn end_of(&self, var: Var, back: &Facts, head: &Affine, known: usize) -> End {
        let Some(value) = self.value_among(Some(back), var) else {
            return End { step: None, range: Range::ANY, is_element: false };
        };
        let step = value.sum.plus(u32::MAX, head).filter(|step| step.is_of_first(known));
        let range = self.atoms.range(&value.sum, &back.ranges);
        End { step, range, is_element: value.is_element }
    }

    /// What variables have that nothing has set before the loop, but something in it sets, is known when it is entered.
    fn enter_first(&mut self) {
        let first: Vec<Var> = self.sets.first_within(self.at, self.sets.end(self.at)).collect();
        for var in first.into_iter().take(Facts::MOST) {
            if let Some(value) = self.value_among(self.here.as_ref(), var) {
                self.set(var, value);
            }
        }
    }

    /// How often the end of a loop is reached, if nothing else leaves it: it ends when a variable, which is stepped by a
    /// constant, is what the loop does not change, and that is a known number of steps away. And how often at most, if it is
    /// reached.
    fn trips(&mut self, looped: &Loop, assumed: &[Assumed]) -> Option<(Option<u32>, Option<u32>)> {
        let (start, last) = (self.at, self.sets.end(self.at));
        let (a, b) = loops::exit(looped)?;
        [(a, b), (b, a)].into_iter().find_map(|(counter, until)| {
            let (counter, more) = counter.sum()?;
            let Assumed { first, step, .. } = assumed.iter().find(|assumed| assumed.var == counter)?;
            let until = match until.sum() {
                Some((var, by)) if !self.sets.any(var, start, last) => self.value(var).sum.moved(by),
                _ => Affine::constant(until.known()?),
            };
            let way = until.plus(u32::MAX, &first.sum.clone().moved(more))?;
            let step = step.as_ref()?.known()?.cast_signed();
            let far = self.range(&way).times(step.signum().cast_unsigned()).largest();
            Some((
                way.known().and_then(|way| loops::trips(way, step.cast_unsigned())),
                far.checked_div(step.unsigned_abs()),
            ))
        })
    }

    /// The start of an iteration of a loop. What is assumed of variables then.
    fn enter(&mut self, trips: Option<u32>, assumed: &mut [Assumed]) -> Vec<Affine> {
        let before = trips.map_or(Range::ANY, |trips| Range::to(trips - 1));
        let iteration = self.within(before);
        // The iteration's number times each atom of a step.
        let mut products: Vec<(Atom, Affine)> = Vec::new();
        let mut heads = Vec::new();
        for assumed in assumed {
            let is_constant = assumed.step.as_ref().is_some_and(|step| step.known().is_some());
            let sum = match (&assumed.step, assumed.some) {
                (Some(step), _) => self.stepped(&assumed.first.sum, step, &iteration, &mut products),
                // As many steps as iterations came before, or fewer.
                (None, Some(step)) if trips.is_some() => assumed.first.sum.plus(step, &self.within(before)),
                _ => None,
            };
            assumed.is_counted = trips.is_some() && sum.is_some() && (is_constant || assumed.step.is_none());
            let sum = match sum {
                Some(sum) if assumed.is_counted => sum,
                Some(sum) => {
                    self.narrow(&sum, assumed.range);
                    sum
                }
                // Also of one number it shall show what is added to it.
                None => Affine::of(self.atoms.add(assumed.range)),
            };
            self.set(assumed.var, Value { sum: sum.clone(), is_element: assumed.is_element });
            heads.push(sum);
        }
        heads
    }

    /// A value plus so many steps as iterations came before.
    fn stepped(
        &mut self,
        first: &Affine,
        step: &Affine,
        iteration: &Affine,
        products: &mut Vec<(Atom, Affine)>,
    ) -> Option<Affine> {
        let mut sum = first.plus(step.constant, iteration)?;
        for (atom, times) in &step.terms {
            let product = match products.iter().find(|(known, _)| known == atom) {
                Some((_, product)) => product.clone(),
                None => {
                    let product = self.operate(OpId::I32Mul, &[iteration.clone(), Affine::of(*atom)]);
                    products.push((*atom, product.clone()));
                    product
                }
            };
            sum = sum.plus(*times, &product)?;
        }
        Some(sum)
    }

    fn body(&mut self, body: &mut [Stmt]) {
        for stmt in body.iter_mut().filter(|stmt| !stmt.is_line()) {
            self.at += 1;
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        if let Stmt::If { condition, .. } | Stmt::BrIf(condition, _) = stmt {
            let test = self.test(condition);
            self.pass();
            return self.branches(stmt, &test);
        }
        let values: Vec<Affine> = stmt.exprs_mut().into_iter().map(|expr| self.visit(expr)).collect();
        if let Stmt::Store(access, _) = stmt {
            self.access(access, &values[0]);
        }
        self.pass();
        for result in stmt.results() {
            let value = Value { sum: self.any(), is_element: false };
            self.set(*result, value);
        }
        match stmt {
            Stmt::Set(var, value) => {
                let is_element = self.is_element(value);
                self.set(*var, Value { sum: values[0].clone(), is_element });
            }
            Stmt::MakeFrame { local, size, .. } => {
                let address = self.within(Range::of_frame(*size));
                self.frame = Some((Var::Local(*local), address));
            }
            Stmt::GlobalSet { check, .. } => {
                let range = self.range(&values[0]);
                if range.is_in_frame() {
                    *check = Check::None(range.proof());
                }
            }
            Stmt::Bulk { op, args, checks, .. } => {
                let at = |memory: u32, arg: usize| {
                    self.unit.check_block(memory, self.range(&values[arg]), args[2].known())
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
                if let Some(here) = &mut self.here {
                    here.forget(|var| self.sets.any(var, start, last));
                }
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
            Stmt::Return(_) | Stmt::TailCall { .. } | Stmt::Trap(_) | Stmt::NeverReached | Stmt::Leave(_) => {
                self.here = None
            }
            Stmt::If { .. }
            | Stmt::BrIf(..)
            | Stmt::Store(..)
            | Stmt::Call { .. }
            | Stmt::Wide(..)
            | Stmt::Eval(_)
            | Stmt::Throw(..)
            | Stmt::ThrowRef(_)
            | Stmt::Rethrow(_)
            | Stmt::Neighbours(_)
            | Stmt::Line(_) => {}
        }
    }

    /// A statement that goes on in one of two ways.
    fn branches(&mut self, stmt: &mut Stmt, test: &Test) {
        let before = self.here.clone();
        self.assume(test, true);
        match stmt {
            Stmt::If { label, then, otherwise, .. } => {
                self.body(then);
                let after = std::mem::replace(&mut self.here, before);
                self.assume(test, false);
                self.body(otherwise);
                self.meet(after);
                self.end(*label);
            }
            Stmt::BrIf(_, leave) => {
                self.body(leave);
                self.here = before;
                self.assume(test, false);
            }
            _ => {}
        }
    }

    /// What a condition compares.
    fn test(&mut self, condition: &mut Expr) -> Test {
        match &mut condition.kind {
            ExprKind::Op(OpId::I32Eqz, parts) => {
                let test = self.test(&mut parts[0]);
                Test { op: test.op.negated(), ..test }
            }
            ExprKind::Op(op, parts) if op.is_i32_comparison() => {
                let (a, b) = (self.visit(&mut parts[0]), self.visit(&mut parts[1]));
                Test { op: *op, a, b }
            }
            _ => Test { op: OpId::I32Ne, a: self.visit(condition), b: Affine::constant(0) },
        }
    }

    /// Visits what an expression accesses. Its value.
    fn visit(&mut self, expr: &mut Expr) -> Affine {
        if let Some(constant) = expr.known() {
            return Affine::constant(constant);
        }
        match &mut expr.kind {
            ExprKind::Get(var) => self.value(*var).sum,
            ExprKind::Load(access) => {
                let address = self.visit(&mut access.address);
                self.access(access, &address);
                self.within(range::of_cell(access.cell))
            }
            ExprKind::Op(op, parts) => {
                let values: Vec<Affine> = parts.iter_mut().map(|part| self.visit(part)).collect();
                if matches!(op, OpId::Vector(_)) {
                    return self.any();
                }
                // GCC makes `x << 2 & 1020` of a byte that is shifted, for which there is no instruction, and of a product
                // what scales an index.
                if *op == OpId::I32Shl
                    && let Some(by @ 1..=3) = values[1].known()
                    && (is_cell(&parts[0]) || self.range(&values[0]).is_cell())
                {
                    *op = OpId::I32Mul;
                    parts[1] = Expr::i32(1 << by);
                    return self.operate(*op, &[values[0].clone(), Affine::constant(1 << by)]);
                }
                self.operate(*op, &values)
            }
            ExprKind::Select(parts) => {
                let values = parts.each_mut().map(|part| self.visit(part));
                if values[0] == values[1] {
                    return values[0].clone();
                }
                let range = self.range(&values[0]).union(self.range(&values[1]));
                self.within(range)
            }
            ExprKind::Computed(part) | ExprKind::Aligned(part, ..) => self.visit(part),
            _ => {
                for part in expr.parts_mut() {
                    self.visit(part);
                }
                self.any()
            }
        }
    }

    /// What an operator makes of values.
    fn operate(&mut self, op: OpId, values: &[Affine]) -> Affine {
        match &self.here {
            Some(here) => self.atoms.operate(op, values, &here.ranges),
            None => self.any(),
        }
    }

    fn access(&mut self, access: &mut Access, address: &Affine) {
        access.check = self.unit.check(access, self.range(address));
        let sum = access.address.op(OpId::I32Add).and_then(|parts| parts[1].known());
        access.sum_is_exact = sum.is_some_and(|constant| {
            self.range(&address.clone().moved(constant.wrapping_neg())).may_add(constant)
        });
        access.is_element = self.is_element(&access.address);
        let inside = self.unit.accessed(access);
        match access.check {
            // C evaluates what else is in the statement in any order.
            Check::Bounds => self.behind.push((address.clone(), inside)),
            _ => self.narrow(address, inside),
        }
    }

    /// Goes on behind what a statement evaluates.
    fn pass(&mut self) {
        for (address, inside) in std::mem::take(&mut self.behind) {
            self.narrow(&address, inside);
        }
    }
}

/// Whether the value is a byte or two, whose bits above are masked.
fn is_cell(expr: &Expr) -> bool {
    let mask = expr.op(OpId::I32And).and_then(|parts| parts[1].known());
    matches!(mask, Some(0xff | 0xffff))
}
