//! A closure as a parameter of an exported function. The error says what to write, where that of rustc names a trait.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn each(call: &dyn Fn(u32) -> u32) -> u32 {
    call(1)
}

/* error
a closure or a function pointer cannot be passed from Python to Rust
  at closure_parameter/src/lib.rs:6:20
  help: use `&Callback`, which can be any Python function: `#[wasm_bindgen] extern "C" { type Callback; #[wasm_bindgen(method, js_name = "__call__")] fn call(this: &Callback, n: u32) -> u32; }`
*/
