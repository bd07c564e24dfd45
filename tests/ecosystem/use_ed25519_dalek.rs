//! crate: ed25519-dalek | signatures Ed25519

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn public(secret: &[u8]) -> Result<Vec<u8>, JsError> {
    Ok(SigningKey::from_bytes(secret.try_into()?).verifying_key().to_bytes().to_vec())
}

#[wasm_bindgen]
pub fn sign(secret: &[u8], message: &[u8]) -> Result<Vec<u8>, JsError> {
    Ok(SigningKey::from_bytes(secret.try_into()?).sign(message).to_bytes().to_vec())
}

#[wasm_bindgen]
pub fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> Result<bool, JsError> {
    let signature = Signature::from_slice(signature).map_err(|error| JsError::new(&error.to_string()))?;
    let key = VerifyingKey::from_bytes(public.try_into()?).map_err(|error| JsError::new(&error.to_string()))?;
    Ok(key.verify(message, &signature).is_ok())
}

/* dependencies
ed25519-dalek = { version = "=2.2.0", default-features = false }
*/
/* python
import use_ed25519_dalek as m
# RFC 8032, 7.1, test 3.
secret = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
public = m.public(secret)
print(public.hex())
signature = m.sign(secret, b"\xaf\x82")
print(signature.hex())
print(m.verify(public, b"\xaf\x82", signature), m.verify(public, b"\xaf\x83", signature))
try: m.sign(b"short", b"")
except RuntimeError as error: print(error)
*/
/* expect
fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025
6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
True False
could not convert slice to array
*/
