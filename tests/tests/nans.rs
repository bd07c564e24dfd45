//! What becomes of a NaN, by the specification's rules (WebAssembly core specification, 4.3.3 "NaN Propagation"), on
//! every board, by every compiler: what moves floats keeps all bits, what computes with them makes NaNs quiet.
//!
//! A table of functions is generated: every operator of floats, with NaNs and numbers that come from everywhere that a
//! compiler can follow them from, or cannot. Each function takes a NaN's bits and returns those of its result.
//!
//! The names of trials are `BOARD::COMPILER::LEVEL`. Each tries some of the functions, `NANS_ALL=1` all of them. A push runs one
//! level of each compiler and board, so that together they try each function, and the nightly run both.
//! `NANS_KEEP=folder` keeps what was generated.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cargo_mpy::toolchain::{cc, write_file};
use cargo_mpy::wasm;
use libtest_mimic::{Failed, Trial};
use mpy_link::{Input, InputKind};
use target_specs::Board;
use tests::board;
use wast::parser::{self, ParseBuffer};

/// Functions of a module, so that each fits a board's memory.
const MODULE: usize = 300;
/// Bytes of modules in a session, which a board's disk has room for.
const DISK: usize = 180 << 10;
/// Every so many of the functions are tried by default, each trial others.
const SOME: usize = 8;
const LEVELS: [&str; 2] = ["-Os", "-O2"];

/// A type of floats.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Float {
    F32,
    F64,
}

use Float::{F32, F64};

impl Float {
    fn name(self) -> &'static str {
        if self == F32 { "f32" } else { "f64" }
    }

    fn integer(self) -> &'static str {
        if self == F32 { "i32" } else { "i64" }
    }

    fn other(self) -> Float {
        if self == F32 { F64 } else { F32 }
    }

    /// The parameter.
    fn given(self) -> &'static str {
        match self {
            F32 => "(f32.reinterpret_i32 (i32.wrap_i64 (local.get 0)))",
            F64 => "(f64.reinterpret_i64 (local.get 0))",
        }
    }

    /// The bits of a value, as a result.
    fn bits(self, value: &str) -> String {
        match self {
            F32 => format!("(i64.extend_i32_u (i32.reinterpret_f32 {value}))"),
            F64 => format!("(i64.reinterpret_f64 {value})"),
        }
    }

    fn quiet(self) -> u64 {
        if self == F32 { 0x7fc0_0000 } else { 0x7ff8_0000_0000_0000 }
    }

    fn sign(self) -> u64 {
        if self == F32 { 1 << 31 } else { 1 << 63 }
    }

    /// The bits of a number.
    fn number(self, value: f64) -> u64 {
        if self == F32 { (value as f32).to_bits().into() } else { value.to_bits() }
    }

    fn payload(self) -> u64 {
        self.sign() - 1 - (self.quiet() & (self.quiet() << 1))
    }

    fn letter(self) -> char {
        if self == F32 { 'f' } else { 'd' }
    }

    /// A value of this type as one of the other.
    fn convert(self, value: &str) -> String {
        match self {
            F32 => format!("(f64.promote_f32 {value})"),
            F64 => format!("(f32.demote_f64 {value})"),
        }
    }

    /// Signalling, quiet and canonical ones of both signs.
    fn nans(self) -> [u64; 6] {
        let (quiet, sign) = (self.quiet(), self.sign());
        let infinity = quiet & (quiet << 1);
        [quiet, quiet | sign, infinity | 1, infinity | sign | 0x15_5555, quiet | 1, quiet | sign | 0x2a_aaaa]
    }
}

/// The ways a value takes that is the same behind them.
const WAYS: [&str; 15] = [
    "plain",
    "local",
    "call",
    "indirect",
    "recursion",
    "several",
    "memory",
    "unaligned",
    "global",
    "select",
    "block",
    "loop",
    "negated twice",
    "integer",
    "integer in memory",
];

/// `value`, by one of [`WAYS`].
fn way(way: &str, ty: Float, value: &str) -> String {
    let t = ty.name();
    match way {
        "plain" => value.to_owned(),
        "local" => format!("(block (result {t}) (local.set ${t} {value}) (local.get ${t}))"),
        "call" => format!("(call $same_{t} {value})"),
        "indirect" => format!("(call_indirect (type ${t}) {value} (i32.const {}))", u8::from(ty == F64)),
        "recursion" => format!("(call $again_{t} {value} (i32.const 3))"),
        "several" => format!("(block (result {t}) (call $two_{t} {value}) (drop))"),
        "memory" => {
            format!(
                "(block (result {t}) ({t}.store offset=8 (global.get $zero) {value}) ({t}.load (i32.const 8)))"
            )
        }
        "unaligned" => format!(
            "(block (result {t}) ({t}.store offset=17 align=1 (global.get $zero) {value}) \
             ({t}.load align=1 (i32.const 17)))"
        ),
        "global" => format!("(block (result {t}) (global.set ${t} {value}) (global.get ${t}))"),
        "select" => format!("(select {value} ({t}.const 7) (global.get $one))"),
        "block" => format!("(block (result {t}) (br_if 0 {value} (global.get $one)) (drop) ({t}.const 3))"),
        "loop" => format!(
            "(block (result {t}) (local.set ${t} {value}) (local.set $n (global.get $one)) (loop (local.set ${t} \
             (if (result {t}) (local.get $n) (then (local.get ${t})) (else ({t}.neg (local.get ${t}))))) \
             (br_if 0 (local.tee $n (i32.and (i32.add (local.get $n) (i32.const 1)) (i32.const 3))))) \
             (local.get ${t}))"
        ),
        "negated twice" => format!("({t}.neg ({t}.neg {value}))"),
        _ => {
            let i = ty.integer();
            let zero = if ty == F32 { "(global.get $zero)" } else { "(i64.extend_i32_u (global.get $zero))" };
            let bits = format!("({i}.or ({i}.reinterpret_{t} {value}) {zero})");
            match way {
                "integer" => format!("({t}.reinterpret_{i} {bits})"),
                _ => format!(
                    "(block (result {t}) ({i}.store (i32.const 40) {bits}) ({t}.load (i32.const 40)))"
                ),
            }
        }
    }
}

/// Where a constant comes from.
const ORIGINS: [&str; 12] = [
    "constant",
    "local",
    "call",
    "integer",
    "bits",
    "global",
    "data",
    "converted",
    "sum",
    "negated",
    "either",
    "select",
];

/// The number `value` from one of [`ORIGINS`], where it can be.
fn constant(origin: &str, ty: Float, value: f64) -> Option<String> {
    let (t, i) = (ty.name(), ty.integer());
    let is_zero = value == 0.0;
    let constant = |value: f64| format!("({t}.const {value:?})");
    let plain = constant(value);
    Some(match origin {
        "constant" => plain,
        "local" => format!("(block (result {t}) (local.set ${t} {plain}) (local.get ${t}))"),
        "call" => format!("(call $same_{t} {plain})"),
        "integer" if value.fract() == 0.0 && !(is_zero && value.is_sign_negative()) => {
            format!("({t}.convert_i32_s (i32.const {}))", value as i32)
        }
        "bits" => format!("({t}.reinterpret_{i} ({i}.const {}))", ty.number(value)),
        "global" => format!("(global.get $c_{t}_{})", name(value)),
        "data" => {
            let at = NUMBERS.iter().position(|known| known.to_bits() == value.to_bits())?;
            format!("({t}.load (i32.const {}))", data(ty, at))
        }
        "converted" => {
            let (from, how) = if ty == F32 { ("f64", "f32.demote_f64") } else { ("f32", "f64.promote_f32") };
            format!("({how} ({from}.const {value:?}))")
        }
        "sum" if is_zero => format!("({t}.mul {} {})", constant(3.0), constant(value)),
        "sum" => format!("({t}.add {} {})", constant(value / 2.0), constant(value / 2.0)),
        "negated" => format!("({t}.neg {})", constant(-value)),
        "either" => format!("(if (result {t}) (global.get $one) (then {plain}) (else {plain}))"),
        "select" => format!("(select {plain} {} (global.get $one))", constant(5.0)),
        _ => return None,
    })
}

/// Where a number of [`NUMBERS`] lies in memory.
fn data(ty: Float, at: usize) -> usize {
    64 + 16 * at + if ty == F64 { 0 } else { 8 }
}

/// The numbers that make an operator of another one that does nothing, or that are special otherwise.
const NUMBERS: [f64; 8] = [1.0, -1.0, 0.0, -0.0, 2.0, 0.5, 1e30, f64::INFINITY];

fn name(value: f64) -> String {
    format!("{value:?}").replace('-', "m").replace('.', "_")
}

const UNARY: [&str; 5] = ["ceil", "floor", "trunc", "nearest", "sqrt"];
const BINARY: [&str; 6] = ["add", "sub", "mul", "div", "min", "max"];
const COMPARISONS: [(&str, u64); 6] = [("eq", 0), ("ne", 1), ("lt", 0), ("gt", 0), ("le", 0), ("ge", 0)];

/// What a function must return.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// The NaN it was given, with that sign.
    Same(Sign),
    /// A NaN of this type that arithmetic with the NaN it was given may give.
    Computed(Float),
    /// One that arithmetic with any NaN may give, and one with a canonical NaN.
    Quiet(Float),
    Canonical(Float),
    Bits(u64),
    Trap,
}

#[derive(Debug, Clone, Copy)]
enum Sign {
    Own,
    Opposite,
    Plus,
    Minus,
}

impl Expected {
    /// As the script on the board reads it.
    fn token(self) -> String {
        let of = |letter: char, ty: Float| format!("{letter}{}", ty.letter());
        match self {
            Expected::Same(Sign::Own) => "s".to_owned(),
            Expected::Same(Sign::Opposite) => "n".to_owned(),
            Expected::Same(Sign::Plus) => "+".to_owned(),
            Expected::Same(Sign::Minus) => "-".to_owned(),
            Expected::Computed(ty) => of('x', ty),
            Expected::Quiet(ty) => of('q', ty),
            Expected::Canonical(ty) => of('c', ty),
            Expected::Bits(bits) => format!("b{bits:x}"),
            Expected::Trap => "t".to_owned(),
        }
    }
}

struct Case {
    what: String,
    /// Of the NaN that it is given.
    ty: Float,
    expected: Expected,
    /// What it returns, as an `i64`.
    body: String,
}

/// The functions for NaNs of one type.
struct Table {
    ty: Float,
    cases: Vec<Case>,
}

impl Table {
    /// A function that returns a value of type `result`.
    fn float(&mut self, what: impl Into<String>, expected: Expected, result: Float, value: &str) {
        self.integer(what, expected, result.bits(value));
    }

    /// One that returns an `i64`.
    fn integer(&mut self, what: impl Into<String>, expected: Expected, body: String) {
        let (what, ty) = (format!("{} {}", self.ty.name(), what.into()), self.ty);
        self.cases.push(Case { what, ty, expected, body });
    }

    /// One that returns an arithmetic operator's result, of this type.
    fn computed(&mut self, what: impl Into<String>, value: &str) {
        self.float(what, Expected::Computed(self.ty), self.ty, value);
    }

    /// What moves a value, behind each other, and operators in front of that and behind.
    fn moves(&mut self) {
        let (ty, t, given, other) = (self.ty, self.ty.name(), self.ty.given(), self.ty.other());
        for first in WAYS {
            let value = &way(first, ty, given);
            for second in WAYS {
                let what = format!("{first}, {second}");
                self.float(what, Expected::Same(Sign::Own), ty, &way(second, ty, value));
            }
            let same = |sign: Sign| Expected::Same(sign);
            self.float(format!("neg of {first}"), same(Sign::Opposite), ty, &format!("({t}.neg {value})"));
            self.float(format!("abs of {first}"), same(Sign::Plus), ty, &format!("({t}.abs {value})"));
            for (number, sign) in [(1, Sign::Plus), (-1, Sign::Minus)] {
                let copied = format!("({t}.copysign {value} ({t}.const {number}))");
                self.float(format!("copysign of {first}, {number}"), same(sign), ty, &copied);
            }
            for op in UNARY {
                self.computed(format!("{op} of {first}"), &format!("({t}.{op} {value})"));
                self.computed(format!("{first} of {op}"), &way(first, ty, &format!("({t}.{op} {given})")));
            }
            let converted = Expected::Computed(other);
            self.float(format!("converted {first}"), converted, other, &ty.convert(value));
            let behind = way(first, other, &ty.convert(given));
            self.float(format!("{first} of converted"), converted, other, &behind);
            self.computed(format!("converted, {first}, and back"), &other.convert(&behind));
        }
    }

    fn comparisons(&mut self) {
        let (ty, t, given) = (self.ty, self.ty.name(), self.ty.given());
        let one = &format!("({t}.const 1)");
        for first in ["plain", "local", "call", "indirect"] {
            let value = &way(first, ty, given);
            for (op, result) in COMPARISONS {
                for (a, b) in [(value.as_str(), given), (value, one), (one, value)] {
                    let test = format!("({t}.{op} {a} {b})");
                    let what = format!("{op} of {first}");
                    self.integer(&what, Expected::Bits(result), format!("(i64.extend_i32_u {test})"));
                    let negated = format!("(i64.extend_i32_u (i32.eqz {test}))");
                    self.integer(format!("not {what}"), Expected::Bits(1 - result), negated);
                    let chosen = format!(
                        "(i64.extend_i32_u (if (result i32) {test} (then (i32.const 3)) (else (i32.const 5))))"
                    );
                    self.integer(format!("if {what}"), Expected::Bits(5 - 2 * result), chosen);
                }
            }
        }
        // The larger and the smaller as programs choose them, which is no arithmetic.
        for (op, result) in COMPARISONS {
            for (a, b) in [(given, one.as_str()), (one, given)] {
                for test in [format!("({t}.{op} {a} {b})"), format!("({t}.{op} {b} {a})")] {
                    let is_given = (a == given) == (result == 1);
                    let expected = match is_given {
                        true => Expected::Same(Sign::Own),
                        false => Expected::Bits(ty.number(1.0)),
                    };
                    self.float(format!("select by {op}"), expected, ty, &format!("(select {a} {b} {test})"));
                }
            }
        }
    }

    /// Operators of what others give.
    fn compositions(&mut self) {
        let (ty, t, given, other) = (self.ty, self.ty.name(), self.ty.given(), self.ty.other());
        let signed = [
            ("abs", format!("({t}.abs {given})")),
            ("neg", format!("({t}.neg {given})")),
            ("plus", format!("({t}.copysign {given} ({t}.const 1))")),
            ("minus", format!("({t}.copysign {given} ({t}.const -1))")),
        ];
        for (op, value) in &signed {
            for outer in UNARY {
                let computed = format!("({t}.{outer} {value})");
                self.computed(format!("{outer} of {op}"), &computed);
                self.computed(format!("abs of {outer} of {op}"), &format!("({t}.abs {computed})"));
            }
            for outer in BINARY {
                for number in NUMBERS {
                    let (a, b) = (
                        format!("{value} ({t}.const {number:?})"),
                        format!("({t}.const {number:?}) {value}"),
                    );
                    self.computed(format!("{outer} of {op}, {number:?}"), &format!("({t}.{outer} {a})"));
                    self.computed(format!("{outer} of {number:?}, {op}"), &format!("({t}.{outer} {b})"));
                    let negated = format!("({t}.neg ({t}.{outer} {a}))");
                    self.computed(format!("neg of {outer} of {op}, {number:?}"), &negated);
                }
            }
            self.float(format!("converted {op}"), Expected::Computed(other), other, &ty.convert(value));
            let negated = format!("({}.neg {})", other.name(), ty.convert(value));
            self.computed(format!("converted {op}, neg, and back"), &other.convert(&negated));
        }
        for op in UNARY {
            for outer in UNARY {
                self.computed(format!("{outer} of {op}"), &format!("({t}.{outer} ({t}.{op} {given}))"));
            }
        }
        for op in BINARY {
            self.computed(format!("{op} with itself"), &format!("({t}.{op} {given} {given})"));
            let opposite = format!("({t}.{op} {given} ({t}.neg {given}))");
            self.computed(format!("{op} with its opposite"), &opposite);
        }
    }

    /// Operators of a NaN and a number.
    fn numbers(&mut self) {
        let (ty, t, given) = (self.ty, self.ty.name(), self.ty.given());
        for (op, number) in BINARY.iter().flat_map(|op| NUMBERS.map(|number| (op, number))) {
            for origin in ORIGINS {
                let Some(constant) = constant(origin, ty, number) else { continue };
                // Others than these do not make an operator one that does nothing.
                if number.abs() > 1.0 && origin != "constant" {
                    continue;
                }
                let all = ["plain", "local", "call", "integer", "integer in memory"];
                for first in &all[..if origin == "constant" { all.len() } else { 3 }] {
                    let value = way(first, ty, given);
                    let what = format!("{first} {op} {number:?} from {origin}");
                    self.computed(&what, &format!("({t}.{op} {value} {constant})"));
                    self.computed(format!("{what}, exchanged"), &format!("({t}.{op} {constant} {value})"));
                }
            }
        }
    }

    /// NaNs that are constants.
    fn constants(&mut self) {
        let (ty, t, given, other) = (self.ty, self.ty.name(), self.ty.given(), self.ty.other());
        for nan in ty.nans() {
            let is_canonical = nan & !ty.sign() == ty.quiet();
            let sign = if nan & ty.sign() != 0 { "-" } else { "" };
            let plain = format!("({t}.const {sign}nan:{:#x})", nan & ty.payload());
            let bits = format!("({t}.reinterpret_{0} ({0}.const {nan:#x}))", ty.integer());
            let arithmetic =
                |ty: Float| if is_canonical { Expected::Canonical(ty) } else { Expected::Quiet(ty) };
            for (origin, value) in [("constant", &plain), ("bits", &bits)] {
                for first in WAYS {
                    let what = format!("{nan:#x} from {origin}, {first}");
                    self.float(what, Expected::Bits(nan), ty, &way(first, ty, value));
                }
                let what = |op: &str| format!("{op} of {nan:#x} from {origin}");
                for op in UNARY {
                    self.float(what(op), arithmetic(ty), ty, &format!("({t}.{op} {value})"));
                }
                for op in BINARY {
                    for number in [1.0, -1.0, 0.0, -0.0, 3.0] {
                        let (a, b) = (
                            format!("{value} ({t}.const {number:?})"),
                            format!("({t}.const {number:?}) {value}"),
                        );
                        let what = format!("{}, {number:?}", what(op));
                        self.float(&what, arithmetic(ty), ty, &format!("({t}.{op} {a})"));
                        self.float(
                            format!("{what}, exchanged"),
                            arithmetic(ty),
                            ty,
                            &format!("({t}.{op} {b})"),
                        );
                    }
                    let expected = if is_canonical { Expected::Computed(ty) } else { Expected::Quiet(ty) };
                    self.float(
                        format!("{}, given", what(op)),
                        expected,
                        ty,
                        &format!("({t}.{op} {value} {given})"),
                    );
                }
                self.float(what("neg"), Expected::Bits(nan ^ ty.sign()), ty, &format!("({t}.neg {value})"));
                self.float(what("converted"), arithmetic(other), other, &ty.convert(value));
                self.float(
                    what("converted and back"),
                    arithmetic(ty),
                    ty,
                    &other.convert(&ty.convert(value)),
                );
            }
        }
    }

    fn integers(&mut self) {
        let (t, given) = (self.ty.name(), self.ty.given());
        for (integer, signed) in [("i32", "s"), ("i32", "u"), ("i64", "s"), ("i64", "u")] {
            for (op, expected) in [("trunc_sat", Expected::Bits(0)), ("trunc", Expected::Trap)] {
                let value = format!("({integer}.{op}_{t}_{signed} {given})");
                let body = if integer == "i32" { format!("(i64.extend_i32_u {value})") } else { value };
                self.integer(format!("{integer}.{op}_{signed}"), expected, body);
            }
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for ty in [F32, F64] {
        let mut table = Table { ty, cases: Vec::new() };
        table.moves();
        table.comparisons();
        table.compositions();
        table.numbers();
        table.constants();
        table.integers();
        cases.append(&mut table.cases);
    }
    cases
}

/// What all modules have besides the functions of their cases.
fn common() -> String {
    let mut text = String::from(
        "(memory 256 256 (pagesize 1)) (global $one (mut i32) (i32.const 1)) (global $zero (mut i32) (i32.const 0))\n\
         (func (export \"set\") (param i32 i32) (global.set $one (local.get 0)) (global.set $zero (local.get 1)))\n\
         (type $case (func (param i64) (result i64)))\n",
    );
    for ty in [F32, F64] {
        let t = ty.name();
        let _ = writeln!(
            text,
            "(type ${t} (func (param {t}) (result {t}))) (global ${t} (mut {t}) ({t}.const 1))
             (func $same_{t} (type ${t}) (local.get 0))
             (func $again_{t} (param {t} i32) (result {t}) (if (result {t}) (local.get 1)
               (then (call $again_{t} (local.get 0) (i32.sub (local.get 1) (i32.const 1)))) (else (local.get 0))))
             (func $two_{t} (param {t}) (result {t} {t}) (local.get 0) (local.get 0))"
        );
        for (at, number) in NUMBERS.iter().enumerate() {
            let _ = writeln!(text, "(global $c_{t}_{} {t} ({t}.const {number:?}))", name(*number));
            let bits = ty.number(*number).to_le_bytes();
            let bytes: String = bits.iter().map(|byte| format!("\\{byte:02x}")).collect();
            let _ = writeln!(text, "(data (i32.const {}) \"{bytes}\")", data(ty, at));
        }
    }
    text
}

/// A module with the functions of some cases, and `run` that calls one of them.
fn module(cases: &[&Case]) -> Vec<u8> {
    let mut text = format!("(module {}", common());
    let all: String = (0..cases.len()).map(|at| format!(" $case{at}")).collect();
    let _ = writeln!(text, "(table funcref (elem $same_f32 $same_f64{all}))");
    text.push_str(
        "(func (export \"run\") (param i32 i64) (result i64)
           (call_indirect (type $case) (local.get 1) (i32.add (local.get 0) (i32.const 2))))\n",
    );
    for (at, case) in cases.iter().enumerate() {
        let locals = "(local $f32 f32) (local $f64 f64) (local $n i32)";
        let _ = writeln!(text, "(func $case{at} (type $case) {locals} {})", case.body);
    }
    text.push(')');
    let buffer = ParseBuffer::new(&text).expect("tokens");
    let mut parsed = parser::parse::<wast::Wat>(&buffer).unwrap_or_else(|error| panic!("{error}"));
    parsed.encode().unwrap_or_else(|error| panic!("{error}"))
}

/// The script's part that all modules share.
const SCRIPT: &str = "
import sys
QUIET = {'f': 0x7fc00000, 'd': 0x7ff8000000000000}
SIGN = {'f': 0x80000000, 'd': 0x8000000000000000}
def allowed(token, ty, given, got):
    kind = token[0]
    if got is None or kind == 't':
        return got is None and kind == 't'
    sign = SIGN[ty]
    if kind == 'b':
        return got == int(token[1:], 16)
    if kind in 'sn+-':
        return got == {'s': given, 'n': given ^ sign, '+': given & ~sign, '-': given | sign}[kind]
    quiet = QUIET[token[1]]
    if kind == 'c' or kind == 'x' and given & ~sign == QUIET[ty]:
        return got & ~SIGN[token[1]] == quiet
    return got & quiet == quiet
def play(name, first, tokens):
    run = __import__(name).run
    for at, token in enumerate(tokens.split()):
        ty = token[0]
        for given in NANS[ty]:
            try:
                got = run(at, given if given < 1 << 63 else given - (1 << 64)) & 0xffffffffffffffff
            except RuntimeError:
                got = None
            if not allowed(token[1:], ty, given, got):
                print('FAIL', first + at, hex(given), got if got is None else hex(got))
    print('DONE', first + at + 1)
    del sys.modules[name]
";

/// Builds the modules for a board with one compiler.
fn build(
    cases: &[&Case],
    board: &Board,
    compiler: &str,
    level: &str,
    folder: &Path,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let arch = target_specs::arch(&board.arch).map_err(|error| error.to_string())?;
    let compiler = cc::find_named(arch, compiler).map_err(|error| error.to_string())?;
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let include = &folder.with_file_name("include");
    for (name, text) in c_runtime::HEADERS {
        write_file(&include.join(name), text.as_bytes()).map_err(|error| error.to_string())?;
    }
    let one = |(at, cases): (usize, &[&Case])| -> target_specs::Result<(String, Vec<u8>)> {
        let name = format!("nans{at}");
        let prepared = wasm::prepare(&name, &module(cases), 0, None, None, wasm::Origin::Other, None)?;
        let translation = wasm_to_c::transpile(&prepared.module, &wasm_to_c::Options::default())?;
        let glue = glue_gen::glue(&name, &translation.interface, None, &glue_gen::Mappings::default())?;
        let (source, object) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.o")));
        std::fs::write(&source, translation.unit.source + &glue.unit.source).expect("a writable folder");
        compiler.compile(&source, &object, &[], level, &[include])?;
        let data = std::fs::read(&object).expect("an object");
        let runtime = compiler.runtime(&[], level, include)?;
        let library = compiler.library(&[])?;
        let mut inputs = vec![Input { name: "unit.o", kind: InputKind::Object, data: &data }];
        let behind = runtime.iter().chain(&library);
        inputs.extend(behind.map(|(name, data)| Input { name, kind: InputKind::Lazy, data }));
        let file_name = format!("{name}.mpy");
        let options =
            mpy_link::Options { file_name: &file_name, qstrs: &glue.qstrs, ..mpy_link::Options::new(arch) };
        Ok((file_name.clone(), mpy_link::link(&inputs, &options)?.bytes))
    };
    cases.chunks(MODULE).enumerate().map(|part| one(part).map_err(|error| error.to_string())).collect()
}

fn play(cases: &[&Case], board: &Board, compiler: &str, level: &str) -> Result<(), Failed> {
    let usual = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("nans");
    let root = std::env::var("NANS_KEEP").map_or_else(|_| usual(), PathBuf::from);
    let folder = root.join(format!("{}{compiler}{level}", board.name));
    let modules = build(cases, board, compiler, level, &folder)?;
    let nans: Vec<String> = [F32, F64].map(|ty| format!("'{}': {:?}", ty.letter(), ty.nans())).to_vec();
    let head = format!("NANS = {{{}}}{SCRIPT}", nans.join(", "));
    let (mut failures, mut at) = (Vec::new(), 0);
    let (mut session, mut script) = (Vec::new(), head.clone());
    for (number, module) in modules.iter().enumerate() {
        let part = &cases[number * MODULE..cases.len().min((number + 1) * MODULE)];
        let tokens: Vec<String> =
            part.iter().map(|case| format!("{}{}", case.ty.letter(), case.expected.token())).collect();
        let _ = writeln!(script, "play('nans{number}', {}, '{}')", number * MODULE, tokens.join(" "));
        at += part.len();
        session.push(module.clone());
        let next = modules.get(number + 1).map_or(DISK, |(_, next)| next.len());
        if session.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() + next <= DISK {
            continue;
        }
        let printed = board::execute(board, &session, &script).unwrap_or_else(|printed| printed);
        for line in printed.lines() {
            let what =
                line.strip_prefix("FAIL ").and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
            match what {
                Some(at) => failures.push(format!("{line}: {} {:?}", cases[at].what, cases[at].expected)),
                None if line.starts_with("DONE") => {}
                None => failures.push(line.to_owned()),
            }
        }
        if !printed.contains(&format!("DONE {at}\n")) {
            failures.push(format!("the script did not come to {at}"));
        }
        session.clear();
        script.clone_from(&head);
    }
    let some = &failures[..failures.len().min(60)];
    if some.is_empty() {
        Ok(())
    } else {
        Err(format!("{} failures\n{}", failures.len(), some.join("\n")).into())
    }
}

fn main() {
    let arguments = tests::arguments();
    let cases = Arc::new(cases());
    let all = std::env::var_os("NANS_ALL").is_some();
    println!("{} functions, {} NaNs each", cases.len(), F32.nans().len());
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        if let Some(why) = &why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
        let arch = target_specs::arch(&board.arch).expect("its architecture");
        // The first that is there of each kind.
        for clang in [false, true] {
            let known =
                arch.compilers.iter().filter(|known| known.clang == clang).flat_map(|known| &known.commands);
            let Some(compiler) = known.clone().find(|name| cc::find_named(arch, name).is_ok()) else {
                continue;
            };
            for level in LEVELS {
                let cases = Arc::clone(&cases);
                let number = trials.len();
                let first = number % SOME;
                // One of two neighbours, and of 16 those whose remainders by 8 are all different.
                let usual = number.count_ones().is_multiple_of(2);
                let name = format!("{}::{compiler}::{}", board.name, &level[1..]);
                let trial = Trial::test(name, move || {
                    let some = cases.iter().skip(first).step_by(SOME).collect::<Vec<_>>();
                    play(&if all { cases.iter().collect() } else { some }, board, compiler, level)
                });
                trials.push(trial.with_ignored_flag(why_not.is_some() || !usual));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
