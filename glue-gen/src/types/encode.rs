//! wasm-bindgen's types in the encoding of `mpy_values.h`, and the WebAssembly values of each.

use std::collections::BTreeSet;

use super::scalar::Scalar;
use crate::wbindgen::{Api, Signature, Type};

/// The direction of a value. It decides who owns the value afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    FromPython,
    FromRust,
}

/// The number of a class, an enum or a type of closures: one character, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(u8);

impl Number {
    /// The number of element `index` of a table.
    pub(crate) fn of(index: usize) -> Result<Number> {
        match u8::try_from(index + 1) {
            Ok(number) if number < 255 => Ok(Number(number)),
            _ => unsupported(
                "more than 254 classes, enums or kinds of closures",
                "split the crate into several modules",
            ),
        }
    }

    /// The index in the table.
    pub(crate) fn index(self) -> u8 {
        self.0 - 1
    }
}

/// A type, as the interpreter in `mpy_values.h` knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Wire {
    #[default]
    Unit,
    Bool,
    Char,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    /// An address that is not null.
    NonNull,
    I64,
    U64,
    I128,
    U128,
    F32,
    F64,
    /// An `f64` that becomes an `int` in Python if it is a whole number.
    Number,
    String,
    Str,
    /// An object that Rust owns, and one that it borrows.
    Object,
    ObjectRef,
    /// A future as an object, which borrows the objects of classes that the call borrows, and may return a float.
    Future {
        float: bool,
    },
    /// Elements of sequences: a `str` as an object, a borrowed object, an object of a class.
    StringObject,
    BorrowedObject,
    ClassObject(Number),
    Vector(Box<Wire>),
    Slice(Box<Wire>),
    /// A mutable slice of a buffer of Python, and one of Rust.
    MutSlice(Box<Wire>),
    RustMutSlice(Box<Wire>),
    /// The type that is passed without a copy, if the buffer can be used directly.
    Borrowed(Box<Wire>),
    /// An object of a class, a reference to one, and a reference for the access to a field.
    Class(Number),
    ClassRef(Number),
    FieldRef(Number),
    Enum(Number),
    StringEnum(Number),
    Closure(Number),
    Option(Box<Wire>),
    Result(Box<Wire>),
}

impl Wire {
    /// Appends the letters of the type.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let (letter, number, inner) = self.parts();
        out.push(letter);
        out.extend(number.map(|number| number.0));
        if let Some(inner) = inner {
            inner.encode(out);
        }
    }

    /// The letter of the type and those of the types that it consists of, without numbers.
    pub(crate) fn letters(&self) -> impl Iterator<Item = u8> {
        std::iter::successors(Some(self), |wire| wire.parts().2).map(|wire| wire.parts().0)
    }

    /// The letter of the type, its number, and the type that follows.
    fn parts(&self) -> (u8, Option<Number>, Option<&Wire>) {
        match self {
            Wire::Unit => (b'v', None, None),
            Wire::Bool => (b'?', None, None),
            Wire::Char => (b'c', None, None),
            Wire::I8 => (b'b', None, None),
            Wire::U8 => (b'B', None, None),
            Wire::I16 => (b'h', None, None),
            Wire::U16 => (b'H', None, None),
            Wire::I32 => (b'i', None, None),
            Wire::U32 => (b'I', None, None),
            Wire::NonNull => (b'a', None, None),
            Wire::I64 => (b'q', None, None),
            Wire::U64 => (b'Q', None, None),
            Wire::I128 => (b'n', None, None),
            Wire::U128 => (b'N', None, None),
            Wire::F32 => (b'f', None, None),
            Wire::F64 => (b'd', None, None),
            Wire::Number => (b'D', None, None),
            Wire::String => (b's', None, None),
            Wire::Str => (b'S', None, None),
            Wire::Object => (b'o', None, None),
            Wire::ObjectRef => (b'O', None, None),
            Wire::Future { float } => (if *float { b'Y' } else { b'A' }, None, None),
            Wire::StringObject => (b't', None, None),
            Wire::BorrowedObject => (b'p', None, None),
            Wire::ClassObject(number) => (b'k', Some(*number), None),
            Wire::Vector(inner) => (b'V', None, Some(inner)),
            Wire::Slice(inner) => (b'L', None, Some(inner)),
            Wire::MutSlice(inner) => (b'M', None, Some(inner)),
            Wire::RustMutSlice(inner) => (b'W', None, Some(inner)),
            Wire::Borrowed(inner) => (b'&', None, Some(inner)),
            Wire::Class(number) => (b'C', Some(*number), None),
            Wire::ClassRef(number) => (b'R', Some(*number), None),
            Wire::FieldRef(number) => (b'P', Some(*number), None),
            Wire::Enum(number) => (b'e', Some(*number), None),
            Wire::StringEnum(number) => (b'E', Some(*number), None),
            Wire::Closure(number) => (b'F', Some(*number), None),
            Wire::Option(inner) => (b'~', None, Some(inner)),
            Wire::Result(inner) => (b'!', None, Some(inner)),
        }
    }

    /// The letter of a number in one value, which one expression converts.
    pub(crate) fn number_letter(&self) -> Option<char> {
        use Wire::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
        let mut letters = Vec::new();
        match self {
            I8 | U8 | I16 | U16 | I32 | U32 | I64 | U64 | F32 | F64 => self.encode(&mut letters),
            _ => return None,
        }
        letters.first().map(|&letter| char::from(letter))
    }
}

/// A family of types. Its support in C is compiled only if it is used: `MPY_USES_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Class,
    Closure,
    Enum,
    Future,
    Guard,
    Malloc,
    Objects,
    Option,
    Result,
    Sequence,
    StringEnum,
    WriteBack,
}

impl Family {
    /// The `x` of `MPY_USES_x`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::Class => "CLASS",
            Family::Closure => "CLOSURE",
            Family::Enum => "ENUM",
            Family::Future => "FUTURE",
            Family::Guard => "GUARD",
            Family::Malloc => "MALLOC",
            Family::Objects => "OBJECTS",
            Family::Option => "OPTION",
            Family::Result => "RESULT",
            Family::Sequence => "SEQUENCE",
            Family::StringEnum => "STRING_ENUM",
            Family::WriteBack => "WRITE_BACK",
        }
    }
}

/// A type and its WebAssembly values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Encoded {
    pub wire: Wire,
    pub words: Vec<Scalar>,
}

impl Encoded {
    pub(crate) fn new(wire: Wire, words: impl Into<Vec<Scalar>>) -> Self {
        Encoded { wire, words: words.into() }
    }

    /// Whether its conversion from Python allocates memory or registers an object.
    pub(crate) fn acquires(&self) -> bool {
        let wire = if let Wire::Option(inner) = &self.wire { inner } else { &self.wire };
        matches!(
            wire,
            Wire::String
                | Wire::Str
                | Wire::Vector(_)
                | Wire::Slice(_)
                | Wire::MutSlice(_)
                | Wire::Object
                | Wire::Class(_)
        )
    }

    fn buffer(&self) -> &Wire {
        if let Wire::Borrowed(inner) = &self.wire { inner } else { &self.wire }
    }

    /// Whether it is a buffer that Rust borrows.
    pub(crate) fn is_buffer(&self) -> bool {
        matches!(self.buffer(), Wire::Str | Wire::Slice(_) | Wire::MutSlice(_))
    }

    /// Whether Rust can change the buffer.
    pub(crate) fn is_mutable_buffer(&self) -> bool {
        matches!(self.buffer(), Wire::MutSlice(_))
    }

    /// Whether it is an object of a class that Rust borrows.
    pub(crate) fn is_borrowed_object(&self) -> bool {
        matches!(self.buffer(), Wire::ClassRef(_) | Wire::FieldRef(_))
    }

    /// Whether it is passed to Rust without a copy, if possible.
    pub(crate) fn borrowed(&self) -> bool {
        matches!(self.wire, Wire::Borrowed(_))
    }

    pub(crate) fn is_option(&self) -> bool {
        matches!(self.wire, Wire::Option(_))
    }
}

/// The type of a closure, with the function in the table that calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closure {
    pub shim: u32,
    pub params: Vec<Encoded>,
    pub result: Encoded,
    pub owned: bool,
    pub mutable: bool,
}

/// Encodes types, and records what they need.
pub(crate) struct TypeEncoder<'a> {
    pub api: &'a Api,
    pub closures: Vec<Closure>,
    /// The families of types in use.
    pub uses: BTreeSet<Family>,
    pub floats: bool,
    /// By enum, the value that represents None.
    pub none_values: Vec<u32>,
    /// Whether objects are borrowed by Rust.
    pub lends: bool,
}

/// A type that cannot be encoded, and what to do instead.
pub(crate) struct UnsupportedType {
    pub what: String,
    pub help: &'static str,
}

type Result<T> = std::result::Result<T, UnsupportedType>;

fn unsupported<T>(what: impl Into<String>, help: &'static str) -> Result<T> {
    Err(UnsupportedType { what: what.into(), help })
}

impl<'a> TypeEncoder<'a> {
    pub(crate) fn new(api: &'a Api) -> Self {
        TypeEncoder {
            api,
            closures: Vec::new(),
            uses: BTreeSet::new(),
            floats: false,
            none_values: vec![0; api.enums.len()],
            lends: false,
        }
    }

    pub(crate) fn encode(&mut self, ty: &Type, direction: Direction) -> Result<Encoded> {
        use Scalar::{F32, F64, I32, I64};
        Ok(match ty {
            Type::Unit => Encoded::new(Wire::Unit, []),
            Type::Bool => Encoded::new(Wire::Bool, [I32]),
            Type::I8 => Encoded::new(Wire::I8, [I32]),
            Type::U8 => Encoded::new(Wire::U8, [I32]),
            Type::I16 => Encoded::new(Wire::I16, [I32]),
            Type::U16 => Encoded::new(Wire::U16, [I32]),
            Type::I32 => Encoded::new(Wire::I32, [I32]),
            Type::U32 | Type::RawPointer => Encoded::new(Wire::U32, [I32]),
            Type::NonNull => Encoded::new(Wire::NonNull, [I32]),
            Type::I64 => Encoded::new(Wire::I64, [I64]),
            Type::U64 => Encoded::new(Wire::U64, [I64]),
            Type::I128 => Encoded::new(Wire::I128, [I64, I64]),
            Type::U128 => Encoded::new(Wire::U128, [I64, I64]),
            Type::F32 => {
                self.floats = true;
                Encoded::new(Wire::F32, [F32])
            }
            Type::F64 => {
                self.floats = true;
                Encoded::new(Wire::F64, [F64])
            }
            Type::Char => Encoded::new(Wire::Char, [I32]),
            Type::String => {
                self.uses.insert(Family::Malloc);
                Encoded::new(Wire::String, [I32, I32])
            }
            Type::Object | Type::Named(_) => {
                self.uses.insert(Family::Objects);
                Encoded::new(Wire::Object, [I32])
            }
            Type::Struct(name) => Encoded::new(Wire::Class(self.class(name)?), [I32]),
            Type::Enum { name, none_value } => {
                let Some(index) = self.api.enums.iter().position(|known| known.name == *name) else {
                    return unsupported(
                        format!("the enum `{name}` of another crate"),
                        "define it in this crate",
                    );
                };
                self.none_values[index] = *none_value;
                self.uses.insert(Family::Enum);
                Encoded::new(Wire::Enum(Number::of(index)?), [F64])
            }
            Type::StringEnum { name, .. } => {
                let Some(index) = self.api.string_enums.iter().position(|known| known.name == *name) else {
                    return unsupported(
                        format!("the enum `{name}` of another crate"),
                        "define it in this crate",
                    );
                };
                self.uses.insert(Family::StringEnum);
                Encoded::new(Wire::StringEnum(Number::of(index)?), [I32])
            }
            Type::Ref(inner) | Type::RefMut(inner) => {
                self.reference(inner, matches!(ty, Type::RefMut(_)), direction)?
            }
            Type::Slice(element) => self.sequence(Wire::Slice, element, direction)?,
            Type::Vector(element) => self.sequence(Wire::Vector, element, direction)?,
            Type::Option(inner) => self.option(inner, direction)?,
            Type::Result(inner) => {
                self.uses.extend([Family::Result, Family::Objects]);
                let Encoded { wire, mut words } = self.encode(inner, direction)?;
                words.extend([I32, I32]);
                Encoded::new(Wire::Result(Box::new(wire)), words)
            }
            Type::Closure { owned, mutable, signature } => {
                self.closure(signature, *owned, *mutable, direction)?
            }
            Type::Function(signature) => self.closure(signature, false, false, direction)?,
            Type::Nullable(_) => return unsupported("`Nullable`", "use `Option`: Python has one `None`"),
            Type::Union(name) => {
                return unsupported(format!("the union `{name}`"), "take a `JsValue` and look what it is");
            }
        })
    }

    fn class(&mut self, name: &str) -> Result<Number> {
        let Some(index) = self.api.classes.iter().position(|class| class.name == name) else {
            return unsupported(format!("the struct `{name}` of another crate"), "define it in this crate");
        };
        self.uses.insert(Family::Class);
        Number::of(index)
    }

    fn reference(&mut self, inner: &Type, mutable: bool, direction: Direction) -> Result<Encoded> {
        use Scalar::I32;
        let from_python = direction == Direction::FromPython;
        Ok(match inner {
            Type::String => {
                if from_python {
                    self.uses.insert(Family::Malloc);
                }
                Encoded::new(Wire::Str, [I32, I32])
            }
            Type::Slice(element) if mutable && from_python => {
                self.uses.insert(Family::Objects);
                let mut encoded = self.sequence(Wire::MutSlice, element, direction)?;
                encoded.words.push(I32);
                encoded
            }
            Type::Slice(element) if mutable => {
                self.uses.insert(Family::WriteBack);
                self.sequence(Wire::RustMutSlice, element, direction)?
            }
            Type::Slice(element) => self.sequence(Wire::Slice, element, direction)?,
            Type::Object | Type::Named(_) => {
                self.uses.insert(Family::Objects);
                self.lends |= from_python;
                Encoded::new(Wire::ObjectRef, [I32])
            }
            Type::Struct(name) => Encoded::new(Wire::ClassRef(self.class(name)?), [I32]),
            Type::Function(signature) => self.closure(signature, false, mutable, direction)?,
            Type::Closure { signature, .. } => self.closure(signature, false, mutable, direction)?,
            // Python receives the values themselves.
            Type::Ref(inner) if !from_python => self.reference(inner, mutable, direction)?,
            Type::RefMut(inner) if !from_python => self.reference(inner, true, direction)?,
            Type::Option(inner) if !from_python => self.option(&Type::Ref(inner.clone()), direction)?,
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
                if !from_python =>
            {
                self.encode(inner, direction)?
            }
            other => return unsupported(format!("a reference to {other:?}"), "pass the value itself"),
        })
    }

    fn sequence(
        &mut self,
        of: fn(Box<Wire>) -> Wire,
        element: &Type,
        direction: Direction,
    ) -> Result<Encoded> {
        self.uses.extend([Family::Sequence, Family::Malloc]);
        let from_rust = direction == Direction::FromRust;
        let wire = match element {
            // Elements that are always handles of objects.
            Type::Named(name) if name == "string" => {
                self.uses.insert(Family::Objects);
                Wire::StringObject
            }
            Type::Object | Type::Named(_) => {
                self.uses.insert(Family::Objects);
                // The elements of a Rust slice are borrowed.
                let lent = from_rust && matches!(of(Box::default()), Wire::Slice(_));
                if lent { Wire::ObjectRef } else { Wire::Object }
            }
            Type::Struct(name) => {
                self.uses.insert(Family::Objects);
                Wire::ClassObject(self.class(name)?)
            }
            Type::String | Type::Ref(_) if from_rust => match element {
                Type::Ref(inner) if matches!(**inner, Type::Object | Type::Named(_)) => {
                    self.uses.insert(Family::Objects);
                    Wire::BorrowedObject
                }
                Type::String => Wire::Str,
                Type::Ref(inner) if **inner == Type::String => Wire::Str,
                other => return unsupported(format!("a slice of {other:?}"), "use a `Vec<JsValue>`"),
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
            | Type::StringEnum { .. } => self.encode(element, direction)?.wire,
            other => return unsupported(format!("a sequence of {other:?}"), "use a `Vec<JsValue>`"),
        };
        Ok(Encoded::new(of(Box::new(wire)), [Scalar::I32, Scalar::I32]))
    }

    fn option(&mut self, inner: &Type, direction: Direction) -> Result<Encoded> {
        self.uses.insert(Family::Option);
        let Encoded { wire, words } = match inner {
            Type::Nullable(_) | Type::Option(_) => {
                return unsupported("an option of an option", "use one `Option`: Python has one `None`");
            }
            _ => self.encode(inner, direction)?,
        };
        let words = match wire {
            Wire::I32 | Wire::U32 | Wire::F32 => vec![Scalar::F64],
            Wire::I64 | Wire::U64 | Wire::F64 | Wire::I128 | Wire::U128 => {
                [vec![Scalar::I32], words].concat()
            }
            _ => words,
        };
        Ok(Encoded::new(Wire::Option(Box::new(wire)), words))
    }

    fn closure(
        &mut self,
        signature: &Signature,
        owned: bool,
        mutable: bool,
        direction: Direction,
    ) -> Result<Encoded> {
        if direction == Direction::FromPython {
            return unsupported(
                "a closure that Python gives",
                "take a `JsValue`, or a type of your own with a method `__call__`",
            );
        }
        self.uses.extend([Family::Closure, Family::Guard, Family::Objects]);
        let params = signature
            .params
            .iter()
            .map(|ty| self.encode(ty, Direction::FromPython))
            .collect::<Result<Vec<_>>>()?;
        let result = self.encode(&signature.result, Direction::FromRust)?;
        let closure = Closure { shim: signature.shim, params, result, owned, mutable };
        let index = self.closures.iter().position(|known| *known == closure).unwrap_or_else(|| {
            self.closures.push(closure);
            self.closures.len() - 1
        });
        Ok(Encoded::new(Wire::Closure(Number::of(index)?), [Scalar::I32, Scalar::I32]))
    }
}
