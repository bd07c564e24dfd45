//! More enums than a signed `char` can number.

use wasm_bindgen::prelude::*;

macro_rules! enums {
    ($($name:ident)*) => {
        $(
            #[wasm_bindgen]
            #[derive(Clone, Copy)]
            pub enum $name {
                One = 1,
                Two = 2,
            }
        )*
    };
}

enums! {
    E0 E1 E2 E3 E4 E5 E6 E7 E8 E9 E10 E11 E12 E13 E14 E15 E16 E17 E18 E19 E20 E21 E22 E23 E24 E25 E26
    E27 E28 E29 E30 E31 E32 E33 E34 E35 E36 E37 E38 E39 E40 E41 E42 E43 E44 E45 E46 E47 E48 E49 E50 E51
    E52 E53 E54 E55 E56 E57 E58 E59 E60 E61 E62 E63 E64 E65 E66 E67 E68 E69 E70 E71 E72 E73 E74 E75 E76
    E77 E78 E79 E80 E81 E82 E83 E84 E85 E86 E87 E88 E89 E90 E91 E92 E93 E94 E95 E96 E97 E98 E99 E100
    E101 E102 E103 E104 E105 E106 E107 E108 E109 E110 E111 E112 E113 E114 E115 E116 E117 E118 E119 E120
    E121 E122 E123 E124 E125 E126 E127 E128 E129
}

#[wasm_bindgen]
pub fn first(value: Option<E0>) -> Option<E0> {
    value
}

#[wasm_bindgen]
pub fn last(value: Option<E129>) -> Option<E129> {
    value
}

/* python
import numbered as m
print(m.first(m.E0.Two), m.first(None), m.last(m.E129.Two), m.last(None))
for f in (m.first, m.last):
    try: print(f(0))
    except ValueError as e: print(e)
*/
/* expect
2 None 2 None
not a variant
not a variant
*/
