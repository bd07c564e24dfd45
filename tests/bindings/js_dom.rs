//! What JavaScript's library has without a counterpart in Python is refused by name.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn title() -> String {
    web_sys::window().unwrap().document().unwrap().title()
}

/* dependencies
web-sys = { version = "=0.3.107", features = ["Document", "Window"] }
*/
/* error
`Document.title`, `Window.document` are JavaScript's, and MicroPython has no counterpart
  at `js_dom`
  help: `js_dom` uses `Document.title`, `Window.document` in `title`: use Python's functions and types, which `#[wasm_bindgen(module = "…")] extern "C" { … }` imports
*/
