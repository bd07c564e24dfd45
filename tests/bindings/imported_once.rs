//! boards: all
//! A module of Python's is imported at its first use and kept; what is in it is looked up at every use.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "sensor")]
extern "C" {
    fn read() -> i32;
}

#[wasm_bindgen(js_namespace = display)]
extern "C" {
    fn show(value: i32);
}

mod plain {
    #[link(wasm_import_module = "sensor")]
    unsafe extern "C" {
        #[link_name = "read"]
        pub safe fn read_plain() -> i32;
    }
}

#[wasm_bindgen]
pub fn measure() -> i32 {
    show(7);
    read() + plain::read_plain()
}

#[wasm_bindgen]
pub fn samples() -> Vec<i16> {
    vec![1, 2]
}

/* python
import sys
class Module: pass
names = ("sensor", "display", "array")
sensor, display, array = (Module() for name in names)
sensor.read = lambda: 5
display.show = lambda value: print("shown", value)
array.array = lambda code, data: (code, len(data))
import imported_once as m
for name, module in zip(names, (sensor, display, array)): sys.modules[name] = module
print(m.measure(), m.samples())
for name in names: del sys.modules[name]
sensor.read = lambda: 50
print(m.measure(), m.samples())
*/
/* expect
shown 7
10 ('h', 4)
shown 7
100 ('h', 4)
*/
