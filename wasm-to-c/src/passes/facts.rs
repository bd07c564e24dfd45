//! What is known of variables at a place.

use crate::ir::Var;
use crate::range::Range;

/// What is known of a variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fact {
    pub range: Range,
    /// It is the address of an array's element.
    pub is_element: bool,
}

impl Fact {
    pub const NONE: Fact = Fact { range: Range::ANY, is_element: false };
}

/// Facts about some variables, the last changed at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts(Vec<(Var, Fact)>);

impl Facts {
    /// So many are kept, so that what looks at all of them takes no longer the longer a function is.
    const MOST: usize = 64;

    pub fn get(&self, var: Var) -> Option<Fact> {
        self.0.iter().rev().find(|(known, _)| *known == var).map(|(_, fact)| *fact)
    }

    pub fn set(&mut self, var: Var, fact: Fact) {
        self.0.retain(|(known, _)| *known != var);
        if fact == Fact::NONE {
            return;
        }
        if self.0.len() == Self::MOST {
            self.0.remove(0);
        }
        self.0.push((var, fact));
    }

    /// Replaces each fact by what `change` makes of it.
    pub fn map(&mut self, change: impl Fn(Var, Fact) -> Fact) {
        for (var, fact) in &mut self.0 {
            *fact = change(*var, *fact);
        }
        self.0.retain(|(_, fact)| *fact != Fact::NONE);
    }

    /// What is known where a path with these facts and one with the others meet. `of_other` says what the other knows.
    pub fn join(&mut self, of_other: impl Fn(Var) -> Fact) {
        self.map(|var, fact| {
            let other = of_other(var);
            Fact { range: fact.range.union(other.range), is_element: fact.is_element && other.is_element }
        });
    }
}
