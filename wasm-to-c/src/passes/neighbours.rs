//! Addresses with many accesses near them in a loop: C compilers shall not take them apart.

use crate::ir::{Access, Check, Expr, ExprKind, Function, Proof, Stmt, Var};
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
            each_load(expr, &mut count);
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

fn each_load(expr: &Expr, visit: &mut impl FnMut(&Access)) {
    expr.each(&mut |part| {
        if let ExprKind::Load(access) = &part.kind {
            visit(access);
        }
    });
}

/// The local that an unchecked access is a constant above.
fn near(access: &Access) -> Option<u32> {
    let is_unchecked = matches!(access.check, Check::None(proof) if proof != Proof::Direct);
    access.displaced().filter(|_| is_unchecked)?.0.local()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::trusted;

    #[test]
    fn addresses_with_many_neighbours_in_a_loop_are_marked() {
        let accesses = |count: usize| {
            let each =
                (0..count).map(|at| format!("(f32.store offset={} (local.get 1) (f32.const 0))", 4 + 4 * at));
            let each: String = each.collect();
            let body = format!("(local.set 1 (i32.shl (local.get 0) (i32.const 2))) {each}");
            let step = "(local.tee 0 (i32.sub (local.get 0) (i32.const 1)))";
            trusted(&format!("(func (export \"f\") (param i32) (local i32) (loop {body} (br_if 0 {step})))"))
        };
        assert!(accesses(NEIGHBOURS).contains("l1 = l0 << (2u & 31);\n        WASM_NEIGHBOURS(l1);\n"));
        assert!(!accesses(NEIGHBOURS - 1).contains("WASM_NEIGHBOURS"));
    }
}
