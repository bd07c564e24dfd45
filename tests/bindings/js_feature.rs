//! A published crate with a feature that needs what MicroPython does not have is refused with the feature.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn language() -> Option<String> {
    sys_locale::get_locale()
}

/* dependencies
sys-locale = { version = "=0.3.2", features = ["js"] }
*/
/* error
`Navigator.languages`, `Window.navigator`, `WorkerGlobalScope.navigator`, `WorkerNavigator.languages`, `instanceof WorkerGlobalScope` are JavaScript's, and MicroPython has no counterpart
  at `sys_locale`
  help: `sys-locale` 0.3.2 uses `Navigator.languages`, `Window.navigator`, `WorkerGlobalScope.navigator`, `WorkerNavigator.languages`, `instanceof WorkerGlobalScope` in `sys_locale::get_locales`, and is a dependency of `js_feature`: build it without its feature `js`
*/
