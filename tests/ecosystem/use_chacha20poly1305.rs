//! crate: chacha20poly1305 | authenticated encryption

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use wasm_bindgen::prelude::*;

fn cipher(key: &[u8], nonce: &[u8]) -> Result<ChaCha20Poly1305, JsError> {
    if nonce.len() != 12 {
        return Err(JsError::new("a nonce has 12 bytes"));
    }
    ChaCha20Poly1305::new_from_slice(key).map_err(|_| JsError::new("a key has 32 bytes"))
}

#[wasm_bindgen]
pub fn seal(key: &[u8], nonce: &[u8], text: &[u8], header: &[u8]) -> Result<Vec<u8>, JsError> {
    let sealed = cipher(key, nonce)?.encrypt(Nonce::from_slice(nonce), Payload { msg: text, aad: header });
    sealed.map_err(|_| JsError::new("too long"))
}

#[wasm_bindgen]
pub fn open(key: &[u8], nonce: &[u8], sealed: &[u8], header: &[u8]) -> Result<Vec<u8>, JsError> {
    let text = cipher(key, nonce)?.decrypt(Nonce::from_slice(nonce), Payload { msg: sealed, aad: header });
    text.map_err(|_| JsError::new("not what was sealed"))
}

/* dependencies
chacha20poly1305 = { version = "=0.10.1", default-features = false, features = ["alloc"] }
*/
/* python
import use_chacha20poly1305 as m
# RFC 8439, 2.8.2.
key = bytes(range(0x80, 0xa0))
nonce = bytes.fromhex("070000004041424344454647")
header = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
sealed = m.seal(key, nonce, text, header)
print(sealed[:16].hex(), sealed[-16:].hex(), m.open(key, nonce, sealed, header) == text)
for args in (key, nonce, sealed[:-1] + b"\0", header), (key, nonce, sealed, b""), (key[1:], nonce, sealed, header):
    try: m.open(*args)
    except RuntimeError as error: print(error)
*/
/* expect
d31a8d34648e60db7b86afbc53ef7ec2 1ae10b594f09e26a7e902ecbd0600691 True
not what was sealed
not what was sealed
a key has 32 bytes
*/
