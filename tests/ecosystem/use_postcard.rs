//! crate: postcard | compact messages of serde

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

#[derive(Serialize, Deserialize)]
enum Message {
    Ping,
    Sample { channel: u8, value: i32, text: String },
}

#[wasm_bindgen]
pub fn ping() -> Result<Vec<u8>, JsError> {
    Ok(postcard::to_allocvec(&Message::Ping)?)
}

#[wasm_bindgen]
pub fn sample(channel: u8, value: i32, text: String) -> Result<Vec<u8>, JsError> {
    Ok(postcard::to_allocvec(&Message::Sample { channel, value, text })?)
}

#[wasm_bindgen]
pub fn read(data: &[u8]) -> Result<String, JsError> {
    Ok(match postcard::from_bytes(data)? {
        Message::Ping => "ping".to_owned(),
        Message::Sample { channel, value, text } => format!("{channel} {value} {text}"),
    })
}

/* dependencies
postcard = { version = "=1.2.0", default-features = false, features = ["alloc"] }
serde = { version = "1", default-features = false, features = ["derive"] }
*/
/* python
import use_postcard as m
# The wire format: varints of 7 bits, signed numbers in zigzag, texts behind their length.
def varint(n):
    out = b""
    while n > 127: out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
def sample(channel, value, text):
    return b"\x01" + bytes([channel]) + varint(value << 1 if value >= 0 else (-value << 1) - 1) + varint(len(text)) + text.encode()
print(m.ping())
for args in (3, 0, ""), (255, -1, "x"), (7, 2147483647, "text " * 40), (0, -2147483648, "z"):
    data = m.sample(*args)
    assert data == sample(*args), (data, sample(*args))
    assert m.read(data) == "%d %d %s" % args
print(m.sample(1, -300, "abc"), m.read(m.ping()))
for data in b"", b"\x02", b"\x01\x01\x80":
    try: m.read(data)
    except RuntimeError as error: print(error)
*/
/* expect
b'\x00'
b'\x01\x01\xd7\x04\x03abc' ping
Hit the end of buffer, expected more data
Serde Deserialization Error
Hit the end of buffer, expected more data
*/
