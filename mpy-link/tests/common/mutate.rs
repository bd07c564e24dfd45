//! Damage to files: numbers of their structure set to values at the ends of ranges, and bytes at random.

/// Numbers that look random and are the same every time (Marsaglia, "Xorshift RNGs").
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A number in a file.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    at: usize,
    len: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Little,
    Big,
    /// Digits and spaces, as in the headers of archives.
    Decimal,
}

impl Number {
    fn get(self, data: &[u8]) -> u64 {
        let Some(bytes) = data.get(self.at..self.at + self.len) else { return 0 };
        match self.kind {
            Kind::Little => bytes.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte)),
            Kind::Big => bytes.iter().fold(0, |all, &byte| all << 8 | u64::from(byte)),
            Kind::Decimal => String::from_utf8_lossy(bytes).trim().parse().unwrap_or(0),
        }
    }

    fn set(self, data: &mut [u8], value: u64) {
        let Some(bytes) = data.get_mut(self.at..self.at + self.len) else { return };
        match self.kind {
            Kind::Little => bytes.copy_from_slice(&value.to_le_bytes()[..self.len]),
            Kind::Big => bytes.copy_from_slice(&value.to_be_bytes()[8 - self.len..]),
            Kind::Decimal => {
                let digits = format!("{value:<20}");
                bytes.copy_from_slice(&digits.as_bytes()[..self.len]);
            }
        }
    }
}

/// The numbers of the structure of an ELF file, an archive or a `.mpy` file.
pub fn numbers(data: &[u8]) -> Vec<Number> {
    let mut found = Vec::new();
    if data.starts_with(b"!<arch>\n") {
        archive(data, &mut found);
    } else {
        elf(data, 0, &mut found);
    }
    found
}

fn little(data: &[u8], at: usize, len: usize) -> usize {
    Number { at, len, kind: Kind::Little }.get(data) as usize
}

/// *System V ABI*, "Object Files": the header, sections, symbols, relocations, and what attributes, groups and notes
/// are made of.
fn elf(data: &[u8], start: usize, found: &mut Vec<Number>) {
    let file = &data[start..];
    if !file.starts_with(b"\x7fELF") || file.len() < 64 {
        return;
    }
    let is_64 = file[4] == 2;
    let mut add = |at: usize, sizes: &[usize]| {
        let mut at = at;
        for &len in sizes {
            found.push(Number { at: start + at, len, kind: Kind::Little });
            at += len;
        }
    };
    let word = if is_64 { 8 } else { 4 };
    add(4, &[1, 1, 1, 1]);
    add(16, &[2, 2, 4, word, word, word, 4, 2, 2, 2, 2, 2, 2]);
    let (table, first) = if is_64 { (40, 60) } else { (32, 48) };
    let (offset, count) = (little(file, table, word), little(file, first, 2));
    let size = if is_64 { 64 } else { 40 };
    for section in 0..count {
        let at = offset + section * size;
        if at + size > file.len() {
            return;
        }
        // Name, type, flags, address, offset, size, link, info, alignment, entry size.
        add(at, &[4, 4, word, word, word, word, 4, 4, word, word]);
        let kind = little(file, at + 4, 4);
        let (from, len) = (little(file, at + 8 + 2 * word, word), little(file, at + 8 + 3 * word, word));
        let (entry, parts): (usize, &[usize]) = match (kind, is_64) {
            // Symbols: name, value, size, information, visibility, section.
            (2, false) => (16, &[4, 4, 4, 1, 1, 2]),
            (2, true) => (24, &[4, 1, 1, 2, 8, 8]),
            // RELA, REL: the type and the symbol of a relocation are one number, but in different bytes.
            (4, false) => (12, &[4, 1, 3, 4]),
            (4, true) => (24, &[8, 4, 4, 8]),
            (9, false) => (8, &[4, 1, 3]),
            (9, true) => (16, &[8, 4, 4]),
            // Notes, groups.
            (7 | 17, _) => (4, &[4]),
            // Attributes.
            (0x7000_0003, _) => (1, &[1]),
            _ => continue,
        };
        for number in 0..len / entry {
            if from + (number + 1) * entry <= file.len() {
                add(from + number * entry, parts);
            }
        }
    }
}

/// `ar`: the numbers of each member's header, the index, and the members themselves.
fn archive(data: &[u8], found: &mut Vec<Number>) {
    let mut at = 8;
    while at + 60 <= data.len() {
        // Name, time, owner, group, mode, size.
        let size = Number { at: at + 48, len: 10, kind: Kind::Decimal };
        found.push(size);
        if data[at] == b'/' {
            found.push(Number { at: at + 1, len: 15, kind: Kind::Decimal });
        }
        found.push(Number { at, len: 1, kind: Kind::Little });
        let (start, len) = (at + 60, size.get(data) as usize);
        if data[at..].starts_with(b"/               ") {
            let symbols =
                (0..len.min(4096) / 4).map(|n| Number { at: start + 4 * n, len: 4, kind: Kind::Big });
            found.extend(symbols);
        }
        if start < data.len() {
            elf(data, start, found);
        }
        at = (start + len).next_multiple_of(2);
    }
}

/// Where ranges of sizes, counts and offsets end.
const ENDS: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Sets each of the numbers of `seed`, one at a time, to where ranges end and to what is beside it.
pub fn every_end(seed: &[u8], numbers: &[Number], test: &mut dyn FnMut(&[u8])) {
    let mut data = seed.to_vec();
    for number in numbers {
        let old = number.get(seed);
        for value in ENDS.into_iter().chain([old.wrapping_sub(1), old.wrapping_add(1), old.wrapping_mul(2)]) {
            number.set(&mut data, value);
            test(&data);
        }
        data.copy_from_slice(seed);
    }
}

/// Changes one to three things in `data`, which has these numbers.
pub fn mutate(random: &mut Random, data: &mut Vec<u8>, numbers: &[Number]) {
    for _ in 0..=random.below(3) {
        if numbers.is_empty() || random.below(4) == 0 {
            scramble(random, data);
            continue;
        }
        let number = *random.one_of(numbers);
        let old = number.get(data);
        let size = data.len() as u64;
        // The powers of two and what is beside them are where sizes, counts and signs end.
        let power = 1u64 << random.below(number.len.min(8) * 8);
        let value = match random.below(12) {
            0 => 0,
            1 => u64::MAX,
            2 => power,
            3 => power.wrapping_sub(1),
            4 => power.wrapping_neg(),
            5 => old.wrapping_add(1),
            6 => old.wrapping_sub(1),
            7 => old ^ power,
            8 => old.wrapping_neg(),
            9 => size.wrapping_add(random.below(9) as u64).wrapping_sub(4),
            10 => random.one_of(numbers).get(data),
            _ => random.next() >> random.below(64),
        };
        number.set(data, value);
    }
}

/// Changes a few bytes, wherever they are.
pub fn scramble(random: &mut Random, data: &mut Vec<u8>) {
    let Some(last) = data.len().checked_sub(1) else { return };
    let at = random.below(last + 1);
    match random.below(8) {
        0 => data.truncate(at),
        1 => drop(data.drain(at..(at + random.below(64)).min(last + 1))),
        2 => {
            // A number of seven bits a byte that does not end, or is too large.
            let many = vec![*random.one_of(&[0x80, 0xff]); random.below(12)];
            data.splice(at..at, many);
        }
        3 => {
            let copy = data[at..(at + random.below(16)).min(last + 1)].to_vec();
            let to = random.below(last + 1);
            data.splice(to..to, copy);
        }
        4 => data[at] ^= 1 << random.below(8),
        5 => data[at] = random.next() as u8,
        _ => data[at] = *random.one_of(&[0, 1, 0x7f, 0x80, 0xff]),
    }
}
