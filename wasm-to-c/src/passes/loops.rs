//! How loops are repeated: from their end where they can be, and short ones with a known trip count twice or four times in a row.

use crate::ir::{Expr, ExprKind, Form, Function, Loop, Stmt, Unrolled};
use crate::ops::OpId;
use crate::types::ValType;
use crate::unit::Unit;

/// Loops with fewer operators and no more accesses are written twice: others keep registers busy without that. Thumb-2,
/// whose accesses reach far from one address, has room for some more. With even fewer, what repeats them is a large part.
const OPERATORS: usize = 120;
const ACCESSES: usize = 6;
const ACCESSES_WIDE: usize = 8;
const ACCESSES_FOUR_TIMES: usize = 4;

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
    let is_repeated = condition(looped).is_some();
    let last = looped.body.pop_if(|_| is_repeated);
    let Contents { mut accesses, straight } = body(&mut looped.body);
    let Some(Stmt::BrIf(condition, _)) = last else { return accesses };
    accesses += loads(&condition);
    let trips = looped.trips.filter(|_| straight && looped.operators < OPERATORS);
    let repeats = |times: u32| trips.is_some_and(|trips| trips.is_multiple_of(times));
    let unrolled = match accesses {
        0..=ACCESSES_FOUR_TIMES if repeats(4) => Some(Unrolled::FourTimes),
        0..=ACCESSES if repeats(2) => Some(Unrolled::Twice),
        0..=ACCESSES_WIDE if repeats(2) => Some(Unrolled::TwiceIfWide),
        _ => None,
    };
    looped.form = Form::DoWhile { condition, unrolled };
    accesses
}

/// The condition of the branch at the end of a loop, if that is the only branch to it and carries nothing.
fn condition(looped: &Loop) -> Option<&Expr> {
    match looped.body.last() {
        Some(Stmt::BrIf(condition, leave))
            if looped.branches == 1 && leave[..] == [Stmt::Br(looped.label)] =>
        {
            Some(condition)
        }
        _ => None,
    }
}

/// What ends a loop when they are the same.
pub(super) fn exit(looped: &Loop) -> Option<(&Expr, &Expr)> {
    const ZERO: &Expr = &Expr { kind: ExprKind::Const(0), ty: ValType::I32 };
    let condition = condition(looped)?;
    Some(condition.op(OpId::I32Ne).map_or((condition, ZERO), |parts| (&parts[0], &parts[1])))
}

/// Whether a loop is repeated from its end only, so that an iteration which is followed by another executes all of it.
pub(super) fn is_repeated_at_end(looped: &Loop) -> bool {
    let last = match looped.body.last() {
        Some(Stmt::BrIf(_, leave)) => leave.last(),
        last => last,
    };
    looped.branches == 1 && last == Some(&Stmt::Br(looped.label))
}

/// How many constant steps a way is long, if it is not 0.
pub(super) fn trips(way: u32, step: u32) -> Option<u32> {
    let (way, step) =
        if step.cast_signed() > 0 { (way, step) } else { (way.wrapping_neg(), step.wrapping_neg()) };
    (way != 0 && step != 0 && way.is_multiple_of(step)).then(|| way / step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trips_are_counted() {
        let below = |number: u32| 0u32.wrapping_sub(number);
        assert_eq!(trips(64, 4), Some(16));
        assert_eq!(trips(62, 4), None);
        assert_eq!(trips(below(3), below(1)), Some(3));
        assert_eq!(trips(below(16), below(4)), Some(4));
        assert_eq!(trips(4, 0), None);
        assert_eq!(trips(0, 4), None);
    }
}
