//! crate: tb6612fng | motor driver TB6612FNG, pins, PWM

use mpy::Raise;
use mpy::hal::{Pin, Pwm};
use tb6612fng::DriveCommand;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Motor(tb6612fng::Motor<Pin, Pin, Pwm>);

#[wasm_bindgen]
impl Motor {
    #[wasm_bindgen(constructor)]
    pub fn new(in1: Pin, in2: Pin, pwm: Pwm) -> Result<Motor, Raise> {
        Ok(Motor(tb6612fng::Motor::new(in1, in2, pwm)?))
    }
    pub fn drive(&mut self, speed: i8) -> Result<(), Raise> {
        let percent = speed.unsigned_abs();
        Ok(self.0.drive(match speed {
            0 => DriveCommand::Stop,
            1.. => DriveCommand::Forward(percent),
            _ => DriveCommand::Backward(percent),
        })?)
    }
    pub fn brake(&mut self) -> Result<(), Raise> {
        Ok(self.0.drive(DriveCommand::Brake)?)
    }
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["hal"] }
tb6612fng = "=1.0.0"
*/
/* python
import simulated, use_tb6612fng as m
from machine import PWM, Pin
pwm = PWM(Pin(3), freq=1000)
motor = m.Motor(Pin(1, Pin.OUT), Pin(2, Pin.OUT), pwm)
state = lambda: (Pin(1).value(), Pin(2).value(), round(pwm.duty_u16() / 65535 * 100))
print(state())
for speed in 60, -25, 100, 0:
    motor.drive(speed); print(state(), state() == (speed > 0, speed < 0, abs(speed)))
motor.brake(); print(state())
try: motor.drive(101)
except RuntimeError as error: print(error, state())
*/
/* expect
(0, 0, 0)
(1, 0, 60) True
(0, 1, 25) True
(1, 0, 100) True
(0, 0, 0) True
(1, 1, 0)
InvalidSpeed (1, 1, 0)
*/
