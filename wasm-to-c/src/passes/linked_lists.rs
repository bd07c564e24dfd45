//! Loops along linked lists: they end where a pointer is null, and otherwise go on with an access through it. Where a comparison and a
//! branch are two instructions, one comparison of the pointer less one finds both a null pointer and one that is outside of the
//! memory.
//!
//! The pointer is compared before the loop, too, and traps there or at the end of an iteration, and not at the access in the next
//! one. Nothing lies between that could be observed.

use crate::ir::{Access, Check, Expr, ExprKind, Form, Function, Label, Loop, Proof, Stmt, Var};
use crate::ops::OpId;
use crate::types::ValType;
use crate::unit::Unit;

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    // Messages of traps name the access.
    if unit.is_for_speed && unit.has_condition_flags && !unit.trap_names && function.has_loops {
        body(unit, &mut function.body);
    }
}

fn body(unit: &Unit<'_>, stmts: &mut Vec<Stmt>) {
    let mut at = 0;
    while at < stmts.len() {
        stmts[at].bodies_mut().into_iter().for_each(|inner| body(unit, inner));
        if let Stmt::Loop(looped) = &mut stmts[at]
            && let Some(check) = linked(unit, looped)
        {
            stmts.insert(at, check.clone());
            at += 1;
            if let Stmt::Loop(Loop { form: Form::DoWhile { .. }, .. }) = stmts[at] {
                stmts.insert(at + 1, check);
                at += 1;
            }
        }
        at += 1;
    }
}

/// Changes a loop, if it is one along a list. The statement that traps if the pointer is outside, for where the loop is entered and
/// for where it is not repeated.
fn linked(unit: &Unit<'_>, looped: &mut Loop) -> Option<Stmt> {
    let Loop { label, body, form, branches, trips: None, .. } = looped else { return None };
    // The place of the branch that repeats the loop, if that is no end.
    let (condition, at) = match form {
        Form::DoWhile { condition, .. } => (condition.clone(), None),
        Form::Label => {
            let repeats =
                |stmt: &Stmt| matches!(stmt, Stmt::BrIf(_, leave) if leave[..] == [Stmt::Br(*label)]);
            let at = body.iter().position(repeats).filter(|_| *branches == 1)?;
            let Stmt::BrIf(condition, _) = &body[at] else { return None };
            (condition.clone(), Some(at))
        }
    };
    let ExprKind::Get(pointer) = condition.kind else { return None };
    let mut seen = Seen { unit, label: *label, same: vec![pointer] };
    let (check, last) = seen.first(body)?;
    let less =
        Expr::new(ExprKind::Op(OpId::I32Add, vec![condition.clone(), Expr::i32(u32::MAX)]), ValType::I32);
    let inside = Expr::new(ExprKind::Op(OpId::I32LtU, vec![less, Expr::i32(last)]), ValType::I32);
    let access = Access { address: condition, check: Check::Bounds, ..check };
    let ty = access.ty;
    let check = Stmt::Eval(Expr::new(ExprKind::Load(Box::new(access)), ty));
    match (form, at) {
        (Form::DoWhile { condition, .. }, _) => *condition = inside,
        (Form::Label, Some(at)) => {
            if let Stmt::BrIf(condition, _) = &mut body[at] {
                *condition = inside;
            }
            body.insert(at + 1, check.clone());
        }
        (Form::Label, None) => {}
    }
    Some(check)
}

/// What is executed when an iteration begins.
struct Seen<'a, 'm> {
    unit: &'a Unit<'m>,
    label: Label,
    /// The variables that have the pointer.
    same: Vec<Var>,
}

impl Seen<'_, '_> {
    /// The first access through the pointer, which is unchecked now, and the last address that it may have. All iterations
    /// execute it, and before it only what cannot be observed: traps there are of the same kind.
    fn first(&mut self, body: &mut [Stmt]) -> Option<(Access, u32)> {
        for stmt in body {
            if let Stmt::Block { body, .. } = stmt {
                return self.first(body);
            }
            for expr in stmt.exprs_mut() {
                if !only_loads(expr) {
                    return None;
                }
                if let Some(found) = self.load(expr) {
                    return Some(found);
                }
            }
            match stmt {
                Stmt::Line(_) => {}
                Stmt::Set(var, value) => {
                    let is_same = matches!(&value.kind, ExprKind::Get(from) if self.same.contains(from));
                    self.same.retain(|same| same != var);
                    if is_same {
                        self.same.push(*var);
                    }
                }
                Stmt::Store(access, _) => return self.uncheck(access),
                _ => return None,
            }
        }
        None
    }

    /// The first load through the pointer in an expression.
    fn load(&self, expr: &mut Expr) -> Option<(Access, u32)> {
        match &mut expr.kind {
            // C evaluates one of its values only.
            ExprKind::Select(_) => return None,
            ExprKind::Load(access) => match self.uncheck(access) {
                None => {}
                found => return found,
            },
            _ => {}
        }
        expr.parts_mut().iter_mut().find_map(|part| self.load(part))
    }

    fn uncheck(&self, access: &mut Access) -> Option<(Access, u32)> {
        let memory = &self.unit.memories[access.memory as usize];
        let is_through = matches!(access.address.kind, ExprKind::Get(var) if self.same.contains(&var));
        if !is_through || access.check != Check::Bounds || memory.fixed_bytes().is_none() {
            return None;
        }
        let last = memory.accessed(access.check, access.end()).largest();
        if last == 0 {
            return None;
        }
        let checked = access.clone();
        access.check = Check::None(Proof::Repeated(self.label));
        Some((checked, last))
    }
}

/// Whether nothing in it traps but accesses of memory, and it does no more than compute a value.
fn only_loads(expr: &Expr) -> bool {
    let own = match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Address(_)
        | ExprKind::Get(_)
        | ExprKind::Global(_)
        | ExprKind::Select(_) => true,
        ExprKind::Load(access) => access.check != Check::Outside,
        ExprKind::Op(op, _) => !op.line().traps,
        _ => false,
    };
    own && expr.parts().iter().all(only_loads)
}
