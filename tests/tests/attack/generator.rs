//! Modules that try to get out of their memory, from a number each.
//!
//! They do what a translator is tempted to reason about: accesses at the ends of memories, sums that wrap around, masks,
//! strides, counted loops, variables that depend on one another, frames on a shadow stack that are made and given back in every order, several memories of odd
//! sizes, tables and references of functions whose types look alike, names that linkers use. Each module ends whatever is
//! called: its loops count, or take from a global that runs out.
//!
//! An interpreter that knows neither function references nor exceptions judges them. It gets a twin of the module, in
//! which a reference is a `funcref`, a call of one goes through a table, and an exception is a global that is looked at
//! after each call. A function type that mentions a concrete type has more parameters there, which tell it from others.

#[path = "affine.rs"]
mod affine;
mod recurrences;
mod strided;

use std::borrow::Cow;

use wasm_encoder::{
    BlockType, Catch, CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, HeapType, Ieee32,
    Ieee64, Instruction as I, MemArg, MemorySection, MemoryType, Module, NameMap, NameSection, RefType,
    TableSection, TableType, TagKind, TagSection, TagType, TypeSection, ValType,
};

use crate::batch::{Random, Step};

pub struct Attack {
    pub wasm: Vec<u8>,
    /// What the interpreter runs.
    pub twin: Vec<u8>,
    pub steps: Vec<Step>,
    /// Bytes of its memories when it starts.
    pub bytes: u64,
    /// By export that is called: its parameters and its result, whether they are i64.
    exports: Vec<(String, Vec<bool>, Option<bool>)>,
}

impl Attack {
    fn export(&self, name: &str) -> Option<&(String, Vec<bool>, Option<bool>)> {
        self.exports.iter().find(|(export, ..)| export == name)
    }

    /// Whether the parameters of an export are i64.
    pub fn parameters(&self, name: &str) -> &[bool] {
        self.export(name).map_or(&[], |(_, params, _)| params)
    }

    /// Whether an export returns something.
    pub fn returns(&self, name: &str) -> bool {
        self.export(name).is_some_and(|(.., result)| result.is_some())
    }

    /// Whether that is an i64.
    pub fn wide(&self, name: &str) -> bool {
        self.export(name).is_some_and(|(.., result)| *result == Some(true))
    }
}

/// The global of the twin that holds the number of the exception on its way, or 0.
pub const THROWN: &str = "(thrown)";

/// Globals of the twin that may be taken for the stack pointer.
pub const POINTERS: [&str; 2] = ["(pointer)", "(decoy)"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
    Func,
    /// A reference of that type; whether it may be null.
    Ref(u32, bool),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    params: Vec<Ty>,
    results: Vec<Ty>,
}

struct Memory {
    page: u64,
    minimum: u64,
    maximum: Option<u64>,
}

impl Memory {
    fn bytes(&self) -> u64 {
        self.page * self.minimum
    }
}

/// A function's body, for the product and for the interpreter.
struct Body {
    ours: Vec<I<'static>>,
    theirs: Vec<I<'static>>,
    params: Vec<Ty>,
    locals: Vec<Ty>,
    results: Vec<Ty>,
    /// Parameters that the twin has more.
    markers: usize,
    /// Open labels.
    depth: u32,
    /// Of the handlers around: the depth of their block, and whether they want tag 0 only.
    handlers: Vec<(u32, bool)>,
    /// Locals that hold any i32.
    any: Vec<u32>,
    accumulator: u32,
    /// Locals that loops count with.
    counters: Vec<u32>,
    /// The address of a frame and its size.
    frame: Option<(u32, u32)>,
    loops: u32,
    fresh: u32,
}

impl Body {
    fn local(&mut self, ty: Ty) -> u32 {
        self.locals.push(ty);
        (self.params.len() + self.locals.len() - 1) as u32
    }

    /// The same operator in both.
    fn op(&mut self, op: I<'static>) {
        let (params, markers) = (self.params.len() as u32, self.markers as u32);
        let moved = |local: u32| if local < params { local } else { local + markers };
        self.theirs.push(match op {
            I::LocalGet(local) => I::LocalGet(moved(local)),
            I::LocalSet(local) => I::LocalSet(moved(local)),
            I::LocalTee(local) => I::LocalTee(moved(local)),
            _ => op.clone(),
        });
        self.ours.push(op);
    }

    fn ops(&mut self, ops: impl IntoIterator<Item = I<'static>>) {
        for op in ops {
            match op {
                I::Block(_) | I::Loop(_) | I::If(_) => self.depth += 1,
                I::End => self.depth -= 1,
                _ => {}
            }
            self.op(op);
        }
    }

    fn constant(&mut self, value: u32) {
        self.op(I::I32Const(value.cast_signed()));
    }
}

/// What a function may do that no linked program does, at one place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chaos {
    Nowhere,
    Somewhere,
    Everywhere,
}

struct Generator {
    random: Random,
    types: Vec<Signature>,
    memories: Vec<Memory>,
    /// Types of the functions.
    functions: Vec<u32>,
    /// Memories, tables and stacks of a small board.
    small: bool,
    pointer: u32,
    decoy: u32,
    fuel: u32,
    globals: Vec<(Ty, bool, i64)>,
    /// Whether the module has references of concrete types, and exceptions.
    references: bool,
    exceptions: bool,
    grows: bool,
    /// Whether it has vectors.
    vectors: bool,
    chaos: Chaos,
    chaotic: u32,
    segments: u32,
    tables: Vec<(Ty, u32, u32)>,
    /// Where the elements of each table of `funcref` begin, and the functions.
    elements: Vec<(u32, u32, Vec<u32>)>,
    bodies: Vec<Body>,
    top: u32,
    first: Option<First>,
}

const NAMES: [&str; 10] = [
    "memcpy",
    "__rust_alloc",
    "_start",
    "main",
    "core::ptr::drop_in_place",
    "stack",
    "start",
    "__stack_pointer",
    "memory_base",
    "l0",
];

/// The first memory as the tool makes it, which may be larger or smaller than the module says: in pages of so many bytes.
#[derive(Debug, Clone, Copy)]
pub struct First {
    pub page: u64,
    pub minimum: u64,
    /// As far as the module says.
    pub grows: bool,
}

/// The module of a seed. With `small` it fits on a board. Its twin has that first memory, when it is given.
pub fn attack(seed: u64, small: bool, first: Option<First>) -> Attack {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..4 {
        random.next();
    }
    let chaos = match random.below(10) {
        0..3 => Chaos::Nowhere,
        3..8 => Chaos::Somewhere,
        _ => Chaos::Everywhere,
    };
    let generator = Generator {
        references: random.chance(25),
        exceptions: random.chance(12),
        grows: random.chance(20),
        vectors: seed % 4 == 1,
        chaos,
        chaotic: random.below(3) as u32,
        random,
        types: Vec::new(),
        memories: Vec::new(),
        functions: Vec::new(),
        small,
        pointer: 0,
        decoy: 0,
        fuel: 0,
        globals: Vec::new(),
        segments: 0,
        tables: Vec::new(),
        elements: Vec::new(),
        bodies: Vec::new(),
        top: 0,
        first,
    };
    generator.module()
}

impl Generator {
    fn chance(&mut self, percent: u64) -> bool {
        self.random.chance(percent)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random.below(end)
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.random.below(items.len() as u64) as usize]
    }

    fn memory(&mut self) -> Memory {
        let growth = if self.grows { self.below(3) } else { 0 };
        let huge = !self.small && self.chance(1);
        let (page, minimum) = match (huge, self.chance(if self.small { 85 } else { 45 })) {
            (true, true) => (
                1,
                self.pick(&[0x7fff_fff9, 0x8000_0000, 0x8000_0001, 0xc000_0000, 0xffff_fff0, 0xffff_ffff]),
            ),
            (true, false) => (1 << 16, self.pick(&[16384, 32767, 32768, 32769, 40000, 49152, 65535, 65536])),
            (false, true) => {
                let odd = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 100, 128, 255, 256, 257, 511, 1000, 1024];
                let large = [4095, 4096, 4097, 5000, 8192];
                (1, if self.chance(75) { self.pick(&odd) } else { self.pick(&large) })
            }
            (false, false) => (1 << 16, if self.small { 1 } else { self.pick(&[0, 1, 1, 1, 2, 3]) }),
        };
        let maximum = match growth {
            _ if huge => Some(minimum),
            0 => self.chance(50).then_some(minimum),
            1 => Some(minimum + self.random.below(4)),
            _ => Some(minimum + 1 + self.random.below(3)),
        };
        // What a memory may say that it grows to.
        let most = if page == 1 { u64::from(u32::MAX) } else { 1 << 16 };
        Memory { page, minimum, maximum: maximum.map(|maximum| maximum.min(most)) }
    }

    fn number(&mut self) -> Ty {
        if self.vectors && self.chance(30) {
            return Ty::V128;
        }
        self.pick(&[Ty::I32, Ty::I32, Ty::I32, Ty::I64, Ty::I64, Ty::F32, Ty::F64])
    }

    fn signature(&mut self, exported: bool) -> Signature {
        let count = self.below(4);
        let integer = |generator: &mut Generator| match generator.number() {
            Ty::I64 => Ty::I64,
            _ => Ty::I32,
        };
        let ty = |generator: &mut Generator| if exported { integer(generator) } else { generator.number() };
        let params = (0..count).map(|_| ty(self)).collect();
        let results = self.pick(&[0, 1, 1, 1, if exported { 1 } else { 2 }]);
        Signature { params, results: (0..results).map(|_| ty(self)).collect() }
    }

    /// Whether two types are the same, as the specification compares them: nothing else than their structure counts.
    fn same(&self, a: u32, b: u32) -> bool {
        let list = |a: &[Ty], b: &[Ty]| {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| match (a, b) {
                    (Ty::Ref(a, null), Ty::Ref(b, other)) => null == other && self.same(*a, *b),
                    _ => a == b,
                })
        };
        let (a, b) = (&self.types[a as usize], &self.types[b as usize]);
        list(&a.params, &b.params) && list(&a.results, &b.results)
    }

    /// The parameters that the twin of a type has more: digits of its number, in base 4.
    fn markers(&self, ty: u32) -> Vec<ValType> {
        let concrete = |index: &u32| {
            let ty = &self.types[*index as usize];
            ty.params.iter().chain(&ty.results).any(|ty| matches!(ty, Ty::Ref(..)))
        };
        if !concrete(&ty) {
            return Vec::new();
        }
        let first = (0..self.types.len() as u32).find(|other| self.same(*other, ty)).unwrap_or(ty);
        let digits = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
        vec![digits[first as usize % 4], digits[first as usize / 4 % 4], digits[first as usize / 16 % 4]]
    }

    /// Constants for the markers of a call, in the twin.
    fn mark(&self, body: &mut Body, ty: u32) {
        for marker in self.markers(ty) {
            body.theirs.push(match marker {
                ValType::I32 => I::I32Const(0),
                ValType::I64 => I::I64Const(0),
                ValType::F32 => I::F32Const(Ieee32::from(0.0)),
                _ => I::F64Const(Ieee64::from(0.0)),
            });
        }
    }

    /// A number at one of the ends of a memory, of the numbers, or in the middle.
    fn edge(&mut self, size: u64) -> u32 {
        let size = size as u32;
        let near = self.pick(&[0, 1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 32, 64]);
        match self.below(8) {
            0 => near,
            1 => size.wrapping_sub(near),
            2 => size.wrapping_add(near),
            3 => 0u32.wrapping_sub(near),
            4 => 0x8000_0000u32.wrapping_add(near),
            5 => 0x8000_0000u32.wrapping_sub(near),
            6 => self.pick(&[0xff, 0x100, 0xfff, 0x1000, 0xffff, 0x1_0000, 0x1_0001, self.top]),
            _ => (self.random.next() >> 32) as u32,
        }
    }

    fn offset(&mut self, size: u64) -> u64 {
        match self.below(10) {
            0..4 => 0,
            4..7 => self.pick(&[1, 2, 4, 8, 12, 16, 28, 60, 124, 248, 255, 256]),
            7 => self.pick(&[4088, 4095, 4096, 65532, 65535, 65536]),
            _ => self.edge(size).into(),
        }
    }

    fn any(&mut self, body: &Body) -> u32 {
        self.pick(&body.any)
    }

    /// A local that no loop depends on.
    fn variable(&mut self, body: &Body) -> u32 {
        let free: Vec<u32> =
            body.any.iter().copied().filter(|local| !body.counters.contains(local)).collect();
        self.pick(&free)
    }

    /// Puts an address for memory `memory` on the stack.
    fn address(&mut self, body: &mut Body, memory: u32, width: u64) {
        let size = self.memories[memory as usize].bytes();
        let local = self.any(body);
        // Most accesses are good, or nothing would be left to do.
        let mask = size.checked_sub(width).map_or(0, |last| (last + 1).next_power_of_two() / 2);
        if let Some((frame, bytes)) = body.frame.filter(|_| self.chance(60)) {
            body.op(I::LocalGet(frame));
            match self.below(8) {
                0 => {
                    let by = self.edge(bytes.into());
                    body.constant(by);
                    body.op(I::I32Add);
                }
                1 => {
                    let by = self.pick(&[1, 4, 16, bytes]);
                    body.constant(by);
                    body.op(I::I32Sub);
                }
                2 => {
                    let mask = self.pick(&[3, 7, 15, 31, bytes.wrapping_sub(1)]);
                    body.op(I::LocalGet(local));
                    body.constant(mask);
                    body.ops([I::I32And, I::I32Add]);
                }
                3 => {
                    body.op(I::LocalGet(local));
                    body.op(I::I32Add);
                }
                4 => {
                    body.op(I::LocalGet(local));
                    let condition = self.any(body);
                    body.ops([I::LocalGet(condition), I::Select]);
                }
                _ => {}
            }
            return;
        }
        match self.below(20) {
            0..7 => {
                body.op(I::LocalGet(local));
                body.constant((mask as u32).wrapping_sub(1));
                body.op(I::I32And);
            }
            7 => {
                let near = self.pick(&[0, 1, 2, 3, 4, 8]);
                let last = (size.wrapping_sub(width) as u32).wrapping_add(self.pick(&[0, 0, 1, 0]));
                body.constant(last.wrapping_sub(near));
            }
            8 => {
                let edge = self.edge(size);
                body.constant(edge);
            }
            9 => body.op(I::LocalGet(local)),
            10 => {
                let edge = self.edge(size);
                body.op(I::LocalGet(local));
                body.constant(edge);
                body.op(I::I32Add);
            }
            11 => {
                let (mask, by) = (self.edge(size), self.below(34) as u32);
                body.op(I::LocalGet(local));
                body.constant(mask);
                body.op(I::I32And);
                body.constant(by);
                body.op(I::I32Shl);
            }
            12 => {
                let by = self.pick(&[0, 1, 16, 20, 24, 28, 31, 32, 33, 63]);
                body.op(I::LocalGet(local));
                body.constant(by);
                let shift = self.pick(&[0, 0, 1, 2]);
                body.op([I::I32ShrU, I::I32ShrS, I::I32Shl][shift].clone());
            }
            13 => {
                body.op(I::LocalGet(local));
                let by = (size as u32).max(1);
                body.constant(by);
                body.op(if self.chance(70) { I::I32RemU } else { I::I32RemS });
            }
            14 => {
                body.op(I::GlobalGet(self.pointer));
            }
            15 => {
                let (mask, times, more) = (self.pick(&[3, 7, 15, 255]), self.edge(size), self.edge(size));
                body.op(I::LocalGet(local));
                body.constant(mask);
                body.op(I::I32And);
                body.constant(times);
                body.op(I::I32Mul);
                body.constant(more);
                body.op(I::I32Add);
            }
            16 => {
                let other = self.any(body);
                let (a, b) = (self.edge(size), self.edge(size));
                body.op(I::LocalGet(local));
                body.constant(a);
                body.ops([I::I32Add, I::LocalGet(other)]);
                body.constant(b);
                let op = self.pick(&[0, 1, 2, 3]);
                body.ops([I::I32And, [I::I32Add, I::I32Or, I::I32Xor, I::I32Sub][op].clone()]);
            }
            17 => {
                // As Rust writes an index: base + (i << 2), wrapping around.
                let base = self.edge(size);
                body.constant(base);
                body.op(I::LocalGet(local));
                body.constant(2);
                body.ops([I::I32Shl, I::I32Add]);
            }
            18 => {
                let other = self.any(body);
                body.constant((mask as u32).wrapping_sub(1));
                body.ops([I::LocalGet(local), I::LocalGet(other), I::Select]);
            }
            _ => {
                body.op(I::LocalGet(local));
                body.constant((size as u32 / 2).max(1));
                body.op(I::I32DivU);
            }
        }
    }

    /// Mixes the i32 on the stack into the result.
    fn accumulate(&mut self, body: &mut Body) {
        let at = body.accumulator;
        body.ops([I::LocalGet(at), I::I32Const(31), I::I32Mul, I::I32Add, I::LocalSet(at)]);
    }

    /// What is on the stack becomes part of the result.
    fn take(&mut self, body: &mut Body, ty: Ty) {
        match ty {
            Ty::I32 => {}
            Ty::I64 => body.op(I::I32WrapI64),
            Ty::F32 => body.op(I::I32ReinterpretF32),
            Ty::F64 => body.ops([I::I64ReinterpretF64, I::I32WrapI64]),
            Ty::V128 => {
                let lane = self.below(4) as u8;
                body.op(I::I32x4ExtractLane(lane));
            }
            Ty::Func | Ty::Ref(..) => body.op(I::RefIsNull),
        }
        self.accumulate(body);
    }

    /// Functions of a type.
    fn of_type(&self, ty: u32) -> Vec<u32> {
        (0..self.functions.len() as u32).filter(|f| self.same(self.functions[*f as usize], ty)).collect()
    }

    /// Puts a value on the stack.
    fn value(&mut self, body: &mut Body, ty: Ty) {
        let local = self.any(body);
        match ty {
            Ty::I32 => match self.below(4) {
                0 => {
                    let size = self.memories.first().map_or(0, Memory::bytes);
                    let edge = self.edge(size);
                    body.constant(edge);
                }
                _ => body.op(I::LocalGet(local)),
            },
            Ty::I64 => match self.below(3) {
                0 => {
                    let value = self.random.value();
                    body.op(I::I64Const(value.cast_signed()));
                }
                1 => body.ops([I::LocalGet(local), I::I64ExtendI32S]),
                _ => body.ops([I::LocalGet(local), I::I64ExtendI32U]),
            },
            // Any NaN, moved as it is.
            Ty::F32 => match self.below(3) {
                0 => {
                    let bits = self.pick(&[
                        0x7fa0_0001,
                        0xffff_ffff,
                        0x7fc0_0000,
                        0xff80_0001,
                        0x3f80_0000,
                        0x8000_0000,
                    ]);
                    body.op(I::F32Const(Ieee32::new(bits)));
                }
                _ => body.ops([I::LocalGet(local), I::F32ReinterpretI32]),
            },
            Ty::F64 => match self.below(3) {
                0 => {
                    let bits =
                        self.pick(&[0x7ff0_0000_0000_0001, u64::MAX, 0x7ff8 << 48, 0x3ff0 << 48, 1 << 63]);
                    body.op(I::F64Const(Ieee64::new(bits)));
                }
                _ => body.ops([I::LocalGet(local), I::I64ExtendI32S, I::F64ReinterpretI64]),
            },
            Ty::V128 => match self.below(3) {
                0 => {
                    let (low, high) = (self.random.value(), self.random.value());
                    body.op(I::V128Const((u128::from(high) << 64 | u128::from(low)).cast_signed()));
                }
                1 => body.ops([I::LocalGet(local), I::I32x4Splat]),
                _ => {
                    let other = self.any(body);
                    body.ops([I::LocalGet(local), I::I8x16Splat, I::LocalGet(other), I::I32x4ReplaceLane(2)]);
                }
            },
            Ty::Func => {
                let function = self.below(self.functions.len() as u64) as u32;
                body.op(I::RefFunc(function));
            }
            Ty::Ref(to, _) => {
                let functions = self.of_type(to);
                match functions.is_empty() {
                    false => {
                        let function = self.pick(&functions);
                        body.op(I::RefFunc(function));
                    }
                    true => {
                        body.ours.extend([I::RefNull(HeapType::Concrete(to)), I::RefAsNonNull]);
                        // Traps as that does.
                        let hidden = self.tables.len() as u32;
                        body.theirs.extend([
                            I::I32Const(0),
                            I::RefNull(HeapType::FUNC),
                            I::TableSet(hidden),
                            I::I32Const(0),
                            I::CallIndirect { type_index: self.types.len() as u32, table_index: hidden },
                            I::RefNull(HeapType::FUNC),
                        ]);
                    }
                }
            }
        }
    }

    /// After a call in the twin: an exception that is on its way goes on.
    fn check_thrown(&mut self, body: &mut Body) {
        if self.exceptions {
            body.theirs.extend([I::GlobalGet(self.thrown()), I::If(BlockType::Empty)]);
            self.pass_on(body, 1);
            body.theirs.push(I::End);
        }
    }

    fn thrown(&self) -> u32 {
        self.globals.len() as u32
    }

    /// In the twin, with an exception on its way and `more` labels than in the module.
    fn pass_on(&mut self, body: &mut Body, more: u32) {
        let (thrown, payload) = (self.thrown(), self.thrown() + 1);
        if let Some((depth, one)) = body.handlers.last().copied() {
            let label = body.depth - 1 - depth + more;
            match one {
                true => body.theirs.extend([
                    I::GlobalGet(thrown),
                    I::I32Const(1),
                    I::I32Eq,
                    I::If(BlockType::Empty),
                    I::I32Const(0),
                    I::GlobalSet(thrown),
                    I::GlobalGet(payload),
                    I::Br(label + 1),
                    I::End,
                ]),
                false => body.theirs.extend([I::I32Const(0), I::GlobalSet(thrown), I::Br(label)]),
            }
            if !one {
                return;
            }
            // An outer handler takes all that the inner one does not.
            let outer = std::mem::take(&mut body.handlers);
            body.handlers = outer[..outer.len() - 1].to_vec();
            self.pass_on(body, more);
            body.handlers = outer;
            return;
        }
        for result in body.results.clone() {
            body.theirs.push(match result {
                Ty::I32 => I::I32Const(0),
                Ty::I64 => I::I64Const(0),
                Ty::F32 => I::F32Const(Ieee32::from(0.0)),
                Ty::F64 => I::F64Const(Ieee64::from(0.0)),
                Ty::V128 => I::V128Const(0),
                Ty::Func | Ty::Ref(..) => I::RefNull(HeapType::FUNC),
            });
        }
        body.theirs.push(I::Return);
    }

    /// A call of function `at`, or by type through a table or a reference.
    fn call(&mut self, body: &mut Body) {
        let at = self.below(self.functions.len() as u64) as u32;
        let current = self.bodies.len() as u32;
        let way = self.below(10);
        // Calls that may come back here cost fuel.
        let guarded = way >= 6 || at <= current;
        if guarded {
            body.ops([I::GlobalGet(self.fuel), I::If(BlockType::Empty)]);
            body.ops([I::GlobalGet(self.fuel), I::I32Const(9), I::I32ShrU]);
            body.ops([I::GlobalGet(self.fuel), I::I32Const(1), I::I32Sub, I::GlobalSet(self.fuel), I::Drop]);
        }
        let mut ty = self.functions[at as usize];
        let signature = |generator: &Generator, ty: u32| generator.types[ty as usize].clone();
        match way {
            0..6 => {
                let Signature { params, results } = signature(self, ty);
                for param in params {
                    self.value(body, param);
                }
                self.mark(body, ty);
                let same = results.is_empty() && body.results.is_empty();
                if same && self.chance(30) {
                    let local = self.any(body);
                    body.op(I::LocalGet(local));
                    // Only now and then the last thing that it does.
                    body.op(I::Drop);
                }
                body.op(I::Call(at));
                self.check_thrown(body);
                for result in results.into_iter().rev() {
                    self.take(body, result);
                }
            }
            6..9 if self.tables.iter().any(|(ty, ..)| *ty == Ty::Func) => {
                let tables: Vec<u32> = (0..self.tables.len() as u32)
                    .filter(|table| self.tables[*table as usize].0 == Ty::Func)
                    .collect();
                let table = self.pick(&tables);
                // A function that is there, by its type or one that looks like it; or any type at any place.
                let there = self.elements.iter().find(|(at, ..)| *at == table).cloned();
                let mut known = None;
                if let Some((_, first, items)) = there.filter(|(.., items)| !items.is_empty())
                    && self.chance(60)
                {
                    let at = self.below(items.len() as u64) as u32;
                    ty = self.functions[items[at as usize] as usize];
                    let alike = self.alike(ty);
                    if !alike.is_empty() && self.chance(50) {
                        ty = self.pick(&alike);
                    }
                    known = Some(first + at);
                } else if self.chance(30) {
                    ty = self.below(self.types.len() as u64) as u32;
                }
                let Signature { params, results } = signature(self, ty);
                for param in params {
                    self.value(body, param);
                }
                self.mark(body, ty);
                let size = self.tables[table as usize].1;
                match self.below(4) {
                    _ if known.is_some() => body.constant(known.unwrap_or(0)),
                    0 => {
                        let local = self.any(body);
                        body.op(I::LocalGet(local));
                        body.constant(size.next_power_of_two() - 1);
                        body.op(I::I32And);
                    }
                    1 => {
                        let index = self.edge(size.into());
                        body.constant(index);
                    }
                    _ => {
                        let index = self.below(u64::from(size.max(1))) as u32;
                        body.constant(index);
                    }
                }
                body.op(I::CallIndirect { type_index: ty, table_index: table });
                self.check_thrown(body);
                for result in results.into_iter().rev() {
                    self.take(body, result);
                }
            }
            _ if self.references => {
                let Signature { params, results } = signature(self, ty);
                for param in params {
                    self.value(body, param);
                }
                self.mark(body, ty);
                self.value(body, Ty::Ref(ty, false));
                let null = self.chance(10);
                let kept = body.local(Ty::Ref(ty, true));
                if null {
                    body.ops([I::Drop, I::LocalGet(kept)]);
                } else if self.chance(50) {
                    body.ops([I::LocalSet(kept), I::LocalGet(kept)]);
                }
                let theirs = (kept as usize + body.markers) as u32;
                let hidden = self.tables.len() as u32;
                body.ours.push(I::CallRef(ty));
                body.theirs.extend([
                    I::LocalSet(theirs),
                    I::I32Const(0),
                    I::LocalGet(theirs),
                    I::TableSet(hidden),
                    I::I32Const(0),
                    I::CallIndirect { type_index: ty, table_index: hidden },
                ]);
                self.check_thrown(body);
                for result in results.into_iter().rev() {
                    self.take(body, result);
                }
            }
            _ => {}
        }
        if guarded {
            body.ops([I::End]);
        }
    }

    fn access(&mut self, body: &mut Body) {
        if self.memories.is_empty() {
            return;
        }
        let memory = if self.chance(60) { 0 } else { self.below(self.memories.len() as u64) as u32 };
        self.access_at(body, memory, None);
    }

    /// An access at a local, when that is given.
    fn access_at(&mut self, body: &mut Body, memory: u32, local: Option<u32>) {
        let size = self.memories[memory as usize].bytes();
        let is_vector = self.vectors && self.chance(50);
        let kind = self.below(12);
        let widths = if is_vector {
            [16, 16, 16, 1, 2, 4, 8, 8, 8, 4, 8, 16]
        } else {
            [1, 1, 2, 2, 4, 4, 8, 4, 8, 1, 2, 4]
        };
        let width = widths[kind as usize];
        let offset = match body.frame {
            Some((_, bytes)) if self.chance(70) => {
                let near = self.pick(&[0, 0, 0, 4, 8, 12]);
                u64::from(if self.chance(85) { near.min(bytes) } else { bytes.wrapping_sub(near) })
            }
            _ => self.offset(size),
        };
        let memarg =
            MemArg { offset, align: self.below(2) as u32 * u32::from(width > 1), memory_index: memory };
        match local {
            Some(local) => body.op(I::LocalGet(local)),
            None => self.address(body, memory, width + if offset < 300 { offset } else { 0 }),
        }
        if is_vector {
            return self.vector_access(body, kind, memarg);
        }
        if self.chance(50) {
            let (ty, op) = match kind {
                0 | 1 => (Ty::I32, I::I32Store8(memarg)),
                2 | 3 => (Ty::I32, I::I32Store16(memarg)),
                4 | 5 => (Ty::I32, I::I32Store(memarg)),
                6 => (Ty::I64, I::I64Store(memarg)),
                7 => (Ty::F32, I::F32Store(memarg)),
                8 => (Ty::F64, I::F64Store(memarg)),
                9 => (Ty::I64, I::I64Store8(memarg)),
                10 => (Ty::I64, I::I64Store16(memarg)),
                _ => (Ty::I64, I::I64Store32(memarg)),
            };
            self.value(body, ty);
            body.op(op);
            return;
        }
        let (ty, op) = match kind {
            0 => (Ty::I32, I::I32Load8U(memarg)),
            1 => (Ty::I32, I::I32Load8S(memarg)),
            2 => (Ty::I32, I::I32Load16U(memarg)),
            3 => (Ty::I32, I::I32Load16S(memarg)),
            4 | 5 => (Ty::I32, I::I32Load(memarg)),
            6 => (Ty::I64, I::I64Load(memarg)),
            7 => (Ty::F32, I::F32Load(memarg)),
            8 => (Ty::F64, I::F64Load(memarg)),
            9 => (Ty::I64, I::I64Load8U(memarg)),
            10 => (Ty::I64, I::I64Load16S(memarg)),
            _ => (Ty::I64, I::I64Load32U(memarg)),
        };
        body.op(op);
        if ty == Ty::I32 && self.chance(25) && body.any.len() < 12 {
            let local = body.local(Ty::I32);
            body.any.push(local);
            body.op(I::LocalSet(local));
        } else {
            self.take(body, ty);
        }
    }

    /// An access of a vector or a lane, of the kind's width, behind its address.
    fn vector_access(&mut self, body: &mut Body, kind: u64, memarg: MemArg) {
        let loads = self.chance(50);
        let lane = |lanes: u64| (memarg.offset % lanes) as u8;
        let op = match (kind, loads) {
            (0..3 | 11, true) => I::V128Load(memarg),
            (3, true) => I::V128Load8Splat(memarg),
            (4, true) => I::V128Load16Splat(memarg),
            (5, true) => I::V128Load32Splat(memarg),
            (6, true) => I::V128Load64Splat(memarg),
            (7, true) => I::V128Load16x4S(memarg),
            (8, true) => I::V128Load8x8U(memarg),
            (9, true) => I::V128Load32Zero(memarg),
            (_, true) => I::V128Load64Zero(memarg),
            (0..3 | 11, false) => I::V128Store(memarg),
            (3, false) => I::V128Store8Lane { memarg, lane: lane(16) },
            (4, false) => I::V128Store16Lane { memarg, lane: lane(8) },
            (5 | 9, false) => I::V128Store32Lane { memarg, lane: lane(4) },
            (6 | 7, false) => I::V128Store64Lane { memarg, lane: lane(2) },
            (_, false) => I::V128Load64Lane { memarg, lane: lane(2) },
        };
        let replaces = matches!(op, I::V128Load64Lane { .. });
        if !loads {
            self.value(body, Ty::V128);
        }
        body.op(op);
        if loads || replaces {
            self.take(body, Ty::V128);
        }
    }

    /// A loop over an array.
    fn looped(&mut self, body: &mut Body) {
        if body.loops >= 2 || self.memories.is_empty() {
            return self.access(body);
        }
        body.loops += 1;
        let memory = if self.chance(70) { 0 } else { self.below(self.memories.len() as u64) as u32 };
        let size = self.memories[memory as usize].bytes();
        let counter = body.local(Ty::I32);
        let step =
            self.pick(&[1, 1, 2, 4, 4, 4, 8, 16, 3, u32::MAX, 0u32.wrapping_sub(4), 0u32.wrapping_sub(8)]);
        let turns = 1 + self.below(20) as u32;
        let start = if self.chance(60) {
            let first = self.below(size.max(1)) as u32;
            first & !3
        } else {
            self.edge(size)
        };
        let end = start.wrapping_add(step.wrapping_mul(turns));
        let compare = self.below(7);
        let goes_on = |value: u32| match compare {
            0..3 => value != end,
            3 => value < end,
            4 => value.cast_signed() < end.cast_signed(),
            5 => value > end,
            _ => value.cast_signed() >= end.cast_signed(),
        };
        let ne = match compare {
            0..3 => I::I32Ne,
            3 => I::I32LtU,
            4 => I::I32LtS,
            5 => I::I32GtU,
            _ => I::I32GeS,
        };
        // Whether it ends by itself.
        let mut value = start;
        let by_parameter = self.chance(20);
        let changed = self.chance(12);
        let mut ends = !by_parameter && !changed;
        if ends {
            let mut left = 70;
            while left > 0 {
                value = value.wrapping_add(step);
                if !goes_on(value) {
                    break;
                }
                left -= 1;
            }
            ends = left > 0;
        }
        // A pointer that runs along.
        let pointer = self.chance(40).then(|| body.local(Ty::I32));
        let stride = self.pick(&[1, 4, 8, 0u32.wrapping_sub(4), step]);
        if let Some(pointer) = pointer {
            match body.frame {
                Some((frame, _)) if self.chance(40) => body.op(I::LocalGet(frame)),
                _ => {
                    let first = self.edge(size);
                    body.constant(first);
                }
            }
            body.op(I::LocalSet(pointer));
        }
        body.constant(start);
        body.op(I::LocalSet(counter));
        let while_ = self.chance(30);
        body.ops([I::Block(BlockType::Empty), I::Loop(BlockType::Empty)]);
        let limit = |generator: &mut Generator, body: &mut Body| {
            if by_parameter {
                let local = generator.any(body);
                body.op(I::LocalGet(local));
            } else {
                body.constant(end);
            }
        };
        if while_ {
            body.op(I::LocalGet(counter));
            limit(self, body);
            body.ops([ne.clone(), I::I32Eqz, I::BrIf(1)]);
        }
        if !ends {
            let fuel = self.fuel;
            body.ops([I::GlobalGet(fuel), I::I32Eqz, I::BrIf(1)]);
            body.ops([I::GlobalGet(fuel), I::I32Const(1), I::I32Sub, I::GlobalSet(fuel)]);
        }
        let saved = body.any.clone();
        body.any.push(counter);
        body.counters.push(counter);
        for _ in 0..=self.below(3) {
            match self.below(8) {
                0..3 => self.access_at(body, memory, Some(counter)),
                3 | 4 => {
                    let at = pointer.unwrap_or(counter);
                    self.access_at(body, memory, Some(at));
                }
                5 => {
                    // base + i << 2
                    let base = self.edge(size);
                    let at = body.local(Ty::I32);
                    body.op(I::LocalGet(counter));
                    let by = self.pick(&[0, 1, 2, 3]);
                    body.constant(by);
                    body.op(I::I32Shl);
                    match body.frame {
                        Some((frame, _)) if self.chance(40) => body.op(I::LocalGet(frame)),
                        _ => body.constant(base),
                    }
                    body.ops([I::I32Add, I::LocalSet(at)]);
                    self.access_at(body, memory, Some(at));
                }
                6 if body.fresh > 0 => {
                    body.fresh -= 1;
                    self.statement(body);
                }
                _ => self.access(body),
            }
        }
        if changed {
            let by = self.edge(size);
            body.op(I::LocalGet(counter));
            body.constant(by);
            body.ops([I::I32Add, I::LocalSet(counter)]);
        }
        if let Some(pointer) = pointer {
            body.op(I::LocalGet(pointer));
            body.constant(stride);
            body.ops([I::I32Add, I::LocalSet(pointer)]);
        }
        // The frame's own address walks away.
        if let Some((frame, _)) = body.frame
            && self.strange(3)
        {
            body.op(I::LocalGet(frame));
            body.constant(stride);
            body.ops([I::I32Add, I::LocalTee(frame), I::Drop]);
        }
        body.any = saved;
        body.op(I::LocalGet(counter));
        body.constant(step);
        body.op(I::I32Add);
        if while_ {
            body.ops([I::LocalSet(counter), I::Br(0)]);
        } else {
            let tee = self.chance(50);
            match tee {
                true => body.op(I::LocalTee(counter)),
                false => body.ops([I::LocalSet(counter), I::LocalGet(counter)]),
            }
            limit(self, body);
            match self.chance(25) && compare < 3 {
                true => body.ops([I::I32Eq, I::I32Eqz]),
                false => body.ops([ne]),
            }
            body.op(I::BrIf(0));
        }
        body.ops([I::End, I::End]);
        body.loops -= 1;
    }

    /// Whether something strange happens to a frame here, with 1 in `one_in`, where it may.
    fn strange(&mut self, one_in: u64) -> bool {
        let here = match self.chaos {
            Chaos::Nowhere => false,
            Chaos::Somewhere => self.chaotic == self.bodies.len() as u32,
            Chaos::Everywhere => true,
        };
        here && self.below(one_in) == 0
    }

    /// Sets the stack pointer to something.
    fn set_pointer(&mut self, body: &mut Body) {
        match self.below(6) {
            0..3 => {
                let local = self.any(body);
                body.op(I::LocalGet(local));
            }
            3 if self.memories.first().is_some_and(|memory| memory.bytes() >= 8) => {
                body.op(I::I32Const(4));
                body.op(I::I32Load(MemArg { offset: 0, align: 2, memory_index: 0 }));
            }
            4 => body.op(I::GlobalGet(self.decoy)),
            _ => {
                let top = self.top;
                let value = if self.chance(50) { top } else { self.edge(u64::from(top)) };
                body.constant(value);
            }
        }
        body.op(I::GlobalSet(self.pointer));
    }

    /// Makes a frame; the local that its address is in, and its size.
    fn enter(&mut self, body: &mut Body) -> (u32, u32) {
        let pointer = self.pointer;
        let size = self.pick(&[16, 16, 16, 16, 32, 48, 64, 8, 1, 4]);
        let size = if self.chance(5) {
            self.pick(&[0, 4096, 65536, 0x8000_0000, 0u32.wrapping_sub(16), 0u32.wrapping_sub(self.top)])
        } else {
            size
        };
        let parameters: Vec<u32> =
            (0..body.params.len() as u32).filter(|at| body.params[*at as usize] == Ty::I32).collect();
        let local = match !parameters.is_empty() && self.strange(3) {
            true => self.pick(&parameters),
            false => body.local(Ty::I32),
        };
        let way = if self.strange(2) { 2 + self.below(12) } else { self.below(2) };
        match way {
            2 => {
                // From a parameter, which may be the frame's own local.
                let from = if self.chance(60) { local } else { self.any(body) };
                body.ops([I::LocalGet(from), I::GlobalSet(pointer)]);
            }
            3 => self.set_pointer(body),
            4 if self.chance(50) => {
                let condition = self.any(body);
                body.ops([I::LocalGet(condition), I::If(BlockType::Empty)]);
                self.set_pointer(body);
                body.ops([I::End]);
            }
            _ => {}
        }
        let from = if way == 5 { self.decoy } else { pointer };
        body.op(I::GlobalGet(from));
        match way {
            6 => {
                body.constant(0u32.wrapping_sub(size));
                body.op(I::I32Add);
            }
            7 => {
                body.constant(0u32.wrapping_sub(size));
                body.op(I::I32Sub);
            }
            8 => {
                let by = self.any(body);
                body.ops([I::LocalGet(by), I::I32Sub]);
            }
            9 => {
                body.constant(size);
                body.ops([I::I32Sub, I::I32Const(-16), I::I32And]);
            }
            _ => {
                body.constant(size);
                body.op(I::I32Sub);
            }
        }
        match way {
            0 => body.ops([I::LocalTee(local), I::GlobalSet(pointer)]),
            // A leaf's frame, below the pointer.
            10 => body.op(I::LocalSet(local)),
            _ => body.ops([I::LocalSet(local), I::LocalGet(local), I::GlobalSet(pointer)]),
        }
        match way {
            11 => self.set_pointer(body),
            12 => {
                // Another frame below.
                let inner = body.local(Ty::I32);
                let by = self.pick(&[16, 32, size]);
                body.op(I::GlobalGet(pointer));
                body.constant(by);
                body.ops([I::I32Sub, I::LocalTee(inner), I::GlobalSet(pointer)]);
                body.any.push(inner);
            }
            13 => {
                let other = self.any(body);
                body.ops([I::LocalGet(other), I::LocalSet(local)]);
            }
            _ => {}
        }
        (local, size)
    }

    /// Gives a frame back, or not.
    fn leave(&mut self, body: &mut Body, (local, size): (u32, u32)) {
        let pointer = self.pointer;
        let way = if self.strange(2) { 1 + self.below(9) } else { 0 };
        let give = |body: &mut Body, size: u32| {
            body.op(I::LocalGet(local));
            body.constant(size);
            body.ops([I::I32Add, I::GlobalSet(pointer)]);
        };
        match way {
            0 => give(body, size),
            1 | 2 => {}
            3 => {
                give(body, size);
                body.op(I::GlobalGet(pointer));
                body.constant(size);
                body.ops([I::I32Add, I::GlobalSet(pointer)]);
            }
            4 => {
                let condition = self.any(body);
                body.ops([I::LocalGet(condition), I::If(BlockType::Empty)]);
                give(body, size);
                body.ops([I::End]);
            }
            5 => {
                let other =
                    self.pick(&[size.wrapping_add(16), size.wrapping_mul(2), 0, size.wrapping_sub(4)]);
                give(body, other);
            }
            6 => body.ops([I::LocalGet(local), I::GlobalSet(pointer)]),
            7 => self.set_pointer(body),
            8 => {
                body.op(I::LocalGet(local));
                body.constant(size);
                body.ops([I::I32Add, I::LocalTee(local), I::GlobalSet(pointer)]);
            }
            _ => {
                // Some ways out go around it.
                let condition = self.any(body);
                body.ops([I::Block(BlockType::Empty), I::LocalGet(condition), I::I32Const(3), I::I32And]);
                body.op(I::BrIf(0));
                give(body, size);
                body.ops([I::End]);
            }
        }
    }

    fn bulk(&mut self, body: &mut Body) {
        if self.memories.is_empty() {
            return;
        }
        let a = self.below(self.memories.len() as u64) as u32;
        let b = self.below(self.memories.len() as u64) as u32;
        let size = self.memories[a as usize].bytes();
        let length = |generator: &mut Generator, body: &mut Body| {
            let short = generator.pick(&[0, 1, 3, 4, 8, 16, 17]);
            let length = if generator.chance(75) { short } else { generator.edge(size) };
            if generator.chance(85) {
                body.constant(length);
            } else {
                let local = generator.any(body);
                body.op(I::LocalGet(local));
            }
        };
        match self.below(6) {
            0 | 1 => {
                self.address(body, a, 16);
                self.address(body, b, 16);
                length(self, body);
                body.op(I::MemoryCopy { src_mem: b, dst_mem: a });
            }
            2 => {
                self.address(body, a, 16);
                self.value(body, Ty::I32);
                length(self, body);
                body.op(I::MemoryFill(a));
            }
            3 if self.segments > 0 => {
                let data_index = self.below(self.segments.into()) as u32;
                self.address(body, a, 16);
                let from = if self.chance(80) { self.pick(&[0, 1, 2]) } else { self.edge(8) };
                body.constant(from);
                length(self, body);
                body.op(I::MemoryInit { mem: a, data_index });
                if self.chance(10) {
                    body.op(I::DataDrop(data_index));
                }
            }
            4 if self.grows => {
                let pages = self.pick(&[0, 1, 1, 2, 0xffff, 0x1_0000, 0x8000_0000, u32::MAX]);
                body.constant(pages);
                body.op(I::MemoryGrow(a));
                self.accumulate(body);
            }
            5 if self.chance(30) => {
                body.op(I::MemorySize(a));
                self.accumulate(body);
            }
            _ => self.access(body),
        }
    }

    fn table(&mut self, body: &mut Body) {
        if self.tables.is_empty() {
            return self.access(body);
        }
        let table = self.below(self.tables.len() as u64) as u32;
        let (ty, size, _) = self.tables[table as usize];
        let index = |generator: &mut Generator, body: &mut Body| {
            let index = match generator.chance(80) {
                true => generator.below(u64::from(size.max(1))) as u32,
                false => generator.edge(size.into()),
            };
            body.constant(index);
        };
        match self.below(6) {
            0 => {
                index(self, body);
                body.op(I::TableGet(table));
                self.take(body, ty);
            }
            1 | 2 => {
                index(self, body);
                self.value(body, ty);
                body.op(I::TableSet(table));
            }
            3 => {
                self.value(body, ty);
                let more = self.pick(&[0, 1, 2, 0x8000_0000, u32::MAX]);
                body.constant(more);
                body.op(I::TableGrow(table));
                self.accumulate(body);
            }
            4 => {
                index(self, body);
                self.value(body, ty);
                index(self, body);
                body.op(I::TableFill(table));
            }
            _ => {
                index(self, body);
                index(self, body);
                index(self, body);
                body.op(I::TableCopy { src_table: table, dst_table: table });
            }
        }
    }

    fn throw(&mut self, body: &mut Body) {
        let condition = self.any(body);
        let tag = self.below(2) as u32;
        body.ops([I::LocalGet(condition), I::I32Const(3), I::I32And, I::If(BlockType::Empty)]);
        self.value(body, Ty::I32);
        body.ours.push(I::Throw(tag));
        let (thrown, payload) = (self.thrown(), self.thrown() + 1);
        body.theirs.extend([I::GlobalSet(payload), I::I32Const(tag as i32 + 1), I::GlobalSet(thrown)]);
        self.pass_on(body, 0);
        body.ops([I::End]);
    }

    fn try_(&mut self, body: &mut Body) {
        let one = self.chance(50);
        let ty = if one { BlockType::Result(ValType::I32) } else { BlockType::Empty };
        let catch = if one { Catch::One { tag: 0, label: 0 } } else { Catch::All { label: 0 } };
        body.ops([I::Block(ty)]);
        body.handlers.push((body.depth - 1, one));
        body.ours.push(I::TryTable(BlockType::Empty, Cow::Owned(vec![catch])));
        body.theirs.push(I::Block(BlockType::Empty));
        body.depth += 1;
        self.call(body);
        self.statement(body);
        body.ops([I::End]);
        body.handlers.pop();
        if one {
            body.op(I::I32Const(7));
        }
        body.ops([I::End]);
        if one {
            self.accumulate(body);
        }
    }

    /// What floats do that no NaN's bits depend on.
    fn float(&mut self, body: &mut Body) {
        let (ty, ops) = match self.below(6) {
            0 => (Ty::F64, vec![I::F64Sqrt, I::I32TruncSatF64U]),
            1 => (Ty::F32, vec![I::F32Abs, I::I32ReinterpretF32]),
            2 => (Ty::F32, vec![I::F32Neg, I::I32TruncSatF32S]),
            3 => (Ty::F64, vec![I::F64Neg, I::I64ReinterpretF64, I::I32WrapI64]),
            4 => (Ty::F64, vec![I::F64Floor, I::I32TruncF64S]),
            _ => (
                Ty::F32,
                vec![I::F64PromoteF32, I::F64Const(Ieee64::from(3.5)), I::F64Mul, I::I32TruncSatF64S],
            ),
        };
        self.value(body, ty);
        body.ops(ops);
        match self.chance(60) && body.any.len() < 12 {
            true => {
                let local = body.local(Ty::I32);
                body.op(I::LocalSet(local));
                body.any.push(local);
            }
            false => self.accumulate(body),
        }
    }

    fn branches(&mut self, body: &mut Body) {
        let local = self.variable(body);
        match self.below(5) {
            0 => {
                body.ops([I::LocalGet(local), I::If(BlockType::Empty)]);
                self.statement(body);
                body.op(I::Else);
                self.statement(body);
                body.ops([I::End]);
            }
            1 => {
                body.ops([I::Block(BlockType::Empty), I::LocalGet(local), I::I32Const(1), I::I32And]);
                body.op(I::BrIf(0));
                self.statement(body);
                body.ops([I::End]);
            }
            2 => {
                body.ops([
                    I::Block(BlockType::Empty),
                    I::Block(BlockType::Empty),
                    I::Block(BlockType::Empty),
                ]);
                body.ops([I::LocalGet(local), I::I32Const(3), I::I32And]);
                body.op(I::BrTable(Cow::Owned(vec![0, 1, 2]), 1));
                body.ops([I::End]);
                self.statement(body);
                body.ops([I::End]);
                self.statement(body);
                body.ops([I::End]);
            }
            3 => {
                // The same local, another value on one way only.
                let size = self.memories.first().map_or(0, Memory::bytes);
                let edge = self.edge(size);
                body.ops([I::LocalGet(local), I::I32Const(5), I::I32LtU, I::If(BlockType::Empty)]);
                body.constant(edge);
                body.ops([I::LocalSet(local), I::End]);
            }
            _ => {
                let other = self.any(body);
                body.ops([I::LocalGet(local), I::I32Const(7), I::I32And, I::I32Eqz, I::If(BlockType::Empty)]);
                match self.below(3) {
                    0 => body.op(I::Unreachable),
                    _ => {
                        for result in body.results.clone() {
                            self.value(body, result);
                        }
                        body.op(I::Return);
                    }
                }
                body.ops([I::End, I::LocalGet(other), I::Drop]);
            }
        }
    }

    fn statement(&mut self, body: &mut Body) {
        if body.depth > 6 || body.ours.len() > 330 {
            return;
        }
        match self.below(26) {
            0..6 => self.access(body),
            22 => self.products(body),
            23 | 24 => self.strided(body),
            25 => self.recurrence(body),
            6..8 => self.looped(body),
            8..10 => self.side_by_side(body),
            10..13 => self.call(body),
            13..15 => self.branches(body),
            15 | 16 => self.bulk(body),
            17 => self.float(body),
            18 => self.table(body),
            19 if self.exceptions => self.try_(body),
            20 if self.exceptions => self.throw(body),
            19 => {
                let (local, size) = (self.variable(body), self.memories.first().map_or(0, Memory::bytes));
                let edge = self.edge(size);
                body.op(I::LocalGet(local));
                body.constant(edge);
                let op = self.pick(&[0, 1, 2, 3]);
                body.ops([[I::I32Add, I::I32Xor, I::I32Shl, I::I32And][op].clone(), I::LocalSet(local)]);
            }
            20 if self.strange(4) => self.set_pointer(body),
            _ => self.access(body),
        }
    }

    fn function(&mut self, index: u32) -> Body {
        let ty = self.functions[index as usize];
        let Signature { params, results } = self.types[ty as usize].clone();
        let markers = self.markers(ty).len();
        let any: Vec<u32> = (0..params.len() as u32).filter(|at| params[*at as usize] == Ty::I32).collect();
        let mut body = Body {
            ours: Vec::new(),
            theirs: Vec::new(),
            params,
            locals: Vec::new(),
            results: results.clone(),
            markers,
            depth: 0,
            handlers: Vec::new(),
            any,
            accumulator: 0,
            counters: Vec::new(),
            frame: None,
            loops: 0,
            fresh: 3,
        };
        // A function has a label of its own.
        body.depth = 1;
        body.accumulator = body.local(Ty::I32);
        body.any.push(body.accumulator);
        if self.chance(30) {
            let before = body.local(Ty::I32);
            body.any.push(before);
        }
        let frame = self.chance(55).then(|| self.enter(&mut body));
        body.frame = frame;
        for at in 0..body.params.len() {
            let ty = body.params[at];
            if ty != Ty::I32 && self.chance(70) {
                body.op(I::LocalGet(at as u32));
                self.take(&mut body, ty);
            }
        }
        // References that came as parameters are called.
        for at in 0..body.params.len() {
            if let Ty::Ref(to, _) = body.params[at]
                && self.chance(80)
            {
                let Signature { params, results } = self.types[to as usize].clone();
                for param in params {
                    self.value(&mut body, param);
                }
                self.mark(&mut body, to);
                body.op(I::LocalGet(at as u32));
                let hidden = self.tables.len() as u32;
                body.ours.push(I::CallRef(to));
                body.theirs.extend([I::Drop, I::I32Const(0), I::LocalGet(at as u32), I::TableSet(hidden)]);
                body.theirs.extend([I::I32Const(0), I::CallIndirect { type_index: to, table_index: hidden }]);
                self.check_thrown(&mut body);
                for result in results.into_iter().rev() {
                    self.take(&mut body, result);
                }
            }
        }
        for _ in 0..1 + self.below(4) {
            self.statement(&mut body);
        }
        if let Some(frame) = frame {
            self.leave(&mut body, frame);
        }
        let tails: Vec<u32> = (index + 1..self.functions.len() as u32)
            .filter(|at| self.types[self.functions[*at as usize] as usize].results == body.results)
            .collect();
        if !tails.is_empty() && !self.exceptions && self.chance(10) {
            let callee = self.pick(&tails);
            let ty = self.functions[callee as usize];
            for param in self.types[ty as usize].params.clone() {
                self.value(&mut body, param);
            }
            self.mark(&mut body, ty);
            body.op(I::ReturnCall(callee));
        } else {
            let accumulator = body.accumulator;
            for result in results {
                match result {
                    Ty::I32 => body.op(I::LocalGet(accumulator)),
                    Ty::I64 => body.ops([I::LocalGet(accumulator), I::I64ExtendI32S]),
                    Ty::F32 => body.ops([I::LocalGet(accumulator), I::F32ReinterpretI32]),
                    Ty::F64 => body.ops([I::LocalGet(accumulator), I::I64ExtendI32U, I::F64ReinterpretI64]),
                    other => self.value(&mut body, other),
                }
            }
        }
        body.op(I::End);
        body
    }

    /// A function that adds up a memory.
    fn digest(&self, memory: u32) -> Vec<I<'static>> {
        let size = self.memories[memory as usize].bytes();
        let memarg = MemArg { offset: 0, align: 0, memory_index: memory };
        let (step, load) =
            if size.is_multiple_of(8) { (8, I::I64Load(memarg)) } else { (1, I::I64Load8U(memarg)) };
        let mut ops = Vec::new();
        if size > 0 {
            ops.extend([I::Loop(BlockType::Empty), I::LocalGet(1), I::I64Const(0x0100_0000_01b3), I::I64Mul]);
            ops.extend([I::LocalGet(0), load, I::I64Xor, I::LocalSet(1)]);
            ops.extend([I::LocalGet(0), I::I32Const(step), I::I32Add, I::LocalTee(0)]);
            ops.extend([I::I32Const(size as u32 as i32), I::I32Ne, I::BrIf(0), I::End]);
        }
        ops.extend([I::LocalGet(1), I::End]);
        ops
    }

    fn make_globals(&mut self) -> Vec<(String, u32)> {
        let first = self.memories.first().map_or(0, Memory::bytes);
        self.top = match self.below(10) {
            0..3 => self.pick(&[16, 32, 64, 128, 256, 256, 1024]),
            3..8 => (first.min(1 << 20) as u32) & !15,
            _ => self.edge(first),
        };
        if self.chance(80) && u64::from(self.top) > first {
            self.top = first as u32;
        }
        let before = self.below(3) as u32;
        for _ in 0..before {
            self.globals.push((Ty::I64, false, 77));
        }
        self.pointer = before;
        self.globals.push((Ty::I32, true, i64::from(self.top.cast_signed())));
        self.fuel = before + 1;
        self.globals.push((Ty::I32, true, 1500));
        self.decoy = before + 2;
        // Another value, by which the two can be told apart.
        let decoy = match self.edge(first) {
            same if same == self.top => same ^ 4,
            other => other,
        };
        self.globals.push((Ty::I32, true, i64::from(decoy.cast_signed())));
        let mut exports = Vec::new();
        if self.chance(15) {
            exports.push(("__stack_pointer".to_owned(), self.pointer));
        }
        if self.chance(20) {
            exports.push(("shown".to_owned(), self.decoy));
        }
        if self.chance(12) {
            let size = first as u32;
            let base = match self.chance(50) {
                true => {
                    let near = self.pick(&[1, 15, 16, 16, 16, 32, 64, 128, 256, 0x1_0000]);
                    self.pick(&[0u32, 0, 0, 0x8000_0000]).wrapping_sub(near)
                }
                false => self.pick(&[0, 1, 16, 100, 256, size, size.wrapping_sub(1), size.wrapping_add(1)]),
            };
            exports.push(("__heap_base".to_owned(), self.globals.len() as u32));
            self.globals.push((Ty::I32, false, i64::from(base.cast_signed())));
        }
        if self.chance(10) {
            let end = self.edge(first);
            exports.push(("__data_end".to_owned(), self.globals.len() as u32));
            self.globals.push((Ty::I32, false, i64::from(end.cast_signed())));
        }
        exports
    }

    fn make_types(&mut self, count: u32) {
        // Those that exports have.
        for _ in 0..3 {
            let signature = self.signature(true);
            self.types.push(signature);
        }
        for _ in 0..2 {
            let signature = self.signature(false);
            self.types.push(signature);
        }
        if self.references {
            // Two that differ, their likes, and one that is the same as the first.
            let (a, b) = (self.below(5) as u32, self.below(5) as u32);
            let copy = self.types[a as usize].clone();
            self.types.push(copy);
            let twin = 5;
            let null = self.chance(50);
            let with = |to: u32| Signature { params: vec![Ty::Ref(to, null)], results: vec![] };
            self.types.extend([with(a), with(b), with(twin)]);
            self.types.push(Signature { params: vec![Ty::Ref(a, !null)], results: vec![] });
            let back = Signature { params: vec![], results: vec![Ty::Ref(b, false)] };
            let forth = Signature { params: vec![], results: vec![Ty::Ref(a, false)] };
            self.types.extend([back, forth]);
        }
        for at in 0..count {
            let ty = match at {
                0 => self.below(3) as u32,
                _ if self.references && self.chance(50) => 6 + self.below(6) as u32,
                _ if self.chance(60) => self.below(3) as u32,
                _ => self.below(self.types.len() as u64) as u32,
            };
            self.functions.push(ty);
        }
    }

    fn module(mut self) -> Attack {
        let memories = self.pick(&[1, 1, 1, 2, 2, 3]);
        for _ in 0..memories {
            let memory = self.memory();
            self.memories.push(memory);
        }
        if self.small {
            let mut pages = self.memories.iter_mut().filter(|memory| memory.page > 1);
            pages.next();
            pages.for_each(|memory| memory.minimum = 0);
        }
        let shown = self.make_globals();
        let count = 2 + self.below(4) as u32;
        self.make_types(count);
        if self.chance(70) {
            let size = self.pick(&[0, 1, 3, 4, 7, 8]);
            let most = size + self.pick(&[0, 0, 1, 5]);
            self.tables.push((Ty::Func, size, most));
        }
        if self.references && self.chance(50) {
            let to = self.below(5) as u32;
            self.tables.push((Ty::Ref(to, true), 4, 6));
        }
        for table in 0..self.tables.len() as u32 {
            if self.tables[table as usize].0 == Ty::Func {
                let items = self.items(table);
                self.elements.push(items);
            }
        }
        self.segments = self.below(3) as u32;
        for index in 0..count {
            let body = self.function(index);
            self.bodies.push(body);
        }
        self.emit(&shown)
    }

    /// What is in a table when the module starts.
    fn items(&mut self, table: u32) -> (u32, u32, Vec<u32>) {
        let size = self.tables[table as usize].1;
        let count = self.below(u64::from(size.min(4)) + 1);
        let all: Vec<u32> = (0..self.functions.len() as u32).collect();
        let concrete: Vec<u32> =
            all.iter().copied().filter(|at| !self.markers(self.functions[*at as usize]).is_empty()).collect();
        let item = |generator: &mut Generator| match concrete.is_empty() || generator.chance(40) {
            true => generator.pick(&all),
            false => generator.pick(&concrete),
        };
        let items: Vec<u32> = (0..count).map(|_| item(self)).collect();
        let room = u64::from(size) - count;
        let outside = u64::from(self.chance(2));
        (table, (self.below(room + 1) + outside) as u32, items)
    }

    /// Types that differ from this one in the functions that they refer to, and in nothing else.
    fn alike(&self, ty: u32) -> Vec<u32> {
        let erased = |types: &[Ty]| -> Vec<Ty> {
            types.iter().map(|ty| if let Ty::Ref(..) = ty { Ty::Func } else { *ty }).collect()
        };
        let of = |ty: u32| {
            let ty = &self.types[ty as usize];
            (erased(&ty.params), erased(&ty.results))
        };
        (0..self.types.len() as u32).filter(|at| of(*at) == of(ty) && !self.same(*at, ty)).collect()
    }

    fn val_type(ty: Ty, twin: bool) -> ValType {
        match ty {
            Ty::I32 => ValType::I32,
            Ty::I64 => ValType::I64,
            Ty::F32 => ValType::F32,
            Ty::F64 => ValType::F64,
            Ty::V128 => ValType::V128,
            Ty::Func => ValType::FUNCREF,
            Ty::Ref(..) if twin => ValType::FUNCREF,
            Ty::Ref(to, nullable) => ValType::Ref(RefType { nullable, heap_type: HeapType::Concrete(to) }),
        }
    }

    fn emit(mut self, shown: &[(String, u32)]) -> Attack {
        // What both modules say alike is chosen once.
        let first = self.memories[0].bytes();
        let data: Vec<(u32, u32, Vec<u8>)> = (0..self.memories.len() as u32)
            .filter(|at| *at == 0 || self.memories[*at as usize].bytes() > 8)
            .map(|at| {
                let size = self.memories[at as usize].bytes();
                let length = self.random.below(24.min(size) + 1);
                let bytes: Vec<u8> = (0..length).map(|_| (self.random.next() >> 40) as u8).collect();
                let end = size - length + u64::from(self.random.chance(2));
                let offset = match self.random.below(3) {
                    0 => end.min(16),
                    1 => end,
                    _ => self.random.below(end + 1),
                };
                (at, offset as u32, bytes)
            })
            .collect();
        let passive: Vec<Vec<u8>> = (0..self.segments)
            .map(|_| (0..self.random.below(20)).map(|at| at as u8 * 7 + 3).collect())
            .collect();
        let mut names = NameMap::new();
        let named = self.random.chance(92);
        if named {
            names.append(self.pointer, "__stack_pointer");
            names.append(self.decoy, self.random.pick(&["__stack_pointer", "__stack_base", "__memory_base"]));
        }
        let mut functions = NameMap::new();
        for at in 0..self.functions.len() as u32 {
            if self.random.chance(30) {
                functions.append(at, self.random.pick(&NAMES));
            }
        }
        let callable: Vec<u32> = (0..self.functions.len() as u32)
            .filter(|at| {
                let ty = &self.types[self.functions[*at as usize] as usize];
                ty.params.iter().chain(&ty.results).all(|ty| matches!(ty, Ty::I32 | Ty::I64))
                    && ty.results.len() <= 1
            })
            .collect();
        // Some functions are only called from inside.
        let exported: Vec<u32> =
            callable.iter().copied().filter(|at| *at == 0 || self.random.chance(70)).collect();
        let bounded = !shown.iter().any(|(name, _)| name == "__heap_base");
        let digests: Vec<u32> = (0..self.memories.len() as u32)
            .filter(|at| (bounded || *at > 0) && self.memories[*at as usize].bytes() <= 1 << 18)
            .collect();

        let mut steps = Vec::new();
        let edges = |generator: &mut Generator, ty: Ty| match (ty, generator.random.below(3)) {
            (Ty::I32, 0..2) => u64::from(generator.edge(first)),
            _ => generator.random.value(),
        };
        for _ in 0..4 + self.random.below(8) {
            let at = exported[self.random.below(exported.len() as u64) as usize];
            let params = self.types[self.functions[at as usize] as usize].params.clone();
            let args = params.into_iter().map(|ty| edges(&mut self, ty)).collect();
            let times = self.random.pick(&[1, 1, 2, 5, 20]);
            steps.push(Step::Call { export: format!("e{at}"), args, times });
            for (name, global) in shown {
                if self.globals[*global as usize].1 && self.random.chance(30) {
                    let value = self.edge(first);
                    // Names of linkers are hidden from Python.
                    if !name.starts_with("__") {
                        steps.push(Step::Set { export: name.clone(), value });
                    }
                }
            }
        }
        for at in &digests {
            steps.push(Step::Call { export: format!("digest{at}"), args: Vec::new(), times: 1 });
        }

        let make = |twin: bool| {
            let mut module = Module::new();
            let mut types = TypeSection::new();
            for (at, ty) in (0..).zip(&self.types) {
                let of = |types: &[Ty]| types.iter().map(|ty| Self::val_type(*ty, twin)).collect::<Vec<_>>();
                let mut params = of(&ty.params);
                if twin {
                    params.extend(self.markers(at));
                }
                types.ty().function(params, of(&ty.results));
            }
            let nothing = types.len();
            types.ty().function([], []);
            let digest = types.len();
            types.ty().function([], [ValType::I64]);
            let tag = types.len();
            types.ty().function([ValType::I32], []);
            module.section(&types);
            let _ = nothing;

            let mut section = FunctionSection::new();
            for ty in &self.functions {
                section.function(*ty);
            }
            for _ in &digests {
                section.function(digest);
            }
            module.section(&section);

            let mut section = TableSection::new();
            for (ty, minimum, maximum) in &self.tables {
                let ValType::Ref(element_type) = Self::val_type(*ty, twin) else {
                    unreachable!("a table of references")
                };
                let (minimum, maximum) = (u64::from(*minimum), Some(u64::from(*maximum)));
                section.table(TableType { element_type, table64: false, minimum, maximum, shared: false });
            }
            if twin {
                let (element_type, maximum) = (RefType::FUNCREF, Some(1));
                section.table(TableType { element_type, table64: false, minimum: 1, maximum, shared: false });
            }
            module.section(&section);

            let mut section = MemorySection::new();
            for (at, memory) in self.memories.iter().enumerate() {
                let first = self.first.filter(|_| twin && at == 0);
                let (page, minimum, maximum) = match first {
                    Some(First { page, minimum, grows: false }) => (page, minimum, Some(minimum)),
                    Some(First { page, minimum, .. }) => {
                        (page, minimum, memory.maximum.map(|maximum| maximum.max(minimum)))
                    }
                    None => (memory.page, memory.minimum, memory.maximum),
                };
                let page_size_log2 = (page == 1).then_some(0);
                section.memory(MemoryType {
                    minimum,
                    maximum,
                    memory64: false,
                    shared: false,
                    page_size_log2,
                });
            }
            module.section(&section);

            if self.exceptions && !twin {
                let mut section = TagSection::new();
                for _ in 0..2 {
                    section.tag(TagType { kind: TagKind::Exception, func_type_idx: tag });
                }
                module.section(&section);
            }

            let mut section = GlobalSection::new();
            for (ty, mutable, value) in &self.globals {
                let init = match ty {
                    Ty::I32 => ConstExpr::i32_const(*value as i32),
                    _ => ConstExpr::i64_const(*value),
                };
                let val_type = Self::val_type(*ty, twin);
                section.global(GlobalType { val_type, mutable: *mutable, shared: false }, &init);
            }
            if twin {
                for _ in 0..2 {
                    let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
                    section.global(ty, &ConstExpr::i32_const(0));
                }
            }
            module.section(&section);

            let mut section = ExportSection::new();
            for at in &exported {
                section.export(&format!("e{at}"), ExportKind::Func, *at);
            }
            for (number, at) in (self.functions.len() as u32..).zip(&digests) {
                section.export(&format!("digest{at}"), ExportKind::Func, number);
            }
            for at in 0..self.memories.len() as u32 {
                section.export(&format!("memory{at}"), ExportKind::Memory, at);
            }
            for (name, global) in shown {
                section.export(name, ExportKind::Global, *global);
            }
            if twin {
                section.export(THROWN, ExportKind::Global, self.thrown());
                for (name, global) in POINTERS.into_iter().zip([self.pointer, self.decoy]) {
                    section.export(name, ExportKind::Global, global);
                }
            }
            module.section(&section);

            let mut section = ElementSection::new();
            for (table, offset, items) in &self.elements {
                let offset = ConstExpr::i32_const(offset.cast_signed());
                section.active(Some(*table), &offset, Elements::Functions(Cow::Borrowed(items)));
            }
            let all: Vec<u32> = (0..self.functions.len() as u32).collect();
            section.declared(Elements::Functions(Cow::Borrowed(&all)));
            module.section(&section);

            module.section(&DataCountSection { count: (passive.len() + data.len()) as u32 });
            let mut section = CodeSection::new();
            for body in &self.bodies {
                let locals = body.locals.iter().map(|ty| Self::val_type(*ty, twin));
                let mut function = Function::new_with_locals_types(locals);
                for op in if twin { &body.theirs } else { &body.ours } {
                    function.instruction(op);
                }
                section.function(&function);
            }
            for at in &digests {
                let mut function = Function::new_with_locals_types([ValType::I32, ValType::I64]);
                for op in self.digest(*at) {
                    function.instruction(&op);
                }
                section.function(&function);
            }
            module.section(&section);

            let mut section = DataSection::new();
            for bytes in &passive {
                section.passive(bytes.iter().copied());
            }
            for (memory, offset, bytes) in &data {
                section.active(*memory, &ConstExpr::i32_const(offset.cast_signed()), bytes.iter().copied());
            }
            module.section(&section);
            if named {
                let mut section = NameSection::new();
                section.functions(&functions);
                section.globals(&names);
                module.section(&section);
            }
            module.finish()
        };
        Attack {
            wasm: make(false),
            twin: make(true),
            steps,
            bytes: self.memories.iter().map(Memory::bytes).sum(),
            exports: exported
                .iter()
                .map(|at| {
                    let ty = &self.types[self.functions[*at as usize] as usize];
                    let wide = |ty: &Ty| *ty == Ty::I64;
                    (format!("e{at}"), ty.params.iter().map(wide).collect(), ty.results.first().map(wide))
                })
                .collect(),
        }
    }
}
