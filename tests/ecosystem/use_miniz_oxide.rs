//! crate: miniz_oxide | DEFLATE and zlib

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn inflate(data: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    decompress_to_vec_zlib_with_limit(data, limit).map_err(|error| format!("{:?}", error.status))
}

#[wasm_bindgen]
pub fn deflate(data: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(data, 6)
}

/* dependencies
miniz_oxide = { version = "=0.8.9", default-features = false, features = ["with-alloc"] }
*/
/* python
import use_miniz_oxide as m
# What zlib makes of these texts.
text = b"MicroPython and Rust. " * 20
packed = bytes.fromhex("78daf3cd4c2eca0fa82cc9c8cf5348cc4b51082a2d2ed153f01d151de4a200d8089e5d")
print(m.inflate(bytes.fromhex("789c4b4c4a0600024d0127"), 10), m.inflate(packed, 1000) == text)
packed = m.deflate(text)
print(len(packed) < 60, m.inflate(packed, 1000) == text)
for data, limit in (packed, 100), (packed[:-1], 1000), (b"\0\0", 10):
    try: m.inflate(data, limit)
    except RuntimeError as error: print(error)
*/
/* expect
b'abc' True
True True
HasMoreOutput
FailedCannotMakeProgress
Failed
*/
