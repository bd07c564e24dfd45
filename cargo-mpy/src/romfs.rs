//! Files → an image of MicroPython's read-only filesystem (`extmod/vfs_rom.c` describes the format), which
//! `mpremote romfs deploy` writes to a board's ROM.

use mpy_link::{OBJECT_ALIGN, inspect};

const HEADER: [u8; 3] = [0xd2, 0xcd, 0x31];
const PADDING: u64 = 1;
const DATA: u64 = 2;
const DIRECTORY: u64 = 4;
const FILE: u64 = 5;

/// A file or a folder of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file. If it `has_objects`, it begins where these are aligned.
    File {
        /// Its name.
        name: String,
        /// Its contents.
        data: Vec<u8>,
        /// Whether it is a module with constant objects.
        has_objects: bool,
    },
    /// A folder, by its name and what is in it.
    Folder(String, Vec<Entry>),
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Entry::File { name, .. } | Entry::Folder(name, _) => name,
        }
    }
}

/// The image that has these entries at its root. Its length is even.
pub fn image(entries: &[Entry]) -> Vec<u8> {
    for tail in [&[][..], &[PADDING as u8, 1, 0]] {
        for width in 1..=WIDEST {
            let start = HEADER.len() + width;
            let body = [&records(entries, start), tail].concat();
            let length = number(body.len() as u64);
            // An even length is reached by a number that is one byte longer, or by what means nothing.
            if length.len() <= width && width <= length.len() + 1 && (start + body.len()).is_multiple_of(2) {
                return [&HEADER[..], &widened(length, width), &body].concat();
            }
        }
    }
    unreachable!("one of the two tails has the other parity")
}

/// The length of the image that begins with `bytes`, of which 16 suffice; `None` if that is no image.
pub fn length(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(&HEADER)?;
    let (length, body) = split_number(rest)?;
    (bytes.len() - body.len()).checked_add(length)
}

/// What is in an image; `None` if it is damaged, or has records that this reader does not know.
pub fn entries(image: &[u8]) -> Option<Vec<Entry>> {
    let (length, body) = split_number(image.strip_prefix(&HEADER)?)?;
    inside(body.get(..length)?)
}

fn inside(mut records: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while !records.is_empty() {
        let (kind, payload) = take_record(&mut records)?;
        if kind == PADDING {
            continue;
        }
        let (length, rest) = split_number(payload)?;
        let (name, mut rest) = rest.split_at_checked(length)?;
        let name = str::from_utf8(name).ok()?.to_owned();
        entries.push(match kind {
            DIRECTORY => Entry::Folder(name, inside(rest)?),
            FILE => {
                let (DATA, data) = take_record(&mut rest)? else { return None };
                let has_objects = name.ends_with(".mpy");
                Entry::File { name, data: data.to_vec(), has_objects }
            }
            _ => return None,
        });
    }
    Some(entries)
}

/// The kind and the payload of the first record.
fn take_record<'a>(records: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let (kind, rest) = split_number(records)?;
    let (length, rest) = split_number(rest)?;
    let (payload, rest) = rest.split_at_checked(length)?;
    *records = rest;
    Some((kind as u64, payload))
}

/// The number at the start, and what follows.
fn split_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (number, rest) = bytes.split_at(end);
    let add = |value: usize, byte: &u8| Some(value.checked_mul(0x80)? | usize::from(byte & 0x7f));
    Some((number.iter().try_fold(0, add)?, rest))
}

/// Puts a file at this path, in place of what has its name there. Folders are made.
pub fn put(entries: &mut Vec<Entry>, path: &str, data: Vec<u8>) {
    let Some((folder, rest)) = path.split_once('/') else {
        entries.retain(|entry| entry.name() != path);
        // What another tool made may have objects that only MicroPython finds.
        let has_objects = || inspect::read(&data).map_or(true, |module| !module.objects.is_empty());
        let has_objects = path.ends_with(".mpy") && has_objects();
        entries.push(Entry::File { name: path.to_owned(), data, has_objects });
        return;
    };
    entries.retain(|entry| entry.name() != folder || matches!(entry, Entry::Folder(..)));
    let at = entries.iter().position(|entry| entry.name() == folder).unwrap_or_else(|| {
        entries.push(Entry::Folder(folder.to_owned(), Vec::new()));
        entries.len() - 1
    });
    let Entry::Folder(_, inside) = &mut entries[at] else { unreachable!("no file has its name") };
    put(inside, rest, data);
}

/// How many files there are.
pub fn count(entries: &[Entry]) -> usize {
    let of = |entry: &Entry| match entry {
        Entry::File { .. } => 1,
        Entry::Folder(_, inside) => count(inside),
    };
    entries.iter().map(of).sum()
}

/// The most bytes of a length.
const WIDEST: usize = 5;

/// The records of entries, from the offset `at` in the image.
fn records(entries: &[Entry], at: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in entries {
        all.extend(record(entry, at + all.len()));
    }
    all
}

fn record(entry: &Entry, at: usize) -> Vec<u8> {
    match entry {
        Entry::File { name, data, has_objects } => {
            let record = packed(FILE, &[text(name), packed(DATA, data)].concat());
            let begins = at + record.len() - data.len();
            // A record that means nothing has two bytes at least.
            let padding = match begins.next_multiple_of(OBJECT_ALIGN) - begins {
                _ if !has_objects => return record,
                0 => return record,
                1 => 1 + OBJECT_ALIGN,
                more => more,
            };
            [packed(PADDING, &vec![0; padding - 2]), record].concat()
        }
        Entry::Folder(name, entries) => {
            let name = text(name);
            let made = (1..=WIDEST).find_map(|width| {
                let inside = records(entries, at + 1 + width + name.len());
                let length = number((name.len() + inside.len()) as u64);
                let fits = length.len() <= width;
                fits.then(|| [number(DIRECTORY), widened(length, width), name.clone(), inside].concat())
            });
            made.expect("an image is smaller than 32 GiB")
        }
    }
}

fn text(text: &str) -> Vec<u8> {
    [number(text.len() as u64), text.as_bytes().to_vec()].concat()
}

fn packed(kind: u64, payload: &[u8]) -> Vec<u8> {
    [number(kind), number(payload.len() as u64), payload.to_vec()].concat()
}

/// The same number in so many bytes.
fn widened(mut number: Vec<u8>, width: usize) -> Vec<u8> {
    while number.len() < width {
        number.insert(0, 0x80);
    }
    number
}

/// A number, seven bits to a byte, the most significant first.
fn number(value: u64) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    let mut rest = value >> 7;
    while rest != 0 {
        bytes.insert(0, 0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_with_objects_is_aligned() {
        for len in 5..200 {
            let data: Vec<u8> = (1..=len).collect();
            let at = |image: &[u8], data: &[u8]| image.windows(data.len()).position(|window| window == data);
            let other: Vec<u8> = data.iter().rev().copied().collect();
            let file = |name: &str, data: &[u8]| Entry::File {
                name: name.to_owned(),
                data: data.to_vec(),
                has_objects: true,
            };
            let main =
                Entry::File { name: "main.py".to_owned(), data: b"x = 1".to_vec(), has_objects: false };
            let folder = Entry::Folder("lib".to_owned(), vec![file("b.mpy", &data), file("c.mpy", &other)]);
            let several = image(&[main, folder]);
            assert_eq!(
                (length(&several[..16]), length(&several)),
                (Some(several.len()), Some(several.len()))
            );
            let mut read = entries(&several).expect("an image");
            assert_eq!((count(&read), image(&read) == several), (3, true));
            put(&mut read, "lib/b.mpy", other.clone());
            put(&mut read, "lib/d/e/f.py", data.clone());
            put(&mut read, "lib/d/e/g.py", data.clone());
            assert_eq!(count(&read), 5);
            // A file in place of a folder, and a folder in place of a file.
            put(&mut read, "lib/d", data.clone());
            put(&mut read, "main.py/x", data.clone());
            assert_eq!(count(&read), 4);
            for cut in 0..several.len() {
                assert!(entries(&several[..cut]).is_none(), "{cut}");
            }
            for data in [&data, &other] {
                let begins = at(&several, data).expect("the data");
                assert!(
                    begins.is_multiple_of(OBJECT_ALIGN) && several.len().is_multiple_of(2),
                    "{len}: {begins}"
                );
            }
        }
    }

    #[test]
    fn an_image_is_nested_records_of_even_length() {
        let file = |name: &str, data: &[u8]| {
            let (name, data) = (name.to_owned(), data.to_vec());
            Entry::File { name, data, has_objects: false }
        };
        let image = image(&[Entry::Folder("lib".into(), vec![file("a.mpy", b"abc")])]);
        let expected = b"\xd2\xcd\x31\x80\x13\x04\x11\x03lib\x05\x0b\x05a.mpy\x02\x03abc";
        assert_eq!(image, expected);
        assert_eq!(number(300), [0x82, 0x2c]);
    }
}
