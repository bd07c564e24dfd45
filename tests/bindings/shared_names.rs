//! A class used under its path in a Rust module, and functions of the same name in several.

use wasm_bindgen::prelude::*;

pub mod metric {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    pub struct Length {
        pub metres: f32,
    }

    #[wasm_bindgen]
    impl Length {
        #[wasm_bindgen(constructor)]
        pub fn new(metres: f32) -> Length {
            Length { metres }
        }
    }

    #[wasm_bindgen(js_name = metricName)]
    pub fn name() -> String {
        "metre".to_owned()
    }
}

pub mod imperial {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen(js_name = imperialName)]
    pub fn name() -> String {
        "foot".to_owned()
    }
}

#[wasm_bindgen]
pub fn double(length: &metric::Length) -> metric::Length {
    metric::Length { metres: length.metres * 2.0 }
}

/* python
import shared_names as m
print(m.double(m.Length(1.5)).metres, m.metricName(), m.imperialName())
*/
/* expect
3.0 metre foot
*/
