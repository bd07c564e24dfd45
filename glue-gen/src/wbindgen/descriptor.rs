//! Decodes the words with which a `__wbindgen_describe_*` function describes a type (`wasm_bindgen::describe`,
//! `wasm_bindgen_shared::tys`).

use std::collections::BTreeSet;

use target_specs::Result;
use wasm_bindgen_shared::tys;

use super::input::refuse;

/// The maximum depth of nested types, to limit recursion.
const DEEPEST: u32 = 64;

/// The type of a value that is passed between Rust and Python.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `char`
    Char,
    /// `i8`
    I8,
    /// `u8`
    U8,
    /// `i16`
    I16,
    /// `u16`
    U16,
    /// `i32`
    I32,
    /// `u32`
    U32,
    /// `i64`
    I64,
    /// `u64`
    U64,
    /// `i128`
    I128,
    /// `u128`
    U128,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `()`
    #[default]
    Unit,
    /// `String`, or `str` within a reference.
    String,
    /// `JsValue`: any Python object.
    Object,
    /// An imported type, by its name; also the elements of `Vec<String>` (`string`).
    Named(String),
    /// `&T`
    Ref(Box<Type>),
    /// `&mut T`
    RefMut(Box<Type>),
    /// `[T]`, within a reference.
    Slice(Box<Type>),
    /// `Vec<T>` or `Box<[T]>`
    Vector(Box<Type>),
    /// `Option<T>`
    Option(Box<Type>),
    /// `JsOption<T>`: an object or None.
    Nullable(Box<Type>),
    /// `Result<T, E>`; the error is an object.
    Result(Box<Type>),
    /// An enum of numbers.
    Enum {
        /// Its name in Python.
        name: String,
        /// The value that stands for None.
        none_value: u32,
    },
    /// An enum of strings: the index of a variant, `variants` for none of them, one more for None.
    StringEnum {
        /// Its name.
        name: String,
        /// The number of variants.
        variants: u32,
    },
    /// An exported struct, by its name in Python.
    Struct(String),
    /// A function: an export, an import, or the type of a cast.
    Function(Box<Signature>),
    /// `Closure<dyn Fn(…)>`, or `dyn Fn(…)` within a reference.
    Closure {
        /// Python owns the closure and frees it.
        owned: bool,
        /// It is a `FnMut`.
        mutable: bool,
        /// Its type, without the pointer to what it captures.
        signature: Box<Signature>,
    },
    /// `*const T` or `*mut T`
    RawPointer,
    /// `NonNull<T>`
    NonNull,
    /// A union of imported types, by its name.
    Union(String),
}

/// The type of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The types of the parameters.
    pub params: Vec<Type>,
    /// The type of the result as Python receives it.
    pub result: Type,
    /// The type of the result of the Rust function, which differs if the macro wraps it.
    pub inner_result: Type,
    /// Index in the function table of the shim to call, for closures.
    pub shim: u32,
}

impl Type {
    /// Adds the shims of the closures in this type to `found`.
    pub(super) fn shims(&self, found: &mut BTreeSet<u32>) {
        match self {
            Type::Closure { signature, .. } | Type::Function(signature) => {
                found.insert(signature.shim);
                for ty in signature.params.iter().chain([&signature.result]) {
                    ty.shims(found);
                }
            }
            Type::Ref(inner)
            | Type::RefMut(inner)
            | Type::Option(inner)
            | Type::Nullable(inner)
            | Type::Result(inner) => inner.shims(found),
            _ => {}
        }
    }
}

struct Words<'a> {
    left: &'a [u32],
    depth: u32,
}

impl Words<'_> {
    fn next(&mut self) -> Result<u32> {
        let (first, rest) = self.left.split_first().ok_or_else(|| refuse("a descriptor ends early"))?;
        self.left = rest;
        Ok(*first)
    }

    /// Text is a length, followed by a word for each character.
    fn text(&mut self) -> Result<String> {
        let length = self.next()?;
        (0..length)
            .map(|_| {
                char::from_u32(self.next()?).ok_or_else(|| refuse("a descriptor's name has no character"))
            })
            .collect()
    }

    fn boxed(&mut self) -> Result<Box<Type>> {
        Ok(Box::new(self.ty()?))
    }

    fn signature(&mut self) -> Result<Signature> {
        let shim = self.next()?;
        let count = self.next()?;
        let params = (0..count).map(|_| self.ty()).collect::<Result<_>>()?;
        Ok(Signature { shim, params, result: self.ty()?, inner_result: self.ty()? })
    }

    fn ty(&mut self) -> Result<Type> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(refuse("a descriptor is nested too deeply"));
        }
        let ty = self.shallow();
        self.depth -= 1;
        ty
    }

    fn shallow(&mut self) -> Result<Type> {
        Ok(match self.next()? {
            tys::I8 => Type::I8,
            tys::U8 => Type::U8,
            tys::I16 => Type::I16,
            tys::U16 => Type::U16,
            tys::I32 => Type::I32,
            tys::U32 => Type::U32,
            tys::I64 => Type::I64,
            tys::U64 => Type::U64,
            tys::I128 => Type::I128,
            tys::U128 => Type::U128,
            tys::F32 => Type::F32,
            tys::F64 => Type::F64,
            tys::BOOLEAN => Type::Bool,
            tys::CHAR => Type::Char,
            tys::UNIT => Type::Unit,
            tys::STRING | tys::CACHED_STRING => Type::String,
            tys::EXTERNREF => Type::Object,
            tys::NAMED_EXTERNREF => Type::Named(self.text()?),
            tys::REF => Type::Ref(self.boxed()?),
            tys::REFMUT => Type::RefMut(self.boxed()?),
            // A reference that outlives the call. For an object, the object itself is passed.
            tys::LONGREF => match self.ty()? {
                object @ (Type::Object | Type::Named(_)) => object,
                other => Type::Ref(Box::new(other)),
            },
            tys::SLICE => Type::Slice(self.boxed()?),
            tys::VECTOR => Type::Vector(self.boxed()?),
            tys::OPTIONAL => Type::Option(self.boxed()?),
            tys::NULLABLE => Type::Nullable(self.boxed()?),
            tys::RESULT => Type::Result(self.boxed()?),
            // `Clamped` is a matter of JavaScript's arrays.
            tys::CLAMPED => self.ty()?,
            // How JavaScript sees a slice. Python always gets a copy.
            tys::SEQ_MODE => {
                self.next()?;
                self.ty()?
            }
            tys::ENUM => {
                let name = self.text()?;
                let none_value = self.next()?;
                self.origin()?;
                Type::Enum { name, none_value }
            }
            tys::STRING_ENUM => {
                let name = self.text()?;
                let variants = self.next()?;
                self.origin()?;
                Type::StringEnum { name, variants }
            }
            tys::DYNAMIC_UNION => {
                let name = self.text()?;
                self.origin()?;
                for _ in 0..self.next()? {
                    self.ty()?;
                }
                Type::Union(name)
            }
            tys::RUST_STRUCT => {
                let name = self.text()?;
                self.text()?;
                Type::Struct(name)
            }
            tys::FUNCTION => Type::Function(Box::new(self.signature()?)),
            tys::CLOSURE => {
                let owned = self.next()? != 0;
                let mutable = self.next()? != 0;
                if self.next()? != tys::FUNCTION {
                    return Err(refuse("a closure's descriptor has no function"));
                }
                Type::Closure { owned, mutable, signature: Box::new(self.signature()?) }
            }
            tys::RAW_POINTER => Type::RawPointer,
            tys::NONNULL => Type::NonNull,
            other => return Err(refuse(format!("a descriptor has the unknown word {other}"))),
        })
    }

    /// The place of a definition: the crate, and a hash of the module.
    fn origin(&mut self) -> Result<()> {
        self.text()?;
        self.next()?;
        Ok(())
    }
}

/// Decodes a type.
///
/// # Errors
/// `invalid-bindings`.
pub fn decode(words: &[u32]) -> Result<Type> {
    let mut words = Words { left: words, depth: 0 };
    let ty = words.ty()?;
    if words.left.is_empty() { Ok(ty) } else { Err(refuse("a descriptor has words left over")) }
}

/// The key (empty for a cast) and the type of a function that ends in
/// `__wbindgen_describe_generic_import`.
///
/// # Errors
/// `invalid-bindings`.
pub fn decode_keyed(words: &[u32]) -> Result<(String, Type)> {
    let mut words = Words { left: words, depth: 0 };
    let key = words.text()?;
    let ty = words.ty()?;
    if words.left.is_empty() { Ok((key, ty)) } else { Err(refuse("a descriptor has words left over")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_spelled_in_prefix_order() {
        use tys::{FUNCTION, I32, OPTIONAL, REF, RESULT, SLICE, STRING, U8, VECTOR};
        let words = [FUNCTION, 7, 2, REF, SLICE, U8, OPTIONAL, STRING, RESULT, VECTOR, I32, I32];
        let Type::Function(signature) = decode(&words).unwrap() else { panic!() };
        assert_eq!(signature.shim, 7);
        assert_eq!(signature.params[0], Type::Ref(Box::new(Type::Slice(Box::new(Type::U8)))));
        assert_eq!(signature.params[1], Type::Option(Box::new(Type::String)));
        assert_eq!(signature.result, Type::Result(Box::new(Type::Vector(Box::new(Type::I32)))));
        assert_eq!(signature.inner_result, Type::I32);
    }

    #[test]
    fn hostile_words_are_errors() {
        use tys::{ENUM, FUNCTION, NAMED_EXTERNREF, REF};
        for words in [
            &[][..],
            &[9999],
            &[FUNCTION, 0, u32::MAX],
            &[NAMED_EXTERNREF, u32::MAX],
            &[NAMED_EXTERNREF, 1, 0xd800],
            &[ENUM, 1],
            &[tys::I32, tys::I32],
            &[REF; 100_000],
        ] {
            assert_eq!(decode(words).unwrap_err().code, "invalid-bindings");
        }
    }
}
