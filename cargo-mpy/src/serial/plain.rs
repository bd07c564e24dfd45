//! Removes terminal control from the output of a board. A board is not trusted: control sequences can set the clipboard
//! (OSC 52) or the title, or hide other output.

/// The longest parameters of a control sequence that are kept.
const PARAMETERS: usize = 8;

/// Removes control sequences (ECMA-48) and control characters from a stream, also where they are split between chunks.
/// Line feeds, carriage returns, tabs and backspaces stay.
#[derive(Debug, Default)]
pub struct Plain {
    state: State,
    /// The start of a UTF-8 character, or the parameters of a control sequence.
    held: Vec<u8>,
    mode: Mode,
}

/// What is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// All control sequences.
    #[default]
    All,
    /// All but what MicroPython's REPL prints to edit a line: `CSI n D` moves left, `CSI K` erases to the end.
    KeepEditing,
    /// Nothing.
    Raw,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After ESC and intermediate bytes.
    Intermediate,
    /// After CSI.
    Control,
    /// In an operating system command or another control string.
    String,
    /// After ESC in such a string.
    StringEscape,
}

impl Plain {
    /// A filter at the start of a stream.
    pub fn new(mode: Mode) -> Plain {
        Plain { mode, ..Plain::default() }
    }

    /// Filters the next bytes of the stream.
    pub fn text(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.mode == Mode::Raw {
            return bytes.to_vec();
        }
        let mut out = Vec::with_capacity(bytes.len());
        bytes.iter().for_each(|&byte| self.byte(byte, &mut out));
        out
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (self.state, byte) {
            (State::Text, _) if !self.held.is_empty() && byte >= 0x80 => {
                self.held.push(byte);
                self.character(out);
            }
            (State::Text, _) => {
                // The held bytes are not a character.
                out.append(&mut self.held);
                match byte {
                    0x1b => self.state = State::Escape,
                    b'\n' | b'\r' | b'\t' | 0x08 | b' '..=b'~' => out.push(byte),
                    0x80.. => {
                        self.held.push(byte);
                        self.character(out);
                    }
                    _ => {}
                }
            }
            (State::Escape, b'[') => self.state = State::Control,
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => self.state = State::String,
            (State::Escape, 0x1b) => {}
            (State::Escape | State::Intermediate, b' '..=b'/') => self.state = State::Intermediate,
            (State::Escape | State::Intermediate, b'0'..=b'~') => self.state = State::Text,
            (State::Control, b' '..=b'?') => {
                if self.held.len() < PARAMETERS {
                    self.held.push(byte);
                }
            }
            (State::Control, b'@'..=b'~') => {
                let parameters = std::mem::take(&mut self.held);
                let is_editing = matches!(byte, b'D' | b'K')
                    && parameters.len() < PARAMETERS
                    && parameters.iter().all(u8::is_ascii_digit);
                if is_editing && self.mode == Mode::KeepEditing {
                    out.extend(b"\x1b[");
                    out.extend(parameters);
                    out.push(byte);
                }
                self.state = State::Text;
            }
            // BEL and ST end a string, CAN and SUB cancel it.
            (State::String, 0x07 | 0x9c | 0x18 | 0x1a) | (State::StringEscape, b'\\') => {
                self.state = State::Text
            }
            (State::String, 0x1b) => self.state = State::StringEscape,
            // A string that does not end in its line would hide everything after it.
            (State::String, b'\n' | b'\r') => self.again(State::Text, byte, out),
            (State::String, _) => {}
            (State::StringEscape, _) => self.again(State::Escape, byte, out),
            (State::Escape | State::Intermediate | State::Control, _) => self.again(State::Text, byte, out),
        }
    }

    /// Handles a byte after the end of the previous state.
    fn again(&mut self, state: State, byte: u8, out: &mut Vec<u8>) {
        self.held.clear();
        self.state = state;
        self.byte(byte, out);
    }

    /// Writes the held bytes if they are a character, or cannot become one.
    fn character(&mut self, out: &mut Vec<u8>) {
        let (is_character, code) = match std::str::from_utf8(&self.held) {
            Ok(text) => (true, text.chars().next().map_or(0, u32::from)),
            Err(error) if error.error_len().is_none() => return,
            // Terminals that do not use UTF-8 take a single byte as a control character.
            Err(_) => (false, u32::from(self.held[0])),
        };
        let held = std::mem::take(&mut self.held);
        let (first, rest) = held.split_at(if is_character { held.len() } else { 1 });
        match code {
            // CSI
            0x9b => self.state = State::Control,
            // DCS, SOS, OSC, PM, APC
            0x90 | 0x98 | 0x9d..=0x9f => self.state = State::String,
            0x80..=0x9f => {}
            _ => out.extend(first),
        }
        rest.iter().for_each(|&byte| self.byte(byte, out));
    }
}

/// Filters a whole text.
pub fn plain(text: &str) -> String {
    String::from_utf8_lossy(&Plain::default().text(text.as_bytes())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What remains of `text`, as a whole and in each split into two chunks.
    fn of(mode: Mode, text: &[u8]) -> Vec<u8> {
        let whole = Plain::new(mode).text(text);
        for at in 0..=text.len() {
            let mut plain = Plain::new(mode);
            let mut parts = plain.text(&text[..at]);
            parts.extend(plain.text(&text[at..]));
            assert_eq!(parts, whole, "{text:x?} split at {at}");
        }
        whole
    }

    #[test]
    fn control_is_removed_and_text_stays() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"plain text\r\n\ttab\x08", b"plain text\r\n\ttab\x08"),
            ("Größe → 3 µs 🦀\n".as_bytes(), "Größe → 3 µs 🦀\n".as_bytes()),
            // The clipboard, the title, colours, clearing the screen, a report of the terminal.
            (b"a\x1b]52;c;cm0gLXJm\x07b", b"ab"),
            (b"a\x1b]52;c;cm0gLXJm\x1b\\b", b"ab"),
            (b"a\x1b]0;title\x9cb", b"ab"),
            (b"\x1b[31mred\x1b[0m\x1b[2J\x1b[6n\x1b[?1049h!", b"red!"),
            (b"a\x1bPq#0;2\x1b\\b\x1b_x\x1b\\c\x1bXy\x1b\\d\x1b^z\x1b\\e", b"abcde"),
            (b"\x1bca\x1b(0b\x1b#8c\x1b7d", b"abcd"),
            // The same in C1, as bytes and in UTF-8.
            (b"a\x9b31mb\x9d0;t\x07c\x85d", b"abcd"),
            ("a\u{9b}31mb\u{9d}0;t\u{7}c\u{85}d".as_bytes(), b"abcd"),
            // C0.
            (b"a\x00\x05\x07\x0b\x0c\x0e\x0f\x11\x7fb", b"ab"),
            // An unfinished sequence: the line after it is printed.
            (b"a\x1b]0;title\nb", b"a\nb"),
            (b"a\x1b[31\nb", b"a\nb"),
            (b"a\x1b\nb", b"a\nb"),
            (b"a\x1b\x1b[1mb\x1b]x\x1b[1mc", b"abc"),
            // Bytes that are not UTF-8 are neither lost nor control.
            (b"a\xff\xfe\xc3(\xe2\x82b\xf0\x9f\xa6c", b"a\xff\xfe\xc3(\xe2\x82b\xf0\x9f\xa6c"),
        ];
        for (text, expected) in cases {
            let found = of(Mode::All, text);
            assert_eq!(found, *expected, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn the_repl_can_edit_its_line_and_nothing_else() {
        let text = b"ab\x1b[K\x1b[12D\x1b[31m\x1b[2K\x1b[1;2D\x1b[99999999999D\x1b]0;t\x07c";
        assert_eq!(of(Mode::KeepEditing, text), b"ab\x1b[K\x1b[12D\x1b[2Kc");
        assert_eq!(of(Mode::All, text), b"abc");
        assert_eq!(of(Mode::Raw, text), text);
    }

    #[test]
    fn no_stream_of_bytes_leaves_control() {
        let mut state: u32 = 1;
        let bytes: Vec<u8> = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let byte = (state >> 24) as u8;
                // The bytes that sequences are usually made of.
                if state & 0x300 == 0 { b"\x1b[]\x9b\xc2;m\x07"[usize::from(byte) % 8] } else { byte }
            })
            .collect();
        let text = Plain::default().text(&bytes);
        assert!(text.iter().all(|&byte| byte >= b' ' && byte != 0x7f || b"\n\r\t\x08".contains(&byte)));
        let is_c1 = |c: char| ('\u{80}'..'\u{a0}').contains(&c);
        assert!(text.utf8_chunks().all(|chunk| !chunk.valid().contains(is_c1)));
    }
}
