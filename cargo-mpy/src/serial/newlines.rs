//! Ends of lines.

/// The board's `\r\n` made `\n`, across the borders of chunks.
#[derive(Debug, Default)]
pub struct Newlines {
    /// The last chunk ended in `\r`.
    held: bool,
}

impl Newlines {
    /// The next bytes of the stream, changed.
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
