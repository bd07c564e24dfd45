//! A function's body → C: control flow, and the operand stack as expressions.
//!
//! Operands stay expressions until something they depend on is about to change; then they are kept in
//! a variable. What may trap is evaluated in WebAssembly's order.

mod exceptions;

use std::collections::HashMap;
use std::fmt::Write as _;

use target_specs::Result;
use wasmparser::{BlockType, Operator};

use crate::code::{Code, Place, Step, indent};
use crate::emit::{Unit, c_type};
use crate::module::unsupported;
use crate::range::{self, Range, ShadowStack};
use crate::{FuncType, ValType, ops};

/// An operand that has not been used yet.
#[derive(Debug, Clone)]
pub(crate) struct Operand {
    pub text: String,
    /// Needs no parentheses.
    pub atom: bool,
    pub ty: ValType,
    /// The same value whenever it is evaluated.
    pub constant: bool,
    /// The value, when it is known.
    pub known: Option<u32>,
    /// What is known of an i32's.
    pub range: Range,
    /// The sum of a variable and a constant that it is.
    pub sum: Option<(String, u32)>,
    /// It is an index times the size of an element, or a sum with one.
    pub scaled: bool,
    /// As a condition, when that is shorter.
    condition: Option<String>,
    /// A local and a constant that it is the inequality of.
    until: Option<(u32, u32)>,
    /// Locals it reads.
    locals: Vec<u32>,
    /// It reads memory or a global.
    state: bool,
    traps: bool,
    /// The operators that it is made of.
    operators: usize,
    /// How many of them are products with constants of many bits.
    products: usize,
}

impl Operand {
    pub(crate) fn atom(text: impl Into<String>, ty: ValType) -> Operand {
        Operand {
            text: text.into(),
            atom: true,
            ty,
            constant: true,
            known: None,
            range: Range::ANY,
            sum: None,
            scaled: false,
            condition: None,
            until: None,
            locals: Vec::new(),
            state: false,
            traps: false,
            operators: 1,
            products: 0,
        }
    }

    /// An expression made of others.
    fn of(text: String, ty: ValType, parts: &[&Operand]) -> Operand {
        let mut locals: Vec<u32> = parts.iter().flat_map(|part| part.locals.iter().copied()).collect();
        locals.sort_unstable();
        locals.dedup();
        Operand {
            text,
            atom: false,
            ty,
            constant: parts.iter().all(|part| part.constant),
            known: None,
            range: Range::ANY,
            sum: None,
            scaled: false,
            condition: None,
            until: None,
            locals,
            state: parts.iter().any(|part| part.state),
            traps: parts.iter().any(|part| part.traps),
            operators: 1 + parts.iter().map(|part| part.operators).sum::<usize>(),
            products: parts.iter().map(|part| part.products).sum(),
        }
    }

    /// As an operand of an operator.
    pub(crate) fn inner(&self) -> String {
        if self.atom { self.text.clone() } else { format!("({})", self.text) }
    }

    /// The local that it is.
    fn local(&self) -> Option<u32> {
        match self.locals[..] {
            [local] if self.text == format!("l{local}") => Some(local),
            _ => None,
        }
    }

    fn as_condition(&self) -> String {
        self.condition.clone().unwrap_or_else(|| self.text.clone())
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Function,
    Block,
    Loop,
    If,
    Else,
    /// A `try_table`, or the body of a `try`.
    Try,
    /// A handler of a `try`.
    Catch,
}

/// A block that is open.
struct Frame {
    kind: Kind,
    label: usize,
    used: bool,
    /// Operands below it.
    height: usize,
    results: Vec<ValType>,
    /// Where a branch puts its values: the results, or a loop's parameters.
    branch: Vec<String>,
    /// Where the results are when it ends.
    ends: Vec<String>,
    params: Vec<Operand>,
    /// Where its code begins, and that of its `else`.
    start: Place,
    other: Option<Place>,
    /// It is a block of C as well, see [`DEEPEST`]; else where what it does not do goes on.
    nested: bool,
    beyond: usize,
    /// It was entered by code that can be reached.
    reachable: bool,
    /// Its end can be reached: by a branch or from above.
    then_falls: bool,
    /// Something inside may throw.
    caught: bool,
    catches: Vec<wasmparser::Catch>,
    catches_all: bool,
    /// Where a handler of every exception begins that has not thrown it again.
    caught_at: Option<Place>,
    /// The frame that an exception in it goes to.
    catching: Option<usize>,
    /// What the locals were when it was entered, where that was known.
    constants: HashMap<u32, u32>,
    /// Branches to it.
    branches: usize,
    /// What was counted before it, and how many locals were set.
    before_it: Counts,
    sets: usize,
}

/// What there is in the code of a function until some place.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    operators: usize,
    /// To memory.
    accesses: usize,
    /// Places where the next operator may not be the next that is executed.
    turnings: usize,
}

/// The last branch that depended on a condition, and on nothing else.
struct Last {
    /// Of the block it is to.
    label: usize,
    /// Where its C begins and ends.
    start: Place,
    end: Place,
    condition: String,
    /// A local and its value when the branch is not taken.
    until: Option<(u32, u32)>,
}

pub(crate) struct Body<'a, 'm> {
    unit: &'a Unit<'m>,
    index: u32,
    code: Code,
    stack: Vec<Operand>,
    /// The operands below are the same whenever they are evaluated, and do not trap.
    settled: usize,
    frames: Vec<Frame>,
    /// Frames that are blocks of C.
    nested: usize,
    labels: usize,
    temps: Vec<ValType>,
    locals: Vec<ValType>,
    reachable: bool,
    /// Blocks opened in code that is not translated.
    skipped: usize,
    result_type: String,
    after_tee: bool,
    /// What is known of the locals' values here.
    facts: Vec<Range>,
    /// The locals' values here, where they are known.
    constants: Vec<Option<u32>>,
    /// The locals that are addresses of elements here.
    scaled: Vec<bool>,
    /// The locals of which anything is known here.
    known: Vec<u32>,
    /// Until here.
    counts: Counts,
    last: Option<Last>,
    /// The locals that were set, and what was added to them if that is all.
    sets: Vec<(u32, Option<u32>)>,
    /// By local that is set in the innermost block: where in the C, and how many accesses follow from it.
    addresses: Vec<Option<(Place, usize)>>,
    /// Those locals.
    addressed: Vec<u32>,
    /// The frame on the shadow stack, where checks depend on it.
    frame: Option<range::Frame>,
    /// The frame, where that lies on the machine's stack.
    local_frame: Option<range::Frame>,
    /// It has a loop.
    loops: bool,
    /// Labels of the blocks whose exceptions are kept in variables.
    exceptions: Vec<usize>,
}

/// Expressions of more operators are kept in a variable, for readers and for the compiler's sake.
const LONGEST: usize = 32;
/// So many operands may wait; older ones are kept in variables, so that what looks at all of them takes no longer the more
/// there are.
const WAITING: usize = 100;
/// Blocks of C are nested no deeper: compilers have limits (clang's `-fbracket-depth` is 256), or recurse. What is deeper
/// is made of jumps.
const DEEPEST: usize = 64;

/// Loops with fewer operators and no more accesses are written twice: others keep registers busy without that. Thumb-2,
/// whose accesses reach far from one address, has room for some more.
const OPERATORS: usize = 120;
const ACCESSES: usize = 6;
const ACCESSES_WIDE: usize = 8;
/// What so many accesses in a loop are near, a compiler shall not take apart.
const NEIGHBOURS: usize = 16;

/// Writes the function behind `c`.
pub(crate) fn translate(
    unit: &Unit<'_>,
    index: u32,
    body: &wasmparser::FunctionBody<'_>,
    c: &mut String,
) -> Result<()> {
    let ty = &unit.module.functions[index as usize].ty;
    let mut locals = ty.params.clone();
    let invalid =
        |error: wasmparser::BinaryReaderError| unsupported(unit.name, None, error.offset(), error.message());
    for group in body.get_locals_reader().map_err(invalid)? {
        let (count, local) = group.map_err(invalid)?;
        let local = crate::module::val_type(unit.name, local)?;
        locals.extend(std::iter::repeat_n(local, count as usize));
    }
    let frame = unit.shadow_stack.and_then(|stack| range::frame(body, stack.pointer));
    let mut this = Body {
        unit,
        index,
        facts: vec![Range::ANY; locals.len()],
        scaled: vec![false; locals.len()],
        constants: (0..locals.len()).map(|local| (local >= ty.params.len()).then_some(0)).collect(),
        known: (ty.params.len() as u32..locals.len() as u32).collect(),
        counts: Counts::default(),
        last: None,
        sets: Vec::new(),
        addresses: vec![None; locals.len()],
        addressed: Vec::new(),
        frame,
        local_frame: unit.local_frames[index as usize - unit.module.imported()],
        loops: false,
        exceptions: Vec::new(),
        code: Code::new(),
        stack: Vec::new(),
        settled: 0,
        frames: Vec::new(),
        nested: 0,
        labels: 0,
        temps: Vec::new(),
        locals,
        reachable: true,
        skipped: 0,
        result_type: unit.result_type(ty),
        after_tee: false,
    };
    this.frames.push(Frame {
        kind: Kind::Function,
        label: 0,
        used: false,
        height: 0,
        results: ty.results.clone(),
        branch: Vec::new(),
        ends: Vec::new(),
        params: Vec::new(),
        start: this.code.end(),
        other: None,
        nested: false,
        beyond: 0,
        reachable: true,
        then_falls: false,
        caught: false,
        catches: Vec::new(),
        catches_all: false,
        caught_at: None,
        catching: None,
        constants: HashMap::new(),
        branches: 0,
        before_it: Counts::default(),
        sets: 0,
    });
    let mut reader = body.get_operators_reader().map_err(invalid)?;
    while !reader.eof() {
        let start = reader.original_position();
        let op = reader.read().map_err(invalid)?;
        this.counts.operators += 1;
        this.operator(&op, start)?;
        unit.check_size(c.len() + this.code.size())?;
    }
    this.finish(ty, c);
    Ok(())
}

/// Declares the variables of one type.
fn declare<'a>(
    c: &mut String,
    ty: ValType,
    letter: char,
    init: &str,
    all: impl Iterator<Item = (usize, &'a ValType)>,
) {
    let mut before = format!("    WASM_UNUSED {} ", c_type(ty));
    for (at, _) in all.filter(|(_, of)| **of == ty) {
        let _ = write!(c, "{before}{letter}{at}{init}");
        ", ".clone_into(&mut before);
    }
    if before == ", " {
        c.push_str(";\n");
    }
}

impl Body<'_, '_> {
    fn finish(self, ty: &FuncType, c: &mut String) {
        let large = self.unit.large_frame(self.index);
        let large = large.map(|size| self.unit.before_large_frame(self.index, size));
        let head =
            large.as_ref().map_or_else(|| self.unit.prototype(self.index, true), |(_, head)| head.clone());
        let _ = writeln!(c, "{head} {{");
        c.push_str(&indent(&self.unit.here(self.index)));
        let locals = || self.locals.iter().enumerate().skip(ty.params.len());
        use ValType::{ExnRef, ExternRef, F32, F64, FuncRef, I32, I64};
        for ty in [I32, I64, F32, F64, FuncRef, ExternRef, ExnRef] {
            declare(c, ty, 'l', " = 0", locals());
            declare(c, ty, 't', "", self.temps.iter().enumerate());
        }
        if let Some(frame) = self.local_frame {
            let _ = writeln!(c, "    uint8_t frame[{}] __attribute__((aligned(16)));", frame.size);
        }
        if large.is_none() && self.unit.checks_stack(self.index) {
            c.push_str("    WASM_STACK_CHECK();\n");
        }
        for label in &self.exceptions {
            let _ = writeln!(c, "    wasm_exception_t *x{label} = NULL;");
        }
        for memory in &self.unit.memories {
            for declaration in memory.declare_base(&self.code, self.loops) {
                let _ = writeln!(c, "    {declaration}");
            }
        }
        self.code.print(1, c);
        c.push_str("}\n");
        if let Some((before, _)) = large {
            c.push_str(&before);
        }
    }

    fn line(&mut self, text: impl AsRef<str>) {
        self.code.push(Step::Stay, text);
    }

    fn lines(&mut self, texts: Vec<String>) {
        texts.into_iter().for_each(|text| self.line(text));
    }

    /// A statement behind `head`; several in a block.
    fn block(&mut self, head: &str, mut texts: Vec<String>) {
        if texts.len() == 1 {
            return self.line(format!("{head} {}", texts.remove(0)));
        }
        self.code.push(Step::Open, format!("{head} {{"));
        self.lines(texts);
        self.code.push(Step::Close, "}");
    }

    /// Where jumps go.
    fn label(&mut self, label: usize) {
        self.code.push(Step::Label, format!("L{label}:;"));
    }

    fn new_label(&mut self) -> usize {
        self.labels += 1;
        self.labels
    }

    /// What is done when `condition` holds, up to [`Body::end_if`]: where it goes on in the other case, when it is no block
    /// of C.
    fn begin_if(&mut self, condition: &str) -> (bool, usize) {
        if self.nested < DEEPEST {
            self.nested += 1;
            self.code.push(Step::Open, format!("if ({condition}) {{"));
            return (true, 0);
        }
        let beyond = self.new_label();
        self.line(format!("if (!({condition})) goto L{beyond};"));
        (false, beyond)
    }

    fn end_if(&mut self, nested: bool, beyond: usize) {
        if nested {
            self.nested -= 1;
            self.code.push(Step::Close, "}");
        } else {
            self.label(beyond);
        }
    }

    fn temp(&mut self, ty: ValType) -> String {
        self.temps.push(ty);
        format!("t{}", self.temps.len() - 1)
    }

    fn push(&mut self, operand: Operand) {
        if operand.traps {
            self.spill(|other| other.traps);
        }
        let long = operand.operators > LONGEST;
        self.stack.push(operand);
        while self.stack.len() - self.settled > WAITING {
            if self.waits(self.settled) {
                self.spill_at(self.settled);
            }
            self.settled += 1;
        }
        if long {
            let top = self.stack.len() - 1;
            let Operand { text, atom, ty, products, .. } = &mut self.stack[top];
            if *ty == ValType::I32 && !*atom && *products > 1 {
                *text = format!("wasm_sum({text})");
            }
            self.spill_at(top);
        }
    }

    fn pop(&mut self) -> Operand {
        let operand = self.stack.pop().expect("validated");
        self.settled = self.settled.min(self.stack.len());
        operand
    }

    fn pops(&mut self, count: usize) -> Vec<Operand> {
        let operands = self.stack.split_off(self.stack.len() - count);
        self.settled = self.settled.min(self.stack.len());
        operands
    }

    fn truncate(&mut self, height: usize) {
        self.stack.truncate(height);
        self.settled = self.settled.min(height);
    }

    /// Whether it matters when an operand is evaluated.
    fn waits(&self, at: usize) -> bool {
        !self.stack[at].constant || self.stack[at].traps
    }

    fn spill_at(&mut self, at: usize) {
        let ty = self.stack[at].ty;
        let name = self.temp(ty);
        let kept = Operand { range: self.stack[at].range, ..Operand::atom(name.clone(), ty) };
        let text = std::mem::replace(&mut self.stack[at], kept).text;
        self.line(format!("{name} = {text};"));
    }

    /// Keeps in variables the operands that `when` is true of.
    fn spill(&mut self, when: impl Fn(&Operand) -> bool) {
        for at in self.settled..self.stack.len() {
            if self.waits(at) && when(&self.stack[at]) {
                self.spill_at(at);
            }
            if at == self.settled && !self.waits(at) {
                self.settled += 1;
            }
        }
    }

    /// Before something changes memory or a global, or may not come back.
    fn settle(&mut self) {
        self.spill(|operand| operand.state || operand.traps);
    }

    fn operator(&mut self, op: &Operator<'_>, start: usize) -> Result<()> {
        if !self.reachable {
            match op {
                Operator::Block { .. }
                | Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Try { .. }
                | Operator::TryTable { .. } => {
                    self.skipped += 1;
                    return Ok(());
                }
                Operator::End | Operator::Delegate { .. } if self.skipped > 0 => {
                    self.skipped -= 1;
                    return Ok(());
                }
                _ if self.skipped > 0 => return Ok(()),
                Operator::End | Operator::Else => {}
                Operator::Catch { .. } | Operator::CatchAll | Operator::Delegate { .. } => {}
                _ => return Ok(()),
            }
        }
        let after_tee = std::mem::take(&mut self.after_tee);
        if let Some(line) = ops::simple(op) {
            return self.simple(&line, op);
        }
        if let Some(access) = ops::access(op) {
            return self.access(&access);
        }
        match *op {
            Operator::Nop => {}
            Operator::Unreachable => {
                self.settle();
                self.line("wasm_trap(WASM_TRAP_UNREACHABLE);");
                self.reachable = false;
            }
            Operator::Block { blockty } => self.open(Kind::Block, blockty),
            Operator::Loop { blockty } => self.open(Kind::Loop, blockty),
            Operator::If { blockty } => self.open(Kind::If, blockty),
            Operator::Else => self.alternative(),
            Operator::End => match self.frames.last().map(|frame| frame.kind) {
                Some(Kind::Try | Kind::Catch) => self.end_try(),
                _ => self.close(),
            },
            Operator::Try { blockty } => self.open(Kind::Try, blockty),
            Operator::TryTable { ref try_table } => {
                self.open(Kind::Try, try_table.ty);
                self.frames.last_mut().expect("just opened").catches.clone_from(&try_table.catches);
            }
            Operator::Catch { tag_index } => self.catch(Some(tag_index)),
            Operator::CatchAll => self.catch(None),
            Operator::Delegate { relative_depth } => self.delegate(relative_depth),
            Operator::Throw { tag_index } => self.throw(tag_index),
            Operator::ThrowRef => self.throw_ref(),
            Operator::Rethrow { relative_depth } => self.rethrow(relative_depth),
            Operator::Br { relative_depth } => {
                self.settle();
                let texts = self.branch(relative_depth);
                self.lines(texts);
                self.reachable = false;
            }
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                let until = condition.until.or(condition.local().map(|local| (local, 0)));
                self.branch_if(&condition.as_condition(), until, relative_depth);
            }
            Operator::BrTable { ref targets } => self.branch_table(targets)?,
            Operator::Return => {
                self.settle();
                let texts = self.branch(self.frames.len() as u32 - 1);
                self.lines(texts);
                self.reachable = false;
            }
            Operator::Call { function_index } => self.call(function_index),
            Operator::CallIndirect { type_index, table_index } => {
                let (callee, ty) = self.indirect(type_index, table_index);
                let args = self.arguments(ty.params.len());
                self.settle();
                self.result(&format!("{callee}({args})"), &ty);
                self.keep_frame();
                if self.unit.throws_indirect {
                    self.check_thrown();
                }
            }
            Operator::CallRef { type_index } => {
                let (callee, ty) = self.by_reference(type_index);
                let args = self.arguments(ty.params.len());
                self.settle();
                self.result(&format!("{callee}({args})"), &ty);
                self.keep_frame();
                if self.unit.throws_indirect {
                    self.check_thrown();
                }
            }
            Operator::ReturnCall { function_index } => {
                let ty = self.unit.module.functions[function_index as usize].ty.clone();
                let callee = self.unit.functions[function_index as usize].clone();
                self.tail_call(&callee, &ty);
            }
            Operator::ReturnCallIndirect { type_index, table_index } => {
                let (callee, ty) = self.indirect(type_index, table_index);
                self.tail_call(&callee, &ty);
            }
            Operator::ReturnCallRef { type_index } => {
                let (callee, ty) = self.by_reference(type_index);
                self.tail_call(&callee, &ty);
            }
            Operator::RefNull { hty } => {
                let ty = crate::module::ref_type(self.unit.name, hty)?;
                self.push(Operand::atom("0", ty));
            }
            Operator::RefFunc { function_index } => {
                let text = self.unit.function_reference(function_index);
                self.push(Operand { atom: false, ..Operand::atom(text, ValType::FuncRef) });
            }
            Operator::RefAsNonNull => {
                let reference = self.pop();
                let text = format!("wasm_non_null({})", reference.text);
                let mut operand = Operand::of(text, reference.ty, &[&reference]);
                operand.traps = true;
                self.push(operand);
            }
            Operator::BrOnNull { relative_depth } => {
                self.keep_top();
                let reference = self.pop();
                self.branch_if(&format!("{} == 0", reference.text), None, relative_depth);
                self.push(reference);
            }
            Operator::BrOnNonNull { relative_depth } => {
                self.keep_top();
                let condition = format!("{} != 0", self.stack.last().expect("validated").text);
                self.branch_if(&condition, None, relative_depth);
                self.pop();
            }
            Operator::TableGet { table } => {
                let index = self.pop();
                let text = format!("wasm_table_get({}, {})", self.unit.table_pointer(table), index.text);
                let mut operand = Operand::of(text, self.unit.module.tables[table as usize].ty, &[&index]);
                operand.atom = true;
                operand.constant = false;
                operand.state = true;
                operand.traps = true;
                self.push(operand);
            }
            Operator::TableSet { table } => {
                let args = self.arguments(2);
                self.settle();
                let table = self.unit.table_pointer(table);
                self.line(format!("wasm_table_set({table}, {args});"));
            }
            Operator::TableSize { table } => {
                let text = format!("({})->size", self.unit.table_pointer(table));
                let mut operand = Operand::atom(text, ValType::I32);
                operand.constant = false;
                operand.state = true;
                self.push(operand);
            }
            Operator::TableGrow { table } => {
                let args = self.arguments(2);
                self.settle();
                let name = self.temp(ValType::I32);
                let table = self.unit.table_pointer(table);
                self.line(format!("{name} = wasm_table_grow({table}, {args});"));
                self.push(Operand::atom(name, ValType::I32));
            }
            Operator::TableFill { table } => {
                let args = self.arguments(3);
                self.settle();
                let table = self.unit.table_pointer(table);
                self.line(format!("wasm_table_fill({table}, {args});"));
            }
            Operator::TableCopy { dst_table, src_table } => {
                let args = self.arguments(3);
                self.settle();
                let (to, from) = (self.unit.table_pointer(dst_table), self.unit.table_pointer(src_table));
                self.line(format!("wasm_table_copy({to}, {from}, {args});"));
            }
            Operator::TableInit { elem_index, table } => {
                let args = self.arguments(3);
                self.settle();
                let table = self.unit.table_pointer(table);
                let (items, size) = self.unit.element(elem_index);
                self.line(format!("wasm_table_init({table}, {items}, {size}, {args});"));
            }
            Operator::ElemDrop { elem_index } => {
                let (_, size) = self.unit.element(elem_index);
                self.settle();
                if size != "0" {
                    self.line(format!("{size} = 0;"));
                }
            }
            Operator::Drop => {
                let operand = self.pop();
                if operand.traps {
                    self.line(format!("(void)({});", operand.text));
                }
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let condition = self.pop();
                // Both are evaluated, so neither may trap or be long where C evaluates one.
                for at in self.stack.len() - 2..self.stack.len() {
                    if self.stack[at].traps {
                        self.spill_at(at);
                    }
                }
                let (b, a) = (self.pop(), self.pop());
                // A choice by a comparison is a minimum to clang, which makes a signalling NaN a quiet one.
                let first = match a.ty {
                    ValType::F32 => format!("WASM_OPERAND(32, {})", a.text),
                    ValType::F64 => format!("WASM_OPERAND(64, {})", a.text),
                    _ => a.inner(),
                };
                let text = format!("({}) ? {first} : {}", condition.as_condition(), b.inner());
                let mut operand = Operand::of(text, a.ty, &[&a, &b, &condition]);
                operand.range = range::either(a.range, b.range);
                self.push(operand);
            }
            Operator::LocalGet { local_index } => {
                let mut operand = Operand::atom(format!("l{local_index}"), self.locals[local_index as usize]);
                operand.constant = false;
                operand.locals.push(local_index);
                operand.range = self.facts[local_index as usize];
                operand.scaled = self.scaled[local_index as usize];
                self.push(operand);
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                let mut operand = self.pop();
                if self.local_frame.is_some_and(|frame| frame.local == local_index) {
                    operand = Operand::atom("(uint32_t)(uintptr_t)frame".to_owned(), ValType::I32);
                }
                self.spill(|other| other.locals.contains(&local_index));
                if operand.traps {
                    self.spill(|other| other.traps);
                }
                let frame =
                    self.frame.zip(self.unit.shadow_stack).filter(|(frame, _)| frame.local == local_index);
                if let Some((frame, stack)) = frame {
                    let pointer = self.unit.global(stack.pointer);
                    self.line(format!("WASM_STACK_ROOM({pointer}, {}u);", frame.size));
                }
                self.line(format!("l{local_index} = {};", operand.text));
                let step = operand.sum.as_ref().filter(|(text, _)| *text == format!("l{local_index}"));
                self.sets.push((local_index, step.map(|(_, step)| *step)));
                self.known.push(local_index);
                self.addressed.push(local_index);
                self.addresses[local_index as usize] = Some((self.code.end(), 0));
                self.facts[local_index as usize] = operand.range;
                self.constants[local_index as usize] = operand.known;
                self.scaled[local_index as usize] = operand.scaled;
                if let Some((frame, ShadowStack { top, .. })) = frame {
                    // Told what is known of it, the compiler does without other checks and masks.
                    let most = top.saturating_sub(frame.size);
                    self.line(format!("WASM_KNOWN(l{local_index} <= {most}u);"));
                    self.facts[local_index as usize] = Range { most: 0, frame: Some(frame.size) };
                }
                if matches!(op, Operator::LocalTee { .. }) {
                    self.operator(&Operator::LocalGet { local_index }, start)?;
                    self.after_tee = true;
                }
            }
            Operator::GlobalGet { global_index } => {
                let global = &self.unit.module.globals[global_index as usize];
                let mut operand = Operand::atom(self.unit.global(global_index), global.ty);
                operand.constant = !global.mutable;
                operand.state = global.mutable;
                self.push(operand);
            }
            Operator::GlobalSet { global_index } => {
                let mut operand = self.pop();
                if self.local_frame.is_some() && self.unit.is_direct_stack(global_index) {
                    return Ok(());
                }
                self.settle();
                if let Some(ShadowStack { pointer, top }) = self.unit.shadow_stack
                    && pointer == global_index
                    && operand.range.frame.is_none_or(|size| operand.range.most > size)
                {
                    self.stack.push(operand);
                    self.spill_at(self.stack.len() - 1);
                    operand = self.pop();
                    self.line(format!("WASM_STACK_TOP({}, {top}u);", operand.text));
                }
                if after_tee && self.unit.is_direct_stack(global_index) {
                    self.line(format!("WASM_FRAME({});", operand.text));
                    if let Some(check) = self.unit.stack_check(&operand.text) {
                        self.line(check);
                    }
                }
                let name = self.unit.global(global_index);
                self.line(format!("{name} = {};", operand.text));
            }
            Operator::I32Const { value } => {
                let operand = match self.unit.address_constant(value as u32) {
                    Some(text) => Operand { atom: false, ..Operand::atom(text, ValType::I32) },
                    None => {
                        let (known, range) = (Some(value as u32), Range::to(value as u32));
                        Operand { known, range, ..Operand::atom(int32(value), ValType::I32) }
                    }
                };
                self.push(operand);
            }
            Operator::I64Const { value } => self.push(Operand::atom(int64(value), ValType::I64)),
            Operator::F32Const { value } => self.push(Operand::atom(float32(value.bits()), ValType::F32)),
            Operator::F64Const { value } => self.push(Operand::atom(float64(value.bits()), ValType::F64)),
            Operator::MemorySize { mem } => {
                let mut operand = Operand::atom(self.unit.memories[mem as usize].size(), ValType::I32);
                operand.constant = false;
                operand.state = true;
                self.push(operand);
            }
            Operator::MemoryGrow { mem } => {
                let pages = self.pop();
                self.settle();
                let name = self.temp(ValType::I32);
                self.line(format!("{name} = {};", self.unit.memories[mem as usize].grow(&pages.text)));
                self.push(Operand::atom(name, ValType::I32));
            }
            Operator::MemoryCopy { dst_mem, src_mem } => {
                let args = self.pops(3);
                self.settle();
                let memories = &self.unit.memories;
                let copy = memories[src_mem as usize].copy(&memories[dst_mem as usize], &args);
                self.line(format!("{copy};"));
            }
            Operator::MemoryFill { mem } => {
                let args = self.pops(3);
                self.settle();
                self.line(format!("{};", self.unit.memories[mem as usize].fill(&args)));
            }
            Operator::MemoryInit { data_index, mem } => {
                let args = self.pops(3);
                self.settle();
                let (data, size) = self.unit.data(data_index);
                let memory = &self.unit.memories[mem as usize];
                let init = memory.init(&data, &size, &args[0].text, &args[1].text, &args[2].text);
                self.line(format!("{init};"));
            }
            Operator::DataDrop { data_index } => {
                let (_, size) = self.unit.data(data_index);
                self.settle();
                if size != "0" {
                    self.line(format!("{size} = 0;"));
                }
            }
            ref other => {
                let (name, proposal) = crate::features::origin(other);
                let function = self.unit.module.functions[self.index as usize].name.clone();
                return Err(unsupported(
                    self.unit.name,
                    function.as_deref(),
                    start,
                    &format!("the operator {name} (proposal {proposal})"),
                ));
            }
        }
        Ok(())
    }

    fn simple(&mut self, line: &ops::Simple, op: &Operator<'_>) -> Result<()> {
        let mut parts = self.pops(line.operands);
        let mut text = String::new();
        let mut rest = match line.template {
            "{a} * {b}" if parts.iter().filter_map(|part| part.known).any(|known| terms(known) > 2) => {
                "wasm_product({a}, {b})"
            }
            // GCC makes `x << 2 & 1020` of a byte that is shifted, for which there is no instruction, and of a
            // product what scales an index.
            "{a} << ({b} & 31)"
                if matches!(parts[0].range.most, 0xff | 0xffff) && matches!(parts[1].known, Some(1..=3)) =>
            {
                parts[1].text = format!("{}u", 1 << parts[1].known.unwrap_or(0));
                "{a} * {b}"
            }
            other => other,
        };
        let call = rest.starts_with("wasm_");
        let product = rest.starts_with("wasm_product(");
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            text.push_str(&parts[usize::from(rest.as_bytes()[at + 1] - b'a')].inner());
            rest = &rest[at + 3..];
        }
        text.push_str(rest);
        let refs: Vec<&Operand> = parts.iter().collect();
        let mut operand = Operand::of(text, line.result, &refs);
        operand.atom = call;
        operand.traps |= line.traps;
        operand.products += usize::from(product);
        if matches!(op, Operator::I32Add) && parts[0].atom {
            operand.sum = parts[1].known.map(|known| (parts[0].text.clone(), known));
        }
        if matches!(op, Operator::I32Ne) {
            operand.until = parts[0].local().zip(parts[1].known);
        }
        operand.scaled = match op {
            Operator::I32Shl => matches!(parts[1].known, Some(1..=3)),
            Operator::I32Add => parts.iter().any(|part| part.scaled),
            _ => false,
        };
        let ranges: Vec<Range> = parts.iter().map(|part| part.range).collect();
        operand.range = range::result(op, &ranges, parts.last().and_then(|part| part.known));
        let compares = ["==", "!=", "<", ">"].iter().any(|op| line.template.contains(&format!("}} {op}")))
            && !line.template.contains("<<")
            && !line.template.contains(">>");
        if compares {
            // A condition that is only asked for zero: its opposite, and no cast on the way.
            if line.template == "{a} == 0"
                && let Some(condition) = &parts[0].condition
            {
                operand.condition = Some(format!("!({condition})"));
                operand.text = format!("!({condition})");
            } else {
                operand.condition = Some(operand.text.clone());
            }
            operand.text = format!("(uint32_t)({})", operand.text);
            operand.atom = true;
        }
        self.push(operand);
        Ok(())
    }

    fn access(&mut self, access: &ops::Access) -> Result<()> {
        let value = access.store.then(|| self.pop());
        let address = self.pop();
        let place = self.unit.place(&address, access, self.index);
        self.counts.accesses += 1;
        if let Some(local) = address.local() {
            let memory = &self.unit.memories[access.memarg.memory as usize];
            let fact = &mut self.facts[local as usize];
            *fact = memory.accessed(*fact, access.memarg.offset, access.bytes);
            self.known.push(local);
        }
        if let [local] = address.locals[..]
            && self.loops
            && place.is_near(local)
            && let Some((set, count)) = &mut self.addresses[local as usize]
        {
            *count += 1;
            if *count == NEIGHBOURS {
                self.code.insert(*set, Step::Stay, &format!("WASM_NEIGHBOURS(l{local});"));
            }
        }
        let traps = place.traps;
        let hint = 1u32 << access.memarg.align.min(3);
        let vouched = self.unit.aligned(&address, access);
        // Where nobody vouches for the hint, the address says how the cell lies.
        let loose = hint >= access.bytes && access.bytes > 1 && !vouched;
        let cell = match loose {
            true => format!("{}({})", access.cell.replace("wasm_", "wasm_get_"), place.pointer()),
            false => place.cell(access.cell, access.bytes, if vouched { hint } else { 1 }),
        };
        match value {
            Some(value) => {
                self.settle();
                // The value is evaluated before the address is checked.
                let mut value = value;
                if value.traps && traps {
                    self.stack.push(value);
                    self.spill_at(self.stack.len() - 1);
                    value = self.pop();
                }
                let cast = match access.bytes {
                    1 => "(uint8_t)",
                    2 => "(uint16_t)",
                    4 if access.ty == ValType::I64 => "(uint32_t)",
                    _ => "",
                };
                let stored = if cast.is_empty() { value.text } else { format!("{cast}{}", value.inner()) };
                self.line(match loose {
                    true => {
                        format!(
                            "{}({}, {stored});",
                            access.cell.replace("wasm_", "wasm_set_"),
                            place.pointer()
                        )
                    }
                    false => format!("{cell} = {stored};"),
                });
            }
            None => {
                let signed = access.cell.starts_with("wasm_s");
                let cast = match (access.ty, signed) {
                    (ValType::I32, true) => "(uint32_t)(int32_t)",
                    (ValType::I32, false) if access.bytes < 4 => "(uint32_t)",
                    (ValType::I64, true) => "(uint64_t)(int64_t)",
                    (ValType::I64, false) if access.bytes < 8 => "(uint64_t)",
                    _ => "",
                };
                let mut operand = Operand::of(format!("{cast}{cell}"), access.ty, &[&address]);
                operand.constant = false;
                operand.state = true;
                operand.traps |= traps;
                operand.range = match access.cell {
                    "wasm_u8" => Range::to(0xff),
                    "wasm_u16" => Range::to(0xffff),
                    _ => Range::ANY,
                };
                self.push(operand);
            }
        }
        Ok(())
    }

    fn indirect(&mut self, ty: u32, table: u32) -> (String, FuncType) {
        let index = self.pop();
        // C evaluates arguments and callee in any order.
        self.spill(|operand| operand.traps);
        (self.unit.indirect(table, ty, &index), self.unit.module.types[ty as usize].clone())
    }

    fn by_reference(&mut self, ty: u32) -> (String, FuncType) {
        let reference = self.pop();
        self.spill(|operand| operand.traps);
        let ty = self.unit.module.types[ty as usize].clone();
        (self.unit.by_reference(&ty, &reference), ty)
    }

    fn tail_call(&mut self, callee: &str, ty: &FuncType) {
        let args = self.arguments(ty.params.len());
        self.settle();
        let same = *ty == self.unit.module.functions[self.index as usize].ty;
        let tail = if same { "WASM_TAIL_CALL" } else { "WASM_TAIL_CALL_OTHER" };
        self.line(format!("{tail} return {callee}({args});"));
        self.reachable = false;
    }

    /// After a call that may come back to this function.
    fn keep_frame(&mut self) {
        if self.unit.recursive(self.index) {
            self.line("WASM_KEEP_FRAME();");
        }
    }

    /// Keeps the topmost operand in a variable, so that it can be used more than once.
    fn keep_top(&mut self) {
        let top = self.stack.len() - 1;
        if !self.stack[top].constant {
            self.spill_at(top);
        }
    }

    /// The condition is zero when the local of `until` has its value.
    fn branch_if(&mut self, condition: &str, until: Option<(u32, u32)>, depth: u32) {
        self.spill(|operand| operand.traps);
        let count = self.arity(depth);
        for at in self.stack.len() - count..self.stack.len() {
            if !self.stack[at].constant {
                self.spill_at(at);
            }
        }
        let label = self.frames[self.frame(depth)].label;
        let texts = self.branch(depth);
        let start = self.code.end();
        self.block(&format!("if ({condition})"), texts);
        if count == 0 {
            let end = self.code.end();
            self.last = Some(Last { label, start, end, condition: condition.to_owned(), until });
        }
    }

    fn arguments(&mut self, count: usize) -> String {
        let args = self.pops(count);
        args.into_iter().map(|arg| arg.text).collect::<Vec<_>>().join(", ")
    }

    fn call(&mut self, index: u32) {
        let ty = self.unit.module.functions[index as usize].ty.clone();
        let args = self.arguments(ty.params.len());
        self.settle();
        self.result(&format!("{}({args})", self.unit.functions[index as usize]), &ty);
        if self.unit.recursive(index) {
            self.keep_frame();
        }
        if self.unit.throws[index as usize] {
            self.check_thrown();
        }
    }

    /// Calls, and pushes what comes back.
    fn result(&mut self, call: &str, ty: &FuncType) {
        // A loop that calls is not short, and what is called once may be inlined.
        self.counts.operators += OPERATORS;
        match ty.results.as_slice() {
            [] => self.line(format!("{call};")),
            [one] => {
                let name = self.temp(*one);
                self.line(format!("{name} = {call};"));
                self.push(Operand::atom(name, *one));
            }
            several => {
                let names: Vec<String> = several.iter().map(|ty| self.temp(*ty)).collect();
                let members: Vec<String> =
                    names.iter().enumerate().map(|(i, name)| format!("{name} = r.r{i};")).collect();
                let result = self.unit.result_type(ty);
                self.line(format!("{{ {result} r = {call}; {} }}", members.join(" ")));
                for (name, ty) in names.into_iter().zip(several) {
                    self.push(Operand::atom(name, *ty));
                }
            }
        }
    }

    fn block_type(&self, ty: BlockType) -> FuncType {
        match ty {
            BlockType::Empty => FuncType::default(),
            BlockType::Type(ty) => FuncType {
                params: Vec::new(),
                results: crate::module::val_type(self.unit.name, ty).into_iter().collect(),
            },
            BlockType::FuncType(index) => self.unit.module.types[index as usize].clone(),
        }
    }

    fn open(&mut self, kind: Kind, ty: BlockType) {
        let ty = self.block_type(ty);
        let condition = (kind == Kind::If).then(|| self.pop().into_condition_settled(self));
        self.spill(|_| true);
        let params = self.pops(ty.params.len());
        let label = self.new_label();
        let ends: Vec<String> = ty.results.iter().map(|ty| self.temp(*ty)).collect();
        let mut branch = ends.clone();
        let mut inner = params.clone();
        self.counts.turnings += usize::from(kind != Kind::Block);
        let mut constants = HashMap::new();
        if kind == Kind::Loop {
            let known =
                self.known.iter().filter_map(|local| Some((*local, self.constants[*local as usize]?)));
            constants = known.collect();
            self.forget();
            self.loops = true;
            branch = ty.params.iter().map(|ty| self.temp(*ty)).collect();
            for (name, param) in branch.iter().zip(&params) {
                self.line(format!("{name} = {};", param.text));
            }
        }
        let (nested, beyond) = match condition {
            Some(condition) => self.begin_if(&condition),
            None => (kind == Kind::Loop && self.nested < DEEPEST, 0),
        };
        self.nested += usize::from(nested && kind == Kind::Loop);
        let start = self.code.end();
        if kind == Kind::Loop {
            inner.clear();
            for (name, ty) in branch.iter().zip(&ty.params) {
                let copy = self.temp(*ty);
                self.line(format!("{copy} = {name};"));
                inner.push(Operand::atom(copy, *ty));
            }
        }
        self.forget_addresses();
        let catching = match kind {
            Kind::Try => Some(self.frames.len()),
            _ => self.frames.last().expect("the function's").catching,
        };
        self.frames.push(Frame {
            kind,
            label,
            used: false,
            height: self.stack.len(),
            results: ty.results,
            branch,
            ends,
            params,
            start,
            other: None,
            nested,
            beyond,
            reachable: true,
            then_falls: false,
            caught: false,
            catches: Vec::new(),
            catches_all: false,
            caught_at: None,
            catching,
            constants,
            branches: 0,
            before_it: self.counts,
            sets: self.sets.len(),
        });
        self.stack.extend(inner);
    }

    /// The values on the stack go where the innermost block's results are.
    fn fall_through(&mut self) {
        let ends = self.frames.last().expect("validated").ends.clone();
        let values = self.pops(ends.len());
        let texts = self.assign(&ends, values);
        self.lines(texts);
    }

    /// Statements that assign all values at once.
    fn assign(&mut self, names: &[String], values: Vec<Operand>) -> Vec<String> {
        let mut texts = Vec::new();
        let values: Vec<Operand> = if values.len() > 1 {
            values
                .into_iter()
                .map(|value| {
                    if value.constant {
                        return value;
                    }
                    let name = self.temp(value.ty);
                    texts.push(format!("{name} = {};", value.text));
                    Operand::atom(name, value.ty)
                })
                .collect()
        } else {
            values
        };
        texts.extend(names.iter().zip(values).map(|(name, value)| format!("{name} = {};", value.text)));
        texts
    }

    fn forget_addresses(&mut self) {
        for local in std::mem::take(&mut self.addressed) {
            self.addresses[local as usize] = None;
        }
    }

    /// Where ways meet nothing is known but the frame.
    fn forget(&mut self) {
        self.forget_addresses();
        let frame = self.frame.map(|frame| frame.local as usize);
        for local in std::mem::take(&mut self.known).into_iter().map(|local| local as usize) {
            self.scaled[local] = false;
            self.constants[local] = None;
            if Some(local) != frame {
                self.facts[local] = Range::ANY;
            }
        }
    }

    fn alternative(&mut self) {
        self.forget();
        if self.reachable {
            self.settle();
            self.fall_through();
        }
        let falls = self.reachable;
        let frame = self.frames.last_mut().expect("validated");
        frame.other = Some(self.code.end());
        frame.kind = Kind::Else;
        frame.then_falls = falls;
        self.reachable = frame.reachable;
        let (height, params) = (frame.height, frame.params.clone());
        self.truncate(height);
        self.stack.extend(params);
    }

    fn close(&mut self) {
        let falls = self.reachable;
        let kind = self.frames.last().expect("validated").kind;
        if kind == Kind::Function {
            if falls {
                let texts = self.branch(0);
                self.lines(texts);
            } else if !self.frames[0].results.is_empty() {
                self.line("__builtin_unreachable();");
            }
            return;
        }
        self.forget();
        if falls {
            self.settle();
            self.fall_through();
        }
        let mut frame = self.frames.pop().expect("validated");
        match kind {
            Kind::Block => {}
            Kind::Loop => self.end_loop(&frame),
            _ => {
                if kind == Kind::If {
                    // Without an else its parameters are its results.
                    frame.other = Some(self.code.end());
                    frame.then_falls = true;
                    let texts = self.assign(&frame.ends, std::mem::take(&mut frame.params));
                    self.lines(texts);
                }
                self.end_alternatives(&mut frame);
            }
        }
        if frame.used && kind != Kind::Loop {
            self.label(frame.label);
        }
        self.reachable = frame.reachable && (falls || frame.then_falls || (frame.used && kind != Kind::Loop));
        self.truncate(frame.height);
        let results = frame.ends.into_iter().zip(frame.results);
        self.stack.extend(results.map(|(name, ty)| Operand::atom(name, ty)));
    }

    /// The head and the end of a loop around its code.
    fn end_loop(&mut self, frame: &Frame) {
        self.nested -= usize::from(frame.nested);
        let last = self.last.take().filter(|last| {
            (last.label, last.end, frame.branches) == (frame.label, self.code.end(), 1) && frame.nested
        });
        let Some(Last { start, condition, until, .. }) = last else {
            if frame.used {
                let head = self.code.insert(frame.start, Step::Label, &format!("L{}:;", frame.label));
                if frame.nested {
                    self.code.insert(head, Step::Open, "");
                    self.code.push(Step::Close, "");
                }
            }
            return;
        };
        self.code.cut(start);
        let short = self.counts.operators - frame.before_it.operators < OPERATORS;
        let accesses = self.counts.accesses - frame.before_it.accesses;
        // That branch alone.
        let straight = self.counts.turnings - frame.before_it.turnings == 1;
        let turns = until.filter(|_| straight).and_then(|(local, last)| {
            let mut sets = self.sets[frame.sets..].iter().filter(|set| set.0 == local);
            match (frame.constants.get(&local), sets.next(), sets.next()) {
                (Some(first), Some((_, Some(step))), None) => turns(*first, last, *step),
                _ => None,
            }
        });
        let even = turns.is_some_and(|turns| turns % 2 == 0);
        let twice = match accesses {
            ..=ACCESSES if short && even => Some("WASM_TWICE("),
            ..=ACCESSES_WIDE if short && even => Some("WASM_TWICE_WIDE("),
            _ => None,
        };
        let head = self.code.insert(frame.start, Step::Open, "do {");
        if let Some(twice) = twice {
            self.code.insert(head, Step::Open, twice);
            self.code.push(Step::Close, ")");
        }
        self.code.push(Step::Close, format!("}} while ({condition});"));
    }

    /// What is between the two parts of an `if`, and its end.
    fn end_alternatives(&mut self, frame: &mut Frame) {
        let other = frame.other.filter(|other| *other != self.code.end());
        let Some(other) = other else { return self.end_if(frame.nested, frame.beyond) };
        if frame.nested {
            self.code.insert(other, Step::Turn, "} else {");
            return self.end_if(true, 0);
        }
        let mut place = other;
        if frame.then_falls {
            frame.used = true;
            place = self.code.insert(place, Step::Stay, &format!("goto L{};", frame.label));
        }
        self.code.insert(place, Step::Label, &format!("L{}:;", frame.beyond));
    }

    fn frame(&self, depth: u32) -> usize {
        self.frames.len() - 1 - depth as usize
    }

    fn arity(&self, depth: u32) -> usize {
        let frame = &self.frames[self.frame(depth)];
        if frame.kind == Kind::Function { frame.results.len() } else { frame.branch.len() }
    }

    /// Statements that leave for a block's label with the values on the stack, which stay there.
    fn branch(&mut self, depth: u32) -> Vec<String> {
        let at = self.frame(depth);
        self.frames[at].branches += 1;
        self.counts.turnings += 1;
        let count = self.arity(depth);
        let values = self.stack[self.stack.len() - count..].to_vec();
        if self.frames[at].kind == Kind::Function {
            let texts: Vec<String> = values.iter().map(|value| value.text.clone()).collect();
            return vec![match texts.len() {
                0 => "return;".to_owned(),
                1 => format!("return {};", texts[0]),
                _ => format!("return ({}){{{}}};", self.result_type, texts.join(", ")),
            }];
        }
        self.frames[at].used = true;
        let (names, label) = (self.frames[at].branch.clone(), self.frames[at].label);
        let mut texts = self.assign(&names, values);
        texts.push(format!("goto L{label};"));
        texts
    }

    fn branch_table(&mut self, targets: &wasmparser::BrTable<'_>) -> Result<()> {
        let index = self.pop();
        self.settle();
        let count = self.arity(targets.default());
        for at in self.stack.len() - count..self.stack.len() {
            if !self.stack[at].constant {
                self.spill_at(at);
            }
        }
        // Cases of one label together, in the order of their first.
        let mut cases: Vec<(u32, Vec<usize>)> = Vec::new();
        let mut known = HashMap::new();
        for (case, depth) in targets.targets().enumerate() {
            let depth = depth.expect("validated");
            if depth == targets.default() {
                continue;
            }
            let at = *known.entry(depth).or_insert(cases.len());
            match cases.get_mut(at) {
                Some((_, list)) => list.push(case),
                None => cases.push((depth, vec![case])),
            }
        }
        self.line(format!("switch ({}) {{", index.text));
        for (depth, list) in cases {
            for (at, case) in list.iter().enumerate() {
                let step = if at + 1 == list.len() { Step::Open } else { Step::Stay };
                self.code.push(step, format!("case {case}:"));
            }
            let texts = self.branch(depth);
            self.lines(texts);
            self.code.push(Step::Close, "");
        }
        self.code.push(Step::Open, "default:");
        let texts = self.branch(targets.default());
        self.lines(texts);
        self.code.push(Step::Close, "}");
        self.reachable = false;
        Ok(())
    }
}

impl Operand {
    /// As the condition of an `if`, evaluated before what is pending is settled.
    fn into_condition_settled(self, body: &mut Body<'_, '_>) -> String {
        if self.traps {
            body.spill(|other| other.traps);
        }
        self.as_condition()
    }
}

/// The fewest powers of two of which `value` is a sum or difference: the digits but 0 of its
/// non-adjacent form.
fn terms(value: u32) -> u32 {
    let value = u64::from(value);
    ((3 * value) ^ value).count_ones()
}

/// How often a loop is repeated whose local goes from a constant to another in constant steps.
fn turns(first: u32, last: u32, step: u32) -> Option<u32> {
    let way = last.wrapping_sub(first);
    let (way, step) = if step as i32 > 0 { (way, step) } else { (way.wrapping_neg(), step.wrapping_neg()) };
    (step != 0 && way.is_multiple_of(step)).then(|| way / step)
}

pub(crate) fn int32(value: i32) -> String {
    match value {
        0.. => format!("{value}u"),
        -65536..=-1 => format!("(-{}u)", -value),
        _ => format!("{:#x}u", value as u32),
    }
}

pub(crate) fn int64(value: i64) -> String {
    match value {
        0.. => format!("{value}ull"),
        -65536..=-1 => format!("(-{}ull)", -value),
        _ => format!("{:#x}ull", value as u64),
    }
}

pub(crate) fn float32(bits: u32) -> String {
    let value = f32::from_bits(bits);
    if value.is_finite() { negative(format!("{value:?}f")) } else { format!("wasm_float32({bits:#x}u)") }
}

pub(crate) fn float64(bits: u64) -> String {
    let value = f64::from_bits(bits);
    if value.is_finite() { negative(format!("{value:?}")) } else { format!("wasm_float64({bits:#x}ull)") }
}

fn negative(text: String) -> String {
    if text.starts_with('-') { format!("({text})") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The C of a module of a page of memory and one function, whose accesses are trusted.
    fn trusted(function: &str) -> String {
        let text = format!("(module (memory 1) {function})");
        let buffer = wast::parser::ParseBuffer::new(&text).unwrap();
        let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
        let options = crate::Options { safety: crate::Safety::Trusted, ..crate::Options::default() };
        crate::transpile(&crate::WasmModule::new("test", bytes), &options).unwrap().unit.source
    }

    #[test]
    fn sums_with_addresses_that_were_accessed_do_not_wrap_around() {
        let near = "(i32.load8_u (i32.add (local.get 0) (i32.const 4)))";
        let at = "(i32.load8_u (local.get 0))";
        let head = "(func (export \"f\") (param i32) (result i32)";
        let (wraps, behind) = ("(memory_base + (l0 + 4u))", "WASM_AT_INDEX(wasm_u8, memory_base, l0, 4)");
        assert!(trusted(&format!("{head} {near})")).contains(wraps));
        assert!(trusted(&format!("{head} (i32.add {at} {near}))")).contains(behind));
        // Only in the past, only on this way, and not once it is another.
        assert!(trusted(&format!("{head} (i32.add {near} {at}))")).contains(wraps));
        assert!(trusted(&format!("{head} (if (local.get 0) (then (drop {at}))) {near})")).contains(wraps));
        let other = "(local.set 0 (i32.const -4))";
        assert!(!trusted(&format!("{head} (drop {at}) {other} {near})")).contains(behind));
    }

    #[test]
    fn addresses_with_many_neighbours_in_a_loop_are_marked() {
        let accesses = |count: usize| {
            let each =
                (0..count).map(|at| format!("(f32.store offset={} (local.get 1) (f32.const 0))", 4 + 4 * at));
            let each: String = each.collect();
            let body = format!("(local.set 1 (i32.shl (local.get 0) (i32.const 2))) {each}");
            let step = "(local.tee 0 (i32.sub (local.get 0) (i32.const 1)))";
            trusted(&format!("(func (export \"f\") (param i32) (local i32) (loop {body} (br_if 0 {step})))"))
        };
        assert!(accesses(NEIGHBOURS).contains("l1 = l0 << (2u & 31);\n        WASM_NEIGHBOURS(l1);\n"));
        assert!(!accesses(NEIGHBOURS - 1).contains("WASM_NEIGHBOURS"));
    }

    #[test]
    fn turns_are_counted() {
        let below = |number: u32| 0u32.wrapping_sub(number);
        assert_eq!(turns(0, 64, 4), Some(16));
        assert_eq!(turns(0, 62, 4), None);
        assert_eq!(turns(below(16), 0, 4), Some(4));
        assert_eq!(turns(0, below(3), below(1)), Some(3));
        assert_eq!(turns(0, 4, 0), None);
    }

    #[test]
    fn loops_of_an_even_number_of_turns_are_written_twice() {
        let looped = |body: &str, last: &str| {
            let text = format!("(loop {body} (br_if 0 {last}))");
            trusted(&format!("(func (export \"f\") (param i32) (local i32) (local i64) {text})"))
        };
        let step = "(local.set 1 (i32.add (local.get 1) (i32.const 4)))";
        let last = "(i32.ne (local.get 1) (i32.const 64))";
        let twice = |c: &str| c.contains("WASM_TWICE(\n            l1 = l1 + 4u;\n");
        let once = |c: &str| c.contains("do {\n") && !c.contains("WASM_TWICE");
        assert!(twice(&looped(step, last)));
        assert!(twice(&looped(&format!("(block {step} (local.set 0 (i32.const 1)))"), last)));
        assert!(once(&looped(step, "(i32.ne (local.get 1) (i32.const 62))")));
        assert!(once(&looped(step, "(i32.ne (local.get 1) (i32.const 68))")));
        assert!(once(&looped(step, "(i32.ne (local.get 1) (local.get 0))")));
        assert!(once(&looped(step, "(i32.lt_u (local.get 1) (i32.const 64))")));
        assert!(once(&looped(step, "(i32.ne (i32.ne (local.get 1) (i32.const 0)) (i32.const 64))")));
        assert!(once(&looped(&format!("{step} {step}"), last)));
        assert!(once(&looped(
            &format!("{step} (if (local.get 0) (then (local.set 0 (i32.const 0))))"),
            last
        )));
        assert!(once(&looped(
            &format!("{step} (if (local.get 0) (then (local.set 1 (i32.const 0))))"),
            last
        )));
        assert!(once(&looped("(local.set 0 (i32.add (local.get 0) (i32.const 4)))", "(local.get 0)")));
        // Repeated from other places, too, or not from the end.
        let other = "(if (local.get 0) (then (br 1)))";
        assert!(!looped(&format!("{step} {other}"), last).contains("do {"));
        assert!(!looped(step, &format!("{last}) (local.set 0 (i32.const 1)")).contains("do {"));
    }
}
