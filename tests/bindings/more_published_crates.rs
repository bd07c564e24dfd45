//! Larger published crates that find Python where they look for JavaScript.
//!
//! nightly: all

use chrono::{Local, NaiveDateTime, TimeZone, Utc};
use gloo_utils::format::JsValueSerdeExt;
use rand::Rng;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

/// Seconds since 1970, and minutes of local time before UTC.
#[wasm_bindgen]
pub fn times() -> Vec<f64> {
    let offset = time::OffsetDateTime::now_local().unwrap().offset();
    vec![
        Utc::now().timestamp() as f64,
        time::OffsetDateTime::now_utc().unix_timestamp() as f64,
        f64::from(Local::now().offset().local_minus_utc()),
        f64::from(offset.whole_seconds()),
    ]
}

/// A date and the seconds of the same date, both in local time.
#[wasm_bindgen]
pub fn date(seconds: i64) -> Vec<JsValue> {
    let date = Local.timestamp_opt(seconds, 0).unwrap();
    let text = date.naive_local().to_string();
    let naive = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").unwrap();
    let back = Local.from_local_datetime(&naive).single().unwrap().timestamp();
    vec![text.into(), back.into()]
}

#[derive(tsify::Tsify, Serialize, Deserialize)]
#[tsify(into_wasm_abi, from_wasm_abi)]
pub struct Point {
    x: i32,
    y: f64,
    name: Option<String>,
}

#[wasm_bindgen]
pub fn moved(point: Point) -> Point {
    Point { x: point.x + 1, name: Some("moved".into()), ..point }
}

#[wasm_bindgen]
pub fn json(value: JsValue) -> JsValue {
    let value: serde_json::Value = value.into_serde().unwrap();
    JsValue::from_serde(&value).unwrap()
}

#[wasm_bindgen]
pub fn dice() -> u32 {
    rand::rng().random_range(1..=6)
}

#[wasm_bindgen]
pub fn joined() -> i32 {
    let (a, b) = futures::executor::block_on(futures::future::join(async { 1 }, async { 2 }));
    a + b
}

/* dependencies
chrono = "0.4"
time = { version = "0.3", features = ["wasm-bindgen", "local-offset"] }
tsify = { version = "0.5", default-features = false, features = ["js"] }
gloo-utils = { version = "0.2", features = ["serde"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
rand = "0.9"
futures = "0.3"
*/
/* python
import more_published_crates as m
a, b, offset, same = m.times()
print(a >= 0, abs(b - a) < 60, offset, same)
print(m.date(1750000000), m.date(1733333333))
print(sorted(m.moved({"x": 1, "y": 2.5, "name": None}).items()), m.json({"a": [1, 2.5, None, "x"]}))
print({m.dice() for _ in range(200)} == set(range(1, 7)), m.joined())
*/
/* expect
True True 0.0 0.0
['2025-06-15 15:06:40', 1750000000] ['2024-12-04 17:28:53', 1733333333]
[('name', 'moved'), ('x', 2), ('y', 2.5)] {'a': [1, 2.5, None, 'x']}
True 3
*/
