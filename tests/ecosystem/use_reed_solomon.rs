//! crate: reed-solomon | error correction

use reed_solomon::{Decoder, Encoder};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn encode(data: &[u8], ecc: usize) -> Vec<u8> {
    Encoder::new(ecc).encode(data).to_vec()
}

#[wasm_bindgen]
pub fn correct(data: &[u8], ecc: usize) -> Result<Vec<u8>, String> {
    let corrected = Decoder::new(ecc).correct(data, None).map_err(|error| format!("{error:?}"))?;
    Ok(corrected.data().to_vec())
}

/* dependencies
reed-solomon = "=0.2.1"
*/
/* python
import use_reed_solomon as m
# Division in GF(256) with the polynomial 0x11d.
def product(a, b):
    p = 0
    while b:
        if b & 1: p ^= a
        a = a << 1 ^ (0x11d if a & 0x80 else 0)
        b >>= 1
    return p
def reference(data, ecc):
    generator, root = [1], 1
    for i in range(ecc):
        generator = [a ^ product(b, root) for a, b in zip(generator + [0], [0] + generator)]
        root = product(root, 2)
    rest = list(data) + [0] * ecc
    for i in range(len(data)):
        for j in range(1, ecc + 1): rest[i + j] ^= product(generator[j], rest[i])
    return data + bytes(rest[-ecc:])
data = b"Rust on MicroPython"
sent = m.encode(data, 8)
print(sent == reference(data, 8), sent[-8:].hex())
got = bytearray(sent)
for i in 0, 5, 11, 20: got[i] ^= 0x55
print(m.correct(got, 8) == data)
got[7] ^= 1
try: m.correct(got, 8)
except RuntimeError as error: print(error)
*/
/* expect
True b4feda543fb7cac9
True
TooManyErrors
*/
