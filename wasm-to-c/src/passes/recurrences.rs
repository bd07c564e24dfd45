//! Numbers of a linear recurrence, such as those of a random number generator: `x * a + b`, and the next ones. LLVM computes all
//! of them from `x` when it makes WebAssembly, each with two constants of its own, and keeps them until they are stored in the
//! opposite order. Processors that execute one instruction at a time are faster if each is computed from the one before.
//!
//! Only what cannot trap and reads no memory is put into another order.

use std::collections::{HashMap, HashSet};

use super::products::{is_pure, place as place_of, sum_and_product};
use crate::ir::{Access, Check, Expr, ExprKind, Function, Stmt, Var};
use crate::types::ValType;
use crate::unit::Unit;

/// The most statements, and so numbers, that are looked at together.
const MOST: usize = 64;

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    if unit.is_for_speed && !unit.has_wide_addresses {
        let mut stmts = std::mem::take(&mut function.body);
        body(function, &mut stmts);
        function.body = stmts;
    }
}

fn body(function: &mut Function, stmts: &mut Vec<Stmt>) {
    let rest = std::mem::take(stmts);
    // Statements with numbers of one recurrence, which may be put into any order, and the lines before each.
    let mut group = Group::default();
    let mut lines = Vec::new();
    for mut stmt in rest {
        if stmt.is_line() {
            lines.push(stmt);
            continue;
        }
        let mut changed = group.takes(&stmt);
        if changed.is_none() && group.of.is_some() {
            group.end(function, stmts);
            // It may be the first of others.
            changed = group.takes(&stmt);
        }
        if let Some(changed) = changed {
            group.members.push(Member { lines: std::mem::take(&mut lines), stmt, changed });
            continue;
        }
        stmts.append(&mut lines);
        stmt.bodies_mut().into_iter().for_each(|inner| body(function, inner));
        stmts.push(stmt);
    }
    group.end(function, stmts);
    stmts.append(&mut lines);
}

/// `x * factor + addend`, modulo a power of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Number {
    factor: u64,
    addend: u64,
}

impl Number {
    /// What an expression is, and of which variable.
    fn of(expr: &Expr) -> Option<(Var, Number)> {
        let (add, mul) = sum_and_product(expr.ty)?;
        let [product, Expr { kind: ExprKind::Const(addend), .. }] = expr.op(add)? else { return None };
        let [Expr { kind: ExprKind::Get(of), .. }, Expr { kind: ExprKind::Const(factor), .. }] =
            product.op(mul)?
        else {
            return None;
        };
        Some((*of, Number { factor: *factor, addend: *addend }))
    }

    /// What is computed of a value by both, first by this one.
    fn then(self, next: Number, ty: ValType) -> Number {
        let mask = if ty == ValType::I32 { u64::from(u32::MAX) } else { u64::MAX };
        let of = |number: u64| number.wrapping_mul(next.factor);
        Number { factor: of(self.factor) & mask, addend: of(self.addend).wrapping_add(next.addend) & mask }
    }

    fn expr(self, of: Var, ty: ValType) -> Expr {
        let (add, mul) = sum_and_product(ty).expect("an integer");
        let constant = |number| Expr::new(ExprKind::Const(number), ty);
        let of = Expr::new(ExprKind::Get(of), ty);
        let product = Expr::new(ExprKind::Op(mul, vec![of, constant(self.factor)]), ty);
        Expr::new(ExprKind::Op(add, vec![product, constant(self.addend)]), ty)
    }
}

/// A statement, and what says where it is from.
struct Member {
    lines: Vec<Stmt>,
    stmt: Stmt,
    /// It with the numbers where it reads variables that were set to them.
    changed: Stmt,
}

/// Statements that follow one another and do the same in any order, but that one that sets `of` is the last.
#[derive(Default)]
struct Group {
    /// What all numbers are computed of, and its type.
    of: Option<(Var, ValType)>,
    members: Vec<Member>,
    /// Variables that are set to one of the numbers.
    set: HashMap<Var, Expr>,
    /// Variables that are read as something else.
    read: HashSet<Var>,
    /// `of` is set.
    is_whole: bool,
}

impl Group {
    /// The statement with the numbers where it reads variables that were set to them, if it is one of them or the first.
    fn takes(&mut self, stmt: &Stmt) -> Option<Stmt> {
        let may_move = |expr: &Expr| {
            let mut loads = false;
            expr.each_load(&mut |_| loads = true);
            is_pure(expr) && !loads
        };
        let is_simple = matches!(stmt, Stmt::Set(..) | Stmt::Store(..));
        let is_open = !self.is_whole && self.members.len() < MOST;
        if !is_simple || !is_open || !stmt.exprs().into_iter().all(may_move) {
            return None;
        }
        let mut changed = stmt.clone();
        changed.exprs_mut().into_iter().for_each(|expr| self.insert_set(expr));
        let mut numbers = Vec::new();
        let mut read = HashSet::new();
        changed.exprs().into_iter().for_each(|expr| find(expr, &mut numbers, &mut read));
        let of = self.of.or(numbers.first().copied()).filter(|of| numbers.contains(of))?;
        // Other numbers are not put into an order.
        read.extend(numbers.iter().map(|(var, _)| *var).filter(|var| *var != of.0));
        match &changed {
            Stmt::Set(var, value) => {
                let is_number = Number::of(value).is_some_and(|(var, _)| var == of.0);
                if !is_number || self.set.contains_key(var) || self.read.contains(var) {
                    return None;
                }
                self.set.insert(*var, value.clone());
                self.is_whole = *var == of.0;
            }
            Stmt::Store(access, _) if self.is_apart(access) => {}
            _ => return None,
        }
        self.of = Some(of);
        self.read.extend(read);
        Some(changed)
    }

    /// Puts the numbers where variables are read that were set to them.
    fn insert_set(&self, expr: &mut Expr) {
        match &expr.kind {
            ExprKind::Get(var) => {
                if let Some(value) = self.set.get(var) {
                    *expr = value.clone();
                }
            }
            _ => expr.parts_mut().iter_mut().for_each(|part| self.insert_set(part)),
        }
    }

    /// Whether a store is behind the same address as the other ones, overlaps with none of them, and needs no check.
    fn is_apart(&self, access: &Access) -> bool {
        let (of, from) = place_of(access);
        let others = self.members.iter().filter_map(|member| match &member.changed {
            Stmt::Store(other, _) => Some(other),
            _ => None,
        });
        // Accesses that need no check are as far apart as the constants in their addresses, modulo 2^32.
        let mut is_apart = others.map(|other| {
            let (place, at) = place_of(other);
            place == of
                && from.wrapping_sub(at) >= other.cell.bytes()
                && at.wrapping_sub(from) >= access.cell.bytes()
        });
        matches!(access.check, Check::None(_)) && is_apart.all(|is_apart| is_apart)
    }

    /// Adds the statements behind others, in the order of the numbers if these are a recurrence.
    fn end(&mut self, function: &mut Function, stmts: &mut Vec<Stmt>) {
        let Group { of: Some((of, ty)), members, .. } = std::mem::take(self) else { return };
        let chain = recurrence(&members, of, ty);
        let Some(first) = chain.first() else {
            for member in members {
                stmts.extend(member.lines);
                stmts.push(member.stmt);
            }
            return;
        };
        // How many numbers of the recurrence a statement needs.
        let needs = |stmt: &Stmt| {
            let places = numbers(stmt, of).into_iter().filter_map(|number| place(number, &chain));
            places.max().map_or(0, |last| last + 1)
        };
        let ends = |stmt: &Stmt| matches!(stmt, Stmt::Set(var, _) if *var == of);
        let mut members: Vec<(bool, usize, Member)> = members
            .into_iter()
            .map(|member| (ends(&member.changed), needs(&member.changed), member))
            .collect();
        members.sort_by_key(|(ends, needs, _)| (*ends, *needs));
        let mut temps: Vec<Var> = Vec::new();
        for (_, needs, Member { lines, changed: mut stmt, .. }) in members {
            stmts.extend(lines);
            while temps.len() < needs {
                let value = match temps.last() {
                    Some(before) => first.expr(*before, ty),
                    None => first.expr(of, ty),
                };
                let temp = function.temp(ty);
                temps.push(temp);
                stmts.push(Stmt::Set(temp, value));
            }
            stmt.exprs_mut().into_iter().for_each(|expr| insert(expr, of, &chain, &temps));
            stmts.push(stmt);
        }
    }
}

/// Where a number is in a recurrence.
fn place(number: Number, chain: &[Number]) -> Option<usize> {
    chain.iter().position(|known| *known == number)
}

/// The variables of which numbers are computed in an expression, with their types, and those that are read otherwise.
fn find(expr: &Expr, numbers: &mut Vec<(Var, ValType)>, read: &mut HashSet<Var>) {
    match (Number::of(expr), &expr.kind) {
        (Some((of, _)), _) => numbers.push((of, expr.ty)),
        (None, ExprKind::Get(var)) => _ = read.insert(*var),
        _ => expr.parts().iter().for_each(|part| find(part, numbers, read)),
    }
}

/// The numbers that a statement computes of a variable.
fn numbers(stmt: &Stmt, of: Var) -> Vec<Number> {
    let mut numbers = Vec::new();
    for expr in stmt.exprs() {
        expr.each(&mut |part| {
            numbers.extend(Number::of(part).filter(|(var, _)| *var == of).map(|(_, number)| number))
        });
    }
    numbers
}

/// The longest recurrence of numbers that are computed of a variable; none, if no number follows another one.
fn recurrence(members: &[Member], of: Var, ty: ValType) -> Vec<Number> {
    let found: Vec<Number> = members.iter().flat_map(|member| numbers(&member.changed, of)).collect();
    let all: HashSet<Number> = found.iter().copied().collect();
    let from = |first: &Number| {
        let mut chain = vec![*first];
        while chain.len() < all.len() {
            let next = chain[chain.len() - 1].then(*first, ty);
            if !all.contains(&next) || chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
        chain
    };
    let longest = found.iter().take(MOST).map(from).max_by_key(Vec::len).unwrap_or_default();
    if longest.len() > 1 { longest } else { Vec::new() }
}

/// Puts variables where the numbers of a recurrence are.
fn insert(expr: &mut Expr, of: Var, chain: &[Number], temps: &[Var]) {
    let number = Number::of(expr).filter(|(var, _)| *var == of);
    match number.and_then(|(_, number)| place(number, chain)) {
        Some(at) => expr.kind = ExprKind::Get(temps[at]),
        None => expr.parts_mut().iter_mut().for_each(|part| insert(part, of, chain, temps)),
    }
}
