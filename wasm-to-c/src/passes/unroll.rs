//! Short loops with branches in their iterations, several iterations at a time: the counter of a loop whose trip count is known
//! and a multiple of that is compared once for all of them. [`loops`](super::loops) has those without branches.
//!
//! Variables that each iteration steps by a constant are stepped once, too. Between, they are read as a sum with a constant, and
//! are set to that where the loop is left.

use std::collections::{BTreeMap, HashMap};

use super::copies::relabel;
use super::sets;
use crate::ir::{Access, Check, Expr, ExprKind, Form, Function, Label, Loop, Stmt, Unrolled, Var, each};
use crate::ops::OpId;
use crate::types::ValType;
use crate::unit::Unit;

/// The most iterations at a time, and the most operators in them.
const TIMES: u32 = 4;
const OPERATORS: usize = 2 * Loop::SHORT;

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    // Machines with addresses of 64 bits execute several instructions at a time, and cut off each sum.
    if unit.is_for_speed && !unit.has_wide_addresses && function.has_loops {
        let mut stmts = std::mem::take(&mut function.body);
        body(&mut stmts, function);
        function.body = stmts;
    }
}

fn body(stmts: &mut [Stmt], function: &mut Function) {
    for stmt in stmts {
        stmt.bodies_mut().into_iter().for_each(|inner| body(inner, function));
        if let Stmt::Loop(looped) = stmt
            && let Some(times) = times(looped)
        {
            unroll(looped, times, function);
        }
    }
}

/// How many iterations of a loop are made at a time, if that is more than one.
fn times(looped: &Loop) -> Option<u32> {
    let Form::DoWhile { unrolled: None, .. } = looped.form else { return None };
    let trips = looped.trips?;
    let (mut is_simple, mut branches) = (true, false);
    each(&looped.body, &mut |stmt| {
        is_simple &= self::is_simple(stmt);
        branches |= matches!(stmt, Stmt::Br(_) | Stmt::Return(_) | Stmt::If { .. });
    });
    let fits = |times: &u32| {
        trips.is_multiple_of(*times) && looped.operators.saturating_mul(*times as usize) <= OPERATORS
    };
    (2..=TIMES).rev().find(fits).filter(|_| is_simple && branches)
}

/// Whether a statement may be copied and can leave the loop by a branch, return or trap only. An access that is checked takes
/// longer than the comparison that would be saved.
fn is_simple(stmt: &Stmt) -> bool {
    let is_free = |access: &Access| matches!(access.check, Check::None(_));
    let mut is_simple = match stmt {
        Stmt::Store(access, _) => is_free(access),
        Stmt::Set(..)
        | Stmt::Eval(_)
        | Stmt::Block { .. }
        | Stmt::If { .. }
        | Stmt::Br(_)
        | Stmt::BrIf(..)
        | Stmt::Switch { .. }
        | Stmt::Return(_)
        | Stmt::Trap(_)
        | Stmt::Line(_) => true,
        _ => false,
    };
    stmt.exprs().into_iter().for_each(|expr| expr.each_load(&mut |access| is_simple &= is_free(access)));
    is_simple
}

/// What each iteration that is followed by another one adds to variables which only that statement of the loop sets.
fn steps(looped: &Loop) -> BTreeMap<Var, u32> {
    let mut sets: HashMap<Var, usize> = HashMap::new();
    each(&looped.body, &mut |stmt| {
        if let Stmt::Set(var, _) = stmt {
            *sets.entry(*var).or_default() += 1;
        }
    });
    // Only the loop's own label leads to its start, so what is in no block inside is always executed.
    let of = |stmt: &Stmt| match stmt {
        Stmt::Set(var, value) if sets[var] == 1 => Some((*var, sets::step(value, *var)?)),
        _ => None,
    };
    looped.body.iter().filter_map(of).collect()
}

fn unroll(looped: &mut Loop, times: u32, function: &mut Function) {
    let steps = steps(looped);
    let iteration = std::mem::take(&mut looped.body);
    let mut inside = Vec::new();
    each(&iteration, &mut |stmt| {
        if let Stmt::Block { label, .. } | Stmt::If { label, .. } = stmt {
            inside.push(*label);
        }
    });
    for time in 0..times {
        let labels: HashMap<Label, Label> =
            inside.iter().map(|label| (*label, if time == 0 { *label } else { function.label() })).collect();
        // How far each variable would be ahead of what it is.
        let mut ahead = Ahead(steps.iter().map(|(var, by)| (*var, by.wrapping_mul(time))).collect());
        for stmt in &iteration {
            if let Stmt::Set(var, _) = stmt
                && let Some(by) = steps.get(var)
            {
                let sum = ahead.0.entry(*var).or_default();
                *sum = sum.wrapping_add(*by);
                continue;
            }
            let mut copy = vec![stmt.clone()];
            ahead.body(&mut copy, &labels);
            relabel(&mut copy, &labels);
            looped.body.append(&mut copy);
        }
    }
    looped.body.extend(Ahead(steps).caught_up(times));
    looped.operators *= times as usize;
    looped.trips = looped.trips.map(|trips| trips / times);
    looped.most_trips = looped.trips;
    if let Form::DoWhile { unrolled, .. } = &mut looped.form {
        *unrolled = Some(Unrolled::Whole(times));
    }
}

/// What is to be added to variables, modulo 2^32.
struct Ahead(BTreeMap<Var, u32>);

impl Ahead {
    /// Statements that add it so many times.
    fn caught_up(&self, times: u32) -> impl Iterator<Item = Stmt> {
        self.0
            .iter()
            .filter(|(_, by)| **by != 0)
            .map(move |(var, by)| Stmt::Set(*var, sum(*var, by.wrapping_mul(times))))
    }

    /// Adds it where statements read variables, and before they branch to none of the labels.
    fn body(&self, stmts: &mut Vec<Stmt>, labels: &HashMap<Label, Label>) {
        for mut stmt in std::mem::take(stmts) {
            match &mut stmt {
                Stmt::Store(access, value) => {
                    self.address(access);
                    self.expr(value);
                }
                _ => stmt.exprs_mut().into_iter().for_each(|expr| _ = self.expr(expr)),
            }
            stmt.bodies_mut().into_iter().for_each(|body| self.body(body, labels));
            if let Stmt::Br(to) = stmt
                && !labels.contains_key(&to)
            {
                stmts.extend(self.caught_up(1));
            }
            stmts.push(stmt);
        }
    }

    /// Whether it has changed the expression.
    fn expr(&self, expr: &mut Expr) -> bool {
        if let Some((var, more)) = expr.sum()
            && let Some(by) = self.0.get(&var).filter(|by| **by != 0)
        {
            *expr = sum(var, more.wrapping_add(*by));
            return true;
        }
        if let ExprKind::Load(access) = &mut expr.kind {
            return self.address(access);
        }
        expr.parts_mut().iter_mut().fold(false, |changed, part| self.expr(part) | changed)
    }

    /// A sum that the tree says does not wrap around may do so with another constant.
    fn address(&self, access: &mut Access) -> bool {
        let changed = self.expr(&mut access.address);
        access.sum_is_exact &= !changed;
        changed
    }
}

fn sum(var: Var, by: u32) -> Expr {
    let get = Expr::new(ExprKind::Get(var), ValType::I32);
    match by {
        0 => get,
        _ => Expr::new(ExprKind::Op(OpId::I32Add, vec![get, Expr::i32(by)]), ValType::I32),
    }
}
