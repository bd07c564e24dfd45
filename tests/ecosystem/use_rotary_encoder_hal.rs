//! crate: rotary-encoder-hal | rotary encoder, pins

use mpy::Exception;
use mpy::hal::Pin;
use rotary_encoder_hal::{DefaultPhase, Direction, Rotary};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Knob {
    encoder: Rotary<Pin, Pin, DefaultPhase>,
    position: i32,
}

#[wasm_bindgen]
impl Knob {
    #[wasm_bindgen(constructor)]
    pub fn new(a: Pin, b: Pin) -> Knob {
        Knob { encoder: Rotary::new(a, b), position: 0 }
    }
    pub fn update(&mut self) -> Result<i32, Exception> {
        self.position += match self.encoder.update().map_err(|error| error.into_inner())? {
            Direction::Clockwise => 1,
            Direction::CounterClockwise => -1,
            Direction::None => 0,
        };
        Ok(self.position)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
rotary-encoder-hal = "=0.6.0"
*/
/* python
import simulated, use_rotary_encoder_hal as m
from machine import Pin
a, b = simulated.pin(1), simulated.pin(2)
knob = m.Knob(Pin(1, Pin.IN), Pin(2, Pin.IN))
# One turn by a detent is four changes of the pins, of which one changes at a time.
STEPS = (1, 1), (0, 1), (0, 0), (1, 0)
at = 0
def turn(steps):
    global at
    for i in range(abs(steps)):
        at += 1 if steps > 0 else -1
        a.drive(STEPS[at % 4][0]); b.drive(STEPS[at % 4][1])
        position = knob.update()
    return position
a.drive(1); b.drive(1); knob.update()
start = knob.update()
ends = [turn(steps) - start for steps in (1, 7, -3, -20, 0 + 4)]
print(ends in ([1, 8, 5, -15, -11], [-1, -8, -5, 15, 11]))
print(knob.update() - start == ends[-1])
*/
/* expect
True
True
*/
