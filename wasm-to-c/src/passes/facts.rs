//! What is known of variables at a place.

use super::values::{Affine, Ranges};
use crate::ir::Var;

/// What a variable has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub sum: Affine,
    /// It is the address of an array's element.
    pub is_element: bool,
}

/// The values of some variables, the last set at the end, and what these can be.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    vars: Vec<(Var, Value)>,
    pub ranges: Ranges,
}

impl Facts {
    /// So many variables are known, so that what looks at all of them takes no longer the longer a function is.
    pub const MOST: usize = 64;

    pub fn get(&self, var: Var) -> Option<&Value> {
        self.vars.iter().rev().find(|(known, _)| *known == var).map(|(_, value)| value)
    }

    /// The variable is set.
    pub fn set(&mut self, var: Var, value: Value) {
        self.vars.retain(|(known, _)| *known != var);
        if self.vars.len() == Self::MOST {
            self.vars.remove(0);
        }
        self.vars.push((var, value));
    }

    /// Nothing is known of some variables.
    pub fn forget(&mut self, is_set: impl Fn(Var) -> bool) {
        self.vars.retain(|(var, _)| !is_set(*var));
    }

    pub fn vars(&self) -> impl Iterator<Item = &(Var, Value)> {
        self.vars.iter()
    }

    /// Replaces each value by what `change` makes of it, or forgets it.
    pub fn change(&mut self, mut change: impl FnMut(Var, &Value) -> Option<Value>) {
        self.vars.retain_mut(|(var, value)| match change(*var, value) {
            Some(changed) => {
                *value = changed;
                true
            }
            None => false,
        });
    }
}
