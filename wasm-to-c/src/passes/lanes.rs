//! Products of lanes of few bits, and vectors that are gathered from bytes, as LLVM makes them of loops. SSE2 multiplies lanes of
//! 16 bits, and others by several instructions; and it has none to put a byte into a vector. Helium has instructions that load
//! numbers into wider lanes.

use std::collections::HashMap;

use crate::ir::{Expr, ExprKind, Function, Stmt, Var, each};
use crate::ops::{Cell, OpId, VectorOp};
use crate::types::ValType;
use crate::unit::Unit;

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    if unit.module.has_vectors {
        let known = variables(function);
        body(&mut function.body, &mut |expr| simplify(expr, &known));
        body(&mut function.body, &mut |expr| widen(expr, unit));
    }
}

/// By variable and width of lanes in bits, the bits that suffice for the signed numbers in them.
type Known = HashMap<(Var, u32), u32>;

/// How often in a row what is known of a variable may be what is known of another one.
const COPIES: usize = 4;

/// What is known of the variables by all that they are ever set to.
fn variables(function: &Function) -> Known {
    let mut set: HashMap<Var, Vec<&Expr>> = HashMap::new();
    let mut unknown: Vec<Var> = (0..function.ty.params.len() as u32).map(Var::Local).collect();
    each(&function.body, &mut |stmt| unknown.extend(stmt.results()));
    collect(&function.body, &mut set);
    unknown.iter().for_each(|var| _ = set.remove(var));
    let mut known = Known::new();
    for _ in 0..COPIES {
        let mut found = Vec::new();
        for (var, values) in &set {
            for width in [32, 64].into_iter().filter(|width| !known.contains_key(&(*var, *width))) {
                // Locals are 0 at first.
                let most =
                    values.iter().try_fold(1, |most, value| Some(bits(value, width, &known)?.max(most)));
                found.extend(most.map(|most| ((*var, width), most)));
            }
        }
        known.extend(found);
    }
    known
}

fn collect<'f>(body: &'f [Stmt], set: &mut HashMap<Var, Vec<&'f Expr>>) {
    for stmt in body {
        match stmt {
            Stmt::Set(var, value) if value.ty == ValType::V128 => set.entry(*var).or_default().push(value),
            _ => {}
        }
        stmt.bodies().into_iter().for_each(|body| collect(body, set));
    }
}

/// The operator of vectors that an expression is, and its operands.
fn vector(expr: &Expr) -> Option<(VectorOp, &[Expr])> {
    match &expr.kind {
        ExprKind::Op(OpId::Vector(op), parts) => Some((*op, parts)),
        _ => None,
    }
}

/// The bits that suffice for the signed numbers in lanes of that width, if they are fewer.
fn bits(expr: &Expr, width: u32, known: &Known) -> Option<u32> {
    match &expr.kind {
        ExprKind::Get(var) => return known.get(&(*var, width)).copied(),
        ExprKind::Vector(halves) => {
            let lanes =
                halves.iter().flat_map(|half| (0..64 / width).map(move |lane| half >> (lane * width)));
            let signed = |lane: u64| (lane << (64 - width)).cast_signed() >> (64 - width);
            let most = lanes.map(|lane| bits_of(signed(lane))).max();
            return most.filter(|most| *most < width);
        }
        _ => {}
    }
    let (op, parts) = vector(expr)?;
    let inner = |width: u32| bits(&parts[0], width, known);
    match (op, width) {
        (VectorOp::I16x8ExtendLowI8x16S | VectorOp::I16x8ExtendHighI8x16S, 16) => Some(8),
        (VectorOp::I16x8ExtendLowI8x16U | VectorOp::I16x8ExtendHighI8x16U, 16) => Some(9),
        (VectorOp::I32x4ExtendLowI16x8S | VectorOp::I32x4ExtendHighI16x8S, 32) => inner(16).or(Some(16)),
        (VectorOp::I64x2ExtendLowI32x4S | VectorOp::I64x2ExtendHighI32x4S, 64) => inner(32).or(Some(32)),
        // Numbers that need one bit less than there are may be negative.
        (VectorOp::I32x4ExtendLowI16x8U | VectorOp::I32x4ExtendHighI16x8U, 32) => {
            matches!(vector(&parts[0])?.0, VectorOp::I16x8ExtendLowI8x16U | VectorOp::I16x8ExtendHighI8x16U)
                .then_some(9)
        }
        (VectorOp::I32x4Splat, 32) | (VectorOp::I64x2Splat, 64) => match &parts[0].kind {
            ExprKind::Const(number) if width == 32 => {
                Some(bits_of((*number as u32).cast_signed().into())).filter(|bits| *bits < 32)
            }
            ExprKind::Const(number) => Some(bits_of(number.cast_signed())).filter(|bits| *bits < 64),
            ExprKind::Load(access) => match access.cell {
                Cell::S8 => Some(8),
                Cell::U8 => Some(9),
                Cell::S16 => Some(16),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The bits that a signed number needs.
fn bits_of(number: i64) -> u32 {
    let magnitude = if number < 0 { !number } else { number };
    65 - magnitude.leading_zeros()
}

/// Changes all expressions, parts before what they are parts of.
fn body(stmts: &mut [Stmt], change: &mut impl FnMut(&mut Expr)) {
    fn all(expr: &mut Expr, change: &mut impl FnMut(&mut Expr)) {
        expr.parts_mut().iter_mut().for_each(|part| all(part, change));
        change(expr);
    }
    for stmt in stmts {
        stmt.exprs_mut().into_iter().for_each(|expr| all(expr, change));
        stmt.bodies_mut().into_iter().for_each(|inner| body(inner, change));
    }
}

fn simplify(expr: &mut Expr, known: &Known) {
    let ExprKind::Op(OpId::Vector(op), parts) = &mut expr.kind else { return };
    let is_narrow = |parts: &[Expr], width: u32| {
        parts.iter().all(|part| bits(part, width, known).is_some_and(|bits| bits <= 16))
    };
    let product = |parts: &mut Vec<Expr>, width: u32| {
        let mut factors: [Expr; 2] = std::mem::take(parts).try_into().expect("two factors");
        let is_unsigned = zero_extended(&mut factors[0], width) || {
            factors.swap(0, 1);
            zero_extended(&mut factors[0], width)
        };
        ExprKind::NarrowLanes { factors: Box::new(factors), width, is_unsigned }
    };
    let kind = match op {
        VectorOp::I32x4Mul if is_narrow(parts, 32) => product(parts, 32),
        VectorOp::I64x2Mul if is_narrow(parts, 64) => product(parts, 64),
        VectorOp::I64x2ExtMulLowI32x4S | VectorOp::I64x2ExtMulHighI32x4S if is_narrow(parts, 32) => {
            let extend = match op {
                VectorOp::I64x2ExtMulLowI32x4S => VectorOp::I64x2ExtendLowI32x4S,
                _ => VectorOp::I64x2ExtendHighI32x4S,
            };
            let products = Expr::new(product(parts, 32), ValType::V128);
            ExprKind::Op(OpId::Vector(extend), vec![products])
        }
        // Of the bytes only the first four matter.
        VectorOp::I32x4ExtendLowI16x8S | VectorOp::I32x4ExtendLowI16x8U => {
            if let ExprKind::Op(OpId::Vector(inner), bytes) = &mut parts[0].kind
                && matches!(inner, VectorOp::I16x8ExtendLowI8x16S | VectorOp::I16x8ExtendLowI8x16U)
            {
                gather(&mut bytes[0]);
            }
            return;
        }
        _ => return,
    };
    expr.kind = kind;
}

/// Makes the bits above the lowest 16 of each lane 0, if lanes are widened by this expression. Whether they are.
fn zero_extended(expr: &mut Expr, width: u32) -> bool {
    let ExprKind::Op(OpId::Vector(op), parts) = &mut expr.kind else { return false };
    let unsigned = match (&op, width) {
        (VectorOp::I32x4ExtendLowI16x8S | VectorOp::I32x4ExtendLowI16x8U, 32) => {
            VectorOp::I32x4ExtendLowI16x8U
        }
        (VectorOp::I32x4ExtendHighI16x8S | VectorOp::I32x4ExtendHighI16x8U, 32) => {
            VectorOp::I32x4ExtendHighI16x8U
        }
        (VectorOp::I64x2ExtendLowI32x4S, 64) if zero_extended(&mut parts[0], 32) => {
            VectorOp::I64x2ExtendLowI32x4U
        }
        (VectorOp::I64x2ExtendHighI32x4S, 64) if zero_extended(&mut parts[0], 32) => {
            VectorOp::I64x2ExtendHighI32x4U
        }
        _ => return false,
    };
    *op = unsigned;
    true
}

/// A vector of which only the first four bytes matter, as one number if each of them is put there.
fn gather(expr: &mut Expr) {
    let mut lanes: [Option<&Expr>; 4] = [None; 4];
    let mut at = &*expr;
    loop {
        match vector(at) {
            Some((VectorOp::I8x16ReplaceLane, [inner, value, lane])) => {
                let Some(lane) = lane.known().and_then(|lane| lanes.get_mut(lane as usize)) else { return };
                // What a lane is replaced by again would not be evaluated.
                if lane.replace(value).is_some() {
                    return;
                }
                at = inner;
            }
            Some((VectorOp::I8x16Splat, [value])) if lanes[0].is_none() => {
                lanes[0] = Some(value);
                break;
            }
            _ => return,
        }
    }
    let [Some(a), Some(b), Some(c), Some(d)] = lanes else { return };
    let op = |op: OpId, a: Expr, b: Expr| Expr::new(ExprKind::Op(op, vec![a, b]), ValType::I32);
    let byte = |value: &Expr| match &value.kind {
        ExprKind::Load(access) if access.cell == Cell::U8 => value.clone(),
        _ => op(OpId::I32And, value.clone(), Expr::i32(0xff)),
    };
    let number = [(b, 8), (c, 16), (d, 24)].into_iter().fold(byte(a), |number, (value, by)| {
        op(OpId::I32Or, number, op(OpId::I32Shl, byte(value), Expr::i32(by)))
    });
    expr.kind = ExprKind::Op(OpId::Vector(VectorOp::V128Load32Zero), vec![number]);
}

/// A load of numbers that become the lower lanes of a vector, and are then widened.
fn widen(expr: &mut Expr, unit: &Unit<'_>) {
    let ExprKind::Op(OpId::Vector(op), parts) = &mut expr.kind else { return };
    let widened = match op {
        VectorOp::I16x8ExtendLowI8x16S => loaded(&parts[0], VectorOp::V128Load64Zero, 8, 16, true),
        VectorOp::I16x8ExtendLowI8x16U => loaded(&parts[0], VectorOp::V128Load64Zero, 8, 16, false),
        VectorOp::I32x4ExtendLowI16x8S | VectorOp::I32x4ExtendLowI16x8U => {
            let is_signed = *op == VectorOp::I32x4ExtendLowI16x8S;
            four_bytes(&parts[0], is_signed, 32).or_else(|| {
                let widened = loaded(&parts[0], VectorOp::V128Load64Zero, 16, 32, is_signed)?;
                // Helium's instruction faults where they are not.
                let ExprKind::WidenedLoad { load, .. } = &widened else { return None };
                let ExprKind::Load(access) = &load.kind else { return None };
                (access.align > 0 && unit.is_aligned(access)).then_some(widened)
            })
        }
        VectorOp::I32x4ExtMulLowI16x8S => {
            if let [Some(a), Some(b)] = [0, 1].map(|at| four_bytes(&parts[at], true, 16)) {
                (parts[0].kind, parts[1].kind) = (a, b);
            }
            return;
        }
        _ => return,
    };
    if let Some(widened) = widened {
        expr.kind = widened;
    }
}

/// Four bytes in lanes of 16 bits, as lanes of `to` bits. What `is_signed` says of these means nothing to numbers without a sign.
fn four_bytes(expr: &Expr, is_signed: bool, to: u32) -> Option<ExprKind> {
    match vector(expr)? {
        (VectorOp::I16x8ExtendLowI8x16S, parts) if is_signed => {
            loaded(&parts[0], VectorOp::V128Load32Zero, 8, to, true)
        }
        (VectorOp::I16x8ExtendLowI8x16U, parts) => loaded(&parts[0], VectorOp::V128Load32Zero, 8, to, false),
        _ => None,
    }
}

/// The numbers that `zero` makes a vector of, if they are loaded.
fn loaded(expr: &Expr, zero: VectorOp, from: u32, to: u32, is_signed: bool) -> Option<ExprKind> {
    let (op, parts) = vector(expr)?;
    let is_loaded = op == zero && matches!(&parts[0].kind, ExprKind::Load(_));
    is_loaded.then(|| ExprKind::WidenedLoad { load: Box::new(parts[0].clone()), from, to, is_signed })
}
