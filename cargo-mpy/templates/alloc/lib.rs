#![no_std]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::prelude::*;

#[cfg(not(test))]
#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo) -> ! {
    #[link(wasm_import_module = "mpy")]
    unsafe extern "C" {
        /// Raises the `len` bytes of text at `message` as a Python exception.
        fn panic(message: *const u8, len: usize) -> !;
    }
    let message = info.message().as_str().unwrap_or("panic in Rust");
    unsafe { panic(message.as_ptr(), message.len()) }
}

/// The words of a text in alphabetical order, each once. Memory comes from MicroPython's heap.
#[wasm_bindgen]
pub fn words(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
    for word in text.split_whitespace() {
        seen.insert(word, ());
    }
    seen.into_keys().map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_comes_once() {
        assert_eq!(words("b a  b"), ["a", "b"]);
    }
}
