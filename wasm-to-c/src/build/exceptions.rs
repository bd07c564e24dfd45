//! Exceptions, of the current proposal and of the one before it (WebAssembly core specification, 4.4.8; legacy
//! proposal).
//!
//! No frame is unwound by the machine: an exception waits in `wasm_thrown`, and whoever calls a function that may
//! throw looks there afterwards and goes to the block that catches, or returns. Functions that cannot throw cost
//! nothing.

use wasmparser::Catch;

use super::builder::Builder;
use super::open::{Kind, Open};
use super::operand::Operand;
use crate::ir::{Caught, ExprKind, Handler, Handlers, Leave, Stmt, TableHandler, Try};
use crate::types::FuncType;

impl Builder<'_, '_> {
    /// Where an exception goes: to the innermost of the outer `blocks` blocks that catches, or out of the function.
    pub(super) fn leave(&mut self, blocks: usize) -> Leave {
        match self.open[blocks - 1].catching {
            Some(at) => {
                self.open[at].tried.caught = true;
                Leave::Catch(self.open[at].label)
            }
            None => Leave::Return,
        }
    }

    fn throw_now(&mut self) {
        let leave = self.leave(self.open.len());
        self.emit(Stmt::Leave(leave));
        self.reachable = false;
    }

    pub(super) fn throw(&mut self, tag: u32) {
        let args = self.arguments(self.unit.module.tags[tag as usize].ty.params.len());
        self.flush_effects();
        self.emit(Stmt::Throw(tag, args));
        self.throw_now();
    }

    pub(super) fn throw_ref(&mut self) {
        let reference = self.pop().expr;
        self.flush_effects();
        self.emit(Stmt::ThrowRef(reference));
        self.throw_now();
    }

    pub(super) fn rethrow(&mut self, depth: u32) {
        self.flush_effects();
        let target = self.target(depth);
        let open = &mut self.open[target];
        if let Some((_, notes)) = &mut open.tried.handler {
            *notes = false;
        }
        let label = open.label;
        self.emit(Stmt::Rethrow(label));
        self.throw_now();
    }

    /// What an exception of this type carries, as operands.
    fn payload(ty: &FuncType, from: Caught) -> Vec<Operand> {
        let mut next = 0;
        let values = ty.params.iter().map(|ty| {
            let at = next;
            next += ty.values();
            Operand::constant(ExprKind::Payload(from, at), *ty)
        });
        values.collect()
    }

    /// Ends the body of the innermost `try`, or one of its handlers.
    fn end_section(&mut self) {
        let falls = self.reachable;
        if falls {
            self.fall_through();
        }
        let open = self.open.last_mut().expect("validated");
        open.falls |= falls;
        let body = std::mem::take(&mut open.body);
        let tried = &mut open.tried;
        match open.kind {
            Kind::Try => {
                open.used |= falls && tried.caught;
                tried.body = Some((body, falls));
            }
            _ => {
                open.used |= falls;
                if let Some((tag, notes)) = tried.handler.take() {
                    tried.handlers.push(Handler { tag, body, falls, notes });
                }
            }
        }
    }

    /// `catch` of a tag, or `catch_all`: the handler begins.
    pub(super) fn catch(&mut self, tag: Option<u32>) {
        self.end_section();
        let at = self.open.len() - 1;
        // What a handler throws goes further out.
        self.open[at].catching = self.open[at - 1].catching;
        let open = &mut self.open[at];
        if open.kind == Kind::Try && open.tried.caught {
            self.exceptions.push(open.label);
        }
        open.kind = Kind::Catch;
        open.tried.catches_all |= tag.is_none();
        self.reachable = open.tried.caught;
        let (label, height) = (open.label, open.height);
        if self.reachable {
            open.tried.handler = Some((tag, tag.is_none() && self.unit.keeps_caught));
        }
        self.truncate(height);
        if let Some(tag) = tag.filter(|_| self.reachable) {
            let ty = self.unit.module.tags[tag as usize].ty.clone();
            self.stack.extend(Self::payload(&ty, Caught::Try(label)));
        }
    }

    /// `end` of a `try` of either kind.
    pub(super) fn end_try(&mut self) {
        let mut open = self.close_try();
        let mut catches_all = open.tried.catches_all || !open.tried.caught;
        let handlers = match open.catches.take().filter(|_| open.tried.caught) {
            Some(catches) => {
                let mut handlers = Vec::new();
                for catch in catches {
                    handlers.push(self.table_handler(&catch));
                    if matches!(catch, Catch::All { .. } | Catch::AllRef { .. }) {
                        catches_all = true;
                        break;
                    }
                }
                Handlers::Table(handlers, self.leave_unless(catches_all))
            }
            None => {
                let handlers = std::mem::take(&mut open.tried.handlers);
                Handlers::Catch(handlers, self.leave_unless(catches_all))
            }
        };
        self.after_try(open, handlers);
    }

    /// Where exceptions go that no handler catches.
    fn leave_unless(&mut self, catches_all: bool) -> Option<Leave> {
        (!catches_all).then(|| self.leave(self.open.len()))
    }

    fn table_handler(&mut self, catch: &Catch) -> TableHandler {
        let (tag, reference, label) = match *catch {
            Catch::One { tag, label } => (Some(tag), false, label),
            Catch::OneRef { tag, label } => (Some(tag), true, label),
            Catch::All { label } => (None, false, label),
            Catch::AllRef { label } => (None, true, label),
        };
        let height = self.stack.len();
        if let Some(tag) = tag {
            let ty = self.unit.module.tags[tag as usize].ty.clone();
            self.stack.extend(Self::payload(&ty, Caught::Handler));
        }
        if reference {
            self.stack.push(Operand::constant(ExprKind::Exception, crate::types::ValType::ExnRef));
        }
        let leave = self.branch(label);
        self.truncate(height);
        let notes = matches!(catch, Catch::All { .. }) && self.unit.keeps_caught;
        TableHandler { tag, notes, leave }
    }

    /// `delegate`: what is thrown inside is thrown at an outer block.
    pub(super) fn delegate(&mut self, depth: u32) {
        let open = self.close_try();
        let handlers = match open.tried.caught {
            true => {
                let to = self.target(depth);
                Handlers::Delegate(self.leave(to + 1))
            }
            false => Handlers::Catch(Vec::new(), None),
        };
        self.after_try(open, handlers);
    }

    fn close_try(&mut self) -> Open {
        self.end_section();
        let open = self.open.pop().expect("validated");
        self.truncate(open.height);
        open
    }

    fn after_try(&mut self, mut open: Open, handlers: Handlers) {
        let (body, falls) = open.tried.body.take().unwrap_or_default();
        let Open { label, used, .. } = open;
        let caught = open.tried.caught;
        match caught {
            true => self.emit(Stmt::Try(Try { label, body, falls, used, handlers })),
            false => self.add_block(label, body, used),
        }
        self.reachable = open.falls || used;
        self.push_ends(open.ends);
    }
}
