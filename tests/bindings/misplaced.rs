//! An object that does not lie where Rust aligns it is refused: a processor may not be able to read it.
//! memory: checked

use wasm_bindgen::convert::IntoWasmAbi;
use wasm_bindgen::describe::WasmDescribe;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Token(u32);

#[wasm_bindgen]
impl Token {
    pub fn value(&self) -> u32 {
        self.0
    }
}

/// A `Token` that lies this many bytes behind its place.
pub struct Misplaced(u32);

impl WasmDescribe for Misplaced {
    fn describe() {
        Token::describe();
    }
}

impl IntoWasmAbi for Misplaced {
    type Abi = <Token as IntoWasmAbi>::Abi;

    fn into_abi(self) -> Self::Abi {
        Self::Abi::from_usize(Token(7).into_abi().into_usize().wrapping_add(self.0 as usize))
    }
}

#[wasm_bindgen]
pub fn token(distance: u32) -> Misplaced {
    Misplaced(distance)
}

/* python
import misplaced as m
print(m.token(0).value())
for distance in (1, 2, 3, 0x80000000):
    try:
        print(m.token(distance))
    except RuntimeError as e:
        print(e)
*/

/* expect
7
out of bounds memory access
out of bounds memory access
out of bounds memory access
out of bounds memory access
*/
