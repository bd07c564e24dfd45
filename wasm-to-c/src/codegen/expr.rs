//! Expressions.

use super::c::{number, variable, vector};
use super::printer::Printer;
use crate::ir::{Access, Callee, Caught, Expr, ExprKind, Outside};
use crate::memory::{Address, Shown};
use crate::ops::{Class, OpId, VectorOp};
use crate::passes::{Byte, are_neighbours};
use crate::types::ValType;

impl Printer<'_, '_> {
    /// An expression.
    pub fn expr(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Const(bits) => number(expr.ty, *bits),
            ExprKind::Vector(halves) => vector(*halves),
            ExprKind::Address(reference) => self.unit.reference(*reference),
            ExprKind::Get(var) => variable(*var),
            ExprKind::Global(global) => self.unit.global(*global),
            ExprKind::Null => "0".to_owned(),
            ExprKind::RefFunc(function) => self.unit.function_reference(*function),
            ExprKind::Op(op @ OpId::Vector(VectorOp::I32x4ExtMulLowI16x8S), parts) => {
                self.products_of_bytes(parts).unwrap_or_else(|| self.operator(expr, *op, parts))
            }
            ExprKind::Op(op, parts) => match op.line().class {
                Class::IsZero | Class::Compare => format!("(uint32_t)({})", self.condition(expr)),
                Class::Helper | Class::Plain => self.operator(expr, *op, parts),
            },
            ExprKind::Shuffle(parts, lanes) => self.shuffle(parts, lanes),
            ExprKind::Load(access) => self.load(access),
            ExprKind::Select(parts) => {
                let [first, second, condition] = &**parts;
                if let Some(function) = extremum(first, second, condition) {
                    return format!("{function}({}, {})", self.expr(first), self.expr(second));
                }
                // A choice by a comparison is a minimum to clang, which makes a signalling NaN a quiet one.
                let first = match first.ty {
                    ValType::F32 => format!("WASM_OPERAND(32, {})", self.expr(first)),
                    ValType::F64 => format!("WASM_OPERAND(64, {})", self.expr(first)),
                    _ => self.inner(first),
                };
                format!("({}) ? {first} : {}", self.condition(condition), self.inner(second))
            }
            ExprKind::NonNull(reference) => format!("wasm_non_null({})", self.expr(reference)),
            ExprKind::TableGet(table, index) => {
                format!("wasm_table_get({}, {})", self.unit.table_pointer(*table), self.expr(index))
            }
            ExprKind::TableSize(table) => format!("({})->size", self.unit.table_pointer(*table)),
            ExprKind::MemorySize(memory) => self.unit.memories[*memory as usize].size(),
            ExprKind::MemoryBytes(memory) => self.unit.memories[*memory as usize].bytes(),
            ExprKind::NativeFrame => "(uint32_t)(uintptr_t)frame".to_owned(),
            ExprKind::Payload(from, at) => {
                let from = match from {
                    Caught::Handler => "e".to_owned(),
                    Caught::Try(label) => format!("x{label}"),
                };
                match expr.ty.member() {
                    Some(member) => format!("{from}->values[{at}].{member}"),
                    None => format!("wasm_get_v128((const uint8_t *)&{from}->values[{at}])"),
                }
            }
            ExprKind::Exception => "(uintptr_t)e".to_owned(),
            ExprKind::Index(index, outside) => {
                let kind = match outside {
                    Outside::Memory => "MEMORY_OUT_OF_BOUNDS",
                    Outside::Table => "TABLE_OUT_OF_BOUNDS",
                    Outside::Call => "UNDEFINED_ELEMENT",
                };
                format!("wasm_index({}, WASM_TRAP_{kind})", self.expr(index))
            }
            ExprKind::Aligned(address, offset, bytes) => {
                format!("wasm_aligned({}, {offset}u, {bytes}u)", self.expr(address))
            }
            ExprKind::Count(count) => format!("wasm_count({})", self.expr(count)),
            ExprKind::NarrowProduct(factors) => {
                let [a, b] = [0, 1].map(|at| self.inner(&factors[at]));
                format!("wasm_narrow_product((int32_t){a}, (int32_t){b})")
            }
            ExprKind::NarrowLanes { factors, width, is_unsigned } => {
                let [a, b] = [0, 1].map(|at| self.expr(&factors[at]));
                let kind = if *is_unsigned { "low" } else { "narrow" };
                format!("simd_{kind}_product{width}({a}, {b})")
            }
            ExprKind::WidenedLoad { load, from, to, is_signed } => {
                self.widened(load, [*from, *to], sign(*is_signed))
            }
            ExprKind::DualProduct(parts) => {
                let [_, a, b, c, d] = &**parts;
                let (a_and_c, b_and_d) = (self.pair(a, c), self.pair(b, d));
                let [sum, a, b, c, d] = [0, 1, 2, 3, 4].map(|at| self.inner(&parts[at]));
                let width = if expr.ty == ValType::I64 { 64 } else { 32 };
                format!(
                    "WASM_DUAL_PRODUCT{width}({sum}, (int32_t){a}, (int32_t){b}, (int32_t){c}, (int32_t){d}, {a_and_c}, {b_and_d})"
                )
            }
            ExprKind::QuadProduct(parts) => self.quad_product(parts),
            ExprKind::DotProduct(parts, products, addend) => {
                let [a, b] = [1, 2].map(|at| self.bytes(&parts[at]));
                let (sum, count) = (self.expr(&parts[0]), self.expr(&parts[3]));
                format!("wasm_dot_product_{}({sum}, {a}, {b}, {count}, {addend})", products.name())
            }
            ExprKind::HasDotProduct(products) => format!("WASM_HAS_DOT_PRODUCT_{}", products.name()),
            ExprKind::Computed(sum) => format!("wasm_sum({})", self.expr(sum)),
        }
    }

    /// An expression as an operand of an operator.
    pub fn inner(&mut self, expr: &Expr) -> String {
        if expr.is_primary() { self.expr(expr) } else { format!("({})", self.expr(expr)) }
    }

    /// Expressions as arguments.
    pub fn arguments(&mut self, args: &[Expr]) -> String {
        args.iter().map(|arg| self.expr(arg)).collect::<Vec<_>>().join(", ")
    }

    /// An expression of which only matters whether it is zero.
    pub fn condition(&mut self, expr: &Expr) -> String {
        let ExprKind::Op(op, parts) = &expr.kind else { return self.expr(expr) };
        match op.line().class {
            Class::IsZero if is_test(&parts[0]) => format!("!({})", self.condition(&parts[0])),
            Class::IsZero | Class::Compare => self.operator(expr, *op, parts),
            Class::Helper | Class::Plain => self.expr(expr),
        }
    }

    fn operator(&mut self, expr: &Expr, op: OpId, parts: &[Expr]) -> String {
        if op == OpId::I64Add
            && let [sum, Expr { kind: ExprKind::NarrowProduct(factors), .. }]
            | [Expr { kind: ExprKind::NarrowProduct(factors), .. }, sum] = parts
        {
            let [sum, a, b] = [sum, &factors[0], &factors[1]].map(|part| self.inner(part));
            return format!("wasm_add_narrow_product({sum}, (int32_t){a}, (int32_t){b})");
        }
        let mut rest = if expr.is_product() { "wasm_product({a}, {b})" } else { op.line().template };
        let mut text = String::new();
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            text.push_str(&self.inner(&parts[usize::from(rest.as_bytes()[at + 1] - b'a')]));
            rest = &rest[at + 3..];
        }
        text.push_str(rest);
        text
    }

    /// Lanes of two vectors. They are as wide as they can be, as compilers do that better, and most are.
    fn shuffle(&mut self, [a, b]: &[Expr; 2], bytes: &[u8; 16]) -> String {
        let (mut lanes, mut width) = (bytes.to_vec(), 1);
        while width < 8 && lanes.chunks(2).all(|pair| pair[0].is_multiple_of(2) && pair[1] == pair[0] + 1) {
            lanes = lanes.chunks(2).map(|pair| pair[0] / 2).collect();
            width *= 2;
        }
        let (a, b) = (self.expr(a), self.expr(b));
        let list: Vec<String> = lanes.iter().map(u8::to_string).collect();
        format!("simd_i{}x{}_shuffle({a}, {b}, {})", 8 * width, lanes.len(), list.join(", "))
    }

    fn load(&mut self, access: &Access) -> String {
        let signed = access.cell.is_signed();
        let cast = match (access.ty, signed) {
            (ValType::I32, true) => "(uint32_t)(int32_t)",
            (ValType::I32, false) if access.cell.bytes() < 4 => "(uint32_t)",
            (ValType::I64, true) => "(uint64_t)(int64_t)",
            (ValType::I64, false) if access.cell.bytes() < 8 => "(uint64_t)",
            _ => "",
        };
        let (name, place) = (access.cell.name(), self.place(access));
        match self.alignment(access) {
            None => format!("{cast}wasm_get_{name}({})", place.pointer()),
            Some(align) => format!("{cast}{}", place.cell(name, access.cell.bytes(), align)),
        }
    }

    /// Numbers that are loaded into wider lanes.
    fn widened(&mut self, load: &Expr, [from, to]: [u32; 2], sign: char) -> String {
        let is_cell = self.is_cell(load);
        let value = self.expr(load);
        match (from, to) {
            (8, 16) if is_four(load) => {
                format!("simd_i16x8_extend_low_i8x16_{sign}(simd_v128_load32_zero({value}))")
            }
            _ if is_cell => format!("SIMD_LOAD{from}TO{to}({sign}, {value})"),
            (8, 16) => format!("simd_i16x8_extend_low_i8x16_{sign}(simd_v128_load64_zero({value}))"),
            (16, _) => format!("simd_i32x4_extend_low_i16x8_{sign}(simd_v128_load64_zero({value}))"),
            _ => format!(
                "simd_i32x4_extend_low_i16x8_{sign}(simd_i16x8_extend_low_i8x16_{sign}(simd_v128_load32_zero({value})))"
            ),
        }
    }

    /// Products of four bytes that are loaded.
    fn products_of_bytes(&mut self, parts: &[Expr]) -> Option<String> {
        let mut factors = Vec::new();
        for part in parts {
            match &part.kind {
                ExprKind::WidenedLoad { load, is_signed, .. } if is_four(load) && self.is_cell(load) => {
                    factors.push(format!("{}, {}", sign(*is_signed), self.expr(load)));
                }
                _ => return None,
            }
        }
        Some(format!("SIMD_PRODUCTS8TO32({})", factors.join(", ")))
    }

    /// Whether a load is printed as what the address of can be taken.
    fn is_cell(&self, load: &Expr) -> bool {
        matches!(&load.kind, ExprKind::Load(access) if self.alignment(access).is_some())
    }

    /// Two numbers of 16 bits as one of 32, the first in its low half.
    fn pair(&mut self, low: &Expr, high: &Expr) -> String {
        match &low.kind {
            ExprKind::Load(_) if are_neighbours(low, high) => format!("wasm_pair({})", self.bytes(low)),
            _ => format!("wasm_pack((int32_t){}, (int32_t){})", self.inner(low), self.inner(high)),
        }
    }

    /// A sum with four products of bytes: its parts, and as halves the bytes 0 and 2 and the bytes 1 and 3 of both factors.
    fn quad_product(&mut self, parts: &[Expr; 9]) -> String {
        let halves = [1, 2].map(|first| match Byte::of(&parts[first]) {
            Some(Byte::Memory(_, addend)) => {
                let load = parts[first].op(OpId::I32Add).map_or(&parts[first], |sum| &sum[0]);
                let (bytes, addend) = (self.bytes(load), twice(addend));
                ["even", "odd"].map(|which| format!("wasm_{which}_bytes(wasm_pair({bytes}), {addend})"))
            }
            _ => [[first, first + 4], [first + 2, first + 6]].map(|pair| {
                let [low, high] = pair.map(|at| parts[at].known().unwrap_or_default());
                format!("{:#x}u", low & 0xffff | high << 16)
            }),
        });
        let factors: Vec<String> =
            parts[1..].iter().map(|part| format!("(int32_t){}", self.inner(part))).collect();
        let sum = self.inner(&parts[0]);
        format!("WASM_QUAD_PRODUCT({sum}, {}, {})", factors.join(", "), halves.concat().join(", "))
    }

    /// A pointer to what is loaded.
    fn bytes(&mut self, load: &Expr) -> String {
        match &load.kind {
            ExprKind::Load(access) => format!("(const uint8_t *){}", self.place(access).pointer()),
            _ => self.expr(load),
        }
    }

    /// The statement that stores a value.
    pub fn store(&mut self, access: &Access, value: &Expr) -> String {
        let cast = match access.cell.bytes() {
            1 => "(uint8_t)",
            2 => "(uint16_t)",
            4 if access.ty == ValType::I64 => "(uint32_t)",
            _ => "",
        };
        let value = if cast.is_empty() { self.expr(value) } else { format!("{cast}{}", self.inner(value)) };
        let (name, place) = (access.cell.name(), self.place(access));
        match self.alignment(access) {
            None => format!("wasm_set_{name}({}, {value});", place.pointer()),
            Some(align) => format!("{} = {value};", place.cell(name, access.cell.bytes(), align)),
        }
    }

    fn place(&mut self, access: &Access) -> Address {
        let base = access.displaced().map_or(&access.address, |(base, _)| base);
        let shown = Shown { text: self.expr(base), is_primary: base.is_primary() };
        self.unit.place(access, &shown, self.function.index, &mut self.uses)
    }

    /// What address the cell is known to be a multiple of; `None` if only the address says so. WebAssembly promises nothing
    /// by a hint.
    fn alignment(&self, access: &Access) -> Option<u32> {
        let (hint, bytes) = (1u32 << access.align.min(4), access.cell.bytes());
        match self.unit.is_aligned(access) {
            // Memory begins at a multiple of 8.
            true => Some(hint.min(8)),
            false if hint >= bytes && bytes > 1 => None,
            false => Some(1),
        }
    }

    /// The function that is called.
    pub fn callee(&mut self, callee: &Callee) -> String {
        match callee {
            Callee::Function(function) => self.unit.functions[*function as usize].clone(),
            Callee::Indirect { table, ty, index } => {
                let shown = if self.unit.is_direct() { self.inner(index) } else { self.expr(index) };
                self.unit.indirect(*table, *ty, &shown)
            }
            Callee::Reference { ty, reference } => {
                let reference = self.expr(reference);
                self.unit.by_reference(*ty, &reference)
            }
        }
    }
}

/// The function that computes a choice between two signed numbers by a comparison of the same numbers. C compilers recognise what
/// it does only in signed types, and Arm has an instruction for a minimum of a maximum.
fn extremum(first: &Expr, second: &Expr, condition: &Expr) -> Option<&'static str> {
    let ExprKind::Op(op, operands) = &condition.kind else { return None };
    let (bits, is_greater) = match op {
        OpId::I32GtS | OpId::I32GeS => (32, true),
        OpId::I32LtS | OpId::I32LeS => (32, false),
        OpId::I64GtS | OpId::I64GeS => (64, true),
        OpId::I64LtS | OpId::I64LeS => (64, false),
        _ => return None,
    };
    let in_order = match &operands[..] {
        [a, b] if a == first && b == second => true,
        [a, b] if a == second && b == first => false,
        _ => return None,
    };
    Some(match (is_greater == in_order, bits) {
        (true, 32) => "wasm_max_s32",
        (false, 32) => "wasm_min_s32",
        (true, _) => "wasm_max_s64",
        (false, _) => "wasm_min_s64",
    })
}

/// A number in both halves of 32 bits.
fn twice(number: i16) -> String {
    format!("{:#x}u", u32::from(number.cast_unsigned()) * 0x1_0001)
}

/// Whether an expression is printed as a condition of C.
fn is_test(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Op(op, _) if matches!(op.line().class, Class::IsZero | Class::Compare))
}

/// Whether a load is one of four bytes.
fn is_four(load: &Expr) -> bool {
    matches!(&load.kind, ExprKind::Load(access) if access.cell.bytes() == 4)
}

/// What the names of operators end with, for numbers with a sign or without.
fn sign(is_signed: bool) -> char {
    if is_signed { 's' } else { 'u' }
}
