//! A published crate that needs what MicroPython does not have is refused with the functions that need it.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn later() {
    gloo_timers::callback::Interval::new(10, || {}).forget();
}

/* dependencies
gloo-timers = "=0.3.0"
*/
/* error
`clearInterval`, `setInterval` are JavaScript's, and MicroPython has no counterpart
  at `gloo_timers`
  help: `gloo-timers` 0.3.0 uses `clearInterval`, `setInterval` in `<gloo_timers::callback::Interval as core::ops::drop::Drop>::drop`, `gloo_timers::callback::set_interval`, and is a dependency of `js_timers`: leave it out, or the part that calls these functions
*/
