//! boards: all
//! `mpy::object`: attributes, calls, items, iteration, conversions, exceptions.

use mpy::object::{Bytes, Dict, Int, List, Module, Object, Operator, Str, Tuple};
use mpy::{Exception, Result};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn attributes(object: JsValue) -> Result<String> {
    let object = Object::from(object);
    let before = object.attr("value")?;
    object.set_attr("value", i32::try_from(&before)? + 1)?;
    object.set_attr("text", "new")?;
    Ok(format!("{before:?} {} {}", object.has_attr("text")?, object.has_attr("other")?))
}

#[wasm_bindgen]
pub fn calls(function: JsValue) -> Result<JsValue> {
    let function = Object::from(function);
    let list = List::new()?;
    list.append(function.call(&[])?)?;
    list.append(function.call(&[1.into(), "two".into()])?)?;
    list.append(function.call_with(&[3.into()], &[("four", 4.5.into()), ("five", Object::none())])?)?;
    list.append(function.call_with(&[], &[])?)?;
    Ok(list.into())
}

#[wasm_bindgen]
pub fn many(function: JsValue, count: u32) -> Result<JsValue> {
    let arguments: Vec<Object> = (0..count).map(Object::from).collect();
    Ok(Object::from(function).call_with(&arguments, &[("x", 1.into())])?.into())
}

const OPERATORS: [Operator; 20] = [
    Operator::Less,
    Operator::More,
    Operator::Equal,
    Operator::LessEqual,
    Operator::MoreEqual,
    Operator::NotEqual,
    Operator::In,
    Operator::Is,
    Operator::Or,
    Operator::Xor,
    Operator::And,
    Operator::ShiftLeft,
    Operator::ShiftRight,
    Operator::Add,
    Operator::Subtract,
    Operator::Multiply,
    Operator::FloorDivide,
    Operator::Divide,
    Operator::Remainder,
    Operator::Power,
];

#[wasm_bindgen]
pub fn operate(number: usize, a: JsValue, b: JsValue) -> Result<JsValue> {
    Ok(Object::from(a).operator(OPERATORS[number], Object::from(b))?.into())
}

#[wasm_bindgen]
pub fn compares(a: JsValue, b: JsValue) -> Result<String> {
    let (a, b) = (Object::from(a), Object::from(b));
    Ok(format!("{:?}", [a.lt(&b)?, a.le(&b)?, a.gt(&b)?, a.ge(&b)?, a.equals(&b)?]))
}

#[wasm_bindgen]
pub fn contains(a: JsValue, b: JsValue) -> Result<bool> {
    Object::from(a).contains(Object::from(b))
}

#[wasm_bindgen]
pub fn sum(items: JsValue) -> Result<i32> {
    let mut sum = 0;
    for item in Object::from(items).iter()? {
        sum += i32::try_from(&item?)?;
    }
    Ok(sum)
}

#[wasm_bindgen]
pub fn items(object: JsValue, key: JsValue) -> Result<JsValue> {
    let (object, key) = (Object::from(object), Object::from(key));
    let found = object.item(&key)?;
    object.set_item(&key, 5)?;
    let all = Tuple::new(&[found, object.item(&key)?, object.len()?.try_into().unwrap_or(0u32).into()])?;
    object.delete_item(&key)?;
    Ok(all.into())
}

#[wasm_bindgen]
pub fn dict() -> Result<JsValue> {
    let dict = Dict::new()?;
    for (name, value) in [
        ("bool", true.into()),
        ("i64", i64::MIN.into()),
        ("u64", u64::MAX.into()),
        ("f64", 2.0.into()),
        ("bytes", Object::from(&b"ab\0"[..])),
        ("none", None::<i32>.into()),
        ("empty", List::new()?.into()),
    ] {
        dict.set_item(name, value)?;
    }
    assert!(dict.get("nothing")?.is_none() && dict.get("f64")?.is_some_and(|value| value == 2.0.into()));
    assert!(!dict.is_empty()? && dict.is_true()? && !dict.item("empty")?.is_true()?);
    Ok(dict.into())
}

/// The value as each type, or what is raised.
#[wasm_bindgen]
pub fn convert(value: JsValue) -> Result<String> {
    let value = Object::from(value);
    fn shown<T: core::fmt::Debug>(result: Result<T>) -> String {
        result.map_or_else(|error| error.object().repr().unwrap_or_default(), |value| format!("{value:?}"))
    }
    let types = [
        shown(u8::try_from(&value)),
        shown(i64::try_from(&value)),
        shown(f64::try_from(&value)),
        shown(bool::try_from(&value)),
        shown(String::try_from(&value)),
        shown(Bytes::try_from(value.clone()).and_then(|bytes| bytes.to_vec())),
        shown(Int::try_from(value.clone())),
        shown(Str::try_from(value.clone()).and_then(|text| text.str())),
    ];
    Ok(types.join(" | "))
}

#[wasm_bindgen]
pub fn raises(class: &str) -> Result<()> {
    Err(Exception::new(class, &["text".into(), 2.into()]))
}

#[wasm_bindgen]
pub fn floor(value: f64) -> Result<i32> {
    i32::try_from(&Module::import("math")?.call_method("floor", &[value.into()])?)
}

#[wasm_bindgen]
pub fn nested() -> Result<JsValue> {
    Ok(Module::import("outer.inner")?.attr("value")?.into())
}

/* dependencies
mpy = { path = "ROOT/mpy" }
*/
/* python
import objects as m, sys
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e.args)
class Thing: value = 7
t = Thing(); print(m.attributes(t), t.value, t.text)
attempt(m.attributes, 5)
def show(*a, **k): return a, sorted(k.items(), key=lambda pair: pair[0])
print(m.calls(show))
attempt(m.calls, 5)
attempt(m.calls, len)
def bare(): pass
print(len(m.many(show, 255)[0])); attempt(m.many, show, 256)
try: m.many(bare, 1)
except TypeError: print("TypeError")
print(m.sum([1, 2, 3]), m.sum(range(5)), m.sum({7: 1}), m.sum(x * x for x in (2, 3)))
def fails():
    yield 1
    raise KeyError("inside")
attempt(m.sum, fails()); attempt(m.sum, 5); attempt(m.sum, ["a"])
d = {"a": 1, 2: 3}; attempt(m.items, d, "a"); print(d); attempt(m.items, d, "b"); attempt(m.items, (1, 2), 0)
print(sorted(m.dict().items(), key=lambda pair: pair[0]))
for v in 5, 300, -1, 1 << 62, 1 << 70, 2.5, True, None, "text", b"ab", bytearray(b"c"), []: print(m.convert(v))
class Own(Exception): pass
class mine: Own = Own
sys.modules["mine"] = mine
for c in "ValueError", "OSError", "mine.Own", "Missing", "missing.Error": attempt(m.raises, c)
print(m.floor(2.5), m.floor(-2.5))
class outer: pass
class inner: value = "deep"
outer.inner = inner; outer.__path__ = "outer"
sys.modules["outer"] = outer; sys.modules["outer.inner"] = inner
attempt(m.nested)
for a, b in ((7, 3), (3, 3), (2.5, -1), ("a", "b"), ((1, 2), (1, 3))): print(m.compares(a, b))
attempt(m.compares, 1, "a")
print(m.contains([1, "x"], "x"), m.contains({1: 2}, 3), m.contains("text", "ex"))
attempt(m.contains, 5, 5)
TEXTS = "a<b;a>b;a==b;a<=b;a>=b;a!=b;a in b;a is b;a|b;a^b;a&b;a<<b;a>>b;a+b;a-b;a*b;a//b;a/b;a%b;a**b".split(";")
for a, b in ((7, 3), (7, [7]), (5.5, 2), ("%d", 5), (1 << 40, 3), ("ab", "cab"), (True, True)):
    for i, text in enumerate(TEXTS):
        try: wanted = eval(text)
        except (TypeError, ValueError) as e: wanted = type(e)
        try: got = m.operate(i, a, b)
        except (TypeError, ValueError) as e: got = type(e)
        assert got == wanted, (text, a, b, got, wanted)
class Number:
    def __init__(self, n): self.n = n
    def __add__(self, other): return ("sum", self.n, other)
    def __lt__(self, other): raise KeyError(other)
print(m.operate(13, Number(1), 2))
attempt(m.compares, Number(1), 2)
*/
/* expect
JsValue(7) true false 8 new
AttributeError ("'int' object has no attribute 'value'",)
[((), []), ((1, 'two'), []), ((3,), [('five', None), ('four', 4.5)]), ((), [])]
TypeError ("'int' object isn't callable",)
TypeError ('function takes 1 positional arguments but 0 were given',)
255
TypeError ('too many arguments',)
TypeError
6 10 7 13
KeyError ('inside',)
TypeError ("'int' object isn't iterable",)
TypeError ('expected an int',)
(1, 5, 2)
{2: 3}
KeyError ('b',)
TypeError ("'tuple' object doesn't support item assignment",)
[('bool', True), ('bytes', b'ab\x00'), ('empty', []), ('f64', 2.0), ('i64', -9223372036854775808), ('none', None), ('u64', 18446744073709551615)]
5 | 5 | 5.0 | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | Int(JsValue(5)) | TypeError('expected a str',)
OverflowError('overflow converting to u8',) | 300 | 300.0 | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | Int(JsValue(300)) | TypeError('expected a str',)
OverflowError('overflow converting to u8',) | -1 | -1.0 | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | Int(JsValue(-1)) | TypeError('expected a str',)
OverflowError('overflow converting to u8',) | 4611686018427387904 | 4.611686018427388e18 | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | Int(JsValue(4611686018427387904)) | TypeError('expected a str',)
OverflowError('integer out of range',) | OverflowError('integer out of range',) | 1.1805916207174113e21 | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | Int(JsValue(1180591620717411303424)) | TypeError('expected a str',)
TypeError('expected an int',) | TypeError('expected an int',) | 2.5 | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | TypeError('expected an int',) | TypeError('expected a str',)
TypeError('expected an int',) | TypeError('expected an int',) | TypeError('expected a float',) | true | TypeError('expected a str',) | TypeError('expected a bytes',) | TypeError('expected an int',) | TypeError('expected a str',)
TypeError('expected an int',) | TypeError('expected an int',) | TypeError('expected a float',) | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | TypeError('expected an int',) | TypeError('expected a str',)
TypeError('expected an int',) | TypeError('expected an int',) | TypeError('expected a float',) | TypeError('expected a bool',) | "text" | TypeError('expected a bytes',) | TypeError('expected an int',) | "text"
TypeError('expected an int',) | TypeError('expected an int',) | TypeError('expected a float',) | TypeError('expected a bool',) | TypeError('expected a str',) | [97, 98] | TypeError('expected an int',) | TypeError('expected a str',)
TypeError('expected an int',) | TypeError('expected an int',) | TypeError('expected a float',) | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | TypeError('expected an int',) | TypeError('expected a str',)
TypeError('expected an int',) | TypeError('expected an int',) | TypeError('expected a float',) | TypeError('expected a bool',) | TypeError('expected a str',) | TypeError('expected a bytes',) | TypeError('expected an int',) | TypeError('expected a str',)
ValueError ('text', 2)
OSError ('text', 2)
Own ('text', 2)
AttributeError ("'module' object has no attribute 'Missing'",)
ImportError ("no module named 'missing'",)
2 -3
deep
[false, false, true, true, false]
[false, true, false, true, true]
[false, false, true, true, false]
[true, true, false, false, false]
[true, true, false, false, false]
TypeError ("unsupported types for __lt__: 'int', 'str'",)
True False True
TypeError ("unsupported types for : 'int', 'int'",)
('sum', 1, 2)
KeyError (2,)
*/
