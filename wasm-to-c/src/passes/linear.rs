//! Values as sums of variables, of which a pass can make expressions again, and how often variables are read.

use std::collections::{BTreeMap, HashMap};

use crate::ir::{Expr, ExprKind, Stmt, Var, each};
use crate::ops::OpId;
use crate::relocs::Reference;
use crate::types::ValType;

/// A constant plus variables times their coefficients, and the start of an object, modulo 2^32. The variables have the values that
/// they have at one place, such as where an iteration begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Linear {
    pub constant: u32,
    pub terms: BTreeMap<Var, u32>,
    pub object: Option<Reference>,
}

impl Linear {
    pub fn constant(constant: u32) -> Linear {
        Linear { constant, ..Linear::default() }
    }

    pub fn var(var: Var) -> Linear {
        Linear { terms: BTreeMap::from([(var, 1)]), ..Linear::default() }
    }

    /// The value, if it is a constant.
    pub fn known(&self) -> Option<u32> {
        (self.terms.is_empty() && self.object.is_none()).then_some(self.constant)
    }

    /// What an i32 is, if the variables in it are what `value` says; `None` if it or one of them is no such sum.
    pub fn of(expr: &Expr, value: &impl Fn(Var) -> Option<Linear>) -> Option<Linear> {
        match &expr.kind {
            ExprKind::Const(constant) if expr.ty == ValType::I32 => Some(Linear::constant(*constant as u32)),
            ExprKind::Address(Reference::Data { object, offset }) => Some(Linear {
                constant: *offset as u32,
                object: Some(Reference::Data { object: *object, offset: 0 }),
                ..Linear::default()
            }),
            ExprKind::Get(var) if expr.ty == ValType::I32 => value(*var),
            ExprKind::Op(op, parts) => {
                let of = |at: usize| Linear::of(&parts[at], value);
                match op {
                    OpId::I32Add => of(0)?.plus(1, &of(1)?),
                    OpId::I32Sub => of(0)?.plus(u32::MAX, &of(1)?),
                    OpId::I32Shl => Linear::default().plus(1 << (parts[1].known()? & 31), &of(0)?),
                    OpId::I32Mul => Linear::default().plus(parts[1].known()?, &of(0)?),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `None` if it would have more than one object.
    pub fn plus(mut self, times: u32, other: &Linear) -> Option<Linear> {
        if other.object.is_some() && (self.object.is_some() || times != 1) {
            return None;
        }
        self.object = self.object.or(other.object);
        self.constant = self.constant.wrapping_add(times.wrapping_mul(other.constant));
        for (var, coefficient) in &other.terms {
            let sum = self.terms.entry(*var).or_default();
            *sum = sum.wrapping_add(times.wrapping_mul(*coefficient));
        }
        self.terms.retain(|_, coefficient| *coefficient != 0);
        Some(self)
    }

    /// What is added to a variable, if this is its value and a number.
    pub fn step(&self, var: Var) -> Option<u32> {
        let is_var = self.object.is_none() && self.terms == BTreeMap::from([(var, 1)]);
        is_var.then_some(self.constant)
    }

    /// What is added to it when as much is added to each of its variables as `step` says.
    pub fn step_by(&self, step: impl Fn(Var) -> Option<u32>) -> Option<u32> {
        let mut terms = self.terms.iter();
        terms.try_fold(0u32, |sum, (var, times)| Some(sum.wrapping_add(step(*var)?.wrapping_mul(*times))))
    }

    /// What it computes.
    pub fn expr(&self) -> Expr {
        let op = |op, a, b| Expr::new(ExprKind::Op(op, vec![a, b]), ValType::I32);
        let is_negative = |coefficient: u32| coefficient == u32::MAX;
        let address = |object| Expr::new(ExprKind::Address(object), ValType::I32);
        let mut sum: Option<Expr> = self.object.map(address);
        let mut terms: Vec<_> = self.terms.iter().collect();
        terms.sort_by_key(|(_, coefficient)| is_negative(**coefficient));
        for (var, coefficient) in terms {
            let get = Expr::new(ExprKind::Get(*var), ValType::I32);
            sum = Some(match (sum, *coefficient) {
                (None, 1) => get,
                (None, times) => op(OpId::I32Mul, get, Expr::i32(times)),
                (Some(sum), 1) => op(OpId::I32Add, sum, get),
                (Some(sum), times) if is_negative(times) => op(OpId::I32Sub, sum, get),
                (Some(sum), times) => op(OpId::I32Add, sum, op(OpId::I32Mul, get, Expr::i32(times))),
            });
        }
        match (sum, self.constant) {
            (None, constant) => Expr::i32(constant),
            (Some(sum), 0) => sum,
            (Some(sum), constant) => op(OpId::I32Add, sum, Expr::i32(constant)),
        }
    }
}

/// How often each variable is read.
#[derive(Debug, Default)]
pub(super) struct Reads(HashMap<Var, usize>);

impl Reads {
    pub fn of(body: &[Stmt]) -> Reads {
        let mut reads = Reads::default();
        each(body, &mut |stmt| stmt.exprs().into_iter().for_each(|expr| reads.count(expr)));
        reads
    }

    /// Counts what an expression reads, too.
    pub fn count(&mut self, expr: &Expr) {
        expr.each(&mut |part| {
            if let ExprKind::Get(var) = part.kind {
                *self.0.entry(var).or_default() += 1;
            }
        });
    }

    pub fn get(&self, var: Var) -> usize {
        self.0.get(&var).copied().unwrap_or_default()
    }
}
