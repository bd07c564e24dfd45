//! What values can be, and so which accesses need a check.

use std::collections::HashMap;

use crate::ir::{Access, Bulk, Check, Expr, ExprKind, Form, Function, Handlers, Stmt, Var};
use crate::ops::OpId;
use crate::range::{self, Range};
use crate::unit::Unit;

/// What is known of a variable.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fact {
    range: Range,
    /// Its value, if it is a number.
    known: Option<u32>,
    /// It is the address of an array's element.
    is_element: bool,
}

struct Pass<'a, 'm> {
    unit: &'a Unit<'m>,
    facts: HashMap<Var, Fact>,
    /// The local with the frame's address.
    frame: Option<Var>,
    /// By local, the places where it is set, as numbers of statements.
    sets: HashMap<u32, Vec<usize>>,
    /// By the number of a loop, that of the last statement in it.
    ends: HashMap<usize, usize>,
    /// The number of the current statement.
    at: usize,
    /// The locals that are not parameters are 0 until they are set, if nothing was repeated.
    zeroed: std::ops::Range<u32>,
}

pub(super) fn run(unit: &Unit<'_>, function: &mut Function) {
    let zeroed = function.ty.params.len() as u32..function.locals.len() as u32;
    let mut pass = Pass {
        unit,
        facts: HashMap::new(),
        frame: None,
        sets: HashMap::new(),
        ends: HashMap::new(),
        at: 0,
        zeroed,
    };
    pass.count(&function.body);
    pass.at = 0;
    pass.body(&mut function.body);
}

impl Pass<'_, '_> {
    /// Numbers the statements.
    fn count(&mut self, body: &[Stmt]) {
        for stmt in body {
            self.at += 1;
            let at = self.at;
            if let Stmt::Set(Var::Local(local), _) | Stmt::MakeFrame { local, .. } = stmt {
                self.sets.entry(*local).or_default().push(at);
            }
            stmt.bodies().into_iter().for_each(|inner| self.count(inner));
            if matches!(stmt, Stmt::Loop(_)) {
                self.ends.insert(at, self.at);
            }
        }
    }

    fn range(&self, expr: &Expr) -> Range {
        range::of(expr, &|var| self.facts.get(&var).map_or(Range::ANY, |fact| fact.range))
    }

    /// Whether it is an index times the size of an element, or a sum with one.
    fn is_element(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Get(var) => self.facts.get(var).is_some_and(|fact| fact.is_element),
            ExprKind::Op(OpId::I32Shl, parts) => matches!(parts[1].known(), Some(1..=3)),
            ExprKind::Op(OpId::I32Mul, parts) => matches!(parts[1].known(), Some(2 | 4 | 8)),
            ExprKind::Op(OpId::I32Add, parts) => parts.iter().any(|part| self.is_element(part)),
            _ => false,
        }
    }

    /// Where paths meet, only the frame is known: its address is in a local that nothing else sets.
    fn forget(&mut self) {
        self.facts.retain(|var, _| Some(*var) == self.frame);
        self.zeroed = 0..0;
    }

    /// The number that a local is, if that is known and the current loop sets it.
    fn entry(&self, local: u32) -> Option<u32> {
        let places = self.sets.get(&local)?;
        let next = places.partition_point(|place| *place <= self.at);
        if places.get(next).is_none_or(|place| *place > self.ends[&self.at]) {
            return None;
        }
        match self.facts.get(&Var::Local(local)) {
            Some(fact) => fact.known,
            None => (next == 0 && self.zeroed.contains(&local)).then_some(0),
        }
    }

    fn body(&mut self, body: &mut [Stmt]) {
        for stmt in body {
            self.at += 1;
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        stmt.exprs_mut().into_iter().for_each(|expr| self.expr(expr));
        match stmt {
            Stmt::Set(var, value) => {
                let (range, known, is_element) = (self.range(value), value.known(), self.is_element(value));
                self.facts.insert(*var, Fact { range, known, is_element });
            }
            Stmt::MakeFrame { local, size, .. } => {
                let range = Range { most: 0, frame: Some(*size) };
                self.frame = Some(Var::Local(*local));
                self.facts.insert(Var::Local(*local), Fact { range, known: None, is_element: false });
            }
            Stmt::GlobalSet { value, check, .. } => {
                let range = self.range(value);
                if range.is_in_frame() {
                    *check = Check::None(range.proof());
                }
            }
            Stmt::Store(access, _) => self.access(access),
            Stmt::Bulk { op, args, checks, .. } => {
                let at = |memory: u32, arg: usize| {
                    self.unit.check_block(memory, self.range(&args[arg]), args[2].known())
                };
                match *op {
                    Bulk::MemoryFill(memory) => checks[0] = at(memory, 0),
                    Bulk::MemoryCopy(to, from) => *checks = [at(to, 0), at(from, 1)],
                    _ => {}
                }
            }
            Stmt::Block { body, .. } => {
                self.body(body);
                self.forget();
            }
            Stmt::Loop(looped) => {
                let exit = crate::passes::loops::exit_test(looped).map(|(local, _)| local);
                looped.entry = exit.and_then(|local| Some((local, self.entry(local)?)));
                self.forget();
                self.body(&mut looped.body);
                if let Form::DoWhile { condition, .. } = &mut looped.form {
                    self.expr(condition);
                }
                self.forget();
            }
            Stmt::If { then, otherwise, .. } => {
                self.body(then);
                self.forget();
                self.body(otherwise);
                self.forget();
            }
            Stmt::Label(_) => self.forget(),
            Stmt::BrIf(_, body) => self.body(body),
            Stmt::Switch { cases, default, .. } => {
                cases.iter_mut().for_each(|(_, body)| self.body(body));
                self.body(default);
            }
            Stmt::Try(tried) => {
                self.body(&mut tried.body);
                self.forget();
                match &mut tried.handlers {
                    Handlers::Catch(handlers, _) => {
                        for handler in handlers {
                            self.body(&mut handler.body);
                            self.forget();
                        }
                    }
                    Handlers::Table(handlers, _) => {
                        handlers.iter_mut().for_each(|handler| self.body(&mut handler.leave));
                    }
                    Handlers::Delegate(_) => {}
                }
            }
            _ => {}
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        expr.parts_mut().iter_mut().for_each(|part| self.expr(part));
        match &mut expr.kind {
            ExprKind::Load(access) => self.access(access),
            // GCC makes `x << 2 & 1020` of a byte that is shifted, for which there is no instruction, and of a product
            // what scales an index.
            ExprKind::Op(op @ OpId::I32Shl, parts) => {
                if let Some(by @ 1..=3) = parts[1].known()
                    && matches!(self.range(&parts[0]), Range { most: 0xff | 0xffff, .. })
                {
                    *op = OpId::I32Mul;
                    parts[1] = Expr::i32(1 << by);
                }
            }
            _ => {}
        }
    }

    fn access(&mut self, access: &mut Access) {
        let range = self.range(&access.address);
        access.check = self.unit.check(access, range);
        access.sum_is_exact = range.is_known();
        access.is_element = self.is_element(&access.address);
        if let Some(local) = access.address.local() {
            let range = self.unit.accessed(access, range);
            let fact = Fact { range, known: None, is_element: access.is_element };
            self.facts.entry(Var::Local(local)).or_insert(fact).range = range;
        }
    }
}
