//! crate: base64 | base64

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn encode(data: &[u8]) -> String {
    STANDARD.encode(data)
}

#[wasm_bindgen]
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|error| error.to_string())
}

/* dependencies
base64 = { version = "=0.22.1", default-features = false, features = ["alloc"] }
*/
/* python
import use_base64 as m, binascii
for n in range(70):
    data = bytes(i * 37 + n & 255 for i in range(n))
    text = m.encode(data)
    assert text.encode() == binascii.b2a_base64(data).strip() and m.decode(text) == data
print(m.encode(b"Many hands make light work."), m.decode("AAECAw=="))
try: m.decode("AAEC?w==")
except RuntimeError as error: print(error)
*/
/* expect
TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsu b'\x00\x01\x02\x03'
Invalid symbol 63, offset 4.
*/
