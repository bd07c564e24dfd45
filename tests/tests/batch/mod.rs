//! What tests that compile many modules at once have in common: they share a translation unit, whose program prints what
//! an interpreter's trace says.
#![allow(dead_code, reason = "each test has its own use of it")]

use std::collections::HashSet;
use std::fmt::Write as _;

use wasm_to_c::ValType;
use wasmi::{TrapCode, Val};

/// xorshift64*: the same modules for the same seed on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// An argument: small, extreme or anything.
    pub fn value(&mut self) -> u64 {
        let any = self.next();
        match any >> 61 {
            0..=2 => any & 0xff,
            3 => u64::MAX - (any & 3),
            4 => 0x8000_0000 | (any & 1),
            _ => any,
        }
    }

    pub fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
}

/// A name, which may be any text, as it is printed.
pub fn label(name: &str) -> String {
    name.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("_{b:02x}") })
        .collect()
}

pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What a value is printed as. Of references only whether they are null.
pub fn bits(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(value.cast_unsigned()),
        Val::I64(value) => value.cast_unsigned(),
        Val::F32(value) => u64::from(value.to_bits()),
        Val::F64(value) => value.to_bits(),
        Val::FuncRef(reference) => u64::from(!reference.is_null()),
        Val::ExternRef(reference) => u64::from(!reference.is_null()),
        _ => 0,
    }
}

pub fn trap(code: Option<TrapCode>) -> Option<&'static str> {
    Some(match code? {
        TrapCode::UnreachableCodeReached => "unreachable",
        TrapCode::MemoryOutOfBounds => "out of bounds memory access",
        TrapCode::TableOutOfBounds => "out of bounds table access",
        TrapCode::IndirectCallToNull => "uninitialized element",
        TrapCode::IntegerDivisionByZero => "integer divide by zero",
        TrapCode::IntegerOverflow => "integer overflow",
        TrapCode::BadConversionToInteger => "invalid conversion to integer",
        TrapCode::BadSignature => "indirect call type mismatch",
        _ => return None,
    })
}

pub fn print(c: &mut String, ty: ValType, value: &str) {
    let text = match ty {
        ValType::I32 | ValType::I64 => value.to_owned(),
        ValType::F32 => format!("wasm_bits32({value})"),
        ValType::F64 => format!("wasm_bits64({value})"),
        _ => format!("({value} != 0)"),
    };
    let _ = writeln!(c, "    printf(\" %llx\", (unsigned long long)({text}));");
}

/// `source` with `suffix` behind all names but those of the headers, C's and the library's, so that many modules
/// share a translation unit.
pub fn with_own_names(source: &str, suffix: &str, known: &HashSet<&str>) -> String {
    let mut text = String::with_capacity(source.len() * 2);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut rest, mut literal) = (source, false);
    while let Some(c) = rest.chars().next() {
        let length = if is_part(c) { rest.find(|c| !is_part(c)).unwrap_or(rest.len()) } else { c.len_utf8() };
        let (token, after) = rest.split_at(length);
        literal ^= c == '"';
        text.push_str(token);
        // Structures of several results are the module's.
        let results = |name: &str| name.bytes().all(|b| b"iqfdrex".contains(&b));
        let headers =
            token.starts_with("WASM_") || token.strip_prefix("wasm_").is_some_and(|name| !results(name));
        // What is behind an arrow is a member of the headers' structures.
        let member = text[..text.len() - token.len()].ends_with("->");
        if !literal && !member && is_part(c) && !c.is_ascii_digit() && !headers && !known.contains(token) {
            text.push_str(suffix);
        }
        rest = after;
    }
    text
}

/// What is named in C.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Of C, and of what generated C and this file's may say besides.
pub const WORDS: &str = "const static extern inline struct union typedef sizeof return if else while for do goto switch case \
    break default void char int long short unsigned signed float double int8_t int16_t int32_t int64_t uint8_t uint16_t \
    uint32_t uint64_t uintptr_t include define undef ifndef endif h n stdout fputs putchar";
