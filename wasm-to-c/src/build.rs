//! A function's operators → its tree.
//!
//! Operands stay expressions until something they depend on is about to change, and are then kept in a variable. What may
//! trap is evaluated in WebAssembly's order.

mod control;
mod exceptions;

use target_specs::{Diagnostic, Result};
use wasmparser::Operator;

use crate::ir::{Access, Bulk, Callee, Check, Expr, ExprKind, Function, Label, Proof, Stmt, Var};
use crate::module::{place, unsupported};
use crate::ops::{self, OpId};
use crate::range::{self, Range};
use crate::unit::Unit;
use crate::{FuncType, ValType};

use control::{Kind, Open};

/// Expressions of more operators are kept in a variable, for readers and for the compiler's sake.
const LONGEST: usize = 32;
/// So many operands may wait. Older ones are kept in variables, so that what looks at all of them takes no longer the more
/// there are.
const WAITING: usize = 100;
/// Blocks are nested no deeper in the tree, as passes recurse. What is deeper is made of labels and branches.
const DEEPEST: usize = 1000;
/// The most statements of a function. A few bytes of a module can say that a thousand values are passed.
const MOST: usize = 1 << 21;
/// What a call counts in the length of a loop: a loop that calls is not short, and what is called once may be inlined.
const CALL: usize = 120;

/// An operand that has not been used yet.
#[derive(Debug, Clone)]
struct Operand {
    expr: Expr,
    /// Locals it reads.
    locals: Vec<u32>,
    /// The same value whenever it is evaluated.
    constant: bool,
    /// It reads memory, a table or a global.
    state: bool,
    traps: bool,
    /// The operators that it is made of.
    operators: usize,
}

impl Operand {
    /// A value that is the same whenever it is evaluated.
    fn constant(kind: ExprKind, ty: ValType) -> Operand {
        Operand {
            expr: Expr::new(kind, ty),
            locals: Vec::new(),
            constant: true,
            state: false,
            traps: false,
            operators: 1,
        }
    }

    /// A value that depends on more than its parts, which effects may change.
    fn state(kind: ExprKind, ty: ValType) -> Operand {
        Operand { constant: false, state: true, ..Operand::constant(kind, ty) }
    }

    /// What `make` makes of the parts' expressions.
    fn of(parts: Vec<Operand>, ty: ValType, make: impl FnOnce(Vec<Expr>) -> ExprKind) -> Operand {
        let mut whole = Operand::constant(ExprKind::Null, ty);
        let mut exprs = Vec::with_capacity(parts.len());
        for part in parts {
            whole.locals.extend(part.locals);
            whole.constant &= part.constant;
            whole.state |= part.state;
            whole.traps |= part.traps;
            whole.operators += part.operators;
            exprs.push(part.expr);
        }
        whole.locals.sort_unstable();
        whole.locals.dedup();
        whole.expr.kind = make(exprs);
        whole
    }

    /// Whether it matters when it is evaluated.
    fn waits(&self) -> bool {
        !self.constant || self.traps
    }
}

struct Builder<'a, 'm> {
    unit: &'a Unit<'m>,
    index: u32,
    stack: Vec<Operand>,
    /// The operands below do not wait.
    settled: usize,
    open: Vec<Open>,
    labels: Label,
    locals: Vec<ValType>,
    temps: Vec<ValType>,
    /// What is known of the variables for operands.
    ranges: Vec<Range>,
    reachable: bool,
    /// Blocks opened in code that is not translated.
    skipped: usize,
    after_tee: bool,
    /// The frame on the shadow stack, where checks depend on it, and whether it was made.
    frame: Option<range::Frame>,
    has_frame: bool,
    /// The frame, where that is on the native stack.
    native_frame: Option<range::Frame>,
    has_loops: bool,
    exceptions: Vec<Label>,
    /// Operators that were read. A call counts for many.
    operators: usize,
    /// Values that branches and blocks pass.
    passed: usize,
}

/// Builds the tree of a function of the module.
///
/// # Errors
/// `unsupported-wasm` for an operator that cannot be translated, and `too-large`.
pub(crate) fn function(unit: &Unit<'_>, index: u32, body: &wasmparser::FunctionBody<'_>) -> Result<Function> {
    let ty = unit.module.functions[index as usize].ty.clone();
    let mut locals = ty.params.clone();
    let invalid =
        |error: wasmparser::BinaryReaderError| unsupported(unit.name, None, error.offset(), error.message());
    for group in body.get_locals_reader().map_err(invalid)? {
        let (count, local) = group.map_err(invalid)?;
        let local = crate::module::val_type(unit.name, local)?;
        locals.extend(std::iter::repeat_n(local, count as usize));
    }
    let mut this = Builder {
        unit,
        index,
        stack: Vec::new(),
        settled: 0,
        open: vec![Open::function(ty.results.clone())],
        labels: 0,
        locals,
        temps: Vec::new(),
        ranges: Vec::new(),
        reachable: true,
        skipped: 0,
        after_tee: false,
        frame: unit.shadow_stack.and_then(|stack| range::frame(body, stack.pointer)),
        has_frame: false,
        native_frame: unit.native_frames[index as usize - unit.module.imported()],
        has_loops: false,
        exceptions: Vec::new(),
        operators: 0,
        passed: 0,
    };
    let mut reader = body.get_operators_reader().map_err(invalid)?;
    while !reader.eof() {
        let start = reader.original_position();
        let op = reader.read().map_err(invalid)?;
        this.operators += 1;
        this.operator(&op, start)?;
        if this.passed > MOST {
            return Err(Diagnostic::new("too-large", "its blocks pass too many values")
                .at(place(unit.name, unit.module.functions[index as usize].name.as_deref(), start))
                .help("divide the function"));
        }
    }
    let body = std::mem::take(&mut this.open[0].body);
    Ok(Function {
        index,
        ty,
        locals: this.locals,
        temps: this.temps,
        body,
        labels: this.labels,
        exceptions: this.exceptions,
        has_loops: this.has_loops,
    })
}

impl Builder<'_, '_> {
    fn emit(&mut self, stmt: Stmt) {
        self.body().push(stmt);
    }

    fn emit_all(&mut self, stmts: Vec<Stmt>) {
        self.body().extend(stmts);
    }

    /// The statements of the innermost block that is one in the tree.
    fn body(&mut self) -> &mut Vec<Stmt> {
        let at = (self.open.len() - 1).min(DEEPEST);
        &mut self.open[at].body
    }

    fn new_label(&mut self) -> Label {
        self.labels += 1;
        self.labels
    }

    fn temp(&mut self, ty: ValType) -> Var {
        self.temps.push(ty);
        self.ranges.push(Range::ANY);
        Var::Temp(self.temps.len() as u32 - 1)
    }

    fn temps(&mut self, types: &[ValType]) -> Vec<Var> {
        types.iter().map(|ty| self.temp(*ty)).collect()
    }

    fn push(&mut self, operand: Operand) {
        if operand.traps {
            self.spill(|other| other.traps);
        }
        let long = operand.operators > LONGEST;
        self.stack.push(operand);
        while self.stack.len() - self.settled > WAITING {
            if self.stack[self.settled].waits() {
                self.spill_at(self.settled);
            }
            self.settled += 1;
        }
        if long {
            let top = self.stack.len() - 1;
            let expr = &mut self.stack[top].expr;
            let mut products = 0;
            expr.each(&mut |part| products += usize::from(part.is_product()));
            if products > 1 && expr.ty == ValType::I32 && !expr.is_primary() {
                let sum = std::mem::replace(expr, Expr::i32(0));
                *expr = Expr::new(ExprKind::Computed(Box::new(sum)), ValType::I32);
            }
            self.spill_at(top);
        }
    }

    /// Pushes what is in a variable for operands.
    fn push_temp(&mut self, temp: Var) {
        let operand = self.temp_operand(temp);
        self.push(operand);
    }

    fn temp_operand(&self, temp: Var) -> Operand {
        let ty = match temp {
            Var::Local(local) => self.locals[local as usize],
            Var::Temp(temp) => self.temps[temp as usize],
        };
        Operand::constant(ExprKind::Get(temp), ty)
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

    /// The topmost operands as arguments.
    fn arguments(&mut self, count: usize) -> Vec<Expr> {
        self.pops(count).into_iter().map(|operand| operand.expr).collect()
    }

    fn truncate(&mut self, height: usize) {
        self.stack.truncate(height);
        self.settled = self.settled.min(height);
    }

    fn spill_at(&mut self, at: usize) {
        let temp = self.temp(self.stack[at].expr.ty);
        if let Var::Temp(temp) = temp {
            self.ranges[temp as usize] = self.range(&self.stack[at].expr);
        }
        let kept = self.temp_operand(temp);
        let value = std::mem::replace(&mut self.stack[at], kept).expr;
        self.emit(Stmt::Set(temp, value));
    }

    /// Keeps in variables the operands that `when` is true of.
    fn spill(&mut self, when: impl Fn(&Operand) -> bool) {
        for at in self.settled..self.stack.len() {
            if self.stack[at].waits() && when(&self.stack[at]) {
                self.spill_at(at);
            }
            if at == self.settled && !self.stack[at].waits() {
                self.settled += 1;
            }
        }
    }

    /// Keeps the topmost operands in variables, so that they can be used more than once.
    fn keep(&mut self, count: usize) {
        for at in self.stack.len() - count..self.stack.len() {
            if !self.stack[at].constant {
                self.spill_at(at);
            }
        }
    }

    /// Before something changes memory or a global, or may not come back.
    fn flush_effects(&mut self) {
        self.spill(|operand| operand.state || operand.traps);
    }

    /// What is known of a value wherever it is: the pass over the finished tree knows more.
    fn range(&self, expr: &Expr) -> Range {
        range::of(expr, &|var| match var {
            Var::Temp(temp) => self.ranges[temp as usize],
            Var::Local(local) => match self.frame {
                Some(frame) if self.has_frame && frame.local == local => frame.range(),
                _ => Range::ANY,
            },
        })
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
        if let Some(op) = OpId::of(op) {
            let operands = self.pops(op.line().operands);
            let mut operand = Operand::of(operands, op.line().result, |parts| ExprKind::Op(op, parts));
            operand.traps |= op.line().traps;
            self.push(operand);
            return Ok(());
        }
        if let Some(access) = ops::access(op) {
            self.access(&access);
            return Ok(());
        }
        match *op {
            Operator::Nop => {}
            Operator::Unreachable => {
                self.flush_effects();
                self.emit(Stmt::Unreachable);
                self.reachable = false;
            }
            Operator::Block { blockty } => self.open(Kind::Block, blockty, start)?,
            Operator::Loop { blockty } => self.open(Kind::Loop, blockty, start)?,
            Operator::If { blockty } => self.open(Kind::If, blockty, start)?,
            Operator::Else => self.alternative(),
            Operator::End => match self.open.last().map(|open| open.kind) {
                Some(Kind::Try | Kind::Catch) => self.end_try(),
                _ => self.close(),
            },
            Operator::Try { blockty } => self.open(Kind::Try, blockty, start)?,
            Operator::TryTable { ref try_table } => {
                self.open(Kind::Try, try_table.ty, start)?;
                self.open.last_mut().expect("just opened").catches = Some(try_table.catches.clone());
            }
            Operator::Catch { tag_index } => self.catch(Some(tag_index)),
            Operator::CatchAll => self.catch(None),
            Operator::Delegate { relative_depth } => self.delegate(relative_depth),
            Operator::Throw { tag_index } => self.throw(tag_index),
            Operator::ThrowRef => self.throw_ref(),
            Operator::Rethrow { relative_depth } => self.rethrow(relative_depth),
            Operator::Br { relative_depth } => self.leave_by(relative_depth),
            Operator::Return => self.leave_by(self.open.len() as u32 - 1),
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                self.branch_if(condition.expr, relative_depth);
            }
            Operator::BrTable { ref targets } => self.branch_table(targets),
            Operator::Call { function_index } => {
                let ty = self.unit.module.functions[function_index as usize].ty.clone();
                let (recursive, throws) =
                    (self.unit.recursive(function_index), self.unit.throws[function_index as usize]);
                self.call(Callee::Function(function_index), &ty, recursive, throws);
            }
            Operator::CallIndirect { type_index, table_index } => {
                let (callee, ty) = self.indirect(type_index, table_index);
                self.call_reference(callee, &ty);
            }
            Operator::CallRef { type_index } => {
                let (callee, ty) = self.by_reference(type_index);
                self.call_reference(callee, &ty);
            }
            Operator::ReturnCall { function_index } => {
                let ty = self.unit.module.functions[function_index as usize].ty.clone();
                self.tail_call(Callee::Function(function_index), &ty);
            }
            Operator::ReturnCallIndirect { type_index, table_index } => {
                let (callee, ty) = self.indirect(type_index, table_index);
                self.tail_call(callee, &ty);
            }
            Operator::ReturnCallRef { type_index } => {
                let (callee, ty) = self.by_reference(type_index);
                self.tail_call(callee, &ty);
            }
            Operator::RefNull { hty } => {
                let ty = crate::module::ref_type(self.unit.name, hty)?;
                self.push(Operand::constant(ExprKind::Null, ty));
            }
            Operator::RefFunc { function_index } => {
                self.push(Operand::constant(ExprKind::RefFunc(function_index), ValType::FuncRef));
            }
            Operator::RefAsNonNull => {
                let reference = self.pop();
                let ty = reference.expr.ty;
                let mut operand = Operand::of(vec![reference], ty, |mut parts| {
                    ExprKind::NonNull(Box::new(parts.remove(0)))
                });
                operand.traps = true;
                self.push(operand);
            }
            Operator::BrOnNull { relative_depth } => {
                self.keep(1);
                let reference = self.pop();
                let is_null = ExprKind::Op(OpId::RefIsNull, vec![reference.expr.clone()]);
                self.branch_if(Expr::new(is_null, ValType::I32), relative_depth);
                self.push(reference);
            }
            Operator::BrOnNonNull { relative_depth } => {
                self.keep(1);
                let reference = self.stack.last().expect("validated").expr.clone();
                let is_null = Expr::new(ExprKind::Op(OpId::RefIsNull, vec![reference]), ValType::I32);
                let not = ExprKind::Op(OpId::I32Eqz, vec![is_null]);
                self.branch_if(Expr::new(not, ValType::I32), relative_depth);
                self.pop();
            }
            Operator::TableGet { table } => {
                let index = self.pop();
                let ty = self.unit.module.tables[table as usize].ty;
                let mut operand = Operand::of(vec![index], ty, |mut parts| {
                    ExprKind::TableGet(table, Box::new(parts.remove(0)))
                });
                operand.constant = false;
                operand.state = true;
                operand.traps = true;
                self.push(operand);
            }
            Operator::TableSize { table } => {
                self.push(Operand::state(ExprKind::TableSize(table), ValType::I32));
            }
            Operator::MemorySize { mem } => {
                self.push(Operand::state(ExprKind::MemorySize(mem), ValType::I32));
            }
            Operator::TableSet { table } => self.bulk(Bulk::TableSet(table), 2, false),
            Operator::TableGrow { table } => self.bulk(Bulk::TableGrow(table), 2, true),
            Operator::TableFill { table } => self.bulk(Bulk::TableFill(table), 3, false),
            Operator::TableCopy { dst_table, src_table } => {
                self.bulk(Bulk::TableCopy(dst_table, src_table), 3, false);
            }
            Operator::TableInit { elem_index, table } => {
                self.bulk(Bulk::TableInit(table, elem_index), 3, false);
            }
            Operator::ElemDrop { elem_index } => self.bulk(Bulk::ElemDrop(elem_index), 0, false),
            Operator::MemoryGrow { mem } => self.bulk(Bulk::MemoryGrow(mem), 1, true),
            Operator::MemoryCopy { dst_mem, src_mem } => {
                self.bulk(Bulk::MemoryCopy(dst_mem, src_mem), 3, false);
            }
            Operator::MemoryFill { mem } => self.bulk(Bulk::MemoryFill(mem), 3, false),
            Operator::MemoryInit { data_index, mem } => {
                self.bulk(Bulk::MemoryInit(mem, data_index), 3, false);
            }
            Operator::DataDrop { data_index } => self.bulk(Bulk::DataDrop(data_index), 0, false),
            Operator::Drop => {
                let operand = self.pop();
                if operand.traps {
                    self.emit(Stmt::Eval(operand.expr));
                }
            }
            Operator::Select | Operator::TypedSelect { .. } => self.select(),
            Operator::LocalGet { local_index } => self.get_local(local_index),
            Operator::LocalSet { local_index } => self.set_local(local_index),
            Operator::LocalTee { local_index } => {
                self.set_local(local_index);
                self.get_local(local_index);
                self.after_tee = true;
            }
            Operator::GlobalGet { global_index } => {
                let global = &self.unit.module.globals[global_index as usize];
                let kind = ExprKind::Global(global_index);
                self.push(match global.mutable {
                    true => Operand::state(kind, global.ty),
                    false => Operand::constant(kind, global.ty),
                });
            }
            Operator::GlobalSet { global_index } => self.set_global(global_index, after_tee),
            Operator::I32Const { value } => {
                let kind = match self.unit.address_constant(value.cast_unsigned()) {
                    Some(reference) => ExprKind::Address(reference),
                    None => ExprKind::Const(value.cast_unsigned().into()),
                };
                self.push(Operand::constant(kind, ValType::I32));
            }
            Operator::I64Const { value } => {
                self.push(Operand::constant(ExprKind::Const(value.cast_unsigned()), ValType::I64));
            }
            Operator::F32Const { value } => {
                self.push(Operand::constant(ExprKind::Const(value.bits().into()), ValType::F32));
            }
            Operator::F64Const { value } => {
                self.push(Operand::constant(ExprKind::Const(value.bits()), ValType::F64));
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

    fn access(&mut self, access: &ops::Access) {
        let value = access.store.then(|| self.pop());
        let address = self.pop();
        let range = self.range(&address.expr);
        let mut node = Access {
            memory: access.memarg.memory,
            address: Expr::i32(0),
            offset: access.memarg.offset,
            base: self.unit.address_constant(access.memarg.offset as u32),
            cell: access.cell,
            ty: access.ty,
            align: access.memarg.align,
            check: Check::None(Proof::Direct),
            sum_is_exact: false,
            is_element: false,
        };
        node.check = self.unit.check(&node, range);
        let traps = matches!(node.check, Check::Bounds | Check::Outside);
        let Some(mut value) = value else {
            let mut operand = Operand::of(vec![address], access.ty, |mut parts| {
                ExprKind::Load(Box::new(Access { address: parts.remove(0), ..node }))
            });
            operand.constant = false;
            operand.state = true;
            operand.traps |= traps;
            return self.push(operand);
        };
        self.flush_effects();
        // The value is evaluated before the address is checked.
        if value.traps && traps {
            self.stack.push(value);
            self.spill_at(self.stack.len() - 1);
            value = self.pop();
        }
        self.emit(Stmt::Store(Access { address: address.expr, ..node }, value.expr));
    }

    fn bulk(&mut self, op: Bulk, args: usize, has_result: bool) {
        let args = self.arguments(args);
        self.flush_effects();
        let result = has_result.then(|| self.temp(ValType::I32));
        self.emit(Stmt::Bulk { op, args, result, checks: [Check::Bounds; 2] });
        if let Some(result) = result {
            self.push_temp(result);
        }
    }

    fn select(&mut self) {
        let condition = self.pop();
        // Both are evaluated, so neither may trap where C evaluates one.
        for at in self.stack.len() - 2..self.stack.len() {
            if self.stack[at].traps {
                self.spill_at(at);
            }
        }
        let mut parts = self.pops(2);
        let ty = parts[0].expr.ty;
        parts.push(condition);
        let select = |parts: Vec<Expr>| {
            let parts: [Expr; 3] = parts.try_into().expect("three operands");
            ExprKind::Select(Box::new(parts))
        };
        self.push(Operand::of(parts, ty, select));
    }

    fn get_local(&mut self, local: u32) {
        let mut operand =
            Operand::constant(ExprKind::Get(Var::Local(local)), self.locals[local as usize]);
        operand.constant = false;
        operand.locals.push(local);
        self.push(operand);
    }

    fn set_local(&mut self, local: u32) {
        let mut operand = self.pop();
        if self.native_frame.is_some_and(|frame| frame.local == local) {
            operand = Operand::constant(ExprKind::NativeFrame, ValType::I32);
        }
        self.spill(|other| other.locals.contains(&local));
        if operand.traps {
            self.spill(|other| other.traps);
        }
        let value = operand.expr;
        match self.frame.filter(|frame| frame.local == local) {
            Some(frame) => {
                self.has_frame = true;
                self.emit(Stmt::MakeFrame { local, size: frame.size, value });
            }
            None => self.emit(Stmt::Set(Var::Local(local), value)),
        }
    }

    fn set_global(&mut self, global: u32, after_tee: bool) {
        let mut operand = self.pop();
        let is_direct_stack = self.unit.is_direct_stack(global);
        if self.native_frame.is_some() && is_direct_stack {
            return;
        }
        self.flush_effects();
        // A value that is compared first is evaluated once.
        if self.unit.shadow_stack.is_some_and(|stack| stack.pointer == global)
            && !self.range(&operand.expr).is_in_frame()
        {
            self.stack.push(operand);
            self.spill_at(self.stack.len() - 1);
            operand = self.pop();
        }
        let after_tee = after_tee && is_direct_stack;
        self.emit(Stmt::GlobalSet { global, value: operand.expr, after_tee, check: Check::Bounds });
    }

    fn indirect(&mut self, ty: u32, table: u32) -> (Callee, FuncType) {
        let index = self.pop().expr;
        // C evaluates arguments and callee in any order.
        self.spill(|operand| operand.traps);
        (Callee::Indirect { table, ty, index }, self.unit.module.types[ty as usize].clone())
    }

    fn by_reference(&mut self, ty: u32) -> (Callee, FuncType) {
        let reference = self.pop().expr;
        self.spill(|operand| operand.traps);
        (Callee::Reference { ty, reference }, self.unit.module.types[ty as usize].clone())
    }

    fn call_reference(&mut self, callee: Callee, ty: &FuncType) {
        self.call(callee, ty, true, self.unit.throws_indirect);
    }

    /// Calls, and pushes what comes back.
    fn call(&mut self, callee: Callee, ty: &FuncType, may_come_back: bool, throws: bool) {
        let args = self.arguments(ty.params.len());
        self.flush_effects();
        self.operators += CALL;
        let results = self.temps(&ty.results);
        let recursive = may_come_back && self.unit.recursive(self.index);
        let thrown = throws.then(|| self.leave(self.open.len()));
        self.emit(Stmt::Call { callee, args, results: results.clone(), recursive, thrown });
        results.into_iter().for_each(|result| self.push_temp(result));
    }

    fn tail_call(&mut self, callee: Callee, ty: &FuncType) {
        let args = self.arguments(ty.params.len());
        self.flush_effects();
        let same = *ty == self.unit.module.functions[self.index as usize].ty;
        self.emit(Stmt::TailCall { callee, args, same });
        self.reachable = false;
    }
}
