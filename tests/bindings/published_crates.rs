//! Published crates that find Python where they look for JavaScript.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn random(version: u8) -> Vec<u8> {
    let mut bytes = [0; 40];
    match version {
        2 => getrandom_02::getrandom(&mut bytes).unwrap(),
        3 => getrandom_03::fill(&mut bytes).unwrap(),
        _ => getrandom_04::fill(&mut bytes).unwrap(),
    }
    bytes.to_vec()
}

#[wasm_bindgen]
pub fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Seconds since 1970, by two crates, and whether their clocks go forward.
#[wasm_bindgen]
pub fn times() -> Vec<f64> {
    let (a, b) = (web_time::Instant::now(), instant::Instant::now());
    assert!(a <= web_time::Instant::now() && b <= instant::Instant::now());
    let now = web_time::SystemTime::now().duration_since(web_time::UNIX_EPOCH).unwrap();
    let same = instant::SystemTime::now().duration_since(instant::SystemTime::UNIX_EPOCH).unwrap();
    vec![now.as_secs_f64(), same.as_secs_f64()]
}

/// The clock of a page, which started with the program.
#[wasm_bindgen]
pub fn page_is_loaded() -> bool {
    let performance = web_sys::window().unwrap().performance().unwrap();
    let started = performance.timing().request_start();
    web_sys::console::log_2(&"page".into(), &JsValue::from(started <= js_sys::Date::now()));
    performance.now() >= 0.0
}

#[wasm_bindgen]
pub fn log() {
    console_log::init_with_level(log::Level::Debug).unwrap();
    log::info!("{} + {} = {}", 1, 2, 3);
    log::trace!("too much");
    log::error!("an error");
}

#[wasm_bindgen]
pub fn panics() {
    console_error_panic_hook::set_once();
    panic!("a panic");
}

#[derive(Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(u32),
    Rectangle { width: i16, height: i16 },
}

#[derive(Serialize, Deserialize)]
struct Everything {
    flag: bool,
    small: i64,
    large: u64,
    float: f64,
    text: String,
    letter: char,
    some: Option<u8>,
    none: Option<u8>,
    list: Vec<u16>,
    map: BTreeMap<String, i32>,
    pair: (u8, String),
    shapes: Vec<Shape>,
}

#[wasm_bindgen]
pub fn there_and_back(value: JsValue) -> Result<JsValue, JsValue> {
    let everything: Everything = serde_wasm_bindgen::from_value(value)?;
    Ok(serde_wasm_bindgen::to_value(&everything)?)
}

/* dependencies
getrandom_02 = { package = "getrandom", version = "0.2", features = ["js"] }
getrandom_03 = { package = "getrandom", version = "0.3", features = ["wasm_js"] }
getrandom_04 = { package = "getrandom", version = "0.4", features = ["wasm_js"] }
uuid = { version = "1", features = ["v4", "js"] }
web-time = "1"
js-sys = "=0.3.107"
web-sys = { version = "=0.3.107", features = ["Performance", "PerformanceTiming", "Window", "console"] }
instant = { version = "0.1", features = ["wasm-bindgen"] }
log = "0.4"
console_log = "1"
console_error_panic_hook = "0.1"
serde = { version = "1", features = ["derive"] }
serde-wasm-bindgen = "0.6"
*/
/* python
import published_crates as m, gc
for version in (2, 3, 4):
    a = m.random(version)
    print(len(a), len(set(a)) > 8, a != m.random(version))
u = m.uuid()
print(len(u), u[14], u[19] in "89ab", u != m.uuid())
a, b = m.times()
print(a > 0, abs(b - a) < 60)
print(m.page_is_loaded())
m.log()
try: m.panics()
except RuntimeError as e: print(e)
value = {
    "flag": True, "small": -5, "large": 2**53 - 1, "float": 1.5, "text": "h\xe9", "letter": "\U0001f600", "some": 3, "none": None,
    "list": (1, 2, 65535), "map": {"b": -1}, "pair": [7, "x"],
    "shapes": ["Point", {"Circle": 123456789}, {"Rectangle": {"width": -3, "height": 4}}],
}
back = m.there_and_back(value)
for key in sorted(back): print(key, back[key], back[key] == (list(value[key]) if key == "list" else value[key]))
class Attributes: pass
for bad in ({}, 5, dict(value, small="x"), dict(value, list=[1, 65536]), dict(value, large=-1), Attributes()):
    try: m.there_and_back(bad)
    except RuntimeError as e: print(e)
def run(times):
    for _ in range(times):
        m.there_and_back(value), m.random(2), m.random(4), m.uuid(), m.times()
        try: m.there_and_back({})
        except RuntimeError: pass
    gc.collect()
    return gc.mem_alloc()
before = run(20)
print(run(60) - before < 2000)
*/
/* expect
40 True True
40 True True
40 True True
36 4 True True
True True
page True
True
1 + 2 = 3
an error
panicked at src/lib.rs:54:5:
a panic

Stack:




a panic, src/lib.rs:54
flag True True
float 1.5 True
large 9007199254740991 True
letter 😀 True
list [1, 2, 65535] True
map {'b': -1} True
none None True
pair [7, 'x'] True
shapes ['Point', {'Circle': 123456789}, {'Rectangle': {'height': 4, 'width': -3}}] True
small -5 True
some 3 True
text hé True
missing field `flag`
invalid type: floating point `5.0`, expected struct Everything
invalid type: string "x", expected i64
invalid value: integer `65536`, expected u16
Couldn't deserialize u64 from a BigInt outside u64::MIN..u64::MAX bounds
missing field `flag`
True
*/
