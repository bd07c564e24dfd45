//! LZ4 for MicroPython: the crate `lz4_flex` as it is published, and what Python is to see of it.

use lz4_flex::block;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type ValueError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> ValueError;
}

fn value_error(error: impl std::fmt::Display) -> JsValue {
    ValueError::new(&error.to_string()).into()
}

/// Compresses into an LZ4 block. Whoever decompresses it must know how long `data` is.
#[wasm_bindgen]
pub fn compress(data: &[u8]) -> Vec<u8> {
    block::compress(data)
}

/// Decompresses an LZ4 block into `output`, such as a bytearray that is there anyway; how many bytes it became.
#[wasm_bindgen]
pub fn decompress_into(block: &[u8], output: &mut [u8]) -> Result<usize, JsValue> {
    block::decompress_into(block, output).map_err(value_error)
}

/// Decompresses an LZ4 block that becomes at most `size` bytes.
#[wasm_bindgen]
pub fn decompress(block: &[u8], size: usize) -> Result<Vec<u8>, JsValue> {
    block::decompress(block, size).map_err(value_error)
}
