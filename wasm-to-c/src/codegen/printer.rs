//! What is being printed.

use crate::code::Code;
use crate::ir::{Function, Label};
use crate::memory::Uses;
use crate::unit::Unit;

/// Blocks of C are nested no deeper: compilers have limits (clang's `-fbracket-depth` is 256), or recurse. What is deeper
/// is made of jumps.
pub(super) const DEEPEST: usize = 64;

pub(super) struct Printer<'a, 'm> {
    pub unit: &'a Unit<'m>,
    pub function: &'a Function,
    pub code: Code,
    /// Blocks of C around the current line.
    pub nested: usize,
    pub labels: Label,
    /// What the function uses of memories.
    pub uses: Uses,
    /// The bytes of C that there are besides this function's.
    pub before: usize,
}
