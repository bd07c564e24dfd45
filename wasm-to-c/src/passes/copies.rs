//! A copy of a loop, beside which the loop stays.

use std::collections::{BTreeSet, HashMap};

use super::linear::Reads;
use super::products::{LONGEST, is_pure, operators};
use crate::ir::{Expr, ExprKind, Function, Label, Loop, Stmt, Var, each};

/// So far behind the statement that sets a variable its use is looked for.
const NEAR: usize = 64;

/// A copy of a loop with labels of its own, and with variables of its own for those that nothing else needs. `reads` is how often
/// the function reads each variable.
pub(super) fn copy(looped: &Loop, reads: &Reads, function: &mut Function) -> Loop {
    let mut copied = Loop { label: function.label(), ..looped.clone() };
    let mut labels = HashMap::from([(looped.label, copied.label)]);
    each(&looped.body, &mut |stmt| {
        if let Stmt::Block { label, .. } | Stmt::If { label, .. } = stmt {
            labels.insert(*label, function.label());
        }
    });
    relabel(&mut copied.body, &labels);
    rename_private(&mut copied.body, reads, function);
    copied
}

/// Uses other labels.
pub(super) fn relabel(body: &mut [Stmt], labels: &HashMap<Label, Label>) {
    for stmt in body {
        if let Stmt::Block { label, .. } | Stmt::If { label, .. } | Stmt::Br(label) = stmt
            && let Some(other) = labels.get(label)
        {
            *label = *other;
        }
        stmt.bodies_mut().into_iter().for_each(|body| relabel(body, labels));
    }
}

/// Uses other variables for those that the statements always set before they read them, and that nothing else reads.
fn rename_private(body: &mut [Stmt], reads: &Reads, function: &mut Function) {
    let mut seen = BTreeSet::new();
    let mut private = BTreeSet::new();
    let mut results: BTreeSet<Var> = BTreeSet::new();
    for stmt in body.iter() {
        each(std::slice::from_ref(stmt), &mut |inner| {
            inner.exprs().into_iter().for_each(|expr| expr.each(&mut |part| seen.extend(variable(part))));
            results.extend(inner.results());
        });
        match stmt {
            Stmt::Set(var, _) if !seen.contains(var) => private.insert(*var),
            _ => false,
        };
        each(std::slice::from_ref(stmt), &mut |inner| {
            if let Stmt::Set(var, _) = inner {
                seen.insert(*var);
            }
        });
    }
    let within = Reads::of(body);
    private.retain(|var| {
        // None of those that have another name already.
        let is_read = reads.get(*var) > 0;
        is_read && !results.contains(var) && within.get(*var) == reads.get(*var)
    });
    let names: HashMap<Var, Var> = private.into_iter().map(|var| (var, function.like(var))).collect();
    rename(body, &names);
    for stmt in body {
        stmt.bodies_mut().into_iter().for_each(|body| rename_private(body, reads, function));
    }
}

fn variable(expr: &Expr) -> Option<Var> {
    match expr.kind {
        ExprKind::Get(var) => Some(var),
        _ => None,
    }
}

fn rename(body: &mut [Stmt], names: &HashMap<Var, Var>) {
    fn renamed(expr: &mut Expr, names: &HashMap<Var, Var>) {
        if let ExprKind::Get(var) = &mut expr.kind
            && let Some(other) = names.get(var)
        {
            *var = *other;
        }
        expr.parts_mut().iter_mut().for_each(|part| renamed(part, names));
    }
    for stmt in body {
        if let Stmt::Set(var, _) = stmt
            && let Some(other) = names.get(var)
        {
            *var = *other;
        }
        stmt.exprs_mut().into_iter().for_each(|expr| renamed(expr, names));
        stmt.bodies_mut().into_iter().for_each(|body| rename(body, names));
    }
}

/// Puts what variables for operands are set to where these are used, if it is used once: no check orders them any more. Only those
/// from `first` on are looked at, which nothing outside of the loop uses.
pub(super) fn forward(looped: &mut Loop, first: usize) {
    let mut sets: HashMap<Var, usize> = HashMap::new();
    let reads = Reads::of(&looped.body);
    each(&looped.body, &mut |stmt| {
        if let Stmt::Set(var, _) = stmt {
            *sets.entry(*var).or_default() += 1;
        }
    });
    let is_once = |var: Var| {
        let is_own = matches!(var, Var::Temp(temp) if temp as usize >= first);
        is_own && reads.get(var) == 1 && sets.get(&var) == Some(&1)
    };
    forward_in(&mut looped.body, &is_once);
}

fn forward_in(body: &mut Vec<Stmt>, is_once: &impl Fn(Var) -> bool) {
    for stmt in body.iter_mut() {
        stmt.bodies_mut().into_iter().for_each(|body| forward_in(body, is_once));
    }
    let mut at = 0;
    while at < body.len() {
        let is_moved = match &body[at] {
            Stmt::Set(var, value) if is_once(*var) && is_pure(value) => {
                let (var, value) = (*var, value.clone());
                moved(var, value, &mut body[at + 1..])
            }
            _ => false,
        };
        match is_moved {
            true => _ = body.remove(at),
            false => at += 1,
        }
    }
}

/// Puts a value where the variable is read; whether it does.
fn moved(var: Var, value: Expr, behind: &mut [Stmt]) -> bool {
    let mut depends = BTreeSet::new();
    value.each(&mut |part| depends.extend(variable(part)));
    let mut loads = false;
    value.each_load(&mut |_| loads = true);
    let changes = |stmt: &Stmt| {
        let mut changes = false;
        each(std::slice::from_ref(stmt), &mut |stmt| {
            changes |= match stmt {
                Stmt::Set(set, _) => depends.contains(set),
                Stmt::Store(..) => loads,
                other => other.results().iter().any(|result| depends.contains(result)),
            }
        });
        changes
    };
    for stmt in behind.iter_mut().take(NEAR) {
        if stmt.exprs().iter().any(|expr| reads(expr, var)) {
            return put(var, value, stmt.exprs_mut());
        }
        if changes(stmt) {
            break;
        }
    }
    false
}

fn reads(expr: &Expr, var: Var) -> bool {
    let mut found = false;
    expr.each(&mut |part| found |= variable(part) == Some(var));
    found
}

fn put(var: Var, value: Expr, places: Vec<&mut Expr>) -> bool {
    fn put_in(expr: &mut Expr, var: Var, value: &mut Option<Expr>) {
        if variable(expr) == Some(var) {
            *expr = value.take().unwrap_or_else(|| expr.clone());
            return;
        }
        expr.parts_mut().iter_mut().for_each(|part| put_in(part, var, value));
    }
    let Some(whole) = places.into_iter().find(|expr| reads(expr, var)) else { return false };
    if operators(whole) + operators(&value) > LONGEST {
        return false;
    }
    let mut value = Some(value);
    put_in(whole, var, &mut value);
    value.is_none()
}
