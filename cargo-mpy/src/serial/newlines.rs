//! Line ends.

/// Converts the board's `\r\n` to `\n`, also across chunks.
#[derive(Debug, Default)]
pub struct Newlines {
    /// Whether the last chunk ended in `\r`.
    held: bool,
}

impl Newlines {
    /// Converts the next bytes of the stream.
    pub fn unix(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len() + 1);
        for &byte in bytes {
            if self.held && byte != b'\n' {
                text.push(b'\r');
            }
            self.held = byte == b'\r';
            if !self.held {
                text.push(byte);
            }
        }
        text
    }
}
