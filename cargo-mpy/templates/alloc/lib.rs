use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

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
