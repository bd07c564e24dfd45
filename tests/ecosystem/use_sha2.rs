//! crate: sha2 | SHA-256 and SHA-512

use sha2::{Digest, Sha256, Sha512};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn sha256(data: &[u8]) -> Vec<u8> {
    Sha256::digest(data).to_vec()
}

#[wasm_bindgen]
pub fn sha512(data: &[u8]) -> Vec<u8> {
    Sha512::digest(data).to_vec()
}

/* dependencies
sha2 = { version = "=0.10.9", default-features = false }
*/
/* python
import use_sha2 as m
# FIPS 180-2, appendices B and C.
print(m.sha256(b"abc").hex())
print(m.sha256(b"a" * 1000 * 10)[:4].hex(), m.sha256(b"")[:4].hex())
print(m.sha512(b"abc").hex())
*/
/* expect
ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
27dd1f61 e3b0c442
ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
*/
