//! What is known of variables at a place.

use crate::ir::Var;
use crate::range::Range;

/// What is known of a variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fact {
    pub range: Range,
    /// It is the address of an array's element.
    pub is_element: bool,
    /// A variable, and the constant with which that makes its value.
    pub sum: Option<(Var, u32)>,
}

impl Fact {
    pub const NONE: Fact = Fact { range: Range::ANY, is_element: false, sum: None };

    /// The same, but not if it is a sum with a variable of this kind.
    pub fn without_sum(self, of: impl Fn(Var) -> bool) -> Fact {
        Fact { sum: self.sum.filter(|(var, _)| !of(*var)), ..self }
    }

    /// What is known if one of both is true.
    pub fn join(self, other: Fact) -> Fact {
        Fact {
            range: self.range.union(other.range),
            is_element: self.is_element && other.is_element,
            sum: self.sum.filter(|sum| other.sum == Some(*sum)),
        }
    }
}

/// Facts about some variables, the last changed at the end.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Facts(Vec<(Var, Fact)>);

impl Facts {
    /// So many are kept, so that what looks at all of them takes no longer the longer a function is.
    const MOST: usize = 64;

    pub fn get(&self, var: Var) -> Option<Fact> {
        self.0.iter().rev().find(|(known, _)| *known == var).map(|(_, fact)| *fact)
    }

    /// The variable is set.
    pub fn set(&mut self, var: Var, fact: Fact) {
        self.map(|known, fact| match fact.sum {
            _ if known == var => Fact::NONE,
            Some((of, _)) if of == var => Fact { sum: None, ..fact },
            _ => fact,
        });
        self.add(var, fact);
    }

    /// A first fact about a variable.
    pub fn add(&mut self, var: Var, fact: Fact) {
        if fact == Fact::NONE {
            return;
        }
        if self.0.len() == Self::MOST {
            self.0.remove(0);
        }
        self.0.push((var, fact));
    }

    /// The variable is in a range, and so are those that are sums with it.
    pub fn narrow(&mut self, var: Var, to: Range) {
        for (known, fact) in &mut self.0 {
            let by = match fact.sum {
                _ if *known == var => 0,
                Some((of, by)) if of == var => by,
                _ => continue,
            };
            fact.range = fact.range.intersection(to.moved(by));
        }
    }

    /// Replaces each fact by what `change` makes of it.
    pub fn map(&mut self, mut change: impl FnMut(Var, Fact) -> Fact) {
        for (var, fact) in &mut self.0 {
            *fact = change(*var, *fact);
        }
        self.0.retain(|(_, fact)| *fact != Fact::NONE);
    }

    /// What is known where a path with these facts and one with the others meet. `of_other` says what the other knows.
    pub fn join(&mut self, of_other: impl Fn(Var) -> Fact) {
        self.map(|var, fact| fact.join(of_other(var)));
    }
}
