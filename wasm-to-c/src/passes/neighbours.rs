//! Addresses with many accesses near them in a loop: C compilers shall not take them apart.

use crate::ir::{Access, Check, Function, Proof, Stmt, Var};
use crate::unit::Unit;

/// So many accesses.
const NEIGHBOURS: usize = 16;

pub(super) fn run(_unit: &Unit<'_>, function: &mut Function) {
    if function.has_loops {
        body(&mut function.body, false);
    }
}

fn body(stmts: &mut Vec<Stmt>, in_loop: bool) {
    // Places of marks, and the locals.
    let mut marks: Vec<(usize, u32)> = Vec::new();
    // By local, where it was set here, and how many accesses follow.
    let mut open: Vec<(u32, usize, usize)> = Vec::new();
    for (at, stmt) in stmts.iter_mut().enumerate() {
        let mut count = |access: &Access| {
            if let Some(local) = near(access)
                && let Some((_, set, count)) = open.iter_mut().find(|(known, ..)| *known == local)
            {
                *count += 1;
                if *count == NEIGHBOURS && in_loop {
                    marks.push((*set, local));
                }
            }
        };
        for expr in stmt.exprs() {
            expr.each_load(&mut count);
        }
        match stmt {
            Stmt::Store(access, _) => count(access),
            Stmt::Set(Var::Local(local), _) => {
                let local = *local;
                open.retain(|(known, ..)| *known != local);
                open.push((local, at, 0));
            }
            _ => {}
        }
        let in_loop = in_loop || matches!(stmt, Stmt::Loop(_));
        let is_block = !matches!(stmt, Stmt::BrIf(..) | Stmt::Switch { .. });
        let bodies = stmt.bodies_mut();
        if is_block && !bodies.is_empty() {
            open.clear();
            bodies.into_iter().for_each(|inner| body(inner, in_loop));
        }
    }
    marks.sort_unstable();
    for (at, local) in marks.into_iter().rev() {
        stmts.insert(at + 1, Stmt::Neighbours(local));
    }
}

/// The local that an unchecked access is a constant above.
fn near(access: &Access) -> Option<u32> {
    let is_unchecked = matches!(access.check, Check::None(proof) if proof != Proof::Direct);
    access.displaced().filter(|_| is_unchecked)?.0.local()
}
