//! What is found out about a function's tree, in the order of [`run`].
//!
//! A pass derives what it notes from operators alone. Names, the order of sections and alignment hints come from whoever wrote
//! the module and prove nothing.

mod copies;
mod dot_products;
mod facts;
mod iteration;
mod lanes;
mod linear;
mod linked_lists;
mod loops;
mod neighbours;
mod products;
mod ranges;
mod recurrences;
mod sets;
mod unroll;
mod values;
mod versions;
mod wide;

pub(crate) use products::{Byte, are_neighbours};
use std::collections::BTreeSet;

use target_specs::Result;
use wasmparser::FunctionBody;

use crate::build;
use crate::ir::{Access, Check, Function, Stmt, each};
use crate::range::Range;
use crate::unit::Unit;

/// The name of a pass, and what it does.
type Pass = (&'static str, fn(&Unit<'_>, &mut Function));

/// All passes.
pub(crate) const PASSES: &[Pass] = &[
    // What values can be, and so which accesses need a check.
    ("ranges", ranges::run),
    // Products of lanes of few bits.
    ("lanes", lanes::run),
    // How loops are repeated, and how often.
    ("loops", loops::run),
    // Loops in two versions, one of which checks its addresses before.
    ("versions", versions::run),
    // Loops along linked lists.
    ("lists", linked_lists::run),
    // Loops that add products of bytes.
    ("reductions", dot_products::run),
    // Several iterations of short loops with branches at a time.
    ("unroll", unroll::run),
    // Products of few bits, and sums of them.
    ("products", products::run),
    // Addresses with many accesses near them.
    ("neighbours", neighbours::run),
    // Numbers that are computed of the one before.
    ("recurrences", recurrences::run),
    // Addresses of 64 bits in loops.
    ("wide", wide::run),
];

/// How often a function's tree is built with what is known of an earlier one.
const ROUNDS: usize = 3;

/// The tree of a function after the first so many passes.
///
/// What may trap is evaluated in WebAssembly's order, in statements of its own. Once it is proved that an operator needs no check,
/// the tree is built again, with the operator where it is used, as that is better for C compilers. What was proved by another
/// operator that would have trapped before may not be true there. Then the tree is built again without that.
///
/// # Errors
/// As [`build::function`].
pub(crate) fn tree(unit: &Unit<'_>, index: u32, body: &FunctionBody<'_>, count: usize) -> Result<Function> {
    let build = |assumed: &BTreeSet<usize>| -> Result<Function> {
        let mut function = build::function(unit, index, body, assumed)?;
        for (_, pass) in PASSES.iter().take(count) {
            pass(unit, &mut function);
        }
        Ok(function)
    };
    let first = build(&BTreeSet::new())?;
    let mut assumed = proved(unit, &first);
    if assumed.is_empty() {
        return Ok(first);
    }
    for _ in 0..ROUNDS {
        let function = build(&assumed)?;
        let proved = proved(unit, &function);
        if assumed.is_subset(&proved) {
            return Ok(function);
        }
        assumed.retain(|operator| proved.contains(operator));
    }
    Ok(first)
}

/// The operators that need no check, but would if nothing were known.
fn proved(unit: &Unit<'_>, function: &Function) -> BTreeSet<usize> {
    let mut proved = BTreeSet::new();
    // An operator may be in the tree more than once.
    let mut checked = BTreeSet::new();
    let mut note = |operator: usize, check: Check, otherwise: Check| match check {
        Check::Bounds | Check::Outside => _ = checked.insert(operator),
        Check::None(_) if matches!(otherwise, Check::Bounds | Check::Outside) => _ = proved.insert(operator),
        Check::None(_) | Check::Mask => {}
    };
    each(&function.body, &mut |stmt| {
        let mut access =
            |access: &Access| note(access.operator, access.check, unit.check(access, Range::ANY));
        stmt.exprs().into_iter().for_each(|expr| expr.each_load(&mut access));
        match stmt {
            Stmt::Store(to, _) => access(to),
            Stmt::GlobalSet { operator, check, .. } => note(*operator, *check, Check::Bounds),
            _ => {}
        }
    });
    proved.retain(|operator| !checked.contains(operator));
    proved
}
