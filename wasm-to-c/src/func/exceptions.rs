//! Exceptions, of the current proposal and of the one before it (WebAssembly core specification, 4.4.8; legacy
//! proposal).
//!
//! No frame is unwound by the machine: an exception waits in `wasm_thrown`, and whoever calls a function that may
//! throw looks there afterwards and goes to the block that catches, or returns. Functions that cannot throw cost
//! nothing.

use std::fmt::Write as _;

use wasmparser::Catch;

use super::{Body, Frame, Kind, Operand};
use crate::FuncType;
use crate::code::Step;

impl Body<'_, '_> {
    /// A statement that takes what is in `wasm_thrown` to the innermost of the outer `frames` frames that catches,
    /// or out of the function.
    fn leave(&mut self, frames: usize) -> String {
        if let Some(at) = self.frames[frames - 1].catching {
            let frame = &mut self.frames[at];
            frame.caught = true;
            return format!("goto C{};", frame.label);
        }
        match self.frames[0].results.len() {
            0 => "return;".to_owned(),
            1 => "return 0;".to_owned(),
            _ => format!("return ({}){{0}};", self.result_type),
        }
    }

    /// After a call that may have thrown.
    pub(super) fn check_thrown(&mut self) {
        let text = self.leave(self.frames.len());
        self.line(format!("if (WASM_THROWN()) {text}"));
    }

    fn throw_now(&mut self) {
        let text = self.leave(self.frames.len());
        self.line(text);
        self.reachable = false;
    }

    pub(super) fn throw(&mut self, tag: u32) {
        let ty = self.unit.module.tags[tag as usize].ty.clone();
        let args = self.pops(ty.params.len());
        self.settle();
        let mut text = format!(
            "{{ wasm_exception_t *e = wasm_exception_new({}, {});",
            self.unit.tag(tag),
            ty.params.len()
        );
        for (at, (arg, ty)) in args.iter().zip(&ty.params).enumerate() {
            let _ = write!(text, " e->values[{at}].{} = {};", ty.member(), arg.text);
        }
        text.push_str(" wasm_thrown = e; }");
        self.line(text);
        self.throw_now();
    }

    pub(super) fn throw_ref(&mut self) {
        let reference = self.pop();
        self.settle();
        self.line(format!("wasm_thrown = (wasm_exception_t *)wasm_non_null({});", reference.text));
        self.throw_now();
    }

    pub(super) fn rethrow(&mut self, depth: u32) {
        self.settle();
        let frame = self.frame(depth);
        let frame = &mut self.frames[frame];
        frame.caught_at = None;
        let label = frame.label;
        self.line(format!("wasm_thrown = x{label};"));
        self.throw_now();
    }

    /// What an exception of this type carries, as operands; `from` points to it.
    fn payload(ty: &FuncType, from: &str) -> Vec<Operand> {
        let values = ty.params.iter().enumerate();
        values.map(|(at, ty)| Operand::atom(format!("{from}->values[{at}].{}", ty.member()), *ty)).collect()
    }

    /// Ends the body of the innermost `try`, or one of its handlers.
    fn end_section(&mut self) {
        self.forget();
        let falls = self.reachable;
        if falls {
            self.settle();
            self.fall_through();
        }
        let frame = self.frames.last_mut().expect("validated");
        frame.then_falls |= falls;
        let handler = frame.kind != Kind::Try;
        if let Some(place) = frame.caught_at.take() {
            let text = format!("wasm_caught = x{};", frame.label);
            self.code.insert(place, Step::Stay, &text);
        }
        let Frame { label, caught, nested, beyond, .. } = *frame;
        if falls && (caught || handler) {
            frame.used = true;
            self.line(format!("goto L{label};"));
        }
        match (handler, caught) {
            (false, true) => self.line(format!("C{label}:;")),
            (true, true) => self.end_if(nested, beyond),
            _ => {}
        }
    }

    /// `catch` of a tag, or `catch_all`: the handler begins.
    pub(super) fn catch(&mut self, tag: Option<u32>) {
        self.end_section();
        let frame = self.frames.last_mut().expect("validated");
        let Frame { label, caught, kind, height, .. } = *frame;
        if kind == Kind::Try && caught {
            self.line(format!("x{label} = wasm_thrown;"));
            self.exceptions.push(label);
        }
        // What a handler throws goes further out.
        let at = self.frames.len() - 1;
        self.frames[at].catching = self.frames[at - 1].catching;
        let frame = &mut self.frames[at];
        frame.kind = Kind::Catch;
        frame.catches_all |= tag.is_none();
        self.reachable = frame.reachable && caught;
        self.truncate(height);
        if self.reachable {
            let condition = match tag {
                Some(tag) => format!("x{label}->tag == {}", self.unit.tag(tag)),
                None => "1".to_owned(),
            };
            let (nested, beyond) = self.begin_if(&condition);
            let frame = self.frames.last_mut().expect("validated");
            (frame.nested, frame.beyond) = (nested, beyond);
            self.line("wasm_thrown = NULL;");
            if tag.is_none() && self.unit.keeps_caught {
                self.frames[at].caught_at = Some(self.code.end());
            }
            if let Some(tag) = tag {
                let ty = self.unit.module.tags[tag as usize].ty.clone();
                self.stack.extend(Self::payload(&ty, &format!("x{label}")));
            }
        }
    }

    /// `end` of a `try` of either kind.
    pub(super) fn end_try(&mut self) {
        let frame = self.close_try();
        if frame.caught && !frame.catches_all {
            let mut caught = false;
            for catch in &frame.catches {
                let (tag, reference, label) = match *catch {
                    Catch::One { tag, label } => (Some(tag), false, label),
                    Catch::OneRef { tag, label } => (Some(tag), true, label),
                    Catch::All { label } => (None, false, label),
                    Catch::AllRef { label } => (None, true, label),
                };
                let mut head = "{".to_owned();
                let height = self.stack.len();
                if let Some(tag) = tag {
                    let ty = self.unit.module.tags[tag as usize].ty.clone();
                    self.stack.extend(Self::payload(&ty, "e"));
                    head = format!("if (wasm_thrown->tag == {}) {{", self.unit.tag(tag));
                }
                if reference {
                    self.stack.push(Operand::atom("(uintptr_t)e", crate::ValType::ExnRef));
                }
                let texts = self.branch(label);
                self.truncate(height);
                self.code.push(Step::Open, head);
                self.line("wasm_exception_t *e = wasm_thrown;");
                self.line("wasm_thrown = NULL;");
                if matches!(catch, Catch::All { .. }) && self.unit.keeps_caught {
                    self.line("wasm_caught = e;");
                }
                self.line("(void)e;");
                self.lines(texts);
                self.code.push(Step::Close, "}");
                caught = tag.is_none();
                if caught {
                    break;
                }
            }
            if !caught {
                let text = self.leave(self.frames.len());
                self.line(text);
            }
        }
        self.after_try(frame);
    }

    /// `delegate`: what is thrown inside is thrown at an outer block.
    pub(super) fn delegate(&mut self, depth: u32) {
        let frame = self.close_try();
        if frame.caught {
            let to = self.frame(depth);
            let text = self.leave(to + 1);
            self.line(text);
        }
        self.after_try(frame);
    }

    fn close_try(&mut self) -> Frame {
        self.end_section();
        let frame = self.frames.pop().expect("validated");
        self.truncate(frame.height);
        frame
    }

    fn after_try(&mut self, frame: Frame) {
        if frame.used {
            self.label(frame.label);
        }
        self.reachable = frame.reachable && (frame.then_falls || frame.used);
        let results = frame.ends.into_iter().zip(frame.results);
        self.stack.extend(results.map(|(name, ty)| Operand::atom(name, ty)));
    }
}
