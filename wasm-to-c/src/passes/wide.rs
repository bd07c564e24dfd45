//! Addresses as wide as the machine's, in innermost loops that are optimised for speed.
//!
//! A sum of WebAssembly wraps around at 2^32. A machine whose addresses have 64 bits has to cut off each sum, and finds no address
//! that only moves from one iteration to the next. All accesses without a check are inside of a memory, as a proof or the
//! module says, and no memory has more than 2^31 bytes. Two numbers below 2^31 differ by a signed number of 32 bits, and so do
//! addresses: what is that far behind an address, in 64 bits, is the other one and no sum that should have wrapped around.

use std::collections::{BTreeMap, BTreeSet};

use super::iteration::{Iteration, each_access};
use super::linear::Linear;
use crate::ir::{Access, Check, Expr, ExprKind, Form, Function, Loop, Stmt, Var, each};
use crate::ops::OpId;
use crate::types::ValType;
use crate::unit::Unit;

/// An address is a sum of so many variables.
const TERMS: usize = 4;
/// So many sums that a loop does not change are in registers.
const SUMS: usize = 6;
/// An address moves by less in an iteration, and a constant in it is less.
const FAR: u32 = 1 << 28;
/// No address of a memory is more.
const MOST: u32 = i32::MAX.cast_unsigned();

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    if unit.has_wide_addresses && unit.is_for_speed && function.has_loops {
        let mut stmts = std::mem::take(&mut function.body);
        body(&mut stmts, function);
        function.body = stmts;
    }
}

/// Whether there is a loop in the statements.
fn body(stmts: &mut [Stmt], function: &mut Function) -> bool {
    let mut any = false;
    for stmt in stmts {
        let inner = stmt.bodies_mut().into_iter().fold(false, |any, inner| body(inner, function) | any);
        any |= inner;
        let Stmt::Loop(looped) = stmt else { continue };
        any = true;
        if inner {
            continue;
        }
        let mut before = walk(looped, function).unwrap_or_default();
        index(looped);
        if !before.is_empty() {
            let looped = std::mem::replace(stmt, Stmt::NeverReached);
            before.push(looped);
            *stmt = Stmt::Block { label: function.label(), body: before, used: false };
        }
    }
    any
}

fn op(op: OpId, parts: Vec<Expr>) -> Expr {
    Expr::new(ExprKind::Op(op, parts), ValType::I64)
}

fn get(var: Var) -> Expr {
    Expr::new(ExprKind::Get(var), ValType::I64)
}

fn unsigned(expr: Expr) -> Expr {
    op(OpId::I64ExtendI32U, vec![expr])
}

fn signed(expr: Expr) -> Expr {
    op(OpId::I64ExtendI32S, vec![expr])
}

/// A value and a constant.
fn plus(value: Expr, constant: i64) -> Expr {
    match constant {
        0 => value,
        _ => {
            let constant = Expr::new(ExprKind::Const(constant.cast_unsigned()), ValType::I64);
            op(OpId::I64Add, vec![value, constant])
        }
    }
}

fn times(value: Expr, factor: u32) -> Expr {
    match factor {
        1 => value,
        _ => op(OpId::I64Mul, vec![value, Expr::new(ExprKind::Const(factor.into()), ValType::I64)]),
    }
}

/// An access without a check.
struct Site {
    at: usize,
    /// By what variables have when an iteration begins.
    address: Linear,
    /// Each iteration that is followed by another one executes it.
    is_always: bool,
    /// Nothing branches or traps between accesses for which this is the same.
    straight: usize,
    /// What has been added to each variable of the address before, if that is a constant.
    moved: BTreeMap<Var, Option<u32>>,
}

impl Site {
    fn of(at: usize, access: &Access, iteration: &Iteration, marked: &BTreeSet<u32>) -> Option<Site> {
        let is_marked = access
            .displaced()
            .and_then(|(base, _)| base.local())
            .is_some_and(|local| marked.contains(&local));
        if is_marked || !matches!(access.check, Check::None(_)) {
            return None;
        }
        let address = iteration.linear(&access.address)?;
        let moved = address.terms.keys().map(|var| {
            let moved = match iteration.values.get(var) {
                None => Some(0),
                Some(value) => value.as_ref().and_then(|value| value.step(*var)),
            };
            (*var, moved)
        });
        let moved = moved.collect();
        let is_plain = address.object.is_none() && address.terms.len() <= TERMS;
        is_plain.then(|| Site {
            at,
            address,
            is_always: iteration.is_always(),
            straight: iteration.straight(),
            moved,
        })
    }
}

/// A variable that is stepped, as one of 64 bits. Its low half is always the variable.
struct Walker {
    var: Var,
    wide: Var,
    /// What an iteration adds to it.
    step: Linear,
    /// What that is in 64 bits, if it is no constant.
    by: Option<Var>,
    /// Before the loop.
    first: Expr,
}

impl Walker {
    /// `None` if it is not stepped in every iteration, by what stays the same, and in statements that show that.
    fn of(var: Var, looped: &Loop, iteration: &Iteration, function: &mut Function) -> Option<Walker> {
        let step = iteration.step(var).filter(|step| step.object.is_none() && step.terms.len() <= TERMS)?;
        let mut steps = Vec::new();
        each_set(&looped.body, &mut |set, value| {
            if set == var {
                steps.push(added(var, value, iteration));
            }
        });
        let steps: Vec<Linear> = steps.into_iter().collect::<Option<_>>()?;
        let all = steps.iter().try_fold(Linear::default(), |sum, step| sum.plus(1, step))?;
        let is_constant = |step: &Linear| step.known().is_some_and(|step| is_near(step.cast_signed().into()));
        if all != step || step == Linear::default() || steps.len() > 1 && !steps.iter().all(is_constant) {
            return None;
        }
        let by = step.known().is_none().then(|| function.temp(ValType::I64));
        let first = unsigned(Expr::new(ExprKind::Get(var), ValType::I32));
        Some(Walker { var, wide: function.temp(ValType::I64), step, by, first })
    }

    /// Whether addresses that are so many times the variable move as they do in 64 bits.
    fn moves(&self, times: u32) -> bool {
        match self.step.known() {
            Some(step) => is_near(i64::from(times) * i64::from(step.cast_signed())),
            None => times == 1,
        }
    }

    /// Makes the variable the low half wherever it is stepped, and where an iteration begins.
    fn replace(&self, looped: &mut Loop) {
        let low = || {
            let value = ExprKind::Op(OpId::I32WrapI64, vec![get(self.wide)]);
            Stmt::Set(self.var, Expr::new(value, ValType::I32))
        };
        self.replace_in(&mut looped.body, &low);
        looped.body.insert(0, low());
    }

    fn replace_in(&self, body: &mut Vec<Stmt>, low: &impl Fn() -> Stmt) {
        let mut at = 0;
        while at < body.len() {
            match &mut body[at] {
                Stmt::Set(var, value) if *var == self.var => {
                    let wide = match (self.by, value.sum()) {
                        (Some(by), _) => op(OpId::I64Add, vec![get(self.wide), get(by)]),
                        (None, sum) => {
                            let by = sum.map_or(0, |(_, by)| by.cast_signed());
                            plus(get(self.wide), by.into())
                        }
                    };
                    body[at] = Stmt::Set(self.wide, wide);
                    body.insert(at + 1, low());
                    at += 1;
                }
                Stmt::Block { body, used: false, .. } => self.replace_in(body, low),
                _ => {}
            }
            at += 1;
        }
    }
}

/// Whether a number is small enough for sums of a few to have 32 bits.
fn is_near(number: i64) -> bool {
    number.unsigned_abs() < FAR.into()
}

/// Calls `visit` with all that is set where each iteration gets that is followed by another one.
fn each_set(body: &[Stmt], visit: &mut impl FnMut(Var, &Expr)) {
    for stmt in body {
        match stmt {
            Stmt::Set(var, value) => visit(*var, value),
            Stmt::Block { body, used: false, .. } => each_set(body, visit),
            _ => {}
        }
    }
}

/// What a statement adds to a variable that it sets, if the loop does not change that.
fn added(var: Var, value: &Expr, iteration: &Iteration) -> Option<Linear> {
    if let Some((of, by)) = value.sum() {
        return (of == var).then(|| Linear::constant(by));
    }
    let is_var = |part: &Expr| matches!(part.kind, ExprKind::Get(get) if get == var);
    let more = match value.op(OpId::I32Add)? {
        [part, more] | [more, part] if is_var(part) => more,
        _ => return None,
    };
    Linear::of(more, &|var| (!iteration.values.contains_key(&var)).then(|| Linear::var(var)))
}

/// Addresses that are so many times a variable, plus a sum that the loop does not change.
struct Base {
    walker: usize,
    times: u32,
    /// The first of them.
    address: Linear,
    /// Each iteration that is followed by another one accesses it.
    is_always: bool,
    /// The sum in 64 bits, if it is more than a constant.
    sum: Option<Var>,
    /// The base that the sum is made of that of.
    from: Option<usize>,
    /// Otherwise the sum.
    constant: i64,
    /// Accesses, and how far they are behind the first one's address, or the variable if there is no sum.
    sites: Vec<(usize, i64)>,
}

impl Base {
    /// What is added to all accesses, so that offsets are not negative.
    fn least(&self) -> i64 {
        let least = self.sites.iter().map(|(_, behind)| *behind).min().unwrap_or_default();
        if self.sum.is_some() { least } else { least.min(0) }
    }
}

#[derive(Default)]
struct Walk {
    walkers: Vec<Walker>,
    bases: Vec<Base>,
}

/// Makes variables that are stepped wide, and addresses that follow from them. The statements that come before the loop.
fn walk(looped: &mut Loop, function: &mut Function) -> Option<Vec<Stmt>> {
    if !matches!(looped.form, Form::DoWhile { .. }) {
        return None;
    }
    let mut marked = BTreeSet::new();
    each(&looped.body, &mut |stmt| {
        if let Stmt::Neighbours(local) = stmt {
            marked.insert(*local);
        }
    });
    let mut sites = Vec::new();
    let iteration = Iteration::of(looped, &mut |iteration, at, access| {
        sites.extend(Site::of(at, access, iteration, &marked));
    })?;
    // All that follow one another straight are executed, or none. The shortest address is what others are compared with.
    sites.sort_by_key(|site| (site.straight, !site.is_always, site.address.terms.len()));
    let mut walk = Walk::default();
    for site in &sites {
        let _ = walk.add(site, looped, &iteration, function);
    }
    walk.made(looped)
}

impl Walk {
    /// Finds what an access can be as wide as the machine's addresses with, if that exists.
    fn add(
        &mut self,
        site: &Site,
        looped: &Loop,
        iteration: &Iteration,
        function: &mut Function,
    ) -> Option<()> {
        let stepped = site.address.terms.iter().filter(|(var, _)| iteration.values.contains_key(var));
        let [(var, factor)] = stepped.map(|(var, factor)| (*var, *factor)).collect::<Vec<_>>()[..] else {
            return None;
        };
        let moved = i64::from(factor) * i64::from(site.moved.get(&var).copied()??.cast_signed());
        let known = self.walkers.iter().position(|walker| walker.var == var);
        let like = |base: &&Base| Some(base.walker) == known && base.times == factor;
        let behind = |base: &Base| site.address.clone().plus(u32::MAX, &base.address);
        // The first one that is in each iteration is what others are compared with: that they are as far apart as in 64 bits
        // needs both to be inside.
        let from = self.bases.iter().position(|base| like(&base) && base.is_always);
        let near = self.bases.iter_mut().filter(|base| like(&&**base)).find_map(|base| {
            let behind = i64::from(behind(base)?.known()?.cast_signed());
            (behind == 0 || base.is_always && is_near(behind)).then_some((base, behind))
        });
        if !is_near(moved) {
            return None;
        }
        if let Some((base, behind)) = near {
            base.sites.push((site.at, base.constant + behind - moved));
            return Some(());
        }
        if from.is_none() && !site.is_always {
            return None;
        }
        let is_var = site.address.terms.len() == 1 && factor == 1;
        let constant = i64::from(site.address.constant.cast_signed());
        let needs_sum = known.is_some() || !is_var || !is_near(constant);
        if needs_sum && self.bases.iter().filter(|base| base.sum.is_some()).count() == SUMS {
            return None;
        }
        let walker = match known {
            Some(known) if self.walkers[known].moves(factor) => known,
            Some(_) => return None,
            None => {
                let mut walker = Walker::of(var, looped, iteration, function)?;
                if !walker.moves(factor) {
                    return None;
                }
                if !needs_sum {
                    walker.first = plus(unsigned(site.address.expr()), -constant);
                }
                self.walkers.push(walker);
                self.walkers.len() - 1
            }
        };
        let constant = if needs_sum { 0 } else { constant };
        self.bases.push(Base {
            walker,
            times: factor,
            address: site.address.clone(),
            is_always: site.is_always,
            sum: needs_sum.then(|| function.temp(ValType::I64)),
            from,
            constant,
            sites: vec![(site.at, constant - moved)],
        });
        Some(())
    }

    /// What is added to a variable of 64 bits for an address in it, before the loop.
    fn sum(&self, base: &Base) -> Option<Expr> {
        let wide = times(get(self.walkers[base.walker].wide), base.times);
        let Some(from) = base.from.map(|from| &self.bases[from]) else {
            return Some(op(OpId::I64Sub, vec![unsigned(base.address.expr()), wide]));
        };
        let behind = signed(base.address.clone().plus(u32::MAX, &from.address)?.expr());
        Some(match from.sum {
            Some(sum) => plus(op(OpId::I64Add, vec![get(sum), behind]), -from.least()),
            None => plus(behind, from.constant),
        })
    }

    /// Changes the loop. The statements that come before it.
    fn made(&self, looped: &mut Loop) -> Option<Vec<Stmt>> {
        let mut before = Vec::new();
        for walker in &self.walkers {
            before.push(Stmt::Set(walker.wide, walker.first.clone()));
            before.extend(walker.by.map(|by| Stmt::Set(by, signed(walker.step.expr()))));
        }
        let mut addresses = BTreeMap::new();
        for base in &self.bases {
            let least = base.least();
            let wide = times(get(self.walkers[base.walker].wide), base.times);
            let address = match base.sum {
                Some(sum) => {
                    before.push(Stmt::Set(sum, plus(self.sum(base)?, least)));
                    op(OpId::I64Add, vec![get(sum), wide])
                }
                None => plus(wide, least),
            };
            for (at, behind) in &base.sites {
                addresses.insert(*at, (address.clone(), behind.abs_diff(least)));
            }
        }
        each_access(looped, &mut |at, access| {
            if let Some((address, behind)) = addresses.remove(&at) {
                access.address = address;
                access.offset += behind;
            }
        });
        self.walkers.iter().for_each(|walker| walker.replace(looped));
        Some(before)
    }
}

/// Sums of what a loop does not change and a number below 2^31, such as a byte, are made of both in 64 bits.
fn index(looped: &mut Loop) {
    let mut found = BTreeMap::new();
    let iteration = Iteration::of(looped, &mut |iteration, at, access| {
        if let (Check::None(_), Some([a, b])) = (access.check, access.address.op(OpId::I32Add)) {
            let parts = [(a, b), (b, a)].into_iter().find(|(_, index)| {
                let range = iteration.range(index);
                range.known().is_none() && range.largest() <= MOST
            });
            let array =
                parts.and_then(|(array, index)| Some((iteration.linear(array)?, widened(index, iteration))));
            found.extend(array.map(|(array, index)| (at, (array, index))));
        }
    });
    let Some(iteration) = iteration else { return };
    found.retain(|_, (array, _)| {
        let is_same = array.terms.keys().all(|var| !iteration.values.contains_key(var));
        is_same && !array.terms.is_empty() && array.object.is_none()
    });
    each_access(looped, &mut |at, access| {
        if let Some((array, index)) = found.remove(&at) {
            access.address = op(OpId::I64Add, vec![signed(array.expr()), index]);
        }
    });
}

/// A number below 2^31 in 64 bits. The machine scales an index by itself, if that has 64 bits.
fn widened(index: &Expr, iteration: &Iteration) -> Expr {
    let scaled = match &index.kind {
        ExprKind::Op(OpId::I32Mul, parts) => parts[1].known().map(|factor| (&parts[0], factor)),
        ExprKind::Op(OpId::I32Shl, parts) => parts[1].known().map(|by| (&parts[0], 1 << (by & 31))),
        _ => None,
    };
    match scaled {
        Some((part, factor))
            if u64::from(iteration.range(part).largest()) * u64::from(factor) <= MOST.into() =>
        {
            times(unsigned(part.clone()), factor)
        }
        _ => unsigned(index.clone()),
    }
}
