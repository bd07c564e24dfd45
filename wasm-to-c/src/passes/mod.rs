//! What is found out about a function's tree, in the order of [`run`].
//!
//! A pass derives what it notes from operators alone. Names, the order of sections and alignment hints come from whoever wrote
//! the module and prove nothing.

mod facts;
mod loops;
mod neighbours;
mod ranges;
mod sets;
mod values;

use crate::ir::Function;
use crate::unit::Unit;

/// The name of a pass, and what it does.
type Pass = (&'static str, fn(&Unit<'_>, &mut Function));

/// All passes.
pub(crate) const PASSES: &[Pass] = &[
    // What values can be, and so which accesses need a check.
    ("ranges", ranges::run),
    // How loops are repeated, and how often.
    ("loops", loops::run),
    // Addresses with many accesses near them.
    ("neighbours", neighbours::run),
];

/// Runs the first so many passes.
pub(crate) fn run(unit: &Unit<'_>, function: &mut Function, count: usize) {
    for (_, pass) in PASSES.iter().take(count) {
        pass(unit, function);
    }
}
