//! The global offset table (GOT): words of text with addresses that position-independent code loads. Each address has one
//! entry, even if several symbols and objects use it.

use std::collections::HashMap;

use crate::layout::Layout;
use crate::reloc::Formula;
use crate::resolve::{Program, Target};

/// The entries. [`Got::sort`] puts them in order.
#[derive(Debug, Default)]
pub struct Got {
    entries: Vec<Target>,
    numbers: HashMap<Target, usize>,
}

impl Got {
    /// Creates an entry for every address that reachable code loads.
    pub fn collect(program: &Program) -> Got {
        let mut got = Got::default();
        for fragment in program.fragments.iter().filter(|fragment| fragment.live && fragment.alias.is_none())
        {
            let owned = &program.sections[fragment.section];
            for reloc in &owned.section.relocs[fragment.relocs.clone()] {
                let Some(row) = program.arch.row(reloc.r_type) else { continue };
                if matches!(row.formula, Formula::GotEntry | Formula::GotOffset)
                    && let Some(target) = program.resolve_symbol(owned.object, reloc.symbol as usize)
                {
                    got.add(program.canonical(target));
                }
            }
        }
        got
    }

    fn add(&mut self, target: Target) {
        let next = self.entries.len();
        if *self.numbers.entry(target).or_insert(next) == next {
            self.entries.push(target);
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn entries(&self) -> &[Target] {
        &self.entries
    }

    /// Sorts the entries by what they are relative to, so that a run of them needs one relocation.
    pub fn sort(&mut self, program: &Program, layout: &Layout) {
        self.entries.sort_by_key(|&target| layout.value(program, target));
        self.numbers = self.entries.iter().enumerate().map(|(number, &target)| (target, number)).collect();
    }

    /// The index of the entry for `target`.
    pub fn number(&self, program: &Program, target: Target) -> Option<usize> {
        self.numbers.get(&program.canonical(target)).copied()
    }
}
