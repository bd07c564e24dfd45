//! Writes a native module as a `.mpy` file, version 6.3. MicroPython reads it in `py/persistentcode.c`: `mp_raw_code_load`,
//! `load_raw_code` and `mp_native_relocate`.

use crate::image::{Contents, LoadReloc, load_kind};
use crate::layout::{Base, Region};
use crate::options::Bytes;

/// `MPY_VERSION`: the version of the format.
pub const VERSION: u8 = 6;
/// `MPY_SUB_VERSION`: the version of the native ABI.
pub const SUB_VERSION: u8 = 3;
/// The number of bits of a small integer that bytecode in the file needs. Every MicroPython has as many.
const SMALL_INT_BITS: u8 = 31;
/// `MPY_FEATURE_ARCH_FLAGS`: the header is followed by a number, the extensions of the architecture that the module needs.
pub const ARCH_FLAGS: u8 = 0x40;
/// `MP_CODE_NATIVE_VIPER - MP_CODE_BYTECODE`.
pub const KIND_NATIVE: usize = 2;
/// `MP_SCOPE_FLAG_VIPER*`.
pub const SCOPE_RELOCS: usize = 0x10;
pub const SCOPE_RODATA: usize = 0x20;
pub const SCOPE_BSS: usize = 0x40;
/// `MP_PERSISTENT_OBJ_BYTES`.
const OBJECT_BYTES: u8 = 6;
/// The alignment in bytes of the contents of objects in the file.
pub const OBJECT_ALIGN: usize = 4;
/// The end of the relocations.
pub const RELOCS_END: u8 = 0xff;

/// The header, and what is before the code.
pub struct Head<'a> {
    /// `MP_NATIVE_ARCH_*`.
    pub arch: u8,
    /// Extensions of the architecture, 0 for none.
    pub arch_flags: u32,
    /// The first is the name of the source file.
    pub qstrs: &'a [&'a str],
    pub objects: &'a [Bytes],
}

/// The bytes of a `.mpy` file.
pub fn write(head: &Head, contents: &Contents, bss: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(contents.text.len() + contents.rodata.len() + 64);
    let flags = if head.arch_flags == 0 { 0 } else { ARCH_FLAGS };
    out.extend([b'M', VERSION, flags | head.arch << 2 | SUB_VERSION, SMALL_INT_BITS]);
    if head.arch_flags != 0 {
        uint(&mut out, head.arch_flags as usize);
    }
    uint(&mut out, head.qstrs.len());
    uint(&mut out, head.objects.len());
    for text in head.qstrs {
        qstr(&mut out, text);
    }
    for object in head.objects {
        bytes(&mut out, &object.data);
    }
    uint(&mut out, contents.text.len() << 3 | KIND_NATIVE);
    out.extend(&contents.text);
    let mut scope = SCOPE_RELOCS;
    if !contents.rodata.is_empty() {
        scope |= SCOPE_RODATA;
    }
    if bss > 0 {
        scope |= SCOPE_BSS;
    }
    uint(&mut out, scope);
    if !contents.rodata.is_empty() {
        uint(&mut out, contents.rodata.len());
    }
    if bss > 0 {
        uint(&mut out, bss as usize);
    }
    out.extend(&contents.rodata);
    relocs(&mut out, &contents.relocs);
    out.push(RELOCS_END);
    out
}

/// Writes a number: seven bits per byte, the most significant first. The upper bit of all bytes but the last is set.
fn uint(out: &mut Vec<u8>, value: usize) {
    let groups = (usize::BITS - value.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = if group > 0 { 0x80 } else { 0 };
        out.push((value >> (7 * group) & 0x7f) as u8 | more);
    }
}

/// Writes a `bytes` object. Its contents are aligned if the file is, by leading zeros of the length.
fn bytes(out: &mut Vec<u8>, data: &[u8]) {
    out.push(OBJECT_BYTES);
    let mut length = Vec::new();
    uint(&mut length, data.len());
    while !(out.len() + length.len()).is_multiple_of(OBJECT_ALIGN) {
        out.push(0x80);
    }
    out.extend(length);
    out.extend(data);
    out.push(0);
}

/// Writes a string, or its number if every MicroPython has it.
fn qstr(out: &mut Vec<u8>, text: &str) {
    match STATIC_QSTRS.iter().position(|&known| known == text) {
        Some(number) => uint(out, (number + 1) << 1 | 1),
        None => {
            uint(out, text.len() << 1);
            out.extend(text.as_bytes());
            out.push(0);
        }
    }
}

/// Writes relocations, which are sorted by address. Consecutive words with the same base are a run. A word that follows the
/// last one needs no address.
fn relocs(out: &mut Vec<u8>, relocs: &[LoadReloc]) {
    let mut next = None;
    let mut rest = relocs;
    while let Some(&first) = rest.first() {
        let countable = matches!(first.base, Base::Region(_));
        let follows = |(index, reloc): &(usize, &LoadReloc)| {
            reloc.region == first.region
                && reloc.base == first.base
                && reloc.word == first.word + *index as u32
        };
        let run = if countable { rest.iter().enumerate().take_while(follows).count() } else { 1 };
        let has_place = next != Some((first.region, first.word));
        let kind = load_kind(first.base);
        // The three countable kinds have two numbers each, the second for runs.
        let operation = if countable { kind << 1 | u8::from(run > 1) } else { kind };
        out.push(operation << 1 | u8::from(has_place));
        if has_place {
            uint(out, (first.word as usize) << 1 | usize::from(first.region == Region::Rodata));
        }
        if run > 1 {
            uint(out, run);
        }
        next = Some((first.region, first.word + run as u32));
        rest = &rest[run..];
    }
}

/// The strings that have the same number in every MicroPython that reads this version, from 1 (`py/makeqstrdata.py`,
/// `static_qstr_list`: a change there is a new version of the format).
pub static STATIC_QSTRS: &[&str] = &[
    "",
    "__dir__",
    "\n",
    " ",
    "*",
    "/",
    "<module>",
    "_",
    "__call__",
    "__class__",
    "__delitem__",
    "__enter__",
    "__exit__",
    "__getattr__",
    "__getitem__",
    "__hash__",
    "__init__",
    "__int__",
    "__iter__",
    "__len__",
    "__main__",
    "__module__",
    "__name__",
    "__new__",
    "__next__",
    "__qualname__",
    "__repr__",
    "__setitem__",
    "__str__",
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "EOFError",
    "Ellipsis",
    "Exception",
    "GeneratorExit",
    "ImportError",
    "IndentationError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "NameError",
    "NoneType",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "RuntimeError",
    "StopIteration",
    "SyntaxError",
    "SystemExit",
    "TypeError",
    "ValueError",
    "ZeroDivisionError",
    "abs",
    "all",
    "any",
    "append",
    "args",
    "bool",
    "builtins",
    "bytearray",
    "bytecode",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "clear",
    "close",
    "const",
    "copy",
    "count",
    "dict",
    "dir",
    "divmod",
    "end",
    "endswith",
    "eval",
    "exec",
    "extend",
    "find",
    "format",
    "from_bytes",
    "get",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "id",
    "index",
    "insert",
    "int",
    "isalpha",
    "isdigit",
    "isinstance",
    "islower",
    "isspace",
    "issubclass",
    "isupper",
    "items",
    "iter",
    "join",
    "key",
    "keys",
    "len",
    "list",
    "little",
    "locals",
    "lower",
    "lstrip",
    "main",
    "map",
    "micropython",
    "next",
    "object",
    "open",
    "ord",
    "pop",
    "popitem",
    "pow",
    "print",
    "range",
    "read",
    "readinto",
    "readline",
    "remove",
    "replace",
    "repr",
    "reverse",
    "rfind",
    "rindex",
    "round",
    "rsplit",
    "rstrip",
    "self",
    "send",
    "sep",
    "set",
    "setattr",
    "setdefault",
    "sort",
    "sorted",
    "split",
    "start",
    "startswith",
    "staticmethod",
    "step",
    "stop",
    "str",
    "strip",
    "sum",
    "super",
    "throw",
    "to_bytes",
    "tuple",
    "type",
    "update",
    "upper",
    "utf-8",
    "value",
    "values",
    "write",
    "zip",
];
