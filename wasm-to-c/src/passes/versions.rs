//! Checks leave loops: where code is optimised for speed, an innermost loop whose addresses are stepped by constants is made
//! in two versions. The first one does not check these addresses, and is entered if all that its iterations access is inside of
//! the memory. Otherwise the loop is executed as it was, and so traps where it does.
//!
//! How often the loop is repeated follows from the condition at its end, when the loop is entered. All that is computed then is exact:
//! what could wrap around is compared before ([`Trips`], [`Range`]).

use std::collections::BTreeSet;

use super::copies;
use super::iteration::{Iteration, each_access};
use super::linear::{Linear, Reads};
use crate::ir::{Access, Check, Expr, ExprKind, Form, Function, Loop, Proof, Stmt, Var};
use crate::ops::OpId;
use crate::types::ValType;
use crate::unit::Unit;

/// Loops of more operators are not written twice.
const OPERATORS: usize = 300;
/// Loops that are known to have fewer iterations do not pay for a look at all of them.
const TRIPS: u32 = 4;
/// So many ranges of addresses are compared before a loop, each of which is a sum of so many variables.
const RANGES: usize = 4;
const TERMS: usize = 4;
/// Addresses that are farther apart are in ranges of their own.
const APART: u32 = 1 << 12;
/// A product of a step, which is a variable, and a number of iterations does not wrap around if both are no larger.
const MOST_STEP: u32 = (1 << 15) - 1;
const MOST_TIMES: u32 = (1 << 16) - 1;
/// No memory has as many bytes.
const MEMORY: u32 = 1 << 31;

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    if unit.is_for_speed && function.has_loops {
        let reads = Reads::of(&function.body);
        let mut stmts = std::mem::take(&mut function.body);
        body(&mut stmts, &reads, unit, function);
        function.body = stmts;
    }
}

/// Whether there is a loop in the statements.
fn body(stmts: &mut [Stmt], reads: &Reads, unit: &Unit<'_>, function: &mut Function) -> bool {
    let mut any = false;
    for stmt in stmts {
        let inner =
            stmt.bodies_mut().into_iter().fold(false, |any, inner| body(inner, reads, unit, function) | any);
        any |= inner;
        let Stmt::Loop(looped) = stmt else { continue };
        any = true;
        let versions = if inner { None } else { Versions::of(looped, unit, function) };
        if let Some(versions) = versions {
            let Stmt::Loop(looped) = std::mem::replace(stmt, Stmt::NeverReached) else { continue };
            *stmt = versions.made(looped, reads, function);
        }
    }
    any
}

/// The access of the number `at` in a loop.
struct Site {
    at: usize,
    address: Linear,
    /// How far behind the address it ends.
    end: u64,
}

impl Site {
    /// Of an access that is checked, if its address is a sum.
    fn of(at: usize, access: &Access, iteration: &Iteration) -> Option<Site> {
        if !matches!(access.check, Check::Bounds | Check::Mask) {
            return None;
        }
        // What the constant is added to is inside, too.
        let constant = constant(access);
        let base = access
            .address
            .op(OpId::I32Add)
            .filter(|_| constant > 0)
            .map_or(&access.address, |parts| &parts[0]);
        let address = iteration.linear(base).filter(|linear| linear.terms.len() <= TERMS)?;
        let end = access.end() + u64::from(constant);
        (end < MEMORY.into()).then_some(Site { at, address, end })
    }
}

/// What is added to an address, if it is little.
fn constant(access: &Access) -> u32 {
    let added = access.address.op(OpId::I32Add).and_then(|parts| parts[1].known());
    added.filter(|added| *added < APART).unwrap_or_default()
}

/// A comparison of sums, by the values that variables have.
struct Comparison {
    test: OpId,
    a: Linear,
    b: Linear,
}

impl Comparison {
    fn of(condition: &Expr, iteration: &Iteration) -> Option<Comparison> {
        if let Some(parts) = condition.op(OpId::I32Eqz) {
            let negated = Comparison::of(&parts[0], iteration)?;
            return Some(Comparison { test: negated.test.negated(), ..negated });
        }
        let (test, a, b) = match &condition.kind {
            ExprKind::Op(test, parts) if test.is_i32_comparison() => {
                (*test, iteration.linear(&parts[0])?, iteration.linear(&parts[1])?)
            }
            _ => (OpId::I32Ne, iteration.linear(condition)?, Linear::default()),
        };
        Some(Comparison { test, a, b })
    }
}

fn op(op: OpId, a: Expr, b: Expr) -> Expr {
    Expr::new(ExprKind::Op(op, vec![a, b]), ValType::I32)
}

fn get(var: Var) -> Expr {
    Expr::new(ExprKind::Get(var), ValType::I32)
}

/// How often a loop is repeated at most, after its first iteration, if some conditions hold when it is entered.
struct Trips {
    count: Expr,
    conditions: Vec<Expr>,
    /// The count is right if it is not larger.
    most: u32,
}

impl Trips {
    /// From the condition at the end of an iteration.
    fn of(condition: &Expr, iteration: &Iteration) -> Option<Trips> {
        let Comparison { test, a, b } = Comparison::of(condition, iteration)?;
        if test == OpId::I32Ne {
            let way = b.plus(u32::MAX, &a)?;
            let step = iteration.step_of(&way)?.known()?;
            return (way.terms.len() <= TERMS).then(|| Trips::until_same(&way, step.wrapping_neg()))?;
        }
        let (test, a, b) = match iteration.step_of(&b)?.known()? {
            0 => (test, a, b),
            _ => (test.mirrored(), b, a),
        };
        let is_constant = iteration.step_of(&b)?.known()? == 0 && a.terms.len().max(b.terms.len()) <= TERMS;
        is_constant.then(|| Trips::while_ordered(test, &a, &b, iteration.step_of(&a)?.known()?))?
    }

    /// It ends when what is `way` before a place, and moves by `step` in each iteration, is there. When that is, modulo 2^32,
    /// is exact: with an odd step it is the product with the inverse. Each two in the step halve the way, which must be even.
    fn until_same(way: &Linear, step: u32) -> Option<Trips> {
        if step == 0 {
            return None;
        }
        let twos = step.trailing_zeros();
        let odd = step.cast_signed() >> twos;
        let count = Linear::default().plus(inverse(odd.cast_unsigned()), way)?.expr();
        // What is no multiple becomes larger than any multiple.
        let (count, most) = match twos {
            0 => (count, u32::MAX),
            _ => (op(OpId::I32Rotr, count, Expr::i32(twos)), u32::MAX >> twos),
        };
        Some(Trips { count, conditions: Vec::new(), most })
    }

    /// It goes on while `a`, which moves by `step` in each iteration, is less or more than `b`, or the same.
    fn while_ordered(test: OpId, a: &Linear, b: &Linear, step: u32) -> Option<Trips> {
        let (is_up, is_signed, or_same) = match test {
            OpId::I32LtU => (true, false, false),
            OpId::I32LtS => (true, true, false),
            OpId::I32LeU => (true, false, true),
            OpId::I32LeS => (true, true, true),
            OpId::I32GtU => (false, false, false),
            OpId::I32GtS => (false, true, false),
            OpId::I32GeU => (false, false, true),
            OpId::I32GeS => (false, true, true),
            _ => return None,
        };
        let by = if is_up { step } else { step.wrapping_neg() };
        if by.cast_signed() <= 0 || !by.is_power_of_two() {
            return None;
        }
        // The first value that ends the loop is so far behind `b` at most, and must not wrap around.
        let beyond = by - 1 + u32::from(or_same);
        let (least, most) = if is_signed { (MEMORY, MEMORY - 1) } else { (0, u32::MAX) };
        let (limit, within) = match (is_up, is_signed) {
            (true, false) => (most - beyond, OpId::I32LeU),
            (true, true) => (most - beyond, OpId::I32LeS),
            (false, false) => (least + beyond, OpId::I32GeU),
            (false, true) => (least + beyond, OpId::I32GeS),
        };
        let mut conditions = vec![op(test, a.expr(), b.expr())];
        if beyond > 0 {
            conditions.push(op(within, b.expr(), Expr::i32(limit)));
        }
        let way = if is_up { b.clone().plus(u32::MAX, a)? } else { a.clone().plus(u32::MAX, b)? };
        let way = if or_same { way } else { way.plus(1, &Linear::constant(u32::MAX))? };
        let whole = op(OpId::I32ShrU, way.expr(), Expr::i32(by.trailing_zeros()));
        let count = op(OpId::I32Add, whole, Expr::i32(1));
        Some(Trips { count, conditions, most: u32::MAX })
    }
}

/// What a product with an odd number is multiplied by to be the other factor again, modulo 2^32.
fn inverse(odd: u32) -> u32 {
    // Each turn makes twice as many bits right, of which three are at first.
    (0..4).fold(odd, |inverse, _| inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse))))
}

/// Accesses whose addresses differ by constants.
struct Range {
    memory: u32,
    /// The address from which the ends count.
    first: Linear,
    end: u64,
    /// What is added to it in each iteration.
    step: Linear,
    sites: Vec<usize>,
}

impl Range {
    /// Of accesses of a loop.
    fn all(iteration: &Iteration, sites: Vec<(u32, Site)>) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        for (memory, site) in sites {
            let Some(step) = iteration.step_of(&site.address) else { continue };
            if step.terms.len() > TERMS {
                continue;
            }
            let near = ranges.iter_mut().find_map(|range| {
                let is_like = (range.memory, &range.first.terms) == (memory, &site.address.terms);
                let behind = site.address.constant.wrapping_sub(range.first.constant).cast_signed();
                (is_like && behind.unsigned_abs() < APART).then_some((range, behind))
            });
            match near {
                Some((range, behind)) => {
                    range.sites.push(site.at);
                    if behind < 0 {
                        range.first = site.address;
                        range.end = site.end.max(range.end + u64::from(behind.unsigned_abs()));
                    } else {
                        range.end = range.end.max(site.end + u64::from(behind.unsigned_abs()));
                    }
                }
                None => {
                    let sites = vec![site.at];
                    ranges.push(Range { memory, first: site.address, end: site.end, step, sites });
                }
            }
        }
        ranges
    }

    /// How often the loop may be repeated before what it accesses is longer than `bytes`; `None` if that is always so.
    fn most(&self, bytes: u32) -> Option<u32> {
        let room = u64::from(bytes).checked_sub(self.end)?;
        let Some(step) = self.step.known() else { return Some(MOST_TIMES) };
        let most = room.checked_div(step.cast_signed().unsigned_abs().into());
        Some(most.map_or(u32::MAX, |most| u32::try_from(most).unwrap_or(u32::MAX)))
    }

    /// What holds if all of it is inside when the loop is repeated `count` times, which is no more than [`Range::most`].
    fn conditions(&self, count: Var, bytes: Option<u32>) -> Option<Vec<Expr>> {
        let mut conditions = Vec::new();
        let mut first = self.first.clone();
        // What lies between the lowest and the highest address.
        let between = match self.step.known().map(u32::cast_signed) {
            Some(step) => {
                let between = Linear::default().plus(step.unsigned_abs(), &Linear::var(count))?;
                if step < 0 {
                    first = first.plus(u32::MAX, &between)?;
                }
                between.expr()
            }
            None => {
                conditions.push(op(OpId::I32LeU, self.step.expr(), Expr::i32(MOST_STEP)));
                op(OpId::I32Mul, self.step.expr(), get(count))
            }
        };
        let bytes = bytes.map_or(Expr::new(ExprKind::MemoryBytes(self.memory), ValType::I32), Expr::i32);
        let end = Expr::i32(self.end as u32);
        let room = match bytes.known() {
            Some(bytes) => Expr::i32(bytes - self.end as u32),
            None => {
                conditions.push(op(OpId::I32LeU, end.clone(), bytes.clone()));
                op(OpId::I32Sub, bytes, end)
            }
        };
        if self.step.known().is_none() || room.known().is_none() {
            conditions.push(op(OpId::I32LeU, between.clone(), room.clone()));
        }
        let last = match (room.known(), between.known()) {
            (Some(room), Some(between)) => Expr::i32(room - between),
            _ => op(OpId::I32Sub, room, between),
        };
        conditions.push(op(OpId::I32LeU, first.expr(), last));
        Some(conditions)
    }
}

/// A loop of which a version does not check some accesses.
struct Versions {
    count: Var,
    trips: Expr,
    conditions: Vec<Expr>,
    /// The accesses that are not checked.
    sites: BTreeSet<usize>,
}

impl Versions {
    fn of(looped: &Loop, unit: &Unit<'_>, function: &mut Function) -> Option<Versions> {
        let Form::DoWhile { condition, .. } = &looped.form else { return None };
        if looped.operators > OPERATORS || looped.most_trips.is_some_and(|trips| trips < TRIPS) {
            return None;
        }
        let mut sites = Vec::new();
        let iteration = Iteration::strict(looped, &mut |iteration, at, access| {
            sites.extend(Site::of(at, access, iteration).map(|site| (access.memory, site)));
        })?;
        let Trips { count: trips, mut conditions, mut most } = Trips::of(condition, &iteration)?;
        let bytes = |range: &Range| unit.memories[range.memory as usize].fixed_bytes();
        let mut ranges = Range::all(&iteration, sites);
        ranges.retain(|range| range.most(bytes(range).unwrap_or(MEMORY - 1)).is_some());
        // Those with the most accesses.
        ranges.sort_by_key(|range| std::cmp::Reverse(range.sites.len()));
        ranges.truncate(RANGES);
        if ranges.is_empty() {
            return None;
        }
        for range in &ranges {
            most = most.min(range.most(bytes(range).unwrap_or(MEMORY - 1))?);
        }
        let count = function.temp(ValType::I32);
        if most < u32::MAX {
            conditions.push(op(OpId::I32LeU, get(count), Expr::i32(most)));
        }
        for range in &ranges {
            conditions.extend(range.conditions(count, bytes(range))?);
        }
        let sites = ranges.into_iter().flat_map(|range| range.sites).collect();
        Some(Versions { count, trips, conditions, sites })
    }

    /// The statement that the loop becomes.
    fn made(self, looped: Loop, reads: &Reads, function: &mut Function) -> Stmt {
        let first = function.temps.len();
        let mut copy = copies::copy(&looped, reads, function);
        self.uncheck(&mut copy);
        copies::forward(&mut copy, first);
        let condition = self.conditions.into_iter().reduce(|a, b| op(OpId::I32And, a, b));
        let choice = Stmt::If {
            label: function.label(),
            condition: condition.unwrap_or_else(|| Expr::i32(1)),
            then: vec![Stmt::Loop(copy)],
            otherwise: vec![Stmt::Loop(looped)],
            used: false,
            falls: true,
        };
        let body = vec![Stmt::Set(self.count, self.trips), choice];
        Stmt::Block { label: function.label(), body, used: false }
    }

    /// Notes that accesses need no check.
    fn uncheck(&self, looped: &mut Loop) {
        let label = looped.label;
        each_access(looped, &mut |at, access| {
            if self.sites.contains(&at) {
                access.check = Check::None(Proof::BeforeLoop(label));
                access.sum_is_exact |= constant(access) > 0;
            }
        });
    }
}
