//! Files → an image of MicroPython's read-only filesystem (`extmod/vfs_rom.c` describes the format), which
//! `mpremote romfs deploy` writes to a board's ROM.

use mpy_link::OBJECT_ALIGN;

const HEADER: [u8; 3] = [0xd2, 0xcd, 0x31];
const PADDING: u64 = 1;
const DATA: u64 = 2;
const DIRECTORY: u64 = 4;
const FILE: u64 = 5;

/// A file or a folder of an image.
#[derive(Debug, Clone)]
pub enum Entry {
    File(String, Vec<u8>),
    Folder(String, Vec<Entry>),
    /// So many bytes that mean nothing, to move what follows.
    Padding(usize),
}

/// The image that has these entries at its root.
pub fn image(entries: &[Entry]) -> Vec<u8> {
    let body: Vec<u8> = entries.iter().flat_map(record).collect();
    let mut length = number(body.len() as u64);
    // The files' records begin at even addresses, as their data may have to.
    if (HEADER.len() + length.len() + body.len()) % 2 == 1 {
        length.insert(0, 0x80);
    }
    [&HEADER[..], &length, &body].concat()
}

/// The image of one module in `/lib`. Where it has constant objects, these are aligned as they are in its file.
pub fn module(file: &str, data: &[u8], has_objects: bool) -> Vec<u8> {
    let entry = Entry::File(file.to_owned(), data.to_vec());
    if has_objects {
        // As images have an even length, what follows data of an odd one is odd as well.
        let tail = Entry::Padding(data.len() % 2);
        let behind = data.len() + record(&tail).len();
        for bytes in 0..2 * OBJECT_ALIGN {
            let entries = vec![Entry::Padding(bytes), entry.clone(), tail.clone()];
            let image = image(&[Entry::Folder("lib".to_owned(), entries)]);
            if (image.len() - behind).is_multiple_of(OBJECT_ALIGN) {
                return image;
            }
        }
    }
    image(&[Entry::Folder("lib".to_owned(), vec![entry])])
}

fn record(entry: &Entry) -> Vec<u8> {
    let (kind, name, rest) = match entry {
        Entry::Padding(bytes) => return packed(PADDING, &vec![0; *bytes]),
        Entry::File(name, data) => (FILE, name, packed(DATA, data)),
        Entry::Folder(name, entries) => (DIRECTORY, name, entries.iter().flat_map(record).collect()),
    };
    packed(kind, &[number(name.len() as u64), name.clone().into_bytes(), rest].concat())
}

fn packed(kind: u64, payload: &[u8]) -> Vec<u8> {
    [number(kind), number(payload.len() as u64), payload.to_vec()].concat()
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
            let image = module("a.mpy", &data, true);
            let at = image.windows(data.len()).position(|window| window == data).expect("the data");
            assert!(at.is_multiple_of(OBJECT_ALIGN) && image.len().is_multiple_of(2), "{len}: {at}");
        }
    }

    #[test]
    fn an_image_is_nested_records_of_even_length() {
        let file = |name: &str, data: &[u8]| Entry::File(name.into(), data.to_vec());
        let image = image(&[Entry::Folder("lib".into(), vec![file("a.mpy", b"abc")])]);
        let expected = b"\xd2\xcd\x31\x80\x13\x04\x11\x03lib\x05\x0b\x05a.mpy\x02\x03abc";
        assert_eq!(image, expected);
        assert_eq!(number(300), [0x82, 0x2c]);
    }
}
