//! wasm-bindgen's types, spelled in the letters of `mpy_values.h`, and the WebAssembly values each takes.

use std::collections::BTreeSet;

use crate::types::Scalar;
use crate::wbindgen::{Api, Signature, Type};

/// Which side a value comes from: an owned thing of Python's is made Rust's, or the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Python,
    Rust,
}

/// A type in letters, and the values it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spelled {
    pub letters: Vec<u8>,
    pub words: Vec<Scalar>,
}

impl Spelled {
    fn new(letters: impl Into<Vec<u8>>, words: impl Into<Vec<Scalar>>) -> Self {
        Spelled { letters: letters.into(), words: words.into() }
    }

    /// Whether lowering it takes hold of memory or an object.
    pub(crate) fn acquires(&self) -> bool {
        let first = self.letters.iter().find(|letter| **letter != b'~');
        first.is_some_and(|letter| b"sSVLMoC".contains(letter))
    }

    fn first(&self) -> Option<&u8> {
        self.letters.iter().find(|letter| **letter != b'&')
    }

    /// Whether it is a buffer that Rust borrows.
    pub(crate) fn is_buffer(&self) -> bool {
        self.first().is_some_and(|letter| b"SLM".contains(letter))
    }

    /// Whether what Rust makes of it is to be written back.
    pub(crate) fn is_mutable_buffer(&self) -> bool {
        self.first() == Some(&b'M')
    }

    /// Whether it is an object of Rust's that Rust borrows.
    pub(crate) fn is_borrowed_object(&self) -> bool {
        self.first().is_some_and(|letter| b"RP".contains(letter))
    }

    /// Whether it is lent to Rust without a copy, if that can be.
    pub(crate) fn is_lent(&self) -> bool {
        self.letters.first() == Some(&b'&')
    }

    pub(crate) fn is_option(&self) -> bool {
        self.letters.first() == Some(&b'~')
    }
}

/// A closure's type, by the function in the table that calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closure {
    pub shim: u32,
    pub params: Vec<Spelled>,
    pub result: Spelled,
    pub owned: bool,
    pub mutable: bool,
}

/// Spells types, and remembers what that needs.
pub(crate) struct Speller<'a> {
    pub api: &'a Api,
    pub closures: Vec<Closure>,
    /// Families of types in use: the `x` of `MPY_USES_x`.
    pub uses: BTreeSet<&'static str>,
    pub floats: bool,
    /// By enum, the value that stands for None.
    pub holes: Vec<u32>,
    /// Objects are lent to Rust.
    pub lends: bool,
}

/// Why a type cannot be spelled, and what to do instead.
pub(crate) struct Unspeakable {
    pub what: String,
    pub help: &'static str,
}

type Result<T> = std::result::Result<T, Unspeakable>;

fn refuse<T>(what: impl Into<String>, help: &'static str) -> Result<T> {
    Err(Unspeakable { what: what.into(), help })
}

/// A number in a spelling: one character, counted from 1.
fn numbered(letter: u8, index: usize) -> Result<Vec<u8>> {
    match u8::try_from(index + 1) {
        Ok(number) if number < 255 => Ok(vec![letter, number]),
        _ => refuse(
            "more than 254 classes, enums or kinds of closures",
            "split the crate into several modules",
        ),
    }
}

impl<'a> Speller<'a> {
    pub(crate) fn new(api: &'a Api) -> Self {
        Speller {
            api,
            closures: Vec::new(),
            uses: BTreeSet::new(),
            floats: false,
            holes: vec![0; api.enums.len()],
            lends: false,
        }
    }

    pub(crate) fn spell(&mut self, ty: &Type, from: From) -> Result<Spelled> {
        use Scalar::{F32, F64, I32, I64};
        Ok(match ty {
            Type::Unit => Spelled::new("v", []),
            Type::Bool => Spelled::new("?", [I32]),
            Type::I8 => Spelled::new("b", [I32]),
            Type::U8 => Spelled::new("B", [I32]),
            Type::I16 => Spelled::new("h", [I32]),
            Type::U16 => Spelled::new("H", [I32]),
            Type::I32 => Spelled::new("i", [I32]),
            Type::U32 | Type::RawPointer => Spelled::new("I", [I32]),
            Type::NonNull => Spelled::new("a", [I32]),
            Type::I64 => Spelled::new("q", [I64]),
            Type::U64 => Spelled::new("Q", [I64]),
            Type::I128 | Type::U128 => {
                self.uses.insert("INT128");
                Spelled::new(if *ty == Type::I128 { "n" } else { "N" }, [I64, I64])
            }
            Type::F32 => {
                self.floats = true;
                Spelled::new("f", [F32])
            }
            Type::F64 => {
                self.floats = true;
                Spelled::new("d", [F64])
            }
            Type::Char => {
                self.uses.insert("CHAR");
                Spelled::new("c", [I32])
            }
            Type::String => {
                self.uses.insert("MALLOC");
                Spelled::new("s", [I32, I32])
            }
            Type::Object | Type::Named(_) => {
                self.uses.insert("OBJECTS");
                Spelled::new("o", [I32])
            }
            Type::Struct(name) => Spelled::new(self.class(b'C', name)?, [I32]),
            Type::Enum { name, hole } => {
                let Some(index) = self.api.enums.iter().position(|known| known.name == *name) else {
                    return refuse(format!("the enum `{name}` of another crate"), "define it in this crate");
                };
                self.holes[index] = *hole;
                self.uses.insert("ENUM");
                Spelled::new(numbered(b'e', index)?, [F64])
            }
            Type::StringEnum { name, .. } => {
                let Some(index) = self.api.string_enums.iter().position(|known| known.name == *name) else {
                    return refuse(format!("the enum `{name}` of another crate"), "define it in this crate");
                };
                self.uses.insert("STRING_ENUM");
                Spelled::new(numbered(b'E', index)?, [I32])
            }
            Type::Ref(inner) | Type::RefMut(inner) => {
                self.reference(inner, matches!(ty, Type::RefMut(_)), from)?
            }
            Type::Slice(element) => self.sequence(b'L', element, from)?,
            Type::Vector(element) => self.sequence(b'V', element, from)?,
            Type::Option(inner) => self.option(inner, from)?,
            Type::Result(inner) => {
                self.uses.extend(["RESULT", "OBJECTS"]);
                let Spelled { letters, mut words } = self.spell(inner, from)?;
                words.extend([I32, I32]);
                Spelled::new([b"!", letters.as_slice()].concat(), words)
            }
            Type::Closure { owned, mutable, signature } => self.closure(signature, *owned, *mutable, from)?,
            Type::Function(signature) => self.closure(signature, false, false, from)?,
            Type::Nullable(_) => return refuse("`Nullable`", "use `Option`: Python has one `None`"),
            Type::Union(name) => {
                return refuse(format!("the union `{name}`"), "take a `JsValue` and look what it is");
            }
        })
    }

    fn class(&mut self, letter: u8, name: &str) -> Result<Vec<u8>> {
        let Some(index) = self.api.classes.iter().position(|class| class.name == name) else {
            return refuse(format!("the struct `{name}` of another crate"), "define it in this crate");
        };
        self.uses.insert("CLASS");
        numbered(letter, index)
    }

    fn reference(&mut self, inner: &Type, mutable: bool, from: From) -> Result<Spelled> {
        use Scalar::I32;
        Ok(match inner {
            Type::String => {
                if from == From::Python {
                    self.uses.insert("MALLOC");
                }
                Spelled::new("S", [I32, I32])
            }
            Type::Slice(element) if mutable => {
                let letter = if from == From::Python { b'M' } else { b'W' };
                self.uses.insert(if from == From::Python { "OBJECTS" } else { "WRITE_BACK" });
                let mut spelled = self.sequence(letter, element, from)?;
                if from == From::Python {
                    spelled.words.push(I32);
                }
                spelled
            }
            Type::Slice(element) => self.sequence(b'L', element, from)?,
            Type::Object | Type::Named(_) => {
                self.uses.insert("OBJECTS");
                self.lends |= from == From::Python;
                Spelled::new("O", [I32])
            }
            Type::Struct(name) => Spelled::new(self.class(b'R', name)?, [I32]),
            Type::Function(signature) => self.closure(signature, false, mutable, from)?,
            Type::Closure { signature, .. } => self.closure(signature, false, mutable, from)?,
            // To Python these go as the values themselves.
            Type::Ref(inner) if from == From::Rust => self.reference(inner, mutable, from)?,
            Type::RefMut(inner) if from == From::Rust => self.reference(inner, true, from)?,
            Type::Option(inner) if from == From::Rust => self.option(&Type::Ref(inner.clone()), from)?,
            Type::Bool
            | Type::Char
            | Type::I8
            | Type::U8
            | Type::I16
            | Type::U16
            | Type::I32
            | Type::U32
            | Type::I64
            | Type::U64
            | Type::I128
            | Type::U128
            | Type::F32
            | Type::F64
                if from == From::Rust =>
            {
                self.spell(inner, from)?
            }
            other => return refuse(format!("a reference to {other:?}"), "pass the value itself"),
        })
    }

    fn sequence(&mut self, letter: u8, element: &Type, from: From) -> Result<Spelled> {
        self.uses.extend(["SEQUENCE", "MALLOC"]);
        let of = match element {
            // Elements that are handles of objects in any case.
            Type::Named(name) if name == "string" => {
                self.uses.insert("OBJECTS");
                Spelled::new("t", [])
            }
            Type::Object | Type::Named(_) => {
                self.uses.insert("OBJECTS");
                // A slice of Rust's lends what is in it.
                let lent = letter == b'L' && from == From::Rust;
                Spelled::new(if lent { "O" } else { "o" }, [])
            }
            Type::Struct(name) => {
                self.uses.insert("OBJECTS");
                Spelled::new(self.class(b'k', name)?, [])
            }
            Type::String | Type::Ref(_) if from == From::Rust => match element {
                Type::Ref(inner) if matches!(**inner, Type::Object | Type::Named(_)) => {
                    self.uses.insert("OBJECTS");
                    Spelled::new("p", [])
                }
                Type::String => Spelled::new("S", []),
                Type::Ref(inner) if **inner == Type::String => Spelled::new("S", []),
                other => return refuse(format!("a slice of {other:?}"), "use a `Vec<JsValue>`"),
            },
            Type::I8
            | Type::U8
            | Type::I16
            | Type::U16
            | Type::I32
            | Type::U32
            | Type::I64
            | Type::U64
            | Type::F32
            | Type::F64
            | Type::Bool
            | Type::Char
            | Type::Enum { .. }
            | Type::StringEnum { .. } => self.spell(element, from)?,
            other => return refuse(format!("a sequence of {other:?}"), "use a `Vec<JsValue>`"),
        };
        Ok(Spelled::new([&[letter], of.letters.as_slice()].concat(), [Scalar::I32, Scalar::I32]))
    }

    fn option(&mut self, inner: &Type, from: From) -> Result<Spelled> {
        self.uses.insert("OPTION");
        let Spelled { letters, words } = match inner {
            Type::Nullable(_) | Type::Option(_) => {
                return refuse("an option of an option", "use one `Option`: Python has one `None`");
            }
            _ => self.spell(inner, from)?,
        };
        let words = match letters[0] {
            b'i' | b'I' | b'f' => vec![Scalar::F64],
            b'q' | b'Q' | b'd' | b'n' | b'N' => [vec![Scalar::I32], words].concat(),
            _ => words,
        };
        Ok(Spelled::new([b"~", letters.as_slice()].concat(), words))
    }

    fn closure(&mut self, signature: &Signature, owned: bool, mutable: bool, from: From) -> Result<Spelled> {
        if from == From::Python {
            return refuse(
                "a closure that Python gives",
                "take a `JsValue`, or a type of your own with a method `__call__`",
            );
        }
        self.uses.extend(["CLOSURE", "GUARD", "OBJECTS"]);
        let params =
            signature.params.iter().map(|ty| self.spell(ty, From::Python)).collect::<Result<Vec<_>>>()?;
        let result = self.spell(&signature.result, From::Rust)?;
        let closure = Closure { shim: signature.shim, params, result, owned, mutable };
        let index = self.closures.iter().position(|known| *known == closure).unwrap_or_else(|| {
            self.closures.push(closure);
            self.closures.len() - 1
        });
        Ok(Spelled::new(numbered(b'F', index)?, [Scalar::I32, Scalar::I32]))
    }
}
