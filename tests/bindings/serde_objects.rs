//! boards: all
//! nightly: all
//! Structs, enums and collections from Python's objects and back, by `serde`.

use std::collections::BTreeMap;

use mpy::object::{Object, from_object, to_object};
use mpy::Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

#[derive(Serialize, Deserialize)]
struct Channel {
    gain: i16,
    name: Option<String>,
    #[serde(default)]
    taps: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    Off,
    Level(u8),
    Range(i32, i32),
    Window { low: i32, high: i32 },
}

#[derive(Serialize, Deserialize)]
struct Config {
    config: Vec<Channel>,
    mode: Mode,
    limits: (u32, f64),
    labels: BTreeMap<String, u64>,
    by_number: BTreeMap<i32, bool>,
    unit: (),
    letter: char,
}

#[derive(Serialize, Deserialize)]
struct Meters(f64);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    a: i64,
}

/// Any of these, which is tried in turn.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Any {
    None(()),
    Bool(bool),
    Small(i64),
    Large(u64),
    Float(f64),
    Text(String),
    Many(Vec<Any>),
    Named(BTreeMap<String, Any>),
}

/// Bytes as such, which `Vec<u8>` is not for `serde`.
struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> core::result::Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> core::result::Result<Raw, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Raw;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> core::result::Result<Raw, E> {
                Ok(Raw(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

fn there_and_back<T: Serialize + DeserializeOwned>(object: &Object) -> Result<Object> {
    to_object(&from_object::<T>(object)?)
}

#[wasm_bindgen]
pub fn pass(ty: &str, value: JsValue) -> Result<JsValue> {
    let object = Object::from(value);
    let passed = match ty {
        "config" => there_and_back::<Config>(&object),
        "channel" => there_and_back::<Channel>(&object),
        "mode" => there_and_back::<Mode>(&object),
        "strict" => there_and_back::<Strict>(&object),
        "any" => there_and_back::<Any>(&object),
        "raw" => there_and_back::<Raw>(&object),
        "meters" => there_and_back::<Meters>(&object),
        "bool" => there_and_back::<bool>(&object),
        "i8" => there_and_back::<i8>(&object),
        "i64" => there_and_back::<i64>(&object),
        "u64" => there_and_back::<u64>(&object),
        "i128" => there_and_back::<i128>(&object),
        "f32" => there_and_back::<f32>(&object),
        "char" => there_and_back::<char>(&object),
        "text" => there_and_back::<String>(&object),
        "unit" => there_and_back::<()>(&object),
        "pair" => there_and_back::<(i32, String)>(&object),
        "list" => there_and_back::<Vec<i32>>(&object),
        "nested" => there_and_back::<Vec<BTreeMap<String, Vec<u8>>>>(&object),
        "map" => there_and_back::<BTreeMap<i32, String>>(&object),
        _ => there_and_back::<Option<bool>>(&object),
    };
    Ok(passed?.into())
}

/// What Rust makes, whatever Python has.
#[wasm_bindgen]
pub fn made() -> Result<JsValue> {
    let channel = Channel { gain: -3, name: None, taps: vec![0.5, 2.0] };
    Ok(to_object(&(channel, Mode::Window { low: 1, high: i32::MIN }, Some("text"), u64::MAX, f64::NAN))?.into())
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["serde"] }
serde = { version = "1", features = ["derive"] }
*/
/* python
import serde_objects as m, array, gc, sys
def same(a, b):
    if type(a) is not type(b): return False
    if isinstance(a, dict): return len(a) == len(b) and all(k in b and same(v, b[k]) for k, v in a.items())
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b
def attempt(ty, value):
    try: print(ty, m.pass_(ty, value))
    except Exception as e: print(ty, type(e).__name__, e.args[0] if e.args else "")
def config():
    return {"config": [{"gain": 1, "name": "left", "taps": [1.0, 0.25]}, {"gain": -2, "name": None, "taps": []}], "mode": "off",
        "limits": (7, 2.5), "labels": {"a b": 1 << 63, "": 0}, "by_number": {-4: True, 9: False}, "unit": None, "letter": "é"}
good = [("config", config())]
for mode in "off", {"level": 200}, {"range": (-1, 2)}, {"window": {"low": -5, "high": 5}}: good.append(("mode", mode))
for ty, values in {
    "any": (None, True, 5, -(1 << 63), (1 << 64) - 1, 2.5, "x", [], [1, ["a", None], {"k": [False]}], {}),
    "raw": (b"ab\0", b""), "meters": (1.5,), "bool": (True, False), "i8": (-128, 127), "i64": (-(1 << 63), (1 << 63) - 1),
    "u64": (0, (1 << 64) - 1), "i128": (-(1 << 63),), "f32": (0.5, -2.0), "char": ("\u20ac",), "text": ("", "abc\0"), "unit": (None,),
    "pair": ((1, "b"),), "list": ([], [1, -2]), "nested": ([{"a": [1, 2]}, {}],), "map": ({1: "a", -5: ""},), "option": (None, True)}.items():
    good += [(ty, value) for value in values]
for ty, value in good:
    passed = m.pass_(ty, value)
    assert same(passed, value), (ty, value, passed)
print(len(good), "pass")
# Other objects that have what is needed.
print(m.pass_("list", range(3)), m.pass_("list", (x * x for x in (2, 3))), m.pass_("list", array.array("h", [5])), m.pass_("list", b"ab"))
print(m.pass_("raw", bytearray(b"x")), m.pass_("f32", 2), m.pass_("pair", [1, "b"]))
c = m.pass_("channel", {"gain": 1}); print(c["name"], c["taps"], m.pass_("channel", {"gain": 1, "name": "x", "more": object()})["gain"])
# Errors say where.
bad = config(); bad["config"].append({"gain": "loud"}); attempt("config", bad)
bad = config(); bad["config"][1]["gain"] = 40000; attempt("config", bad)
bad = config(); bad["config"][0]["taps"][1] = None; attempt("config", bad)
bad = config(); del bad["config"][1]["gain"]; attempt("config", bad)
bad = config(); del bad["unit"], bad["letter"]; bad["labels"] = {"a b": -1}; attempt("config", bad)
bad = config(); bad["by_number"] = {4: 1}; attempt("config", bad)
bad = config(); bad["by_number"] = {"4": True}; attempt("config", bad)
bad = config(); bad["limits"] = (1,); attempt("config", bad)
bad = config(); bad["limits"] = (1, 2, 3); attempt("config", bad)
bad = config(); bad["letter"] = "two"; attempt("config", bad)
for mode in "Off", "level", 5, {}, {"off": 1}, {"level": 256}, {"level": "x"}, {"window": {"low": 1}}, {"window": {"low": 1, "high": []}}, {"range": [1]}, {"a": 1, "b": 2}:
    attempt("mode", mode)
attempt("strict", {"a": 1, "b": 2})
for ty, value in ("bool", 1), ("i8", 128), ("i8", True), ("i8", 1.5), ("i64", 1 << 63), ("u64", -1), ("u64", 1 << 64), ("f32", "1"), ("text", b"x"), \
    ("unit", 0), ("list", "text"), ("list", {}), ("list", 5), ("list", [1, "x"]), ("channel", []), ("channel", None), ("raw", "x"), ("raw", [1]), \
    ("any", 1 << 64), ("any", m), ("nested", [{"a": [1]}, {"b": [1, 2, 300]}]), ("option", 1):
    attempt(ty, value)
def fails():
    yield 1
    raise KeyError("mine")
attempt("list", fails())
a, b, c, d, e = m.made()
print(sorted(a.items()), sorted(b["window"].items()), c, d, e != e)
gc.collect(); before = gc.mem_alloc()
for i in range(TIMES // 10):
    m.pass_("config", config())
    try: m.pass_("config", bad)
    except ValueError: pass
gc.collect(); print(gc.mem_alloc() - before < 4000)
*/
/* expect
40 pass
[0, 1, 2] [4, 9] [5] [97, 98]
b'x' 2.0 (1, 'b')
None [] 1
config TypeError .config[2].gain: expected int, found str
config OverflowError .config[1].gain: integer out of range
config TypeError .config[0].taps[1]: expected float, found NoneType
config ValueError .config[1]: missing field `gain`
config OverflowError .labels['a b']: integer out of range
config TypeError .by_number[4]: expected bool, found int
config TypeError .by_number['4']: expected int, found str
config ValueError .limits: invalid length 1, expected a tuple of size 2
config ValueError .limits: expected 2 items, found 3
config ValueError .letter: invalid value: string "two", expected a character
mode ValueError unknown variant `Off`, expected one of `off`, `level`, `range`, `window`
mode TypeError .level: expected int, found NoneType
mode TypeError expected str or dict, found int
mode ValueError expected the name of a variant as the only key, found 0 keys
mode TypeError .off: expected None, found int
mode OverflowError .level: integer out of range
mode TypeError .level: expected int, found str
mode ValueError .window: missing field `high`
mode TypeError .window.high: expected int, found list
mode ValueError .range: invalid length 1, expected tuple variant Mode::Range with 2 elements
mode ValueError expected the name of a variant as the only key, found 2 keys
strict ValueError .b: unknown field `b`, expected `a`
bool TypeError expected bool, found int
i8 OverflowError integer out of range
i8 TypeError expected int, found bool
i8 TypeError expected int, found float
i64 OverflowError integer out of range
u64 OverflowError integer out of range
u64 OverflowError integer out of range
f32 TypeError expected float, found str
text TypeError expected str, found bytes
unit TypeError expected None, found int
list TypeError expected list, found str
list TypeError expected list, found dict
list TypeError expected list, found int
list TypeError [1]: expected int, found str
channel TypeError expected dict, found list
channel TypeError expected dict, found NoneType
raw TypeError expected bytes, found str
raw TypeError expected bytes, found list
any OverflowError integer out of range
any TypeError expected None, bool, int, float, str, bytes, list or dict, found module
nested OverflowError [1].b[2]: integer out of range
option TypeError expected bool, found int
list KeyError mine
[('gain', -3), ('name', None), ('taps', [0.5, 2.0])] [('high', -2147483648), ('low', 1)] text 18446744073709551615 True
True
*/
