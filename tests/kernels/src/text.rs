//! Text: JSON, base64, string search.

use crate::{Random, mix};

static JSON: &[u8] = br#"{"name":"sensor-7","ok":true,"values":[1,-2,3.5,4e2,-0.125,65535],
 "nested":{"a":[],"b":{},"c":[null,false,"\u00e9\n\"quoted\""]},"text":"The quick brown fox",
 "deep":[[[[[[1]]]]]],"numbers":[10,20,30,40,50,60,70,80,90,100,110,120,130,140,150,160]}"#;

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    sum: u32,
}

impl Parser<'_> {
    fn peek(&self) -> u8 {
        if self.at < self.text.len() { self.text[self.at] } else { 0 }
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n') {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8]) -> bool {
        for byte in word {
            if self.peek() != *byte {
                return false;
            }
            self.at += 1;
        }
        self.sum = mix(self.sum, word.len() as u32);
        true
    }

    fn string(&mut self) -> bool {
        self.at += 1;
        loop {
            let byte = self.peek();
            self.at += 1;
            match byte {
                0 => return false,
                b'"' => return true,
                b'\\' => {
                    let escape = self.peek();
                    self.at += if escape == b'u' { 5 } else { 1 };
                    self.sum = mix(self.sum, u32::from(escape));
                }
                byte => self.sum = mix(self.sum, u32::from(byte)),
            }
        }
    }

    fn number(&mut self) -> bool {
        let mut value = 0u32;
        let start = self.at;
        while matches!(self.peek(), b'0'..=b'9' | b'-' | b'+' | b'.' | b'e') {
            let byte = self.peek();
            value = if byte.is_ascii_digit() {
                value.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'))
            } else {
                mix(value, u32::from(byte))
            };
            self.at += 1;
        }
        self.sum = mix(self.sum, value);
        self.at > start
    }

    fn value(&mut self) -> bool {
        self.space();
        let ok = match self.peek() {
            b'{' | b'[' => {
                let object = self.peek() == b'{';
                let close = if object { b'}' } else { b']' };
                self.at += 1;
                self.space();
                if self.peek() != close {
                    loop {
                        if object {
                            self.space();
                            if self.peek() != b'"' || !self.string() {
                                return false;
                            }
                            self.space();
                            if self.peek() != b':' {
                                return false;
                            }
                            self.at += 1;
                        }
                        if !self.value() {
                            return false;
                        }
                        if self.peek() != b',' {
                            break;
                        }
                        self.at += 1;
                    }
                }
                if self.peek() != close {
                    return false;
                }
                self.at += 1;
                self.sum = mix(self.sum, u32::from(close));
                true
            }
            b'"' => self.string(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        };
        self.space();
        ok
    }
}

/// Recursive-descent validation of a JSON text.
#[cfg_attr(feature = "json", unsafe(no_mangle))]
pub extern "C" fn json(rounds: u32) -> u32 {
    let mut sum = 0;
    for _ in 0..rounds {
        let mut parser = Parser { text: JSON, at: 0, sum };
        let ok = parser.value() && parser.at == JSON.len();
        sum = mix(parser.sum, u32::from(ok));
    }
    sum
}

static ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes 192 bytes and decodes them again.
#[cfg_attr(feature = "base64", unsafe(no_mangle))]
pub extern "C" fn base64(rounds: u32) -> u32 {
    let mut random = Random(10);
    let (mut data, mut text) = ([0u8; 192], [0u8; 256]);
    let mut decode = [0u8; 128];
    for (i, c) in ALPHABET.iter().enumerate() {
        decode[usize::from(*c)] = i as u8;
    }
    let mut sum = 0;
    for _ in 0..rounds {
        data.iter_mut().for_each(|x| *x = random.next() as u8);
        for (from, to) in data.chunks_exact(3).zip(text.chunks_exact_mut(4)) {
            let bits = u32::from(from[0]) << 16 | u32::from(from[1]) << 8 | u32::from(from[2]);
            to[0] = ALPHABET[(bits >> 18 & 63) as usize];
            to[1] = ALPHABET[(bits >> 12 & 63) as usize];
            to[2] = ALPHABET[(bits >> 6 & 63) as usize];
            to[3] = ALPHABET[(bits & 63) as usize];
        }
        for (from, to) in text.chunks_exact(4).zip(data.chunks_exact_mut(3)) {
            let mut bits = 0u32;
            for c in from {
                bits = bits << 6 | u32::from(decode[usize::from(*c & 127)]);
            }
            to[0] = (bits >> 16) as u8;
            to[1] = (bits >> 8) as u8;
            to[2] = bits as u8;
        }
        for byte in text {
            sum = mix(sum, u32::from(byte));
        }
        for byte in data {
            sum = mix(sum, u32::from(byte));
        }
    }
    sum
}

/// Horspool's search for a word in 1 KiB of random letters.
#[cfg_attr(feature = "search", unsafe(no_mangle))]
pub extern "C" fn search(rounds: u32) -> u32 {
    let mut random = Random(11);
    let mut text = [0u8; 1024];
    text.iter_mut().for_each(|x| *x = b'a' + (random.next() % 3) as u8);
    let mut word = [b'a'; 6];
    let mut sum = 0;
    for _ in 0..rounds {
        for letter in &mut word {
            *letter = b'a' + (random.next() % 3) as u8;
        }
        let mut skip = [word.len() as u8; 256];
        for (i, letter) in word[..word.len() - 1].iter().enumerate() {
            skip[usize::from(*letter)] = (word.len() - 1 - i) as u8;
        }
        let mut at = 0;
        while at + word.len() <= text.len() {
            let mut i = word.len();
            while i > 0 && text[at + i - 1] == word[i - 1] {
                i -= 1;
            }
            if i == 0 {
                sum = mix(sum, at as u32);
            }
            at += usize::from(skip[usize::from(text[at + word.len() - 1])]);
        }
    }
    sum
}
