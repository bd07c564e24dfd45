//! Structs from dicts and to dicts.

use mpy::object::{from_object, to_object};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

#[derive(Deserialize)]
struct Config {
    channels: Vec<Channel>,
    offset: Option<i32>,
}

#[derive(Deserialize)]
struct Channel {
    gain: i32,
}

#[derive(Serialize)]
struct Output {
    values: Vec<i32>,
    clipped: bool,
}

#[wasm_bindgen]
pub fn apply(config: JsValue, sample: i32) -> mpy::Result<JsValue> {
    let config: Config = from_object(&config.into())?;
    let offset = config.offset.unwrap_or(0);
    let values: Vec<i32> = config.channels.iter().map(|channel| sample * channel.gain + offset).collect();
    let clipped = values.iter().any(|value| *value > 100);
    Ok(to_object(&Output { values, clipped })?.into())
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["serde"] }
serde = { version = "1", features = ["derive"] }
*/
/* python
import dicts
out = dicts.apply({"channels": [{"gain": 2}, {"gain": 5}], "offset": 1}, 20)
print(out["values"], out["clipped"])
try: dicts.apply({"channels": [{"gain": 2}, {"gain": "loud"}]}, 20)
except TypeError as error: print(error)
*/
/* expect
[41, 101] True
.channels[1].gain: expected int, found str
*/
