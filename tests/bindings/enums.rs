//! Enums of numbers and of strings.

use wasm_bindgen::prelude::*;

/// How fast.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    Slow,
    Fast = 10,
    Faster,
}

#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum Sign {
    Minus = -1,
    Plus = 1,
}

#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum Edge {
    Rising = "rising",
    Falling = "falling",
}

#[wasm_bindgen]
pub fn next(speed: Speed) -> Speed {
    match speed {
        Speed::Slow => Speed::Fast,
        _ => Speed::Faster,
    }
}

#[wasm_bindgen]
pub fn flip(sign: Sign) -> Option<Sign> {
    match sign {
        Sign::Minus => Some(Sign::Plus),
        Sign::Plus => None,
    }
}

#[wasm_bindgen]
pub fn other(edge: Option<Edge>) -> Edge {
    match edge {
        Some(Edge::Rising) => Edge::Falling,
        _ => Edge::Rising,
    }
}

#[wasm_bindgen]
pub fn names(speeds: Vec<Speed>) -> Vec<String> {
    speeds.iter().map(|speed| format!("{speed:?}")).collect()
}

/* python
import enums as m
print(m.Speed.Slow, m.Speed.Fast, m.Speed.Faster, m.Sign.Minus, m.Sign.Plus)
print(m.next(m.Speed.Slow) == m.Speed.Fast, m.next(10), m.flip(-1), m.flip(m.Sign.Plus))
print(m.other("rising"), m.other("falling"), m.other(None), m.other())
print(m.names([m.Speed.Slow, m.Speed.Faster]))
for f, x in ((m.other, "up"), (m.next, "x"), (m.next, None)):
    try: print(f(x))
    except Exception as e: print(type(e).__name__, e)
*/
/* expect
0 10 11 -1 1
True 11 1 None
falling rising rising rising
['Slow', 'Faster']
ValueError not a variant
TypeError can't convert str to int
TypeError can't convert NoneType to int
*/
