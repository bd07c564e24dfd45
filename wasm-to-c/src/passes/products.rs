//! Products of numbers of 16 bits or fewer, and sums of them. Processors have instructions for these that C compilers do not
//! find, as WebAssembly multiplies 32 or 64 bits.

use std::collections::HashMap;

use super::linear::Reads;
use crate::ir::{Access, Check, Expr, ExprKind, Function, Stmt, Var, each};
use crate::ops::{Cell, OpId};
use crate::relocs::Reference;
use crate::types::ValType;
use crate::unit::Unit;

pub(super) fn run(_unit: &Unit<'_>, function: &mut Function) {
    let mut multiplies = false;
    each(&function.body, &mut |stmt| {
        for expr in stmt.exprs() {
            expr.each(&mut |part| multiplies |= part.op(OpId::I64Mul).or(part.op(OpId::I32Mul)).is_some());
        }
    });
    if multiplies {
        let variables = variables(function);
        let uses = Reads::of(&function.body);
        body(&mut function.body, &variables, &uses);
    }
}

/// The least and the largest value, as signed numbers.
type Bounds = (i64, i64);

fn of_bits(bits: u32) -> Bounds {
    (-1 << (bits - 1), (1 << (bits - 1)) - 1)
}

/// How often in a row the bounds of a variable may be those of another one.
const COPIES: usize = 4;

/// The bounds of the variables for which all that they are ever set to has some.
fn variables(function: &Function) -> HashMap<Var, Bounds> {
    let mut set: HashMap<Var, Vec<&Expr>> = HashMap::new();
    let mut unknown: Vec<Var> = (0..function.ty.params.len() as u32).map(Var::Local).collect();
    each(&function.body, &mut |stmt| match stmt {
        Stmt::MakeFrame { local, .. } => unknown.push(Var::Local(*local)),
        _ => unknown.extend(stmt.results()),
    });
    collect(&function.body, &mut set);
    unknown.iter().for_each(|var| _ = set.remove(var));
    let mut known: HashMap<Var, Bounds> = HashMap::new();
    for _ in 0..COPIES {
        let bounded = |(var, values): (&Var, &Vec<&Expr>)| {
            // Locals are 0 at first.
            let all = values.iter().try_fold((0, 0), |(least, most), value| {
                let (low, high) = bounds(value, &known)?;
                Some((low.min(least), high.max(most)))
            });
            Some((*var, all?))
        };
        let found: Vec<(Var, Bounds)> = set.iter().filter_map(bounded).collect();
        found.iter().for_each(|(var, _)| _ = set.remove(var));
        known.extend(found);
    }
    known
}

fn collect<'f>(body: &'f [Stmt], set: &mut HashMap<Var, Vec<&'f Expr>>) {
    for stmt in body {
        if let Stmt::Set(var, value) = stmt {
            set.entry(*var).or_default().push(value);
        }
        stmt.bodies().into_iter().for_each(|body| collect(body, set));
    }
}

/// The bounds of an expression, if they follow from few operators and an i32 holds both.
fn bounds(expr: &Expr, variables: &HashMap<Var, Bounds>) -> Option<Bounds> {
    let found = match &expr.kind {
        ExprKind::Get(var) => *variables.get(var)?,
        ExprKind::Const(value) => {
            let value = if expr.ty == ValType::I32 {
                i64::from((*value as u32).cast_signed())
            } else {
                value.cast_signed()
            };
            (value, value)
        }
        ExprKind::Load(access) => match access.cell {
            Cell::U8 => (0, 0xff),
            Cell::S8 => of_bits(8),
            Cell::U16 => (0, 0xffff),
            Cell::S16 => of_bits(16),
            _ => return None,
        },
        ExprKind::Op(op, parts) => match op {
            OpId::I64ExtendI32S => return bounds(&parts[0], variables),
            OpId::I64ExtendI32U => return bounds(&parts[0], variables).filter(|(least, _)| *least >= 0),
            OpId::I32Extend8S | OpId::I64Extend8S => of_bits(8),
            OpId::I32Extend16S | OpId::I64Extend16S => of_bits(16),
            OpId::I32ShrS => of_bits(32 - (parts[1].known()? & 31)),
            OpId::I32And => (0, i64::from(parts[1].known()?)),
            _ => return None,
        },
        _ => return None,
    };
    let is_i32 = matches!(expr.ty, ValType::I32 | ValType::I64)
        && [found.0, found.1].into_iter().all(|end| i32::try_from(end).is_ok());
    is_i32.then_some(found)
}

fn body(stmts: &mut Vec<Stmt>, variables: &HashMap<Var, Bounds>, uses: &Reads) {
    join_sums(stmts, uses);
    for stmt in stmts {
        for expr in stmt.exprs_mut() {
            rewrite(expr, variables);
        }
        for inner in stmt.bodies_mut() {
            body(inner, variables, uses);
        }
    }
}

/// Operators of a sum that is put together. Expressions of C must not be nested too deep.
pub(super) const LONGEST: usize = 96;

pub(super) fn operators(expr: &Expr) -> usize {
    let mut operators = 0;
    expr.each(&mut |part| operators += usize::from(matches!(part.kind, ExprKind::Op(..))));
    operators
}

/// Puts a long sum together, of which a part was set to a variable of its own: it is used once, in the next statement.
fn join_sums(stmts: &mut Vec<Stmt>, uses: &Reads) {
    let mut joined: Vec<Stmt> = Vec::with_capacity(stmts.len());
    for mut stmt in stmts.drain(..) {
        if let Stmt::Set(_, whole) = &mut stmt {
            // The sum before may itself be a part.
            while let Some(before) = joined.iter().rposition(|before| !before.is_line())
                && join(&mut joined[before], whole, uses)
            {
                joined.remove(before);
            }
        }
        joined.push(stmt);
    }
    *stmts = joined;
}

/// Moves the value that the statement before sets into a sum; whether it does.
fn join(before: &mut Stmt, whole: &mut Expr, uses: &Reads) -> bool {
    let Stmt::Set(part, value) = before else { return false };
    let add = if whole.ty == ValType::I64 { OpId::I64Add } else { OpId::I32Add };
    let may_move = value.op(add).is_some()
        && matches!(part, Var::Temp(_))
        && uses.get(*part) == 1
        && operators(value) + operators(whole) <= LONGEST
        && is_pure(value);
    match term_mut(whole, add, *part).filter(|_| may_move) {
        Some(place) => std::mem::swap(place, value),
        None => return false,
    }
    true
}

/// The term of a sum that is a variable.
fn term_mut(sum: &mut Expr, add: OpId, var: Var) -> Option<&mut Expr> {
    if matches!(sum.kind, ExprKind::Get(found) if found == var) {
        return Some(sum);
    }
    match &mut sum.kind {
        ExprKind::Op(op, parts) if *op == add => parts.iter_mut().find_map(|part| term_mut(part, add, var)),
        _ => None,
    }
}

/// Whether an expression cannot trap, so that it may be evaluated before or after others.
pub(super) fn is_pure(expr: &Expr) -> bool {
    let own = match &expr.kind {
        ExprKind::Const(_) | ExprKind::Address(_) | ExprKind::Get(_) | ExprKind::NarrowProduct(_) => true,
        ExprKind::Load(access) => matches!(access.check, Check::None(_) | Check::Mask),
        ExprKind::Op(op, parts) => !op.line().traps || divides_always(*op, parts),
        _ => false,
    };
    own && expr.parts().iter().all(is_pure)
}

/// Whether it is a division by a constant for which there is no number that it traps for.
fn divides_always(op: OpId, parts: &[Expr]) -> bool {
    let Some(Expr { kind: ExprKind::Const(by), ty }) = parts.get(1) else { return false };
    let is_minus_one = *by == if *ty == ValType::I32 { u32::MAX.into() } else { u64::MAX };
    match op {
        OpId::I32DivU | OpId::I32RemU | OpId::I64DivU | OpId::I64RemU | OpId::I32RemS | OpId::I64RemS => {
            *by != 0
        }
        OpId::I32DivS | OpId::I64DivS => *by != 0 && !is_minus_one,
        _ => false,
    }
}

/// The operators of a sum and a product of integers of a type.
pub(super) fn sum_and_product(ty: ValType) -> Option<(OpId, OpId)> {
    match ty {
        ValType::I32 => Some((OpId::I32Add, OpId::I32Mul)),
        ValType::I64 => Some((OpId::I64Add, OpId::I64Mul)),
        _ => None,
    }
}

/// Rewrites an expression from the inside.
fn rewrite(expr: &mut Expr, variables: &HashMap<Var, Bounds>) {
    let Some((add, mul)) = sum_and_product(expr.ty) else {
        expr.parts_mut().iter_mut().for_each(|part| rewrite(part, variables));
        return;
    };
    if expr.op(add).is_some() {
        let mut terms = Vec::new();
        flatten(expr, add, &mut terms);
        terms.iter_mut().for_each(|term| rewrite_term(term, variables));
        pair_products(expr, add, mul, terms, variables);
    } else {
        rewrite_term(expr, variables);
    }
}

/// Rewrites what is no sum.
fn rewrite_term(expr: &mut Expr, variables: &HashMap<Var, Bounds>) {
    expr.parts_mut().iter_mut().for_each(|part| rewrite(part, variables));
    if expr.op(OpId::I64Mul).is_some_and(|factors| is_narrow(factors, variables))
        && let ExprKind::Op(_, factors) = std::mem::replace(&mut expr.kind, ExprKind::Null)
    {
        let factors: [Expr; 2] = factors.try_into().expect("two factors");
        expr.kind = ExprKind::NarrowProduct(Box::new(factors));
    }
}

/// Whether an i32 holds the product, which no compiler knows.
fn is_narrow(factors: &[Expr], variables: &HashMap<Var, Bounds>) -> bool {
    let [Some(a), Some(b)] = [0, 1].map(|at| bounds(&factors[at], variables)) else { return false };
    // A product of ranges has its bounds at their ends.
    let ends = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
    (a.0 != a.1 || b.0 != b.1) && ends.iter().all(|end| i32::try_from(*end).is_ok())
}

/// The terms of a sum, in their order.
fn flatten(expr: &mut Expr, add: OpId, terms: &mut Vec<Expr>) {
    match &mut expr.kind {
        ExprKind::Op(op, parts) if *op == add => {
            parts.iter_mut().for_each(|part| flatten(part, add, terms));
        }
        _ => terms.push(std::mem::replace(expr, Expr::i32(0))),
    }
}

/// The factors of a product of numbers that 16 bits hold.
fn factors<'e>(term: &'e Expr, mul: OpId, variables: &HashMap<Var, Bounds>) -> Option<[&'e Expr; 2]> {
    let [a, b] = (match &term.kind {
        ExprKind::NarrowProduct(factors) => &factors[..],
        _ => term.op(mul)?,
    }) else {
        return None;
    };
    let (least, most) = of_bits(16);
    let fits = |factor| bounds(factor, variables).is_some_and(|(low, high)| low >= least && high <= most);
    (fits(a) && fits(b) && is_pure(a) && is_pure(b)).then_some([a, b])
}

/// Whether the second is loaded from directly behind the first, and both are signed, have 16 bits and need no check.
pub(crate) fn are_neighbours(first: &Expr, second: &Expr) -> bool {
    let (ExprKind::Load(first), ExprKind::Load(second)) = (&first.kind, &second.kind) else { return false };
    let is_half = |load: &Access| load.cell == Cell::S16 && matches!(load.check, Check::None(_));
    is_half(first) && is_half(second) && are_apart(first, second, 2)
}

/// Whether the second lies so many bytes behind the first. Accesses that are inside of a memory, which has less than 2^32 bytes, are
/// as far apart as the constants in their addresses: no sum wraps around between them. Neither does one in an object.
fn are_apart(first: &Access, second: &Access, by: u32) -> bool {
    let ((place, behind), (next, next_behind)) = (place(first), place(second));
    place == next && behind.wrapping_add(by) == next_behind
}

/// What the address of an access is a constant above: its memory, an object, and a value. And the constant, modulo 2^32.
pub(super) type Place<'e> = ((u32, Option<Reference>, &'e Expr), u32);

pub(super) fn place(access: &Access) -> Place<'_> {
    let (base, constant) = match access.address.op(OpId::I32Add).map(|parts| (&parts[0], parts[1].known())) {
        Some((base, Some(constant))) => (base, constant),
        _ => (&access.address, 0),
    };
    let (object, offset) = access.within_object();
    ((access.memory, object, base), constant.wrapping_add(offset))
}

/// A factor of a product in a [`QuadProduct`](ExprKind::QuadProduct).
#[derive(Clone, Copy)]
pub(crate) enum Byte<'e> {
    /// A signed byte in memory that needs no check, and a constant that is added to it.
    Memory(&'e Access, i16),
    /// A number of 16 bits.
    Constant,
}

impl Byte<'_> {
    pub fn of(expr: &Expr) -> Option<Byte<'_>> {
        let number = |expr: &Expr| expr.known().and_then(|known| i16::try_from(known.cast_signed()).ok());
        let (load, addend) = match expr.op(OpId::I32Add) {
            Some(parts) => (&parts[0], number(&parts[1])?),
            None => (expr, 0),
        };
        match &load.kind {
            ExprKind::Load(access) => {
                let is_byte = access.cell == Cell::S8
                    && access.ty == ValType::I32
                    && matches!(access.check, Check::None(_));
                // The sum has 16 bits.
                let fits =
                    addend.checked_add(i8::MIN.into()).and(addend.checked_add(i8::MAX.into())).is_some();
                (is_byte && fits && is_pure(load)).then_some(Byte::Memory(access, addend))
            }
            _ => number(expr).map(|_| Byte::Constant),
        }
    }

    /// Whether the other one may follow it after so many others.
    fn precedes(self, by: u32, other: Byte<'_>) -> bool {
        match (self, other) {
            (Byte::Memory(first, addend), Byte::Memory(second, other)) => {
                addend == other && are_apart(first, second, by)
            }
            (Byte::Constant, Byte::Constant) => true,
            _ => false,
        }
    }
}

/// Three terms with which the one at `at` makes a sum of four products of bytes that follow one another, and the factors of all.
/// That one is the first of all that follow one another.
fn followers(terms: &[Expr], at: usize) -> Option<([usize; 4], [Expr; 8])> {
    let orders = |at: usize| {
        let [a, b] = terms[at].op(OpId::I32Mul)? else { return None };
        Some([[a, b], [b, a]])
    };
    let precedes = |first: [&Expr; 2], by: u32, second: [&Expr; 2]| {
        let one = |at: usize| Some(Byte::of(first[at])?.precedes(by, Byte::of(second[at])?));
        one(0) == Some(true) && one(1) == Some(true)
    };
    let others = || (0..terms.len()).filter(|other| *other != at);
    for first in orders(at)?.into_iter().filter(|first| matches!(Byte::of(first[0]), Some(Byte::Memory(..))))
    {
        let before = |other: usize| orders(other)?.into_iter().find(|other| precedes(*other, 1, first));
        if others().any(|other| before(other).is_some()) {
            continue;
        }
        let mut found = vec![(at, first)];
        for by in 1..4 {
            let next = |other: usize| {
                let second = orders(other)?.into_iter().find(|second| precedes(first, by, *second))?;
                Some((other, second))
            };
            found.extend(others().find_map(next));
        }
        if let [(a, [a0, b0]), (b, [a1, b1]), (c, [a2, b2]), (d, [a3, b3])] = found[..] {
            return Some(([a, b, c, d], [a0, b0, a1, b1, a2, b2, a3, b3].map(Expr::clone)));
        }
    }
    None
}

/// Makes of terms the sum again, with pairs of products where both first factors are neighbours.
fn pair_products(
    expr: &mut Expr,
    add: OpId,
    mul: OpId,
    mut terms: Vec<Expr>,
    variables: &HashMap<Var, Bounds>,
) {
    let ty = expr.ty;
    let mut quads = Vec::new();
    let mut at = 0;
    while ty == ValType::I32 && at < terms.len() {
        match followers(&terms, at) {
            Some((mut places, factors)) => {
                quads.push(factors);
                places.sort_unstable();
                places.iter().rev().for_each(|place| _ = terms.remove(*place));
                at = places[0];
            }
            None => at += 1,
        }
    }
    let mut pairs = Vec::new();
    let mut at = 0;
    while at < terms.len() {
        match partner(&terms, at, mul, variables) {
            Some((other, pair)) => {
                pairs.push(pair);
                terms.remove(at.max(other));
                terms.remove(at.min(other));
                at = at.min(other);
            }
            None => at += 1,
        }
    }
    // A sum is a product's best beginning, if there is one.
    let mut terms = terms.into_iter();
    let first = terms.next().unwrap_or_else(|| Expr::new(ExprKind::Const(0), ty));
    let sum = terms.fold(first, |sum, term| Expr::new(ExprKind::Op(add, vec![sum, term]), ty));
    let sum = quads.into_iter().fold(sum, |sum, [a, b, c, d, e, f, g, h]| {
        Expr::new(ExprKind::QuadProduct(Box::new([sum, a, b, c, d, e, f, g, h])), ty)
    });
    *expr = pairs
        .into_iter()
        .fold(sum, |sum, [a, b, c, d]| Expr::new(ExprKind::DualProduct(Box::new([sum, a, b, c, d])), ty));
}

/// A term with which the one at `at` makes a pair, and the factors of both.
fn partner(
    terms: &[Expr],
    at: usize,
    mul: OpId,
    variables: &HashMap<Var, Bounds>,
) -> Option<(usize, [Expr; 4])> {
    let [a, b] = factors(&terms[at], mul, variables)?;
    let mut best = None;
    for (other, term) in terms.iter().enumerate().filter(|(other, _)| *other != at) {
        let Some([c, d]) = factors(term, mul, variables) else { continue };
        for [a, b] in [[a, b], [b, a]] {
            for [c, d] in [[c, d], [d, c]] {
                // The first pair is in memory. It is best if the second is too.
                if are_neighbours(a, c) {
                    let pair = || (other, [a, b, c, d].map(Expr::clone));
                    if are_neighbours(b, d) {
                        return Some(pair());
                    }
                    best = best.or_else(|| Some(pair()));
                }
            }
        }
    }
    best
}
