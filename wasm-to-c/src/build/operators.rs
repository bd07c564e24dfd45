//! Operators.

use target_specs::Result;
use wasmparser::Operator;

use super::atomics;
use super::builder::Builder;
use super::open::Kind;
use super::operand::{self, Operand, index, narrowed};
use crate::ir::{Access, Bulk, Callee, Check, Expr, ExprKind, Outside, Proof, Stmt, Trap, Var, Wide};
use crate::module::{halves, unsupported};
use crate::ops::vectors::{self, Use};
use crate::ops::{self, OpId, VectorOp};
use crate::range::Range;
use crate::types::{FuncType, ValType};

/// What a call counts in the length of a loop: a loop that calls is not short, and what is called once may be inlined.
const CALL: usize = 120;

impl Builder<'_, '_> {
    /// Translates an operator, which is at an offset of the module.
    ///
    /// # Errors
    /// `unsupported-wasm` and `too-large`.
    pub fn operator(&mut self, op: &Operator<'_>, start: usize) -> Result<()> {
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
        if let Some((access, what)) = vectors::access(op) {
            self.vector_access(&access, what);
            return Ok(());
        }
        if let Some(lane) = vectors::lane(op) {
            self.push(Operand::constant(ExprKind::Const(lane.into()), ValType::I32));
        }
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
        if let Some((access, op)) = atomics::operator(op) {
            self.atomic(&access, op);
            return Ok(());
        }
        match *op {
            // There is one thread.
            Operator::Nop | Operator::AtomicFence => {}
            Operator::Unreachable => {
                self.flush_effects();
                self.emit(Stmt::Trap(Trap::Unreachable));
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
                let index = operand::index(index, self.is_table_64(table), Outside::Table);
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
                self.widen(self.is_table_64(table), OpId::I64ExtendI32U);
            }
            Operator::MemorySize { mem } => {
                self.push(Operand::state(ExprKind::MemorySize(mem), ValType::I32));
                self.widen(self.is_memory_64(mem), OpId::I64ExtendI32U);
            }
            Operator::TableSet { table } => {
                let is_64 = self.is_table_64(table);
                self.narrow([is_64, false], Outside::Table);
                self.bulk(Bulk::TableSet(table), 2, false);
            }
            Operator::TableGrow { table } => {
                let is_64 = self.is_table_64(table);
                self.count(is_64);
                self.bulk(Bulk::TableGrow(table), 2, true);
                self.widen(is_64, OpId::I64ExtendI32S);
            }
            Operator::TableFill { table } => {
                let is_64 = self.is_table_64(table);
                self.narrow([is_64, false, is_64], Outside::Table);
                self.bulk(Bulk::TableFill(table), 3, false);
            }
            Operator::TableCopy { dst_table: to, src_table: from } => {
                let (a, b) = (self.is_table_64(to), self.is_table_64(from));
                self.narrow([a, b, a && b], Outside::Table);
                self.bulk(Bulk::TableCopy(to, from), 3, false);
            }
            Operator::TableInit { elem_index, table } => {
                self.narrow([self.is_table_64(table), false, false], Outside::Table);
                self.bulk(Bulk::TableInit(table, elem_index), 3, false);
            }
            Operator::ElemDrop { elem_index } => self.bulk(Bulk::ElemDrop(elem_index), 0, false),
            Operator::MemoryGrow { mem } => {
                let is_64 = self.is_memory_64(mem);
                self.count(is_64);
                self.bulk(Bulk::MemoryGrow(mem), 1, true);
                self.widen(is_64, OpId::I64ExtendI32S);
            }
            Operator::MemoryCopy { dst_mem: to, src_mem: from } => {
                let (a, b) = (self.is_memory_64(to), self.is_memory_64(from));
                self.narrow([a, b, a && b], Outside::Memory);
                self.bulk(Bulk::MemoryCopy(to, from), 3, false);
            }
            Operator::MemoryFill { mem } => {
                let is_64 = self.is_memory_64(mem);
                self.narrow([is_64, false, is_64], Outside::Memory);
                self.bulk(Bulk::MemoryFill(mem), 3, false);
            }
            Operator::MemoryInit { data_index, mem } => {
                self.narrow([self.is_memory_64(mem), false, false], Outside::Memory);
                self.bulk(Bulk::MemoryInit(mem, data_index), 3, false);
            }
            Operator::DataDrop { data_index } => self.bulk(Bulk::DataDrop(data_index), 0, false),
            Operator::I64Add128 => self.wide(Wide::Add, 4),
            Operator::I64Sub128 => self.wide(Wide::Sub, 4),
            Operator::I64MulWideS => self.wide(Wide::MulS, 2),
            Operator::I64MulWideU => self.wide(Wide::MulU, 2),
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
            Operator::V128Const { value } => {
                self.push(Operand::constant(ExprKind::Vector(halves(value)), ValType::V128));
            }
            Operator::I8x16Shuffle { lanes } => {
                let vectors = self.pops(2);
                self.push(Operand::of(vectors, ValType::V128, |parts| {
                    let parts: [Expr; 2] = parts.try_into().expect("two operands");
                    ExprKind::Shuffle(Box::new(parts), lanes)
                }));
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

    pub(super) fn access(&mut self, access: &ops::Access) {
        let value = access.store.then(|| self.pop());
        let address = self.pop();
        let address = index(address, self.is_memory_64(access.memarg.memory), Outside::Memory);
        let node = self.node(access);
        let is_narrowed = matches!(address.expr.kind, ExprKind::Index(..) | ExprKind::Aligned(..));
        let is_checked = matches!(node.check, Check::Bounds | Check::Outside);
        let traps = is_narrowed || is_checked && !self.proved.contains(&self.number);
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
            value = self.kept(value);
        }
        self.emit(Stmt::Store(Access { address: address.expr, ..node }, value.expr));
    }

    /// A load or store of a number that becomes a vector, or is a lane of one.
    fn vector_access(&mut self, access: &ops::Access, what: Use) {
        let lane_of = |lane: u8| Operand::constant(ExprKind::Const(lane.into()), ValType::I32);
        match what {
            Use::Vector(op) => {
                self.access(access);
                self.vector(op, 1);
            }
            Use::Widened(op) => {
                self.access(access);
                self.vector(VectorOp::V128Load64Zero, 1);
                self.vector(op, 1);
            }
            Use::Lane(op, lane) => {
                let mut vector = self.pop();
                // It is evaluated before the address is checked.
                if vector.traps {
                    vector = self.kept(vector);
                }
                self.access(access);
                let number = self.pop();
                self.stack.extend([vector, number, lane_of(lane)]);
                self.vector(op, 3);
            }
            Use::Stored(op, lane) => {
                self.push(lane_of(lane));
                self.vector(op, 2);
                self.access(access);
            }
        }
    }

    /// An operator whose operands are the topmost.
    fn vector(&mut self, op: VectorOp, operands: usize) {
        let operands = self.pops(operands);
        self.push(Operand::of(operands, op.line().result, |parts| ExprKind::Op(OpId::Vector(op), parts)));
    }

    /// A load or store whose address comes later.
    pub(super) fn node(&self, access: &ops::Access) -> Access {
        let mut node = Access {
            operator: self.number,
            memory: access.memarg.memory,
            address: Expr::i32(0),
            offset: access.memarg.offset,
            base: u32::try_from(access.memarg.offset).ok().and_then(|at| self.unit.address_constant(at)),
            cell: access.cell,
            ty: access.ty,
            align: access.memarg.align,
            check: Check::None(Proof::Direct),
            sum_is_exact: false,
            is_element: false,
        };
        node.check = self.unit.check(&node, Range::ANY);
        node
    }

    pub(super) fn is_memory_64(&self, memory: u32) -> bool {
        self.unit.module.memories[memory as usize].is_64
    }

    fn is_table_64(&self, table: u32) -> bool {
        self.unit.module.tables[table as usize].is_64
    }

    /// Makes 32 bits of those of the topmost operands that are indices or lengths of 64 bits.
    fn narrow<const COUNT: usize>(&mut self, are_64: [bool; COUNT], outside: Outside) {
        self.spill(|operand| operand.traps);
        for (operand, is_64) in self.pops(COUNT).into_iter().zip(are_64) {
            self.push(index(operand, is_64, outside));
        }
    }

    /// Makes 32 bits of a number of pages or elements.
    fn count(&mut self, is_64: bool) {
        if is_64 {
            let operand = self.pop();
            let mut operand = narrowed(operand, ExprKind::Count);
            operand.traps = false;
            self.push(operand);
        }
    }

    /// Makes an i64 of the topmost operand.
    fn widen(&mut self, is_64: bool, extend: OpId) {
        if is_64 {
            let operand = self.pop();
            self.push(Operand::of(vec![operand], ValType::I64, |parts| ExprKind::Op(extend, parts)));
        }
    }

    fn wide(&mut self, op: Wide, args: usize) {
        self.spill(|operand| operand.traps);
        let args = self.arguments(args);
        let results = [self.temp(ValType::I64), self.temp(ValType::I64)];
        self.emit(Stmt::Wide(op, args, results));
        results.into_iter().for_each(|result| self.push_temp(result));
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
        let mut operand = Operand::constant(ExprKind::Get(Var::Local(local)), self.locals[local as usize]);
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
                let check = self.unit.depth.map_or(Check::Bounds, |depth| Check::None(Proof::Depth(depth)));
                self.emit(Stmt::MakeFrame { local, size: frame.size, value, check });
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
            && !self.proved.contains(&self.number)
        {
            operand = self.kept(operand);
        }
        let after_tee = after_tee && is_direct_stack;
        let (operator, check) = (self.number, Check::Bounds);
        self.emit(Stmt::GlobalSet { global, value: operand.expr, after_tee, operator, check });
    }

    fn indirect(&mut self, ty: u32, table: u32) -> (Callee, FuncType) {
        let index = self.pop();
        let index = operand::index(index, self.is_table_64(table), Outside::Call).expr;
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
