//! `structural` and `final`: Python has one way to call a method.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Duck;
    #[wasm_bindgen(method, structural)]
    fn quack(this: &Duck) -> String;
    #[wasm_bindgen(method, structural, getter)]
    fn name(this: &Duck) -> String;
    #[wasm_bindgen(method, structural, setter)]
    fn set_name(this: &Duck, name: &str);
}

#[wasm_bindgen]
pub fn talk(duck: &Duck) -> String {
    duck.set_name(&format!("{}!", duck.name()));
    format!("{}: {}", duck.name(), duck.quack())
}

/* python
import structural as m
class Duck:
    def __init__(self, name): self.name = name
    def quack(self): return "quack"
class Robot:
    name = "r2"
    def quack(self): return "beep"
print(m.talk(Duck("d")), m.talk(Robot()))
try: m.talk(5)
except AttributeError as e: print("AttributeError")
*/
/* expect
d!: quack r2!: beep
AttributeError
*/
