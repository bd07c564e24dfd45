//! Loops that add products of numbers in memory. Processors that multiply several pairs of such numbers at once compute most of such
//! a loop by one call, and leave the rest of its iterations to the loop.

use std::collections::BTreeMap;

use super::linear::{Linear, Reads};
use crate::ir::{Access, Check, Expr, ExprKind, Form, Function, Label, Loop, Products, Stmt, Var};
use crate::ops::{Cell, OpId};
use crate::types::ValType;
use crate::unit::Unit;

/// Statements in a loop, and operators in a statement, that are looked at.
const STATEMENTS: usize = 32;
const OPERATORS: usize = 96;
/// Numbers of each factor that one step of the call takes. Fewer are left to the loop.
const STEP: u32 = 4;
/// Such a count is at most that of the bytes of a struct with the number.
const MOST_SHIFT: u32 = 8;

pub(super) fn run(_unit: &Unit<'_>, function: &mut Function) {
    if !function.has_loops {
        return;
    }
    let reads = Reads::of(&function.body);
    let mut stmts = std::mem::take(&mut function.body);
    body(&mut stmts, &reads, function);
    function.body = stmts;
}

fn body(stmts: &mut [Stmt], reads: &Reads, function: &mut Function) {
    for stmt in stmts {
        stmt.bodies_mut().into_iter().for_each(|inner| body(inner, reads, function));
        let Stmt::Loop(looped) = stmt else { continue };
        let Some(found) = DotProduct::of(looped, reads) else { continue };
        let (label, inner) = (function.label(), function.label());
        let before = found.before(inner, label, function);
        let looped = std::mem::replace(stmt, Stmt::NeverReached);
        *stmt = Stmt::Block { label, body: vec![before, looped], used: true };
    }
}

/// A number in memory plus a constant.
#[derive(Debug, Clone)]
struct Factor {
    access: Access,
    address: Linear,
    /// What is added to the address.
    offset: u32,
    addend: u32,
}

impl Factor {
    /// Whether both are a constant number of bytes apart, and have the same constant added.
    fn is_like(&self, other: &Factor) -> bool {
        (self.access.memory, self.access.cell, self.addend)
            == (other.access.memory, other.access.cell, other.addend)
            && (&self.address.terms, self.address.object) == (&other.address.terms, other.address.object)
    }

    /// How far behind another one it is. Accesses inside of a memory, which has less than 2^32 bytes, or of an object are as far
    /// apart as the constants in their addresses.
    fn behind(&self, other: &Factor) -> u32 {
        let place = |factor: &Factor| factor.address.constant.wrapping_add(factor.offset);
        place(self).wrapping_sub(place(other))
    }

    fn load(mut self) -> Expr {
        self.access.address = self.address.expr();
        // An object is a part of the address.
        if self.access.base.take().is_some() {
            self.access.offset = self.offset.into();
        }
        // Nothing is known of the new address.
        (self.access.sum_is_exact, self.access.is_element) = (false, false);
        Expr::new(ExprKind::Load(Box::new(self.access)), ValType::I32)
    }
}

/// What an iteration makes of a variable.
#[derive(Debug, Clone)]
enum Value {
    Linear(Linear),
    Factor(Factor),
    /// A variable, if there is one, and products.
    Sum(Option<Var>, Vec<[Factor; 2]>),
}

/// The values of variables in an iteration.
#[derive(Default)]
struct Iteration(BTreeMap<Var, Value>);

impl Iteration {
    fn linear(&self, expr: &Expr) -> Option<Linear> {
        Linear::of(expr, &|var| match self.0.get(&var) {
            None => Some(Linear::var(var)),
            Some(Value::Linear(linear)) => Some(linear.clone()),
            Some(_) => None,
        })
    }

    fn factor(&self, expr: &Expr) -> Option<Factor> {
        match &expr.kind {
            ExprKind::Load(access) => {
                let is_number = Products::of(access.cell, access.ty).is_some();
                let is_known = is_number && matches!(access.check, Check::None(_));
                let address = self.linear(&access.address).filter(|_| is_known)?;
                let (object, offset) = access.within_object();
                let address = address.plus(1, &Linear { object, ..Linear::default() })?;
                Some(Factor { access: Access::clone(access), address, offset, addend: 0 })
            }
            ExprKind::Get(var) => match self.0.get(var) {
                Some(Value::Factor(factor)) => Some(factor.clone()),
                _ => None,
            },
            ExprKind::Op(OpId::I32Add, parts) => {
                let mut factor = self.factor(&parts[0])?;
                factor.addend = factor.addend.wrapping_add(parts[1].known()?);
                Some(factor)
            }
            _ => None,
        }
    }

    /// Adds the terms of a sum of products to others.
    fn sum(&self, expr: &Expr, var: &mut Option<Var>, products: &mut Vec<[Factor; 2]>) -> Option<()> {
        match &expr.kind {
            ExprKind::Op(OpId::I32Add | OpId::I64Add, parts) => {
                parts.iter().try_for_each(|part| self.sum(part, var, products))
            }
            ExprKind::Op(OpId::I32Mul | OpId::I64Mul, parts) => {
                products.push([self.factor(&parts[0])?, self.factor(&parts[1])?]);
                Some(())
            }
            // 32 bits hold the product, which is that of the same numbers in 64 bits.
            ExprKind::Op(OpId::I64ExtendI32S, parts) => {
                let factor = |expr| {
                    let mut factor = self.factor(expr)?;
                    factor.access.ty = ValType::I64;
                    (factor.access.cell == Cell::S16 && factor.addend == 0).then_some(factor)
                };
                let factors = parts[0].op(OpId::I32Mul)?;
                products.push([factor(&factors[0])?, factor(&factors[1])?]);
                Some(())
            }
            ExprKind::Get(found) => {
                let found = match self.0.get(found) {
                    None => Some(*found),
                    Some(Value::Sum(found, more)) => {
                        products.extend(more.iter().cloned());
                        *found
                    }
                    Some(_) => return None,
                };
                // One variable is the sum so far.
                let is_first = found.is_none() || var.is_none();
                *var = var.or(found);
                is_first.then_some(())
            }
            _ => None,
        }
    }

    fn value(&self, expr: &Expr) -> Option<Value> {
        if !matches!(expr.ty, ValType::I32 | ValType::I64) || super::products::operators(expr) > OPERATORS {
            return None;
        }
        if let Some(linear) = self.linear(expr) {
            return Some(Value::Linear(linear));
        }
        if let Some(factor) = self.factor(expr) {
            return Some(Value::Factor(factor));
        }
        let (mut var, mut products) = (None, Vec::new());
        self.sum(expr, &mut var, &mut products)?;
        (products.len() <= STEP as usize).then_some(Value::Sum(var, products))
    }

    /// What each iteration adds to a variable; `None` if that is not one number.
    fn step(&self, var: Var) -> Option<u32> {
        match self.0.get(&var) {
            None => Some(0),
            Some(Value::Linear(linear)) => linear.step(var),
            Some(_) => None,
        }
    }

    /// What each iteration adds to a value.
    fn step_of(&self, linear: &Linear) -> Option<u32> {
        linear.step_by(|var| self.step(var))
    }
}

/// A loop that only adds products of numbers which follow one another.
struct DotProduct {
    sum: Var,
    products: Products,
    first: [Factor; 2],
    addend: i16,
    /// What is left up to the end of the loop: the numbers of each factor, times 2 to the power of `shift`.
    rest: Linear,
    shift: u32,
    /// What a variable steps by for each number.
    steps: Vec<(Var, u32)>,
    /// What other variables have after an iteration, by those that step.
    others: Vec<(Var, Linear)>,
}

impl DotProduct {
    fn of(looped: &Loop, reads: &Reads) -> Option<DotProduct> {
        let Form::DoWhile { condition, .. } = &looped.form else { return None };
        let mut iteration = Iteration::default();
        if looped.body.len() > STATEMENTS {
            return None;
        }
        for stmt in looped.body.iter().filter(|stmt| !stmt.is_line()) {
            let Stmt::Set(var, value) = stmt else { return None };
            let value = iteration.value(value)?;
            iteration.0.insert(*var, value);
        }

        // The loop ends when this is 0.
        let left = match condition.op(OpId::I32Ne) {
            Some(parts) => iteration.linear(&parts[0])?.plus(u32::MAX, &iteration.linear(&parts[1])?)?,
            None => iteration.linear(condition)?,
        };
        let by = iteration.step_of(&left)?;
        // The same before the iteration.
        let left = Linear { constant: left.constant.wrapping_sub(by), ..left };
        let is_down = by.cast_signed() < 0;
        let (rest, by) =
            if is_down { (left, by.wrapping_neg()) } else { (Linear::default().plus(u32::MAX, &left)?, by) };

        let mut within = Reads::of(&looped.body);
        within.count(condition);
        let is_sum = |(var, value): (&Var, &Value)| match value {
            Value::Sum(Some(start), terms) if start == var => Some((*var, terms.clone())),
            _ => None,
        };
        let mut sums = iteration.0.iter().filter_map(is_sum);
        let (Some((sum, terms)), None) = (sums.next(), sums.next()) else { return None };
        // The step of the call is that of several iterations. A loop of single numbers is usually what an unrolled one leaves.
        let count = terms.len() as u32;
        if !matches!(count, 2 | STEP) || within.get(sum) != 1 {
            return None;
        }
        let (first, products, addend) = follow(&terms)?;
        let is_step = |factor: &Factor| iteration.step_of(&factor.address) == Some(count * products.bytes());
        let each = by / count;
        let shift = each.trailing_zeros();
        if !first.iter().all(is_step)
            || !by.is_multiple_of(count)
            || !each.is_power_of_two()
            || shift > MOST_SHIFT
        {
            return None;
        }

        let (mut steps, mut others) = (Vec::new(), Vec::new());
        for (var, value) in iteration.0.iter().filter(|(var, _)| **var != sum) {
            match value {
                _ if let Some(step) = iteration.step(*var) => {
                    let (step, count) = (step.cast_signed(), count.cast_signed());
                    (step % count == 0).then_some(())?;
                    steps.push((*var, (step / count).cast_unsigned()));
                }
                // Nothing needs the value of the last iteration.
                _ if within.get(*var) == reads.get(*var) => {}
                Value::Linear(linear) => {
                    // The variables in it have stepped since.
                    let behind = iteration.step_of(linear)?;
                    let constant = linear.constant.wrapping_sub(behind);
                    others.push((*var, Linear { constant, ..linear.clone() }));
                }
                _ => return None,
            }
        }
        Some(DotProduct { sum, products, first, addend, rest, shift, steps, others })
    }

    /// The statement before the loop: what the call computes.
    fn before(self, inner: Label, end: Label, function: &mut Function) -> Stmt {
        let op = |op, parts| Expr::new(ExprKind::Op(op, parts), ValType::I32);
        let get = |var| Expr::new(ExprKind::Get(var), ValType::I32);
        let DotProduct { sum, products, first: [a, b], addend, rest, shift, steps, others } = self;
        let (rest, count) = (rest.expr(), function.temp(ValType::I32));
        let is_supported = Expr::new(ExprKind::HasDotProduct(products), ValType::I32);
        let is_enough = op(OpId::I32GeU, vec![rest.clone(), Expr::i32(STEP << shift)]);
        let sum_so_far = Expr::new(ExprKind::Get(sum), products.sum());
        let parts = [sum_so_far, a.load(), b.load(), get(count)];
        let product = Expr::new(ExprKind::DotProduct(Box::new(parts), products, addend), products.sum());
        let numbers = match shift {
            0 => rest.clone(),
            _ => op(OpId::I32ShrU, vec![rest.clone(), Expr::i32(shift)]),
        };
        let mut then = vec![
            Stmt::Set(count, op(OpId::I32And, vec![numbers, Expr::i32(STEP.wrapping_neg())])),
            Stmt::Set(sum, product),
        ];
        then.extend(steps.into_iter().filter(|(_, times)| *times != 0).map(|(var, times)| {
            let by = op(OpId::I32Mul, vec![get(count), Expr::i32(times)]);
            Stmt::Set(
                var,
                match times {
                    1 => op(OpId::I32Add, vec![get(var), get(count)]),
                    u32::MAX => op(OpId::I32Sub, vec![get(var), get(count)]),
                    _ => op(OpId::I32Add, vec![get(var), by]),
                },
            )
        }));
        then.extend(others.into_iter().map(|(var, value)| Stmt::Set(var, value.expr())));
        then.push(Stmt::BrIf(op(OpId::I32Eqz, vec![rest]), vec![Stmt::Br(end)]));
        Stmt::If {
            label: inner,
            condition: op(OpId::I32And, vec![is_supported, is_enough]),
            then,
            otherwise: Vec::new(),
            used: false,
            falls: true,
        }
    }
}

/// The factors of the first numbers, what they are, and the constant that is added to the first of them, if the products are of
/// numbers that follow one another.
fn follow(terms: &[[Factor; 2]]) -> Option<([Factor; 2], Products, i16)> {
    let [a, b] = terms.first()?;
    // Both factors have the same type, as they are multiplied.
    let products = Products::of(a.access.cell, a.access.ty).filter(|_| a.access.cell == b.access.cell)?;
    // How far each is behind the first one: both factors are.
    let mut behind = Vec::new();
    for [c, d] in terms {
        let order = [[c, d], [d, c]].into_iter().find(|[c, d]| {
            let is_like = a.is_like(c) && b.is_like(d);
            is_like && c.behind(a) == d.behind(b)
        });
        let [c, d] = order?;
        behind.push((c.behind(a).cast_signed(), [c, d]));
    }
    behind.sort_by_key(|(by, _)| *by);
    let (least, [a, b]) = behind.first()?;
    let places = (*least..).step_by(products.bytes() as usize);
    if places.zip(&behind).any(|(expected, (by, _))| expected != *by) {
        return None;
    }
    let [a, b] = match [a.addend, b.addend] {
        [_, 0] => [*a, *b],
        [0, _] => [*b, *a],
        _ => return None,
    };
    // A sum with a byte has 16 bits. No other numbers have one.
    let addend = i16::try_from(a.addend.cast_signed()).ok()?;
    let (least, most) = match a.access.cell {
        Cell::S8 => (i8::MIN.into(), i8::MAX.into()),
        Cell::U8 => (0, u8::MAX.into()),
        _ if addend == 0 => (0, 0),
        _ => return None,
    };
    let fits = addend.checked_add(least).is_some() && addend.checked_add(most).is_some();
    fits.then(|| ([a.clone(), b.clone()], products, addend))
}
