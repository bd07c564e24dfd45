//! A function as a tree: statements in their order, and expressions that are evaluated where they are.
//!
//! [`build`](crate::build) makes it of operators, [`passes`](crate::passes) find out what is known and note it in the tree,
//! and [`codegen`](crate::codegen) prints it as C. Only what a pass notes removes a check.

mod contents;
pub(crate) mod print;
mod products;

use crate::ops::{Cell, Class, OpId};
use crate::options::SourceLine;
use crate::relocs::Reference;
use crate::types::{FuncType, ValType};

pub(crate) use products::Products;

/// A variable of a function in C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Var {
    /// A local of the WebAssembly function.
    Local(u32),
    /// A variable for an operand. Between the statement that sets it and the last use it has one value.
    Temp(u32),
}

/// The number of a block in its function.
pub(crate) type Label = usize;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub ty: ValType,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    /// A number, as the bits of its type.
    Const(u64),
    /// A vector, its low half first.
    Vector([u64; 2]),
    /// The address of data or of a function of the program, in direct memory.
    Address(Reference),
    Get(Var),
    Global(u32),
    /// A null reference.
    Null,
    RefFunc(u32),
    /// Its operands are in the tree's order.
    Op(OpId, Vec<Expr>),
    /// Bytes of two vectors, by their numbers in both.
    Shuffle(Box<[Expr; 2]>, [u8; 16]),
    Load(Box<Access>),
    /// `[first, second, condition]`; the first, if the condition is not zero.
    Select(Box<[Expr; 3]>),
    /// The reference, or a trap if it is null.
    NonNull(Box<Expr>),
    TableGet(u32, Box<Expr>),
    TableSize(u32),
    MemorySize(u32),
    /// How many bytes a memory has.
    MemoryBytes(u32),
    /// The address of the function's frame on the native stack.
    NativeFrame,
    /// A value of a caught exception.
    Payload(Caught, usize),
    /// The caught exception itself.
    Exception,
    /// An i64 as an i32, or a trap if it is 2^32 or more, and so outside of any memory or table.
    Index(Box<Expr>, Outside),
    /// An address, or a trap if it plus an offset is no multiple of so many bytes.
    Aligned(Box<Expr>, u32, u32),
    /// An i64 as an i32, or the largest if it is 2^32 or more.
    Count(Box<Expr>),
    /// A product of i64s, which an i32 holds: so do its factors.
    NarrowProduct(Box<[Expr; 2]>),
    /// Products of lanes, whose numbers have 16 bits and are signed.
    NarrowLanes {
        factors: Box<[Expr; 2]>,
        /// The bits of a lane: 32 or 64.
        width: u32,
        /// Above its 16 bits, the first has zeros and not its sign.
        is_unsigned: bool,
    },
    /// Numbers that are loaded, a load of all, as lanes of more bits. Four bytes in lanes of 16 bits, which leave lanes that are
    /// 0, are the factors of `I32x4ExtMulLowI16x8S` only.
    WidenedLoad {
        load: Box<Expr>,
        /// The bits of a number and of a lane.
        from: u32,
        to: u32,
        is_signed: bool,
    },
    /// `[sum, a, b, c, d]`: `sum + a * b + c * d`. The factors are signed and have 16 bits. `c` is loaded from directly
    /// behind `a`, and neither is checked.
    DualProduct(Box<[Expr; 5]>),
    /// `[sum, a, b, a, b, a, b, a, b]`: `sum` and four products. Each `a` is a signed byte behind the one before, or such a byte plus
    /// a constant, which is the same for all. So is each `b`, or all are constants of 16 bits. None is checked.
    QuadProduct(Box<[Expr; 9]>),
    /// `[sum, a, b, count]`: `sum` and the products of as many numbers from `a` on, plus a constant, with those from `b` on.
    /// The count is a multiple of four, and none is checked.
    DotProduct(Box<[Expr; 4]>, Products, i16),
    /// Whether the processor computes that faster than a loop.
    HasDotProduct(Products),
    /// The value, which the C compiler computes here and not where it is used.
    Computed(Box<Expr>),
}

/// What traps if an index is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    Memory,
    Table,
    /// A call through a table.
    Call,
}

/// Where an exception that was caught is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caught {
    /// In the variable `e` of a `try_table`'s handler.
    Handler,
    /// In the variable of a `try`.
    Try(Label),
}

/// A load or store, without the value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Access {
    /// The number of its operator in the function.
    pub operator: usize,
    pub memory: u32,
    pub address: Expr,
    /// Added to the address. A sum of 2^32 or more is outside of the memory.
    pub offset: u64,
    /// What the offset stands for in direct memory.
    pub base: Option<Reference>,
    pub cell: Cell,
    /// Of the value.
    pub ty: ValType,
    /// The logarithm of the alignment that the module hints at.
    pub align: u8,
    pub check: Check,
    /// The address is a sum with a constant, which does not wrap around.
    pub sum_is_exact: bool,
    /// The address is the start of an array plus a scaled index.
    pub is_element: bool,
}

impl Access {
    /// How far behind the address it ends.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.cell.bytes().into())
    }

    /// What the offset stands for, without the distance from its start, and that distance modulo 2^32.
    pub fn within_object(&self) -> (Option<Reference>, u32) {
        match self.base {
            Some(Reference::Data { object, offset }) => {
                (Some(Reference::Data { object, offset: 0 }), offset as u32)
            }
            Some(function) => (Some(function), 0),
            None => (None, self.offset as u32),
        }
    }

    /// Whether the offset may be that of a field.
    pub fn is_near(&self) -> bool {
        self.offset > 0 && self.offset < NEAR
    }

    /// A value, and how far behind it the cell lies, if the access is not checked and others near it can share the address.
    pub fn displaced(&self) -> Option<(&Expr, u64)> {
        let Check::None(proof) = self.check else { return None };
        // Native addresses wrap around where WebAssembly's sums do.
        let direct = proof == Proof::Direct;
        let sum = self.address.op(OpId::I32Add);
        let sum = sum.filter(|parts| parts[0].is_primary() && (direct || self.sum_is_exact));
        let sum = sum.and_then(|parts| Some((&parts[0], self.offset + u64::from(parts[1].known()?))));
        let whole = (self.is_near() || direct && self.offset > 0).then_some((&self.address, self.offset));
        sum.filter(|(_, behind)| *behind < NEAR).or(whole)
    }
}

/// Offsets below this are fields of one structure, whose accesses share its address.
const NEAR: u64 = 4096;

/// How an access is kept inside its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// It needs no check.
    None(Proof),
    /// Its address is masked.
    Mask,
    /// Its address is compared with the memory's size.
    Bounds,
    /// It is outside, whatever its address is.
    Outside,
}

/// Why an access needs no check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Addresses are native, and nothing is checked.
    Direct,
    /// The memory model trusts the module.
    Trusted,
    /// The address is in this range, and the memory is never smaller than what ends there.
    Between { least: u32, most: u32 },
    /// All frames together have no more bytes than the shadow stack, whatever is called.
    Depth(u32),
    /// The loop with this label is entered only behind a check of all addresses that its iterations access there.
    BeforeLoop(Label),
    /// The loop with this label is entered and repeated only with an address that is inside.
    Repeated(Label),
    /// It is in a frame of so many bytes on the shadow stack, and so far above its start.
    Frame { size: u32, least: u32, most: u32 },
}

/// Why execution always ends at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trap {
    Unreachable,
    /// A wait at a memory that is not shared.
    NotShared,
    /// A wait without an end: there is no other thread.
    Endless,
}

/// What is called.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Callee {
    Function(u32),
    /// The element of a table at an index, with a type.
    Indirect {
        table: u32,
        ty: u32,
        index: Expr,
    },
    Reference {
        ty: u32,
        reference: Expr,
    },
}

/// Where an exception goes that nobody catches in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// To the handlers of this block.
    Catch(Label),
    /// Out of the function.
    Return,
}

/// An operator with effects on a memory or table as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    MemoryGrow(u32),
    /// To the first from the second.
    MemoryCopy(u32, u32),
    MemoryFill(u32),
    /// A memory from a data segment.
    MemoryInit(u32, u32),
    DataDrop(u32),
    TableSet(u32),
    TableGrow(u32),
    TableFill(u32),
    /// To the first from the second.
    TableCopy(u32, u32),
    /// A table from an element segment.
    TableInit(u32, u32),
    ElemDrop(u32),
}

/// An operator with 128 bits, which are two i64s, the low half first (wide arithmetic proposal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wide {
    Add,
    Sub,
    MulS,
    MulU,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stmt {
    Set(Var, Expr),
    /// A local becomes the address of the function's frame on the shadow stack, which is `size` bytes below the pointer.
    MakeFrame {
        local: u32,
        size: u32,
        value: Expr,
        /// Whether the frame fits below the pointer.
        check: Check,
    },
    GlobalSet {
        global: u32,
        value: Expr,
        /// The value comes straight from the local that was just set to it.
        after_tee: bool,
        /// The number of its operator in the function.
        operator: usize,
        /// Of the shadow stack's pointer, whether it may be above its first value.
        check: Check,
    },
    Store(Access, Expr),
    Call {
        callee: Callee,
        args: Vec<Expr>,
        results: Vec<Var>,
        /// It may come back to this function.
        recursive: bool,
        /// Where it goes on if the callee has thrown, if it may throw.
        thrown: Option<Leave>,
    },
    TailCall {
        callee: Callee,
        args: Vec<Expr>,
        /// The callee has this function's type.
        same: bool,
    },
    Bulk {
        op: Bulk,
        args: Vec<Expr>,
        result: Option<Var>,
        /// How the destination and the source of a fill or copy are kept inside their memories.
        checks: [Check; 2],
    },
    /// The low and high half of a result of 128 bits.
    Wide(Wide, Vec<Expr>, [Var; 2]),
    /// Only the trap of the expression matters.
    Eval(Expr),
    /// Its label is at its end, if something branches there.
    Block {
        label: Label,
        body: Vec<Stmt>,
        used: bool,
    },
    Loop(Loop),
    If {
        label: Label,
        condition: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
        used: bool,
        /// The end of `then` is reached.
        falls: bool,
    },
    Br(Label),
    /// Where branches lead to from blocks that are nested too deep for the tree.
    Label(Label),
    /// If the condition is not zero, some variables are set and the last statement leaves.
    BrIf(Expr, Vec<Stmt>),
    Switch {
        index: Expr,
        cases: Vec<(Vec<usize>, Vec<Stmt>)>,
        default: Vec<Stmt>,
    },
    Return(Vec<Expr>),
    Trap(Trap),
    /// The end of a function that is never reached.
    NeverReached,
    Throw(u32, Vec<Expr>),
    ThrowRef(Expr),
    Rethrow(Label),
    Leave(Leave),
    Try(Try),
    /// Many accesses are near the address in this local.
    Neighbours(u32),
    /// The statements behind it are from this line of the source.
    Line(Option<SourceLine>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loop {
    pub label: Label,
    pub body: Vec<Stmt>,
    /// How many branches lead to it.
    pub branches: usize,
    /// The operators in it. A call counts for many.
    pub operators: usize,
    /// How often its last branch is reached, if nothing else leaves it.
    pub trips: Option<u32>,
    /// And how often at most.
    pub most_trips: Option<u32>,
    pub form: Form,
}

impl Loop {
    /// Loops of more operators are not worth more than one iteration at a time: what repeats them is a small part.
    pub const SHORT: usize = 160;
}

/// How a loop is repeated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Form {
    /// By branches to its label.
    Label,
    /// From its end, and from nowhere else, while the condition is not zero.
    DoWhile { condition: Expr, unrolled: Option<Unrolled> },
}

/// How often the body of a loop is written, if C compilers optimise for speed. The trip count is a multiple of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unrolled {
    Twice,
    /// Twice where accesses reach far from one address.
    TwiceIfWide,
    FourTimes,
    /// Its body already has so many iterations.
    Whole(u32),
}

/// A `try` or `try_table` in which something may throw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Try {
    pub label: Label,
    pub body: Vec<Stmt>,
    /// The end of the body is reached.
    pub falls: bool,
    /// Something goes to its end by its label.
    pub used: bool,
    pub handlers: Handlers,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Handlers {
    /// `catch`, and what happens to other exceptions.
    Catch(Vec<Handler>, Option<Leave>),
    /// The `catches` of a `try_table`.
    Table(Vec<TableHandler>, Option<Leave>),
    /// `delegate`.
    Delegate(Leave),
}

/// A `catch` of a tag, or of all exceptions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Handler {
    pub tag: Option<u32>,
    pub body: Vec<Stmt>,
    pub falls: bool,
    /// The embedder is told what was caught, as the handler does not throw it again.
    pub notes: bool,
}

/// Where an exception of a tag, or any, goes from a `try_table`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableHandler {
    pub tag: Option<u32>,
    /// The embedder is told what was caught.
    pub notes: bool,
    pub leave: Vec<Stmt>,
}

/// A function's body.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub index: u32,
    pub ty: FuncType,
    /// The parameters, then the others.
    pub locals: Vec<ValType>,
    pub temps: Vec<ValType>,
    pub body: Vec<Stmt>,
    pub labels: usize,
    /// The `try`s whose exceptions are kept in variables, as they have handlers.
    pub exceptions: Vec<Label>,
    pub has_loops: bool,
    /// The line of the source where it begins.
    pub line: Option<SourceLine>,
}

impl Function {
    /// A new variable for an operand.
    pub fn temp(&mut self, ty: ValType) -> Var {
        self.temps.push(ty);
        Var::Temp(self.temps.len() as u32 - 1)
    }

    /// A new variable of the same type as another one.
    pub fn like(&mut self, var: Var) -> Var {
        self.temp(match var {
            Var::Local(local) => self.locals[local as usize],
            Var::Temp(temp) => self.temps[temp as usize],
        })
    }

    /// A new label.
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        self.labels
    }
}

/// The fewest powers of two of which `value` is a sum or difference: the digits but 0 of its non-adjacent form.
fn terms(value: u32) -> u32 {
    let value = u64::from(value);
    ((3 * value) ^ value).count_ones()
}

impl Expr {
    pub fn new(kind: ExprKind, ty: ValType) -> Expr {
        Expr { kind, ty }
    }

    pub fn i32(value: u32) -> Expr {
        Expr::new(ExprKind::Const(value.into()), ValType::I32)
    }

    /// The value of an i32 that is a number.
    pub fn known(&self) -> Option<u32> {
        match self {
            Expr { kind: ExprKind::Const(value), ty: ValType::I32 } => Some(*value as u32),
            _ => None,
        }
    }

    /// The local that it is.
    pub fn local(&self) -> Option<u32> {
        match self.kind {
            ExprKind::Get(Var::Local(local)) => Some(local),
            _ => None,
        }
    }

    /// The operands, if it is this operator.
    pub fn op(&self, wanted: OpId) -> Option<&[Expr]> {
        match &self.kind {
            ExprKind::Op(op, operands) if *op == wanted => Some(operands),
            _ => None,
        }
    }

    /// Whether its C needs no parentheses, whatever is around it (C11, 6.5.1 and 6.5.2).
    pub fn is_primary(&self) -> bool {
        match &self.kind {
            ExprKind::Op(op, _) => op.line().class != Class::Plain || self.is_product(),
            ExprKind::Address(_)
            | ExprKind::RefFunc(_)
            | ExprKind::Load(_)
            | ExprKind::Select(_)
            | ExprKind::NonNull(_)
            | ExprKind::Computed(_) => false,
            _ => true,
        }
    }

    /// Whether C would make shifts and additions of the product for an architecture whose multiplication is fast: a factor is
    /// a constant of more than two powers of two.
    pub fn is_product(&self) -> bool {
        let factors = self.op(OpId::I32Mul).unwrap_or_default();
        factors.iter().filter_map(Expr::known).any(|known| terms(known) > 2)
    }

    /// Calls `visit` with it and all its parts.
    pub fn each(&self, visit: &mut impl FnMut(&Expr)) {
        visit(self);
        self.parts().iter().for_each(|part| part.each(visit));
    }

    /// Calls `visit` with all loads in it.
    pub fn each_load(&self, visit: &mut impl FnMut(&Access)) {
        self.each(&mut |part| {
            if let ExprKind::Load(access) = &part.kind {
                visit(access);
            }
        });
    }

    /// The variable that it is a sum of with a constant.
    pub fn sum(&self) -> Option<(Var, u32)> {
        match &self.kind {
            ExprKind::Get(var) => Some((*var, 0)),
            ExprKind::Op(op @ (OpId::I32Add | OpId::I32Sub), parts) => {
                let (var, by) = parts[0].sum()?;
                let constant = parts[1].known()?;
                let more = if *op == OpId::I32Sub { constant.wrapping_neg() } else { constant };
                Some((var, by.wrapping_add(more)))
            }
            _ => None,
        }
    }
}

impl Stmt {
    /// Whether it says where statements are from, and does nothing.
    pub fn is_line(&self) -> bool {
        matches!(self, Stmt::Line(_))
    }

    /// The variables that it sets, besides that of a [`Stmt::Set`].
    pub fn results(&self) -> &[Var] {
        match self {
            Stmt::Call { results, .. } => results,
            Stmt::Wide(_, _, results) => results,
            Stmt::Bulk { result, .. } => result.as_slice(),
            _ => &[],
        }
    }
}

/// Calls `visit` with all statements, also those inside of others.
pub(crate) fn each(body: &[Stmt], visit: &mut impl FnMut(&Stmt)) {
    for stmt in body {
        visit(stmt);
        stmt.bodies().into_iter().for_each(|body| each(body, visit));
    }
}
