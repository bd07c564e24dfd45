//! Types of Python's: constructors, methods, static methods, attributes, items, `instanceof`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Motor;
    #[wasm_bindgen(constructor)]
    fn new(pin: u8) -> Motor;
    #[wasm_bindgen(method)]
    fn turn(this: &Motor, steps: i32) -> i32;
    #[wasm_bindgen(method, getter)]
    fn pin(this: &Motor) -> u8;
    #[wasm_bindgen(method, setter)]
    fn set_pin(this: &Motor, pin: u8);
    #[wasm_bindgen(method, js_name = stop)]
    fn halt(this: &Motor);
    #[wasm_bindgen(static_method_of = Motor)]
    fn count() -> u32;
    #[wasm_bindgen(method, indexing_getter)]
    fn get(this: &Motor, name: &str) -> i32;
    #[wasm_bindgen(method, indexing_setter)]
    fn set(this: &Motor, name: &str, value: i32);
    #[wasm_bindgen(method, indexing_deleter)]
    fn delete(this: &Motor, name: &str);
    #[wasm_bindgen(method, catch)]
    fn fail(this: &Motor, how: &str) -> Result<i32, JsValue>;
    type ValueError;
}

#[wasm_bindgen]
pub fn make(pin: u8) -> Motor {
    let motor = Motor::new(pin);
    motor.turn(5);
    motor.set_pin(motor.pin() + 1);
    motor.set("speed", 3);
    motor.set("torque", motor.get("speed") * 2);
    motor.delete("speed");
    motor
}

#[wasm_bindgen]
pub fn drive(motor: &Motor) -> i32 {
    motor.turn(-2) + Motor::count() as i32
}

#[wasm_bindgen]
pub fn fail(motor: Motor, how: &str) -> String {
    match motor.fail(how) {
        Ok(value) => format!("ok {value}"),
        Err(error) => {
            let kind = if error.has_type::<ValueError>() { "a value error" } else { "another" };
            motor.halt();
            kind.to_owned()
        }
    }
}

#[wasm_bindgen]
pub fn cast(value: JsValue) -> Result<u8, JsValue> {
    value.dyn_into::<Motor>().map(|motor| motor.pin())
}

/* python
import imported_types as m
class Motor:
    made = 0
    def __init__(self, pin):
        self.pin = pin; self.at = 0; self.items = {}
        Motor.made += 1
    def turn(self, steps): self.at += steps; return self.at
    def stop(self): print("stopped")
    @staticmethod
    def count(): return Motor.made
    def __getitem__(self, name): return self.items[name]
    def __setitem__(self, name, value): self.items[name] = value
    def __delitem__(self, name): del self.items[name]
    def fail(self, how):
        if how == "value": raise ValueError(how)
        if how == "key": raise KeyError(how)
        return 7
a = m.make(3)
print(type(a) is Motor, a.pin, a.at, a.items, m.drive(a), a.at)
for how in ("value", "key", "not"): print(m.fail(a, how))
print(m.cast(a))
try: m.cast(5)
except Exception as e: print(type(e).__name__, e)
try: m.drive(5)
except Exception as e: print(type(e).__name__, e)
*/
/* expect
True 4 5 {'torque': 6} 4 3
stopped
a value error
stopped
another
ok 7
4
RuntimeError 5
AttributeError 'int' object has no attribute 'turn'
*/
