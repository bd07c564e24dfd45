//! boards: all
//! Structs from dicts and to dicts, by `mpy::fields!`.

use mpy::convert::{FromObject, ToObject};
use mpy::object::Object;
use wasm_bindgen::prelude::*;

struct Channel {
    gain: i16,
    name: Option<String>,
}
mpy::fields!(Channel { gain, name });

struct Config {
    channels: Vec<Channel>,
    rate: f32,
    r#type: String,
    limits: Vec<Option<i64>>,
    is_on: bool,
    more: Object,
}
mpy::fields!(Config { channels, rate, r#type, limits, is_on, more });

#[wasm_bindgen]
pub fn pass(config: JsValue) -> mpy::Result<JsValue> {
    Ok(Config::from_object(&Object::from(config))?.to_object()?.into())
}

/// Doubles the gains.
#[wasm_bindgen]
pub fn louder(channels: JsValue) -> mpy::Result<JsValue> {
    let mut channels = Vec::<Channel>::from_object(&Object::from(channels))?;
    channels.iter_mut().for_each(|channel| channel.gain *= 2);
    Ok(channels.to_object()?.into())
}

/* dependencies
mpy = { path = "ROOT/mpy" }
*/
/* python
import struct_fields as m, gc
def attempt(f, value):
    try: print(f(value))
    except Exception as e: print(type(e).__name__, e)
def config(**more):
    c = {"channels": [{"gain": -1, "name": "left"}, {"gain": 7, "name": None}], "rate": 2.5, "type": "é", "limits": [None, 1 << 40], "is_on": True, "more": (1, m)}
    c.update(more)
    return c
print(m.pass_(config()) == config(), m.pass_(config(channels=[], other=5)) == config(channels=[]))
c = m.pass_(config(channels=({"gain": 3},), rate=8)); print(c["channels"] == [{"gain": 3, "name": None}], c["rate"])
for channels in [], [{"gain": 5}], (x for x in [{"gain": -2, "name": "x"}]):
    print([sorted(c.items()) for c in m.louder(channels)] if isinstance(channels, list) else m.louder(channels)[0]["gain"])
attempt(m.pass_, config(channels=[{"gain": 1}, {"gain": "loud"}]))
attempt(m.pass_, config(channels=[{"gain": 1}, {"gain": 40000}]))
attempt(m.pass_, config(channels=[{"name": "x"}]))
attempt(m.pass_, config(channels=[{"gain": 1, "name": 5}]))
attempt(m.pass_, config(channels=[[]]))
attempt(m.pass_, config(channels="text")); attempt(m.pass_, config(channels=5)); attempt(m.pass_, config(channels={}))
attempt(m.pass_, config(rate="2")); attempt(m.pass_, config(type=None)); attempt(m.pass_, config(is_on=1)); attempt(m.pass_, config(limits=[1, 2.5]))
attempt(m.pass_, {}); attempt(m.pass_, None); attempt(m.louder, 5)
def fails():
    yield {"gain": 1}
    raise KeyError("mine")
attempt(m.louder, fails())
gc.collect(); before = gc.mem_alloc()
for i in range(TIMES // 10):
    m.pass_(config())
    try: m.pass_(config(channels=[{"gain": 1}, {"gain": "loud"}]))
    except TypeError: pass
gc.collect(); print(gc.mem_alloc() - before < 4000)
*/
/* expect
True True
True 8.0
[]
[[('gain', 10), ('name', None)]]
-4
TypeError .channels[1].gain: expected an int
OverflowError .channels[1].gain: overflow converting to i16
ValueError .channels[0]: missing field 'gain'
TypeError .channels[0].name: expected a str
TypeError .channels[0]: expected a dict
TypeError .channels: expected a list
TypeError .channels: 'int' object isn't iterable
TypeError .channels: expected a list
TypeError .rate: expected a float
TypeError .type: expected a str
TypeError .is_on: expected a bool
TypeError .limits[1]: expected an int
ValueError missing field 'channels'
TypeError expected a dict
TypeError 'int' object isn't iterable
KeyError mine
True
*/
