//! Globals and constant expressions.

use super::{SHADOW_STACK, Unit};
use crate::codegen::{number, vector};
use crate::module::Constant;
use crate::types::ValType;

impl Unit<'_> {
    /// A global, as an lvalue.
    pub fn global(&self, index: u32) -> String {
        let name = &self.globals[index as usize];
        match self.module.globals[index as usize].import {
            Some(_) => format!("(*{name})"),
            None => name.clone(),
        }
    }

    /// A global's first value, and whether C takes it as an initializer.
    pub(super) fn initial(&self, global: u32) -> (String, bool) {
        if self.is_direct_stack(global) {
            let start = format!("(uint32_t)(uintptr_t){SHADOW_STACK} + sizeof {SHADOW_STACK}");
            return (start, self.block.is_none());
        }
        self.constant(&self.module.globals[global as usize].init)
    }

    /// A constant expression, and whether C takes it as an initializer.
    pub(super) fn constant(&self, constant: &Constant) -> (String, bool) {
        match constant {
            Constant::I32(value) => (number(ValType::I32, (*value).into()), true),
            Constant::I64(value) => (number(ValType::I64, *value), true),
            Constant::F32(bits) => (number(ValType::F32, (*bits).into()), f32::from_bits(*bits).is_finite()),
            Constant::F64(bits) => (number(ValType::F64, *bits), f64::from_bits(*bits).is_finite()),
            Constant::V128(halves) => (vector(*halves), false),
            Constant::Global(index) => {
                let global = &self.module.globals[*index as usize];
                match global.import {
                    None if !global.mutable => self.constant(&global.init),
                    _ => (self.global(*index), false),
                }
            }
            Constant::Null => ("0".into(), true),
            Constant::Function(index) => (self.function_reference(*index), self.has_addresses()),
            Constant::Binary(op, operands) => {
                let (a, b) = (self.constant(&operands.0).0, self.constant(&operands.1).0);
                (format!("({a} {op} {b})"), false)
            }
        }
    }
}
