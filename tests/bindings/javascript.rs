//! JavaScript's library as Python's: js-sys, and what a crate declares itself.

use js_sys::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn log(text: &str);
    #[wasm_bindgen(js_namespace = console, js_name = error, variadic)]
    fn errors(values: Vec<JsValue>);
    fn alert(text: &str);
    #[wasm_bindgen(js_namespace = ["globalThis", "crypto"], js_name = getRandomValues, catch)]
    fn random(bytes: &mut [u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn now() -> f64;
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn ticks() -> f64;

    type Error;
    #[wasm_bindgen(constructor)]
    fn new(text: &str) -> Error;
    #[wasm_bindgen(method, getter)]
    fn message(this: &Error) -> String;
}

#[wasm_bindgen]
pub fn printed() -> String {
    log("log");
    alert("alert");
    errors(vec![1.into(), "two".into(), JsValue::NULL]);
    Error::new("a message").message()
}

#[wasm_bindgen]
pub fn random_bytes() -> Vec<u8> {
    let mut bytes = [0; 40];
    random(&mut bytes).unwrap();
    bytes.to_vec()
}

/// The milliseconds since 1970, in three ways, and the offset of the local time.
#[wasm_bindgen]
pub fn times() -> Vec<f64> {
    let date = Date::new_0();
    let same = Date::new(&JsValue::from_f64(date.get_time()));
    assert_eq!(date.get_time(), same.get_time());
    assert!(ticks() <= ticks());
    vec![now(), Date::now(), date.get_time(), date.get_timezone_offset()]
}

/// The parts of a date, and the date of these parts.
#[wasm_bindgen]
pub fn date(milliseconds: i64) -> Vec<i64> {
    let date = Date::new(&JsValue::from_f64(milliseconds as f64));
    let parts = [
        date.get_utc_full_year(),
        date.get_utc_month(),
        date.get_utc_date(),
        date.get_utc_hours(),
        date.get_utc_minutes(),
        date.get_utc_seconds(),
    ];
    let again = Date::utc(parts[0].into(), parts[1].into());
    assert!(String::from(date.to_iso_string()).ends_with(&format!(":{:02}.000Z", parts[5])));
    parts.map(i64::from).into_iter().chain([date.get_utc_day().into(), again as i64]).collect()
}

#[wasm_bindgen]
pub fn array() -> Array {
    let array = Array::new();
    array.push(&3.into());
    array.push(&"two".into());
    array.set(3, JsValue::TRUE);
    assert!(array.get(9).is_undefined() && array.get(2).is_undefined());
    assert_eq!((array.length(), array.index_of(&"two".into(), 0), array.last_index_of(&9.into(), 3)), (4, 1, -1));
    array.unshift(&1.into());
    let texts = array.map(&mut |value, at, _| JsValue::from(format!("{at}: {value:?}")));
    assert_eq!(array.pop(), JsValue::TRUE);
    assert_eq!(array.shift(), JsValue::from(1));
    let sum = Array::of3(&1.into(), &2.into(), &3.into());
    let total = sum.reduce(&mut |a, b, _, _| JsValue::from(a.as_f64().unwrap() + b.as_f64().unwrap()), &0.into());
    assert_eq!(total.as_f64(), Some(6.0));
    assert!(sum.every(&mut |value, _, _| value.as_f64() > Some(0.5)));
    let mut seen = 0;
    sum.for_each(&mut |_, at, _| seen += at);
    assert_eq!(seen, 3);
    let removed = sum.splice(1, 1, &"x".into());
    let joined = sum.reverse().concat(&removed).slice(0, 3).join("-");
    Array::of4(&array, &texts, &joined, &Array::from(&JsValue::from("ab")))
}

/// What of these values is an array, a buffer, a dictionary, an error or a function.
#[wasm_bindgen]
pub fn kinds(values: &Array) -> Array {
    values.map(&mut |value, _, _| {
        let is = [
            Array::is_array(&value),
            value.has_type::<Uint8Array>(),
            value.has_type::<Map>(),
            value.has_type::<js_sys::Error>(),
            value.is_function(),
            value.is_object(),
            Number::is_safe_integer(&value),
        ];
        let letters = is.iter().zip("abdefos".chars()).filter(|(is, _)| **is).map(|(_, letter)| letter);
        JsValue::from(letters.collect::<String>())
    })
}

#[wasm_bindgen]
pub fn objects() -> Array {
    let object = Object::new();
    assert_eq!(Reflect::set(&object, &"a".into(), &1.into()), Ok(true));
    assert!(Reflect::get(&object, &"b".into()).unwrap().is_undefined());
    assert!(Reflect::has(&object, &"a".into()).unwrap() && !Reflect::has(&object, &"b".into()).unwrap());
    let map = Map::new();
    map.set(&1.into(), &"one".into()).set(&"two".into(), &2.into());
    assert!(map.has(&1.into()) && map.get(&3.into()).is_undefined() && map.size() == 2);
    assert!(map.delete(&1.into()) && !map.delete(&1.into()));
    let set = Set::new(&JsValue::UNDEFINED);
    set.add(&5.into()).add(&5.into());
    assert_eq!(set.size(), 1);
    Array::of4(&object, &map, &Object::entries(&object), &Object::keys(&object))
}

/// An attribute of an object, an item or an element.
#[wasm_bindgen]
pub fn property(of: &JsValue, key: &JsValue) -> Result<JsValue, JsValue> {
    Reflect::get(of, key)
}

#[wasm_bindgen]
pub fn sum(values: &JsValue) -> Result<Option<f64>, JsValue> {
    let Some(values) = try_iter(values)? else { return Ok(None) };
    let mut sum = 0.0;
    for value in values {
        sum += value?.as_f64().unwrap_or(100.0);
    }
    Ok(Some(sum))
}

#[wasm_bindgen]
pub fn buffers() -> Array {
    let bytes = Uint8Array::new_with_length(6);
    bytes.subarray(1, 4).copy_from(&[7, 8, 9]);
    bytes.set_index(5, 255);
    bytes.set_index(6, 1);
    let mut copy = [0; 6];
    bytes.copy_to(&mut copy);
    assert_eq!((copy, bytes.get_index(5)), ([0, 7, 8, 9, 0, 255], 255));
    assert_eq!(Uint8Array::from(&[1_u8, 2][..]).to_vec(), [1, 2]);
    let words = Int16Array::from(&[1_i16, -2, 3][..]);
    words.fill(5, 1, 2);
    assert_eq!((words.length(), words.byte_length(), words.to_vec()), (3, 6, vec![1, 5, 3]));
    let buffer = ArrayBuffer::new(4);
    Uint8Array::new(&buffer).fill(3, 2, 4);
    Array::of4(&bytes, &words.slice(1, 3), &Uint8Array::new(&buffer.slice(1)), &bytes.slice(1, 3))
}

#[wasm_bindgen]
pub fn call(function: &Function, value: &JsValue) -> Result<JsValue, JsValue> {
    let result = function.call1(&JsValue::NULL, value)?;
    function.apply(&JsValue::NULL, &Array::of1(&result))
}

#[wasm_bindgen]
pub fn json(text: &str) -> Result<String, JsValue> {
    let value = JSON::parse(text)?;
    Ok(JSON::stringify(&value)?.into())
}

#[wasm_bindgen]
pub fn texts(text: &JsString) -> Array {
    let first = text.code_point_at(0).as_f64().map(|c| c as u32);
    let upper = JsString::from_code_point1(first.unwrap()).unwrap().to_upper_case();
    Array::of4(&text.length().into(), &upper, &text.trim(), &JsValue::from(text.as_char().map(String::from)))
}

#[wasm_bindgen]
pub fn numbers(value: f64) -> Vec<f64> {
    vec![Math::floor(value), Math::abs(value), Math::sign(value), Math::max(value, 2.0), parse_int("12px", 10)]
}

#[wasm_bindgen]
pub fn raise(kind: u8, text: &str) -> Result<(), JsValue> {
    Err(match kind {
        0 => js_sys::Error::new(text).into(),
        1 => RangeError::new(text).into(),
        _ => TypeError::new(text).into(),
    })
}

#[wasm_bindgen]
pub fn number(value: &JsValue) -> i64 {
    value.as_f64().map_or(-1, |number| number as i64)
}

#[wasm_bindgen]
pub fn has_globals() -> bool {
    let performance = Reflect::get(&global(), &"performance".into()).unwrap();
    performance.is_object() && global().is_object()
}

/* dependencies
js-sys = "=0.3.107"
*/
/* python
import javascript as m, time, gc
print(m.printed(), m.has_globals())
r = m.random_bytes()
print(len(r), len(set(r)) > 8, r != m.random_bytes())
a, b, c, offset = m.times()
print(c <= a <= b, b - c < 10000, offset)
print(list(m.date(0)), list(m.date(1709210096000)))
print(m.array())
class C:
    x = 5
print(m.kinds([[], (), b"", bytearray(1), memoryview(b""), {}, ValueError(), len, C(), 1, 1.5, 2**53 - 1, 2**53, -5, "", None, True]))
print(m.objects())
for of, key in (({1: 2}, 1), ({1: 2}, 2), ([4], 0), ([4], 1), (C(), "x"), (C(), "y")): print(m.property(of, key))
print(m.sum([1, 2]), m.sum(x for x in (1, 2, 3)), m.sum({1: 2}), m.sum(5), m.sum(b"\1\2"))
def fails():
    yield 1
    raise KeyError(7)
for f in (lambda: m.sum(fails()), lambda: m.call(lambda x: 1 // x, 0), lambda: m.json("{"), lambda: m.raise_(0, "a"), lambda: m.raise_(1, "b"), lambda: m.raise_(2, "c")):
    try: f()
    except Exception as e: print(type(e).__name__, e.args[:1] if type(e) is not ZeroDivisionError else ())
print(m.buffers())
print(m.call(lambda x: x * 2, 5), m.json('{"a": [1, null, "x", true]}'))
print(m.texts(" x\U0001f600 "), m.texts("\U0001f600"), m.texts("z"))
print([int(x) for x in m.numbers(2.5)], [int(x) for x in m.numbers(-7.0)])
print(m.number(123456789), m.number(-2**40 - 1), m.number("x"))
# Objects that Rust holds are given back.
def all():
    m.array(); m.objects(); m.buffers(); m.sum([1]); m.times(); m.json("[]"); m.texts("x"); m.kinds([1])
    try: m.sum(fails())
    except KeyError: pass
def run(times):
    for _ in range(times): all()
    gc.collect()
    return gc.mem_alloc()
before = run(100)
print(run(300) - before < 2000)
*/
/* expect
log
alert
1 two None
a message True
40 True True
True True 0.0
[1970, 0, 1, 0, 0, 0, 4, 0] [2024, 1, 29, 12, 34, 56, 4, 1706745600000]
[[3, 'two', None], ['0: JsValue(1)', '1: JsValue(3)', "2: JsValue('two')", '3: JsValue(None)', '4: JsValue(True)'], '3-x-1', ['a', 'b']]
['ao', 'ao', 'bo', 'bo', 'bo', 'do', 'eo', 'f', 'o', 's', '', 's', '', 's', '', '', '']
[{'a': 1}, {'two': 2}, [('a', 1)], ['a']]
2
None
4
None
5
None
3.0 6.0 None None 3.0
KeyError (7,)
ZeroDivisionError ()
Exception ('a',)
ValueError ('b',)
TypeError ('c',)
[bytearray(b'\x00\x07\x08\t\x00\xff'), array('h', [5, 3]), <memoryview>, bytearray(b'\x07\x08')]
20 {"a": [1, null, "x", true]}
[5, ' ', 'x\U0001f600', None] [2, '\U0001f600', '\U0001f600', '\U0001f600'] [1, 'Z', 'z', 'z']
[2, 2, 1, 2, 12] [-7, 7, -1, 2, 12]
123456789 -1099511627777 -1
True
*/
