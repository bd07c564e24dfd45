//! Reads native `.mpy` files, for tests and for people.

use std::fmt;

use target_specs::{Diagnostic, Result};

use crate::map::Part;
use crate::mpy::{
    ARCH_FLAGS, KIND_NATIVE, RELOCS_END, SCOPE_BSS, SCOPE_RELOCS, SCOPE_RODATA, STATIC_QSTRS, SUB_VERSION,
    VERSION,
};
use crate::resolve::{FUN_TABLE_FIRST, FUN_TABLE_SYMBOLS};

/// The contents of a native `.mpy` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// The version of the native ABI: the sub-version of the format.
    pub sub_version: u8,
    /// `MP_NATIVE_ARCH_*`.
    pub arch: u8,
    /// The extensions of the architecture that the module needs.
    pub arch_flags: u64,
    /// The number of bits that small integers need.
    pub small_int_bits: u8,
    /// Strings. The first is the name of the source file.
    pub qstrs: Vec<Qstr>,
    /// Constant objects.
    pub objects: Vec<Object>,
    /// Code and constants.
    pub text: Vec<u8>,
    /// Initialised data.
    pub rodata: Vec<u8>,
    /// The size of the zero-initialised data, in bytes.
    pub bss: u64,
    /// The words that the loader relocates, in order.
    pub relocs: Vec<Relocation>,
}

/// An interned string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qstr {
    /// The string.
    pub text: String,
    /// Its number, if it is one of the strings that every MicroPython has. The file then contains only the number.
    pub number: Option<u64>,
}

/// A constant object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// `mp_fun_table`.
    FunTable,
    /// `None`.
    None,
    /// `False`.
    False,
    /// `True`.
    True,
    /// `...`.
    Ellipsis,
    /// A `str`.
    Str(Vec<u8>),
    /// A `bytes` object.
    Bytes(Vec<u8>),
    /// An `int`, in decimal digits.
    Int(Vec<u8>),
    /// A `float`, as text.
    Float(Vec<u8>),
    /// A `complex`, as text.
    Complex(Vec<u8>),
    /// A `tuple`.
    Tuple(Vec<Object>),
}

/// A word to which the loader adds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relocation {
    /// Text or rodata.
    pub part: Part,
    /// The index of the word in that part.
    pub word: u64,
    /// The address that is added.
    pub to: Destination,
}

/// An address that the loader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Destination {
    /// The start of a part.
    Part(Part),
    /// `mp_native_qstr_table`.
    Qstrs,
    /// `mp_native_obj_table`.
    Objects,
    /// `mp_fun_table`.
    FunTable,
    /// The address in an entry of `mp_fun_table`.
    FunEntry(u8),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Part(part) => f.write_str(part.name()),
            Destination::Qstrs => f.write_str("mp_native_qstr_table"),
            Destination::Objects => f.write_str("mp_native_obj_table"),
            Destination::FunTable => f.write_str("mp_fun_table"),
            Destination::FunEntry(entry) => {
                let named =
                    entry.checked_sub(FUN_TABLE_FIRST).and_then(|at| FUN_TABLE_SYMBOLS.get(usize::from(at)));
                match named {
                    Some(name) => f.write_str(name),
                    None => write!(f, "mp_fun_table[{entry}]"),
                }
            }
        }
    }
}

/// Reads a native `.mpy` file.
///
/// # Errors
/// `not-a-module`; `unsupported-module` for bytecode and other versions of the format; `malformed-module`.
pub fn read(bytes: &[u8]) -> Result<Module> {
    let mut reader = Reader { bytes, at: 0 };
    let &[magic, version, feature, small_int_bits] = bytes.first_chunk().unwrap_or(&[0; 4]);
    if magic != b'M' {
        return Err(Diagnostic::new("not-a-module", "this is not a `.mpy` file"));
    }
    reader.at = 4;
    let unsupported = |what: String| Err(Diagnostic::new("unsupported-module", what));
    if version != VERSION {
        return unsupported(format!("a `.mpy` file of version {version}; this reads version {VERSION}"));
    }
    let arch = feature >> 2 & 0xf;
    if arch == 0 {
        return unsupported("a `.mpy` file with bytecode only, no native code".to_owned());
    }
    let sub_version = feature & 3;
    if sub_version != SUB_VERSION {
        return unsupported(format!(
            "native ABI {VERSION}.{sub_version}; this reads {VERSION}.{SUB_VERSION}"
        ));
    }
    let Some(spec) = target_specs::archs().iter().find(|spec| spec.mpy_arch == arch) else {
        return unsupported(format!("unknown architecture number {arch}"));
    };
    let word = u64::from(spec.word_bits / 8);
    let arch_flags = if feature & ARCH_FLAGS == 0 { 0 } else { reader.uint()? };

    let (qstr_count, object_count) = (reader.count()?, reader.count()?);
    let qstrs = (0..qstr_count).map(|_| reader.qstr()).collect::<Result<_>>()?;
    let objects = (0..object_count).map(|_| reader.object(0)).collect::<Result<_>>()?;

    let kind_len = reader.uint()?;
    if kind_len & 7 != KIND_NATIVE as u64 {
        return unsupported("the module does not consist of native code only".to_owned());
    }
    let text = reader.take(kind_len >> 3)?.to_vec();
    let scope = reader.uint()?;
    let rodata_len = if scope & SCOPE_RODATA as u64 != 0 { reader.uint()? } else { 0 };
    let bss = if scope & SCOPE_BSS as u64 != 0 { reader.uint()? } else { 0 };
    let rodata = reader.take(rodata_len)?.to_vec();
    let mut relocs = Vec::new();
    if scope & SCOPE_RELOCS as u64 != 0 {
        let words = |part| match part {
            Part::Text => text.len() as u64 / word,
            _ => rodata.len() as u64 / word,
        };
        relocs = reader.relocs(&words)?;
    }
    if reader.at != bytes.len() {
        return Err(reader.malformed("there are bytes after the end of the module"));
    }
    Ok(Module { sub_version, arch, arch_flags, small_int_bits, qstrs, objects, text, rodata, bss, relocs })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn malformed(&self, what: &str) -> Diagnostic {
        Diagnostic::new("malformed-module", format!("{what}, at byte {}", self.at))
    }

    fn byte(&mut self) -> Result<u8> {
        let byte =
            self.bytes.get(self.at).copied().ok_or_else(|| self.malformed("the file ends too early"))?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        let taken = taken.ok_or_else(|| self.malformed("the file ends too early"))?;
        self.at += taken.len();
        Ok(taken)
    }

    fn uint(&mut self) -> Result<u64> {
        let mut value: u64 = 0;
        loop {
            let byte = self.byte()?;
            if value >> 57 != 0 {
                return Err(self.malformed("a number is too large"));
            }
            value = value << 7 | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
    }

    /// The number of elements, each of which has at least one byte.
    fn count(&mut self) -> Result<usize> {
        let count = self.uint()?;
        let rest = self.bytes.len() - self.at;
        usize::try_from(count)
            .ok()
            .filter(|&count| count <= rest)
            .ok_or_else(|| self.malformed("the file ends too early"))
    }

    /// Bytes and the zero after them.
    fn terminated(&mut self, len: u64) -> Result<&'a [u8]> {
        let bytes = self.take(len)?;
        if self.byte()? != 0 {
            return Err(self.malformed("a string is not terminated"));
        }
        Ok(bytes)
    }

    fn qstr(&mut self) -> Result<Qstr> {
        let len = self.uint()?;
        if len & 1 != 0 {
            let number = len >> 1;
            let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            let text = at.and_then(|at| STATIC_QSTRS.get(at));
            let text = text.ok_or_else(|| self.malformed("a string that not every MicroPython has"))?;
            return Ok(Qstr { text: (*text).to_owned(), number: Some(number) });
        }
        let text = self.terminated(len >> 1)?;
        Ok(Qstr { text: String::from_utf8_lossy(text).into_owned(), number: None })
    }

    fn object(&mut self, depth: u32) -> Result<Object> {
        /// Tuples in tuples.
        const DEPTH_LIMIT: u32 = 64;
        let kind = self.byte()?;
        match kind {
            0 => return Ok(Object::FunTable),
            1 => return Ok(Object::None),
            2 => return Ok(Object::False),
            3 => return Ok(Object::True),
            4 => return Ok(Object::Ellipsis),
            _ => {}
        }
        if kind == 10 {
            let count = self.count()?;
            if depth >= DEPTH_LIMIT {
                return Err(self.malformed("tuples are nested too deeply"));
            }
            return Ok(Object::Tuple((0..count).map(|_| self.object(depth + 1)).collect::<Result<_>>()?));
        }
        let len = self.uint()?;
        Ok(match kind {
            5 => Object::Str(self.terminated(len)?.to_vec()),
            6 => Object::Bytes(self.terminated(len)?.to_vec()),
            7 => Object::Int(self.take(len)?.to_vec()),
            8 => Object::Float(self.take(len)?.to_vec()),
            9 => Object::Complex(self.take(len)?.to_vec()),
            _ => return Err(self.malformed("an object of unknown kind")),
        })
    }

    /// As `mp_native_relocate`; `words` says how many there are in a part.
    fn relocs(&mut self, words: &dyn Fn(Part) -> u64) -> Result<Vec<Relocation>> {
        let mut relocs = Vec::new();
        let (mut part, mut word) = (Part::Text, None);
        loop {
            let operation = self.byte()?;
            if operation == RELOCS_END {
                return Ok(relocs);
            }
            if operation & 1 != 0 {
                let place = self.uint()?;
                part = if place & 1 == 0 { Part::Text } else { Part::Rodata };
                word = Some(place >> 1);
            }
            let mut run = 1;
            let to = match operation >> 1 {
                kind @ 0..=5 => {
                    if kind & 1 != 0 {
                        run = self.uint()?;
                    }
                    Destination::Part([Part::Text, Part::Rodata, Part::Bss][usize::from(kind >> 1)])
                }
                6 => Destination::Qstrs,
                7 => Destination::Objects,
                8 => Destination::FunTable,
                entry => Destination::FunEntry(entry - 9),
            };
            let first = word.ok_or_else(|| self.malformed("the first relocation has no address"))?;
            let end = first.checked_add(run).filter(|&end| end <= words(part));
            let end = end.ok_or_else(|| self.malformed("a relocation is outside of the module"))?;
            if relocs.len() as u64 + run > words(Part::Text) + words(Part::Rodata) {
                return Err(self.malformed("a word is relocated twice"));
            }
            relocs.extend((first..end).map(|word| Relocation { part, word, to }));
            word = Some(end);
        }
    }
}
