//! A hook of the program's own is asked, as everywhere.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    fn print(text: &str);
}

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| print(&format!("hook: {}", info.payload_as_str().unwrap_or("?")))));
}

#[wasm_bindgen]
pub fn fail() {
    panic!("as it must");
}

/* python
import panic_hook as m
for i in range(3):
    try: m.fail()
    except RuntimeError as e: print("RuntimeError", e)
*/
/* expect
hook: as it must
RuntimeError unreachable
hook: as it must
RuntimeError unreachable
hook: as it must
RuntimeError unreachable
*/
