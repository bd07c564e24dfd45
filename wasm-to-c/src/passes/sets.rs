//! Where variables are set, by the numbers of statements in their order.

use std::collections::HashMap;

use crate::ir::{Expr, Loop, Stmt, Var};

/// A statement that sets a variable.
#[derive(Debug, Clone, Copy)]
struct Set {
    at: usize,
    /// The innermost loop around it, 0 for none.
    in_loop: usize,
    /// It is executed in every iteration of that loop that gets to the loop's end.
    is_always: bool,
    /// What it adds to the variable, if it does nothing else.
    by: Option<u32>,
}

/// A constant that a loop adds to a variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub by: u32,
    /// In every iteration, and not only in some.
    pub is_always: bool,
}

#[derive(Debug, Default)]
pub(super) struct Sets {
    by_var: HashMap<Var, Vec<Set>>,
    /// The first statement that sets each variable, in their order.
    firsts: Vec<(usize, Var)>,
    /// By the number of a loop or `try`, that of the last statement in its body.
    ends: HashMap<usize, usize>,
    /// While reading.
    at: usize,
    in_loop: usize,
    is_always: bool,
}

impl Sets {
    /// Reads the body of a function.
    pub fn of(body: &[Stmt]) -> Sets {
        let mut sets = Sets { is_always: true, ..Sets::default() };
        sets.read(body);
        sets
    }

    fn read(&mut self, body: &[Stmt]) {
        for stmt in body.iter().filter(|stmt| !stmt.is_line()) {
            self.at += 1;
            let at = self.at;
            match stmt {
                Stmt::Set(var, value) => self.add(*var, step(value, *var)),
                Stmt::MakeFrame { local, .. } => self.add(Var::Local(*local), None),
                // It may be that of a loop.
                Stmt::Label(_) => (self.in_loop, self.is_always) = (at, false),
                _ => {}
            }
            stmt.results().iter().for_each(|result| self.add(*result, None));
            let (in_loop, is_always) = (self.in_loop, self.is_always);
            match stmt {
                Stmt::Loop(Loop { body, .. }) => {
                    (self.in_loop, self.is_always) = (at, true);
                    self.read(body);
                    self.ends.insert(at, self.at);
                }
                Stmt::Block { body, used: false, .. } => self.read(body),
                _ => {
                    for (number, body) in stmt.bodies().into_iter().enumerate() {
                        self.is_always = false;
                        self.read(body);
                        if matches!(stmt, Stmt::Try(_)) && number == 0 {
                            self.ends.insert(at, self.at);
                        }
                    }
                }
            }
            (self.in_loop, self.is_always) = (in_loop, is_always);
        }
    }

    fn add(&mut self, var: Var, by: Option<u32>) {
        let set = Set { at: self.at, in_loop: self.in_loop, is_always: self.is_always, by };
        let sets = self.by_var.entry(var).or_default();
        if sets.is_empty() {
            self.firsts.push((self.at, var));
        }
        sets.push(set);
    }

    /// How many statements there are.
    pub fn statements(&self) -> usize {
        self.at
    }

    /// The last statement in the body of a loop or `try`.
    pub fn end(&self, at: usize) -> usize {
        self.ends.get(&at).copied().unwrap_or(usize::MAX)
    }

    /// The first statement that sets a variable.
    pub fn first(&self, var: Var) -> Option<usize> {
        self.by_var.get(&var).map(|sets| sets[0].at)
    }

    /// The variables that statements behind `start`, up to `last`, set first.
    pub fn first_within(&self, start: usize, last: usize) -> impl Iterator<Item = Var> {
        let from = self.firsts.partition_point(|(at, _)| *at <= start);
        let to = self.firsts.partition_point(|(at, _)| *at <= last);
        self.firsts[from..to].iter().map(|(_, var)| *var)
    }

    /// Whether a statement behind `start`, up to `last`, sets a variable.
    pub fn any(&self, var: Var, start: usize, last: usize) -> bool {
        !self.within(var, start, last).is_empty()
    }

    /// What a loop adds to a variable, if it sets it once and in no loop inside.
    pub fn step(&self, var: Var, start: usize, last: usize) -> Option<Step> {
        match self.within(var, start, last) {
            [Set { in_loop, is_always, by: Some(by), .. }] if *in_loop == start => {
                Some(Step { by: *by, is_always: *is_always })
            }
            _ => None,
        }
    }

    fn within(&self, var: Var, start: usize, last: usize) -> &[Set] {
        let sets = self.by_var.get(&var).map_or(&[][..], |sets| &sets[..]);
        let from = sets.partition_point(|set| set.at <= start);
        let to = sets.partition_point(|set| set.at <= last);
        &sets[from..to]
    }
}

/// The number that is added to the variable.
pub(super) fn step(value: &Expr, var: Var) -> Option<u32> {
    value.sum().filter(|(of, _)| *of == var).map(|(_, by)| by)
}
