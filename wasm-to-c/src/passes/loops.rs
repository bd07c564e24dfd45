//! How loops are repeated: from their end where they can be, and short ones with an even trip count twice in a row.

use super::sets;
use crate::ir::{Expr, Form, Function, Loop, Stmt, Twice, Var};
use crate::ops::OpId;
use crate::unit::Unit;

/// Loops with fewer operators and no more accesses are written twice: others keep registers busy without that. Thumb-2,
/// whose accesses reach far from one address, has room for some more.
const OPERATORS: usize = 120;
const ACCESSES: usize = 6;
const ACCESSES_WIDE: usize = 8;

pub(super) fn run(_unit: &Unit<'_>, function: &mut Function) {
    body(&mut function.body);
}

/// What is in some statements.
#[derive(Clone, Copy)]
struct Contents {
    accesses: usize,
    /// Each statement follows the one before.
    straight: bool,
}

fn body(stmts: &mut [Stmt]) -> Contents {
    let mut all = Contents { accesses: 0, straight: true };
    for stmt in stmts {
        stmt.exprs().into_iter().for_each(|expr| all.accesses += loads(expr));
        match stmt {
            Stmt::Store(..) => all.accesses += 1,
            Stmt::Loop(looped) => all.accesses += repeat(looped),
            Stmt::Br(_) | Stmt::Label(_) | Stmt::Return(_) | Stmt::TailCall { .. } => all.straight = false,
            _ => {
                for inner in stmt.bodies_mut() {
                    let inner = body(inner);
                    all.accesses += inner.accesses;
                    all.straight &= inner.straight;
                }
            }
        }
        all.straight &= matches!(stmt, Stmt::Block { .. }) || stmt.bodies().is_empty();
    }
    all
}

fn loads(expr: &Expr) -> usize {
    let mut count = 0;
    expr.each_load(&mut |_| count += 1);
    count
}

/// Gives the loop a condition, if the only branch to it is at its end and carries nothing. How many accesses there are.
fn repeat(looped: &mut Loop) -> usize {
    let test = exit_test(looped);
    let is_repeated = exit(looped).is_some();
    let last = looped.body.pop_if(|_| is_repeated);
    let Contents { mut accesses, straight } = body(&mut looped.body);
    let Some(Stmt::BrIf(condition, _)) = last else { return accesses };
    accesses += loads(&condition);
    let count = test
        .filter(|_| straight && looped.operators < OPERATORS)
        .and_then(|(local, last)| trip_count(looped, local, last));
    let twice = match accesses {
        _ if !count.is_some_and(|count| count.is_multiple_of(2)) => None,
        0..=ACCESSES => Some(Twice::Always),
        _ if accesses <= ACCESSES_WIDE => Some(Twice::IfWide),
        _ => None,
    };
    looped.form = Form::DoWhile { condition, twice };
    accesses
}

/// How often a loop is repeated whose local goes from a constant to another in constant steps, if nothing in it is skipped.
fn trip_count(looped: &Loop, local: u32, last: u32) -> Option<u32> {
    let mut steps = Vec::new();
    crate::ir::each(&looped.body, &mut |stmt| match stmt {
        Stmt::Set(Var::Local(set), value) if *set == local => {
            steps.push(sets::step(value, Var::Local(local)))
        }
        _ => {}
    });
    let [Some(step)] = steps[..] else { return None };
    let (_, first) = looped.entry?;
    trips(first, last, step)
}

/// The condition of the branch at the end of a loop, if that is the only branch to it and carries nothing.
fn exit(looped: &Loop) -> Option<&Expr> {
    match looped.body.last() {
        Some(Stmt::BrIf(condition, leave))
            if looped.branches == 1 && leave[..] == [Stmt::Br(looped.label)] =>
        {
            Some(condition)
        }
        _ => None,
    }
}

/// The local whose value ends the loop, and that value.
pub(super) fn exit_test(looped: &Loop) -> Option<(u32, u32)> {
    let condition = exit(looped)?;
    match condition.op(OpId::I32Ne) {
        Some(parts) => parts[0].local().zip(parts[1].known()),
        None => condition.local().map(|local| (local, 0)),
    }
}

/// How many constant steps there are from a number to another.
pub(super) fn trips(first: u32, last: u32, step: u32) -> Option<u32> {
    let way = last.wrapping_sub(first);
    let (way, step) =
        if step.cast_signed() > 0 { (way, step) } else { (way.wrapping_neg(), step.wrapping_neg()) };
    (step != 0 && way.is_multiple_of(step)).then(|| way / step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trips_are_counted() {
        let below = |number: u32| 0u32.wrapping_sub(number);
        assert_eq!(trips(0, 64, 4), Some(16));
        assert_eq!(trips(0, 62, 4), None);
        assert_eq!(trips(below(16), 0, 4), Some(4));
        assert_eq!(trips(0, below(3), below(1)), Some(3));
        assert_eq!(trips(0, 4, 0), None);
    }
}
