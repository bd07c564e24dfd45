//! `JsValue`: what it is, what can be made of it, arithmetic and comparison.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn describe(value: &JsValue) -> String {
    format!(
        "{}{}{}{}{} {:?} {:?} {:?} {:?}",
        if value.is_undefined() { "none " } else { "" },
        if value.is_string() { "string " } else { "" },
        if value.is_function() { "function " } else { "" },
        if value.is_object() { "object " } else { "" },
        if value.is_truthy() { "true" } else { "false" },
        value.as_f64(),
        value.as_bool(),
        value.as_string(),
        value
    )
}

#[wasm_bindgen]
pub fn make(kind: u8) -> JsValue {
    match kind {
        0 => JsValue::NULL,
        1 => JsValue::TRUE,
        2 => JsValue::from_f64(1.5),
        3 => JsValue::from(7u32),
        4 => JsValue::from("text"),
        5 => JsValue::from(String::from("string")),
        6 => JsValue::from(-5i64),
        7 => JsValue::from(u64::MAX),
        8 => JsValue::from(vec![JsValue::from(1), JsValue::from("two")]),
        9 => JsValue::from(-0.0),
        10 => JsValue::from(1e300),
        _ => JsValue::UNDEFINED,
    }
}

#[wasm_bindgen]
pub fn sums(a: JsValue, b: JsValue) -> Vec<JsValue> {
    vec![&a + &b, &a - &b, &a * &b, &a / &b, &a % &b, -&a, JsValue::from(a == b), JsValue::from(a.lt(&b))]
}

#[wasm_bindgen]
pub fn number(value: JsValue) -> Option<i64> {
    i64::try_from(value).ok()
}

/* python
import values as m
for value in (None, True, 0, 2.5, "text", print, [1], 1 << 70):
    print(m.describe(value) if value is not print else m.describe(value).split(" ")[:2])
print([m.make(i) for i in range(12) if i != 10], m.make(10) > 1e30 or m.make(10))
print(m.sums(7, 2), m.sums(1.5, 0.5))
try: m.sums("a", 1)
except TypeError as e: print("TypeError")
print(m.number(5), m.number("x"), m.number(-(1 << 63)))
*/
/* expect
none false None None None JsValue(None)
true None Some(true) None JsValue(True)
false Some(0.0) None None JsValue(0)
true Some(2.5) None None JsValue(2.5)
string true None None Some("text") JsValue('text')
['function', 'true']
object true None None None JsValue([1])
true Some(1.1805916207174113e21) None None JsValue(1180591620717411303424)
[None, True, 1.5, 7, 'text', 'string', -5, 18446744073709551615, [1, 'two'], -0.0, None] True
[9, 5, 14, 3.5, 1, -7, False, False] [2.0, 1.0, 0.75, 3.0, 0.0, -1.5, False, False]
TypeError
5 None -9223372036854775808
*/
