//! Every type of the ABI, in both directions: to Rust and back (`id_*`), and from there through a function of
//! Python's (`via_*`); through results, exceptions and closures. Ends of ranges, None, empty, huge, wrong types,
//! wrong numbers, and of each that calls give back what they take.
//!
//! boards: all
//! nightly: qemu-xtensawin
//! flash: usual

use wasm_bindgen::prelude::*;

macro_rules! both {
    ($($ty:ty: $id:ident $via:ident $host:ident,)*) => {
        $(#[wasm_bindgen] pub fn $id(value: $ty) -> $ty { value })*
        $(#[wasm_bindgen] pub fn $via(value: $ty) -> $ty { $host(value) })*
        #[wasm_bindgen(module = "host")]
        extern "C" {
            $(#[wasm_bindgen(js_name = echo)] fn $host(value: $ty) -> $ty;)*
        }
    };
}

both! {
    bool: id_bool via_bool host_bool,
    char: id_char via_char host_char,
    i8: id_i8 via_i8 host_i8,
    u8: id_u8 via_u8 host_u8,
    i16: id_i16 via_i16 host_i16,
    u16: id_u16 via_u16 host_u16,
    i32: id_i32 via_i32 host_i32,
    u32: id_u32 via_u32 host_u32,
    usize: id_usize via_usize host_usize,
    isize: id_isize via_isize host_isize,
    i64: id_i64 via_i64 host_i64,
    u64: id_u64 via_u64 host_u64,
    i128: id_i128 via_i128 host_i128,
    u128: id_u128 via_u128 host_u128,
    f32: id_f32 via_f32 host_f32,
    f64: id_f64 via_f64 host_f64,
    String: id_str via_str host_str,
    JsValue: id_object via_object host_object,
    Vec<u8>: id_vec_u8 via_vec_u8 host_vec_u8,
    Vec<i8>: id_vec_i8 via_vec_i8 host_vec_i8,
    Vec<u16>: id_vec_u16 via_vec_u16 host_vec_u16,
    Vec<i16>: id_vec_i16 via_vec_i16 host_vec_i16,
    Vec<u32>: id_vec_u32 via_vec_u32 host_vec_u32,
    Vec<i32>: id_vec_i32 via_vec_i32 host_vec_i32,
    Vec<u64>: id_vec_u64 via_vec_u64 host_vec_u64,
    Vec<i64>: id_vec_i64 via_vec_i64 host_vec_i64,
    Vec<usize>: id_vec_usize via_vec_usize host_vec_usize,
    Vec<isize>: id_vec_isize via_vec_isize host_vec_isize,
    Vec<f32>: id_vec_f32 via_vec_f32 host_vec_f32,
    Vec<f64>: id_vec_f64 via_vec_f64 host_vec_f64,
    Vec<String>: id_vec_str via_vec_str host_vec_str,
    Vec<bool>: id_vec_bool via_vec_bool host_vec_bool,
    Vec<char>: id_vec_char via_vec_char host_vec_char,
    Vec<Level>: id_vec_level via_vec_level host_vec_level,
    Vec<Mode>: id_vec_mode via_vec_mode host_vec_mode,
    Vec<JsValue>: id_vec_object via_vec_object host_vec_object,
    Vec<Thing>: id_vec_thing via_vec_thing host_vec_thing,
    Vec<Point>: id_vec_point via_vec_point host_vec_point,
    Box<[u16]>: id_box via_box host_box,
    Option<bool>: id_opt_bool via_opt_bool host_opt_bool,
    Option<char>: id_opt_char via_opt_char host_opt_char,
    Option<i8>: id_opt_i8 via_opt_i8 host_opt_i8,
    Option<u8>: id_opt_u8 via_opt_u8 host_opt_u8,
    Option<i16>: id_opt_i16 via_opt_i16 host_opt_i16,
    Option<u16>: id_opt_u16 via_opt_u16 host_opt_u16,
    Option<i32>: id_opt_i32 via_opt_i32 host_opt_i32,
    Option<u32>: id_opt_u32 via_opt_u32 host_opt_u32,
    Option<usize>: id_opt_usize via_opt_usize host_opt_usize,
    Option<isize>: id_opt_isize via_opt_isize host_opt_isize,
    Option<i64>: id_opt_i64 via_opt_i64 host_opt_i64,
    Option<u64>: id_opt_u64 via_opt_u64 host_opt_u64,
    Option<i128>: id_opt_i128 via_opt_i128 host_opt_i128,
    Option<u128>: id_opt_u128 via_opt_u128 host_opt_u128,
    Option<f32>: id_opt_f32 via_opt_f32 host_opt_f32,
    Option<f64>: id_opt_f64 via_opt_f64 host_opt_f64,
    Option<String>: id_opt_str via_opt_str host_opt_str,
    Option<Vec<u8>>: id_opt_vec via_opt_vec host_opt_vec,
    Option<Vec<f64>>: id_opt_vec_f64 via_opt_vec_f64 host_opt_vec_f64,
    Option<Vec<String>>: id_opt_vec_str via_opt_vec_str host_opt_vec_str,
    Option<Vec<JsValue>>: id_opt_vec_object via_opt_vec_object host_opt_vec_object,
    Option<JsValue>: id_opt_object via_opt_object host_opt_object,
    Level: id_level via_level host_level,
    Option<Level>: id_opt_level via_opt_level host_opt_level,
    Mode: id_mode via_mode host_mode,
    Option<Mode>: id_opt_mode via_opt_mode host_opt_mode,
    Thing: id_thing via_thing host_thing,
    Option<Thing>: id_opt_thing via_opt_thing host_opt_thing,
    Point: id_point via_point host_point,
    Option<Point>: id_opt_point via_opt_point host_opt_point,
}

/// Slices: copied to Python and back, and turned around in place by Rust and by Python.
macro_rules! slices {
    ($($ty:ty: $slice:ident $via:ident $host:ident, $turn:ident $via_turn:ident $host_turn:ident,)*) => {
        $(
            #[wasm_bindgen] pub fn $slice(values: &[$ty]) -> Vec<$ty> { values.to_vec() }
            #[wasm_bindgen] pub fn $via(values: &[$ty]) -> Vec<$ty> { $host(values) }
            #[wasm_bindgen] pub fn $turn(values: &mut [$ty]) { values.reverse() }
            #[wasm_bindgen] pub fn $via_turn(mut values: Vec<$ty>) -> Vec<$ty> { $host_turn(&mut values); values }
        )*
        #[wasm_bindgen(module = "host")]
        extern "C" {
            $(#[wasm_bindgen(js_name = copy)] fn $host(values: &[$ty]) -> Vec<$ty>;)*
            $(#[wasm_bindgen(js_name = turn)] fn $host_turn(values: &mut [$ty]);)*
        }
    };
}

slices! {
    u8: slice_u8 via_slice_u8 host_slice_u8, turn_u8 via_turn_u8 host_turn_u8,
    i8: slice_i8 via_slice_i8 host_slice_i8, turn_i8 via_turn_i8 host_turn_i8,
    u16: slice_u16 via_slice_u16 host_slice_u16, turn_u16 via_turn_u16 host_turn_u16,
    i16: slice_i16 via_slice_i16 host_slice_i16, turn_i16 via_turn_i16 host_turn_i16,
    u32: slice_u32 via_slice_u32 host_slice_u32, turn_u32 via_turn_u32 host_turn_u32,
    i32: slice_i32 via_slice_i32 host_slice_i32, turn_i32 via_turn_i32 host_turn_i32,
    usize: slice_usize via_slice_usize host_slice_usize, turn_usize via_turn_usize host_turn_usize,
    isize: slice_isize via_slice_isize host_slice_isize, turn_isize via_turn_isize host_turn_isize,
    u64: slice_u64 via_slice_u64 host_slice_u64, turn_u64 via_turn_u64 host_turn_u64,
    i64: slice_i64 via_slice_i64 host_slice_i64, turn_i64 via_turn_i64 host_turn_i64,
    f32: slice_f32 via_slice_f32 host_slice_f32, turn_f32 via_turn_f32 host_turn_f32,
    f64: slice_f64 via_slice_f64 host_slice_f64, turn_f64 via_turn_f64 host_turn_f64,
}

/// Results: `res_*` fails in Rust, `via_res_*` in Python; closures: lent and owned.
macro_rules! calls {
    ($($ty:ty: $res:ident $via:ident $host:ident, $lend:ident $apply:ident, $own:ident,)*) => {
        $(
            #[wasm_bindgen] pub fn $res(value: $ty, fail: bool) -> Result<$ty, String> {
                if fail { Err("failed".to_owned()) } else { Ok(value) }
            }
            #[wasm_bindgen] pub fn $via(value: $ty) -> Result<$ty, JsValue> { $host(value) }
            #[wasm_bindgen] pub fn $lend(value: $ty) -> $ty { $apply(&mut |value| value, value) }
            #[wasm_bindgen] pub fn $own() -> JsValue { Closure::<dyn Fn($ty) -> $ty>::new(|value| value).into_js_value() }
        )*
        #[wasm_bindgen(module = "host")]
        extern "C" {
            $(#[wasm_bindgen(js_name = maybe, catch)] fn $host(value: $ty) -> Result<$ty, JsValue>;)*
            $(#[wasm_bindgen(js_name = apply)] fn $apply(call: &mut dyn FnMut($ty) -> $ty, value: $ty) -> $ty;)*
        }
    };
}

calls! {
    bool: res_bool via_res_bool maybe_bool, lend_bool apply_bool, own_bool,
    char: res_char via_res_char maybe_char, lend_char apply_char, own_char,
    i8: res_i8 via_res_i8 maybe_i8, lend_i8 apply_i8, own_i8,
    u32: res_u32 via_res_u32 maybe_u32, lend_u32 apply_u32, own_u32,
    i64: res_i64 via_res_i64 maybe_i64, lend_i64 apply_i64, own_i64,
    u128: res_u128 via_res_u128 maybe_u128, lend_u128 apply_u128, own_u128,
    f32: res_f32 via_res_f32 maybe_f32, lend_f32 apply_f32, own_f32,
    f64: res_f64 via_res_f64 maybe_f64, lend_f64 apply_f64, own_f64,
    String: res_str via_res_str maybe_str, lend_str apply_str, own_str,
    Vec<u16>: res_vec via_res_vec maybe_vec, lend_vec apply_vec, own_vec,
    Vec<String>: res_vec_str via_res_vec_str maybe_vec_str, lend_vec_str apply_vec_str, own_vec_str,
    Option<i32>: res_opt_i32 via_res_opt_i32 maybe_opt_i32, lend_opt_i32 apply_opt_i32, own_opt_i32,
    Option<u64>: res_opt_u64 via_res_opt_u64 maybe_opt_u64, lend_opt_u64 apply_opt_u64, own_opt_u64,
    Option<String>: res_opt_str via_res_opt_str maybe_opt_str, lend_opt_str apply_opt_str, own_opt_str,
    JsValue: res_object via_res_object maybe_object, lend_object apply_object, own_object,
    Thing: res_thing via_res_thing maybe_thing, lend_thing apply_thing, own_thing,
    Level: res_level via_res_level maybe_level, lend_level apply_level, own_level,
    Mode: res_mode via_res_mode maybe_mode, lend_mode apply_mode, own_mode,
    Point: res_point via_res_point maybe_own_point, lend_point apply_point, own_point,
}

#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Level {
    Low = 1,
    High = 7,
}

#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Mode {
    Input = "input",
    Output = "output",
}

#[wasm_bindgen(module = "host")]
extern "C" {
    pub type Thing;
    fn text(value: &str) -> usize;
    #[wasm_bindgen(js_name = text)]
    fn words(values: &[&str]) -> usize;
    #[wasm_bindgen(js_name = opt)]
    fn opt_text(value: Option<&str>) -> bool;
    #[wasm_bindgen(js_name = opt)]
    fn opt_slice(values: Option<&[u8]>) -> bool;
    fn same(value: &JsValue) -> bool;
    #[wasm_bindgen(js_name = same)]
    fn same_thing(value: &Thing) -> bool;
    #[wasm_bindgen(js_name = fails, catch)]
    fn fails(kind: u32) -> Result<u32, JsValue>;
    #[wasm_bindgen(js_name = fails, catch)]
    fn fails_with_text(kind: u32) -> Result<String, JsValue>;
}

#[wasm_bindgen]
pub fn text_len(value: &str) -> usize {
    value.chars().count()
}

#[wasm_bindgen]
pub fn via_text(value: &str) -> usize {
    text(value)
}

#[wasm_bindgen]
pub fn via_words() -> usize {
    words(&["", "two", "€"])
}

#[wasm_bindgen]
pub fn via_opt_text(value: &str, values: &[u8]) -> Vec<u8> {
    [opt_text(Some(value)), opt_text(None), opt_slice(Some(values)), opt_slice(None)].map(u8::from).to_vec()
}

#[wasm_bindgen]
pub fn lent(value: &JsValue) -> bool {
    same(value)
}

#[wasm_bindgen]
pub fn lent_thing(value: &Thing) -> bool {
    same_thing(value)
}

/// What the check of balance has to find: 16 bytes of memory.
#[wasm_bindgen]
pub fn lose_memory(value: u32) -> u32 {
    *std::hint::black_box(Box::leak(Box::new(value)))
}

/// And an object.
#[wasm_bindgen]
pub fn lose_object(value: JsValue) -> u32 {
    std::mem::forget(value);
    0
}

#[wasm_bindgen]
pub fn checked(value: i32) -> Result<i32, JsValue> {
    if value < 0 { Err(JsValue::from_str("negative")) } else { Ok(value) }
}

#[wasm_bindgen]
pub fn checked_text(value: i32) -> Result<String, JsError> {
    if value < 0 { Err(JsError::new("negative")) } else { Ok(value.to_string()) }
}

#[wasm_bindgen]
pub fn checked_unit(value: i32) -> Result<(), String> {
    if value < 0 { Err("negative".to_owned()) } else { Ok(()) }
}

#[wasm_bindgen]
pub fn raise(value: JsValue) -> Result<(), JsValue> {
    Err(value)
}

#[wasm_bindgen]
pub fn catch(kind: u32) -> JsValue {
    match fails(kind) {
        Ok(value) => JsValue::from(value),
        Err(error) => error,
    }
}

#[wasm_bindgen]
pub fn catch_text(kind: u32) -> Result<String, JsValue> {
    fails_with_text(kind)
}

#[wasm_bindgen]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[wasm_bindgen]
impl Point {
    #[wasm_bindgen(constructor)]
    pub fn new(x: i32, y: Option<i32>) -> Point {
        Point { x, y: y.unwrap_or(-1) }
    }
    pub fn dot(&self, other: &Point) -> i32 {
        self.x * other.x + self.y * other.y
    }
    pub fn absorb(&mut self, other: Point) {
        self.x += other.x;
        self.y += other.y;
    }
    pub fn into_x(self) -> i32 {
        self.x
    }
}

#[wasm_bindgen]
pub fn origin() -> Point {
    Point { x: 0, y: 0 }
}

#[wasm_bindgen]
pub fn maybe_point(yes: bool) -> Option<Point> {
    yes.then(|| Point { x: 1, y: 2 })
}

#[wasm_bindgen]
pub fn take_maybe(point: Option<Point>) -> i32 {
    point.map_or(-100, |point| point.x)
}

#[wasm_bindgen]
pub fn points(count: i32) -> Vec<Point> {
    (0..count).map(|i| Point { x: i, y: -i }).collect()
}

#[wasm_bindgen]
pub fn sum_points(points: Vec<Point>) -> i32 {
    points.iter().map(|point| point.x).sum()
}

#[wasm_bindgen]
pub fn two(name: &str, values: Vec<u16>, count: u8) -> String {
    format!("{name} {} {count}", values.len())
}

/* python
import sys, gc
from array import array

class Host:
    failing = False
    def echo(self, value): return value
    def copy(self, values): return list(values)
    def turn(self, values):
        for i in range(len(values) // 2): values[i], values[-1 - i] = values[-1 - i], values[i]
    def text(self, value): return len(value)
    def opt(self, value): return value is None
    def same(self, value): return value is marker
    def maybe(self, value):
        if self.failing: raise ValueError("failed")
        return value
    def apply(self, call, value): return call(value)
    def fails(self, kind):
        if kind == 1: raise ValueError("one")
        if kind == 2: raise KeyError(2)
        return kind if kind < 10 else str(kind)

host = Host()
marker = object()
sys.modules["host"] = host
import conformance as m

def plain(value):
    if isinstance(value, (array, bytes, bytearray, memoryview, list, tuple)): return [plain(item) for item in value]
    return [value.x, value.y] if isinstance(value, m.Point) else value

# What Rust takes has to be made anew for each call.
def made(args): return args() if callable(args) else args

def case(f, args, error):
    try: f(*made(args))
    except error: return
    raise Exception("taken")

# A function: arguments and what it gives for them, arguments that it refuses and how, and numbers of them that it refuses.
def row(name, good, wrong=(), left_out=False, f=None, objects=False):
    f = f or getattr(m, name)
    first = made(good[0][0])
    wrong = list(wrong) + [(first + (0,), TypeError)]
    if not left_out: wrong.append((first[:-1], TypeError))
    for args, expected in good:
        got = f(*made(args))
        if plain(got) != plain(expected): print("WRONG", name, made(args), got)
    for args, error in wrong:
        try: case(f, args, error)
        except Exception as e: print("REFUSED", name, args, repr(e))
    grown = balance(f, good, wrong, objects)
    if grown: print("LOST", name, grown)

# How much more is in use after many calls: memory, and the objects that handles hold.
#
# The collector takes any word for a pointer, also dead ones: in MicroPython's frames, and in Rust's stack, which is part
# of the module's state. Where Rust had a string, a dead word may keep a result of Python's that came to lie there. What is
# kept so depends on where things lie, differs from call to call, and does not add up; what calls lose does, so it is seen
# in each of three rounds, if it is 16 bytes a call: more than the chunks that Rust's heap begins with.
def balance(f, good, wrong, objects=False):
    def calls(times):
        for _ in range(times):
            for args, _ in good: f(*made(args))
            for args, error in wrong: case(f, args, error)
    def least():
        least = 1 << 30
        for _ in range(2):
            calls(1)
            gc.collect()
            now = gc.mem_alloc()
            if now < least: least = now
        return least
    # So many objects of Rust's and closures may be dead before their ends are looked for.
    if objects: calls(64)
    before = least()
    for _ in range(3):
        calls(64)
        now = least()
        grown = now - before
        if grown <= 0: return 0
        before = now
    return grown

# A handle that is lost is seen by the object that it holds.
fresh = lambda: ([1],)
# Where Rust's heap is a part of Python's, a loss there shows.
if sys.maxsize < 1 << 40: assert balance(m.lose_memory, [((7,), 7)], ()) > 0
assert balance(m.lose_object, [(fresh, 0)], ()) > 0

def both(name, values, wrong=(), left_out=False, objects=False):
    good = [(value if callable(value) else (value,), value()[0] if callable(value) else value) for value in values]
    good = [(args, plain(expected)) for args, expected in good]
    wrong = [((value,), error) for value, error in wrong]
    for kind in ("id_", "via_"): row(kind + name, good, wrong, left_out, None, objects)

integers = {"i8": 8, "i16": 16, "i32": 32, "i64": 64, "i128": 128, "u8": 8, "u16": 16, "u32": 32, "usize": 32, "isize": 32, "u64": 64, "u128": 128}
for name, bits in integers.items():
    signed = name[0] == "i"
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    wrong = [(low - 1, OverflowError), (high + 1, OverflowError), (high + (1 << bits), OverflowError), (1 << 300, OverflowError), (-(1 << 300), OverflowError),
             ("1", TypeError), (1.5, TypeError), ([], TypeError), (None, TypeError)]
    both(name, [0, 1, low, high, high >> 1, low + 1], wrong)
    both("opt_" + name, [None, 0, low, high], wrong[:2] + wrong[5:6], True)
    if bits > 64: continue
    code = {8: "b", 16: "h", 32: "i", 64: "q"}[bits]
    code = code if signed else code.upper()
    buffers = [array(code, []), array(code, [low, high, 1]), memoryview(array(code, [low, high, 1]))[1:], array(code, range(20))]
    values = buffers + [[low, high, 0], (1, 2), [], array("H", [1, 2]), array("f", [])]
    wrong = [([high + 1], OverflowError), ([1, low - 1], OverflowError), (array("q", [1 << 62]) if bits < 64 else [1 << 64], OverflowError),
             ([1, "x"], TypeError), ([None], TypeError), ("abc", TypeError), (1, TypeError), (None, TypeError)]
    both("vec_" + name, values, wrong)
    good = [((value,), value) for value in values]
    wrong = [((value,), error) for value, error in wrong]
    row("slice_" + name, good, wrong)
    good, wrong = good[1:], wrong[2:5]
    row("via_slice_" + name, good, wrong)
    row("via_turn_" + name, [((value,), list(reversed(list(value)))) for value in values[1:]], wrong)
    row("turn_" + name, [((value,), None) for value in buffers], [(([1, 2],), TypeError), ((array("f", [1]),), TypeError), ((b"ab",), TypeError), ((None,), TypeError)])
    for size in (0, 1, 2, 3001):
        there = [i % 100 for i in range(size)]
        back = list(reversed(there))
        value = array(code, there)
        getattr(m, "turn_" + name)(value)
        assert list(value) == back
        for kind in ("id_vec_", "via_vec_", "slice_", "via_slice_"): assert list(getattr(m, kind + name)(value)) == back
        assert list(getattr(m, "via_turn_" + name)(value)) == there

both("bool", [True, False], [(1, TypeError), (None, TypeError), ("", TypeError)])
both("opt_bool", [True, False, None], [(0, TypeError)], True)
both("char", ["a", "\0", "é", "€", "😀", "\U0010ffff"], [("", ValueError), ("ab", ValueError), ("a" * 1000, ValueError), (65, TypeError), (None, TypeError)])
both("opt_char", ["a", "😀", None], [("ab", ValueError), (b"a", TypeError)], True)
for name in ("f32", "f64"):
    code = "f" if name == "f32" else "d"
    buffers = [array(code, [1.5, -2]), array(code), array(code, [0.5] * 20)]
    lists = [[0.5, 2, float("inf")], [], (1, 2)]
    refused = [(["x"], TypeError), ([1.0, None], TypeError), ("ab", TypeError), (1.5, TypeError), (None, TypeError)]
    both(name, [0.0, -1.5, 1e10, float("inf"), -float("inf"), 3, 1 << 20], [("1", TypeError), (None, TypeError), ([], TypeError)])
    both("opt_" + name, [None, 0.0, -1.5, float("inf")], [("1", TypeError)], True)
    both("vec_" + name, buffers + lists, refused)
    good, wrong = [((value,), value) for value in buffers + lists], [((value,), error) for value, error in refused]
    row("slice_" + name, good, wrong)
    row("via_slice_" + name, good, wrong)
    row("via_turn_" + name, [((value,), list(reversed(list(value)))) for value in buffers + lists], wrong)
    row("turn_" + name, [((value,), None) for value in buffers], [(([1.5],), TypeError), ((bytearray(8),), TypeError)])
    value = array(code, [1, 2.5, -3]); getattr(m, "turn_" + name)(value); assert list(value) == [-3, 2.5, 1]
    for kind in ("id_", "via_"):
        nan = getattr(m, kind + name)(float("nan"))
        assert nan != nan
huge = "€" * 300
both("str", ["", "abc", "wörld €😀", "\0", "x" * 1000, huge], [(b"abc", TypeError), (None, TypeError), (1, TypeError), (["a"], TypeError)])
both("opt_str", ["", "abc", None], [(b"abc", TypeError)], True)
both("vec_u8", [b"", b"\0\1", bytearray(3), memoryview(b"abc"), bytes(2000)], [(array("H", [256]), OverflowError)])
both("box", [array("H", [1, 65535]), []], [([65536], OverflowError), (None, TypeError)])
both("opt_vec", [b"", b"abc", None], [("abc", TypeError), ([256], OverflowError)], True)
both("opt_vec_f64", [[], [0.5], None], [(["x"], TypeError)], True)
both("opt_vec_str", [[], ["a"], None], [([1], TypeError)], True)
both("opt_vec_object", [[], [None, 1], None], [(1, TypeError)], True)
both("vec_str", [[], ["a", "", "é"], ("x",), ["ab"] * 20], [([1], TypeError), ([b"a"], TypeError), (["a", None], TypeError), (None, TypeError), (1, TypeError)])
both("vec_bool", [[], [True, False]], [([1], TypeError), (None, TypeError)])
both("vec_char", [[], ["a", "€"]], [([""], ValueError), ([1], TypeError), (None, TypeError)])
both("vec_level", [[], [m.Level.High, 1]], [(["x"], TypeError), (None, TypeError)])
both("vec_mode", [[], ["input", "output"]], [(["x"], ValueError), ([1], ValueError), (None, TypeError)])
objects = [None, True, False, 1, "text", b"b", 1.5, (1, 2), marker, print, 1 << 100]
both("object", [value for value in objects if not callable(value)] + [fresh])
for name in ("id_object", "via_object", "id_opt_object", "via_opt_object", "id_thing"):
    for value in objects: assert getattr(m, name)(value) is value or getattr(m, name)(value) == value
both("opt_object", [None, 1, fresh], (), True)
both("thing", [fresh, "text"])
both("opt_thing", [fresh, None], (), True)
both("vec_object", [[], lambda: (["a", [1], None],), objects, objects * 2], [(1, TypeError), (None, TypeError)])
both("vec_thing", [[], lambda: ([[1], 1],)], [(1, TypeError), (None, TypeError)])
both("level", [m.Level.Low, m.Level.High], [("1", TypeError), (None, TypeError), (1.5, TypeError)])
both("opt_level", [m.Level.Low, None], [("1", TypeError)], True)
both("mode", ["input", "output"], [("other", ValueError), ("", ValueError), (1, ValueError), (None, ValueError)])
both("opt_mode", ["input", "output", None], [("other", ValueError)], True)
point = lambda: (m.Point(3, -4),)
freed = m.Point(1); freed.free()
both("point", [point], [(1, TypeError), (None, TypeError), (freed, ValueError)], objects=True)
both("opt_point", [point, (None)], [(1, TypeError), (freed, ValueError)], True, True)
both("vec_point", [lambda: ([m.Point(1), m.Point(2, 5)],), []], [([1], TypeError), ([None], TypeError), (1, TypeError)], objects=True)
print(m.Level.Low, m.Level.High)

# Results and closures.
def failing(f):
    def call(*args):
        host.failing = True
        try: return f(*args)
        finally: host.failing = False
    return call

for name, value, wrong, error in (
    ("bool", True, 1, TypeError), ("char", "€", "", ValueError), ("i8", -128, 128, OverflowError), ("u32", (1 << 32) - 1, -1, OverflowError),
    ("i64", -(1 << 63), 1 << 63, OverflowError), ("u128", (1 << 128) - 1, 1 << 128, OverflowError), ("f32", 0.5, "x", TypeError), ("f64", -0.25, None, TypeError),
    ("str", "wörld", b"", TypeError), ("vec", [1, 65535], [65536], OverflowError), ("vec_str", ["a", ""], ["a", 1], TypeError),
    ("opt_i32", -1, 1 << 31, OverflowError), ("opt_i32", None, "", TypeError), ("opt_u64", (1 << 64) - 1, -1, OverflowError), ("opt_u64", None, [], TypeError),
    ("opt_str", "", 1, TypeError), ("opt_str", None, b"", TypeError), ("object", fresh, 0, None), ("object", None, 0, None), ("thing", fresh, 0, None),
    ("level", 7, "", TypeError), ("mode", "output", "", ValueError), ("point", point, 1, TypeError),
):
    make = value if callable(value) else lambda: (value,)
    expected = plain(make()[0])
    wrong = [((wrong,), error)] if error else []
    optional = name[:4] == "opt_"
    row("res_" + name, [(lambda: make() + (False,), expected)], [(lambda: make() + (True,), RuntimeError)] + [(args + (False,), error) for args, error in wrong], objects=True)
    row("via_res_" + name, [(make, expected)], wrong, optional, None, True)
    assert balance(failing(getattr(m, "via_res_" + name)), (), [(make, ValueError)], True) == 0
    row("lend_" + name, [(make, expected)], wrong, optional, None, True)
    owned = getattr(m, "own_" + name)
    row("own_" + name, [(make, expected)], wrong, optional, owned(), True)
    assert balance(lambda: owned()(*make()), [((), None)], (), True) == 0

row("text_len", [(("",), 0), (("€uro",), 4), ((huge,), 300)], [((b"a",), TypeError), ((None,), TypeError)])
row("via_text", [(("",), 0), (("€uro",), 4), ((huge,), 300)], [((b"a",), TypeError), ((None,), TypeError)])
row("via_words", [((), 3)], (), True)
row("via_opt_text", [(("", b""), [0, 1, 0, 1]), (("a", b"b"), [0, 1, 0, 1])], [((None, b""), TypeError), (("", None), TypeError)])
row("lent", [((marker,), True), ((None,), False), (fresh, False)])
row("lent_thing", [((marker,), True), (fresh, False)])
row("checked", [((5,), 5)], [((-5,), RuntimeError)])
row("checked_text", [((5,), "5")], [((-5,), RuntimeError)])
row("checked_unit", [((5,), None)], [((-5,), RuntimeError)])
assert balance(m.raise_, (), [(lambda: (KeyError("k"),), KeyError), ((5,), RuntimeError), ((None,), RuntimeError)]) == 0
assert balance(m.catch, [((kind,), None) for kind in range(3)], ()) == 0
row("catch_text", [((12,), "12")], [((1,), ValueError), ((2,), KeyError), ((5,), TypeError)])
row("two", [(("n", [1, 2], 3), "n 2 3")], [(("n" * 50, [1] * 50, 300), OverflowError), (("n", [1, 70000], 3), OverflowError), ((1, [], 3), TypeError)])

def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e)

for f in (m.checked, m.checked_text, m.checked_unit):
    attempt(f, 5); attempt(f, -5)
for value in (KeyError("k"), ValueError, "text", 5, None): attempt(m.raise_, value)
for kind in (0, 1, 2): print(repr(m.catch(kind)))
attempt(m.catch_text, 12); attempt(m.catch_text, 1)

p = m.Point(3, 4)
print(p.x, p.y, m.Point(5).y, p.dot(m.Point(2, 1)), m.origin().x)
q = m.Point(10, 20)
p.absorb(q)
print(p.x, p.y)
attempt(lambda: q.x); attempt(q.dot, p); attempt(p.absorb, q); attempt(p.dot, 5); attempt(p.dot, None)
attempt(m.Point); attempt(m.Point, 1, 2, 3); attempt(m.Point, "x"); attempt(p.dot); attempt(m.id_i32); attempt(m.id_i32, 1, 2)
print(p.into_x()); attempt(p.into_x)
p = m.Point(1, 1); p.x = 9; print(p.x); attempt(lambda: setattr(p, "x", "no")); attempt(lambda: setattr(p, "z", 1)); attempt(lambda: p.z)
p.free(); p.free(); attempt(lambda: p.x)
print(m.maybe_point(False), m.maybe_point(True).y, m.take_maybe(None), m.take_maybe(m.Point(8)))
print([(p.x, p.y) for p in m.points(3)], m.sum_points([m.Point(1), m.Point(2)]))
class Sub(m.Point):
    def twice(self): return self.x * 2
s = Sub(21, 0)
print(s.twice(), s.dot(m.Point(1, 1)), m.Point(1, 1).dot(s))

row("Point", [((3, 4), (3, 4)), ((5,), (5, -1))], [(("x",), TypeError), ((1 << 31,), OverflowError)], True, objects=True)
row("dot", [((m.Point(2, 3),), 42)], [((5,), TypeError), ((freed,), ValueError)], False, s.dot, objects=True)
row("absorb", [(lambda: (m.Point(0, 0),), None)], [((5,), TypeError), ((freed,), ValueError)], False, s.absorb, objects=True)
row("into_x", [((), 8)], (), True, lambda *args: m.Point(8).into_x(*args), objects=True)
row("maybe_point", [((True,), (1, 2)), ((False,), None)], [((1,), TypeError)], objects=True)
row("take_maybe", [(lambda: (m.Point(8),), 8), ((None,), -100)], [((1,), TypeError)], True, objects=True)
row("points", [((0,), []), ((3,), [(0, 0), (1, -1), (2, -2)])], objects=True)
row("sum_points", [(lambda: ([m.Point(1), m.Point(2)],), 3)], [(([1],), TypeError)], objects=True)
*/
/* expect
1 7
5
RuntimeError negative
5
RuntimeError negative
None
RuntimeError negative
KeyError k
RuntimeError <class 'ValueError'>
RuntimeError text
RuntimeError 5
RuntimeError None
0
ValueError('one',)
KeyError(2,)
12
ValueError one
3 4 -1 10 0
13 24
ValueError object was freed or given away
ValueError object was freed or given away
ValueError object was freed or given away
TypeError object of another class
TypeError object of another class
TypeError function missing 1 required positional arguments
TypeError function expected at most 2 arguments, got 3
TypeError can't convert str to int
TypeError function takes 2 positional arguments but 1 were given
TypeError function takes 1 positional arguments but 0 were given
TypeError function takes 1 positional arguments but 2 were given
13
ValueError object was freed or given away
9
TypeError can't convert str to int
AttributeError 'Point' object has no attribute 'z'
AttributeError 'Point' object has no attribute 'z'
ValueError object was freed or given away
None 2 -100 8
[(0, 0), (1, -1), (2, -2)] 3
42 21 21
*/
