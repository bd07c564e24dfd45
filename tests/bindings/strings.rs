//! `&str` and `String`, in and out.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn greet(name: &str) -> String {
    format!("Hello, {name}!")
}

#[wasm_bindgen]
pub fn shout(text: String) -> String {
    text.to_uppercase()
}

#[wasm_bindgen]
pub fn count(text: &str, of: char) -> usize {
    text.chars().filter(|c| *c == of).count()
}

/* python
import strings as m
print(m.greet("World"), m.greet(""), m.greet("Zoë 🎉"))
print(m.shout("straße"), m.count("banana", "a"), m.count("€€", "€"))
for wrong in (None, b"bytes", 5):
    try: m.greet(wrong)
    except TypeError as e: print("TypeError", e)
*/
/* expect
Hello, World! Hello, ! Hello, Zoë 🎉!
STRASSE 3 2
TypeError expected a str
TypeError expected a str
TypeError expected a str
*/
