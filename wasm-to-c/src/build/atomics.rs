//! Atomic operators (threads proposal), which are ordinary ones: there is one thread.
//!
//! What interrupts a function of the module and calls another may see a value between a load and a store, as it may in any
//! program that is not compiled for threads.

use wasmparser::Operator;

use super::builder::Builder;
use super::operand::{Operand, index, narrowed};
use crate::ir::{Access, Expr, ExprKind, Outside, Stmt, Trap};
use crate::ops::{self, Cell, OpId};
use crate::types::ValType::{self, I32, I64};

/// What an atomic operator does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Atomic {
    Load,
    Store,
    /// Stores what the operator makes of what was there, and returns that.
    Rmw(OpId),
    Exchange,
    CompareExchange,
    Notify,
    Wait,
}

macro_rules! table {
    ($op:ident, $($atomic:expr => $name:ident $cell:ident $ty:ident;)*) => {
        match *$op {
            $(Operator::$name { memarg } => (memarg, Cell::$cell, $ty, $atomic),)*
            _ => return None,
        }
    };
}

/// What an atomic operator accesses, and what it does.
pub(super) fn operator(op: &Operator<'_>) -> Option<(ops::Access, Atomic)> {
    use Atomic::{CompareExchange, Exchange, Load, Notify, Rmw, Store, Wait};
    let (memarg, cell, ty, atomic) = table! { op,
        Load => I32AtomicLoad U32 I32;
        Load => I64AtomicLoad U64 I64;
        Load => I32AtomicLoad8U U8 I32;
        Load => I32AtomicLoad16U U16 I32;
        Load => I64AtomicLoad8U U8 I64;
        Load => I64AtomicLoad16U U16 I64;
        Load => I64AtomicLoad32U U32 I64;
        Store => I32AtomicStore U32 I32;
        Store => I64AtomicStore U64 I64;
        Store => I32AtomicStore8 U8 I32;
        Store => I32AtomicStore16 U16 I32;
        Store => I64AtomicStore8 U8 I64;
        Store => I64AtomicStore16 U16 I64;
        Store => I64AtomicStore32 U32 I64;
        Rmw(OpId::I32Add) => I32AtomicRmwAdd U32 I32;
        Rmw(OpId::I64Add) => I64AtomicRmwAdd U64 I64;
        Rmw(OpId::I32Add) => I32AtomicRmw8AddU U8 I32;
        Rmw(OpId::I32Add) => I32AtomicRmw16AddU U16 I32;
        Rmw(OpId::I64Add) => I64AtomicRmw8AddU U8 I64;
        Rmw(OpId::I64Add) => I64AtomicRmw16AddU U16 I64;
        Rmw(OpId::I64Add) => I64AtomicRmw32AddU U32 I64;
        Rmw(OpId::I32Sub) => I32AtomicRmwSub U32 I32;
        Rmw(OpId::I64Sub) => I64AtomicRmwSub U64 I64;
        Rmw(OpId::I32Sub) => I32AtomicRmw8SubU U8 I32;
        Rmw(OpId::I32Sub) => I32AtomicRmw16SubU U16 I32;
        Rmw(OpId::I64Sub) => I64AtomicRmw8SubU U8 I64;
        Rmw(OpId::I64Sub) => I64AtomicRmw16SubU U16 I64;
        Rmw(OpId::I64Sub) => I64AtomicRmw32SubU U32 I64;
        Rmw(OpId::I32And) => I32AtomicRmwAnd U32 I32;
        Rmw(OpId::I64And) => I64AtomicRmwAnd U64 I64;
        Rmw(OpId::I32And) => I32AtomicRmw8AndU U8 I32;
        Rmw(OpId::I32And) => I32AtomicRmw16AndU U16 I32;
        Rmw(OpId::I64And) => I64AtomicRmw8AndU U8 I64;
        Rmw(OpId::I64And) => I64AtomicRmw16AndU U16 I64;
        Rmw(OpId::I64And) => I64AtomicRmw32AndU U32 I64;
        Rmw(OpId::I32Or) => I32AtomicRmwOr U32 I32;
        Rmw(OpId::I64Or) => I64AtomicRmwOr U64 I64;
        Rmw(OpId::I32Or) => I32AtomicRmw8OrU U8 I32;
        Rmw(OpId::I32Or) => I32AtomicRmw16OrU U16 I32;
        Rmw(OpId::I64Or) => I64AtomicRmw8OrU U8 I64;
        Rmw(OpId::I64Or) => I64AtomicRmw16OrU U16 I64;
        Rmw(OpId::I64Or) => I64AtomicRmw32OrU U32 I64;
        Rmw(OpId::I32Xor) => I32AtomicRmwXor U32 I32;
        Rmw(OpId::I64Xor) => I64AtomicRmwXor U64 I64;
        Rmw(OpId::I32Xor) => I32AtomicRmw8XorU U8 I32;
        Rmw(OpId::I32Xor) => I32AtomicRmw16XorU U16 I32;
        Rmw(OpId::I64Xor) => I64AtomicRmw8XorU U8 I64;
        Rmw(OpId::I64Xor) => I64AtomicRmw16XorU U16 I64;
        Rmw(OpId::I64Xor) => I64AtomicRmw32XorU U32 I64;
        Exchange => I32AtomicRmwXchg U32 I32;
        Exchange => I64AtomicRmwXchg U64 I64;
        Exchange => I32AtomicRmw8XchgU U8 I32;
        Exchange => I32AtomicRmw16XchgU U16 I32;
        Exchange => I64AtomicRmw8XchgU U8 I64;
        Exchange => I64AtomicRmw16XchgU U16 I64;
        Exchange => I64AtomicRmw32XchgU U32 I64;
        CompareExchange => I32AtomicRmwCmpxchg U32 I32;
        CompareExchange => I64AtomicRmwCmpxchg U64 I64;
        CompareExchange => I32AtomicRmw8CmpxchgU U8 I32;
        CompareExchange => I32AtomicRmw16CmpxchgU U16 I32;
        CompareExchange => I64AtomicRmw8CmpxchgU U8 I64;
        CompareExchange => I64AtomicRmw16CmpxchgU U16 I64;
        CompareExchange => I64AtomicRmw32CmpxchgU U32 I64;
        Notify => MemoryAtomicNotify U32 I32;
        Wait => MemoryAtomicWait32 U32 I32;
        Wait => MemoryAtomicWait64 U64 I64;
    };
    Some((ops::Access { memarg, cell, ty, store: matches!(atomic, Store) }, atomic))
}

impl Builder<'_, '_> {
    pub(super) fn atomic(&mut self, access: &ops::Access, atomic: Atomic) {
        match atomic {
            Atomic::Load => {
                let address = self.pop();
                let address = self.aligned(access, address);
                self.push(address);
                self.access(access);
            }
            Atomic::Store => {
                let (value, address) = (self.pop(), self.pop());
                let address = self.aligned(access, address);
                self.push(address);
                self.push(value);
                self.access(access);
            }
            Atomic::Rmw(op) => {
                let [value] = self.kept_operands();
                let (load, store) = self.both(access);
                let new = ExprKind::Op(op, vec![load.clone(), value]);
                self.replace(store, Expr::new(new, access.ty), load);
            }
            Atomic::Exchange => {
                let [value] = self.kept_operands();
                let (load, store) = self.both(access);
                self.replace(store, value, load);
            }
            Atomic::CompareExchange => {
                let [expected, value] = self.kept_operands();
                let (load, store) = self.both(access);
                let is_there = is_same(access.ty, &load, expected);
                let new = ExprKind::Select(Box::new([value, load.clone(), is_there]));
                self.replace(store, Expr::new(new, access.ty), load);
            }
            Atomic::Notify => {
                let [_] = self.kept_operands();
                self.both(access);
                self.push(Operand::constant(ExprKind::Const(0), I32));
            }
            Atomic::Wait => self.wait(access),
        }
    }

    /// 1 if another value is there, 2 after the timeout: nobody else could wake it.
    fn wait(&mut self, access: &ops::Access) {
        let [expected, timeout] = self.kept_operands();
        if !self.unit.module.memories[access.memarg.memory as usize].is_shared {
            self.pop();
            self.emit(Stmt::Trap(Trap::NotShared));
            return self.push(Operand::constant(ExprKind::Const(0), I32));
        }
        let (load, _) = self.both(access);
        let is_there = is_same(access.ty, &load, expected);
        let zero = Expr::new(ExprKind::Const(0), I64);
        let is_endless = Expr::new(ExprKind::Op(OpId::I64LtS, vec![timeout, zero]), I32);
        let never = Expr::new(ExprKind::Op(OpId::I32And, vec![is_there.clone(), is_endless]), I32);
        self.emit(Stmt::BrIf(never, vec![Stmt::Trap(Trap::Endless)]));
        let result = ExprKind::Select(Box::new([Expr::i32(2), Expr::i32(1), is_there]));
        let result = self.kept(Operand::constant(result, I32));
        self.push(result);
    }

    /// An address that must be a multiple of the bytes that are accessed.
    fn aligned(&self, access: &ops::Access, address: Operand) -> Operand {
        let address = index(address, self.is_memory_64(access.memarg.memory), Outside::Memory);
        let node = self.node(access);
        // What an offset is the address of is aligned.
        let offset = if node.base.is_some() { 0 } else { node.offset };
        match access.cell.bytes() {
            1 => address,
            bytes => narrowed(address, |address| {
                ExprKind::Aligned(address, (offset % u64::from(bytes)) as u32, bytes)
            }),
        }
    }

    /// The topmost operands but the address, and that, evaluated in their order. The address stays.
    fn kept_operands<const COUNT: usize>(&mut self) -> [Expr; COUNT] {
        self.flush_effects();
        self.keep(COUNT + 1);
        let operands = self.pops(COUNT).into_iter().map(|operand| operand.expr);
        operands.collect::<Vec<_>>().try_into().expect("validated")
    }

    /// What is at the address on the stack, in a variable, and the store that replaces it.
    fn both(&mut self, access: &ops::Access) -> (Expr, Access) {
        let address = self.pop();
        let address = self.aligned(access, address);
        let address = self.kept(address).expr;
        let load = ExprKind::Load(Box::new(Access { address: address.clone(), ..self.node(access) }));
        let load = self.kept(Operand::state(load, access.ty)).expr;
        (load, Access { address, ..self.node(access) })
    }

    /// Stores a value, and returns what was there before.
    fn replace(&mut self, store: Access, value: Expr, before: Expr) {
        self.emit(Stmt::Store(store, value));
        self.push(Operand::constant(before.kind, before.ty));
    }
}

/// Whether two values of a type are the same.
fn is_same(ty: ValType, a: &Expr, b: Expr) -> Expr {
    let op = if ty == I64 { OpId::I64Eq } else { OpId::I32Eq };
    Expr::new(ExprKind::Op(op, vec![a.clone(), b]), I32)
}
