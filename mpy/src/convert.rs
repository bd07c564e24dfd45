//! Structs from dicts and to dicts, without a dependency.
//!
//! [`fields!`](crate::fields) implements both for a struct whose fields are numbers, `bool`, `String`, [`Object`], a `Vec` or an
//! `Option` of such, or other structs with it. The feature `serde` converts more types, and takes more code.
//!
//! ```no_run
//! use mpy::convert::{FromObject, ToObject};
//! use mpy::object::Object;
//! use wasm_bindgen::prelude::*;
//!
//! struct Channel {
//!     gain: i32,
//!     name: Option<String>,
//! }
//! mpy::fields!(Channel { gain, name });
//!
//! struct Config {
//!     channels: Vec<Channel>,
//!     rate: f32,
//! }
//! mpy::fields!(Config { channels, rate });
//!
//! /// Takes and returns `{"channels": [{"gain": 1}, {"gain": 2, "name": "left"}], "rate": 8000}`.
//! #[wasm_bindgen]
//! pub fn louder(config: JsValue) -> mpy::Result<JsValue> {
//!     let mut config = Config::from_object(&Object::from(config))?;
//!     config.channels.iter_mut().for_each(|channel| channel.gain *= 2);
//!     Ok(config.to_object()?.into())
//! }
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::object::{Dict, List, Object, Str};
use crate::{Exception, Result};

/// A type whose values come from objects.
pub trait FromObject: Sized {
    /// The value of an object.
    ///
    /// # Errors
    /// `TypeError` if it has another type, `OverflowError` if an `int` does not fit, `ValueError` if a dict lacks a field. The
    /// message begins with the place, such as `.channels[1].gain`.
    fn from_object(object: &Object) -> Result<Self>;

    /// The value of a field that is not there, if it can be left out.
    fn absent() -> Option<Self> {
        None
    }
}

/// A type whose values become objects.
pub trait ToObject {
    /// The object of a value.
    ///
    /// # Errors
    /// Python's, if there is no memory.
    fn to_object(&self) -> Result<Object>;
}

/// Implements [`FromObject`](crate::convert::FromObject) and [`ToObject`](crate::convert::ToObject) for a struct, as a dict
/// with the names of its fields. All fields must be named. Keys that are no field are ignored, and `Option` fields can be
/// left out.
///
/// ```no_run
/// struct Point {
///     x: i32,
///     y: i32,
/// }
///
/// mpy::fields!(Point { x, y });
/// ```
#[macro_export]
macro_rules! fields {
    ($ty:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::convert::FromObject for $ty {
            fn from_object(object: &$crate::object::Object) -> $crate::Result<Self> {
                let dict = $crate::convert::dict(object)?;
                ::core::result::Result::Ok($ty {
                    $($field: $crate::convert::field(&dict, ::core::stringify!($field))?,)+
                })
            }
        }

        impl $crate::convert::ToObject for $ty {
            fn to_object(&self) -> $crate::Result<$crate::object::Object> {
                let dict = $crate::object::Dict::new()?;
                $(dict.set_item(
                    $crate::convert::name(::core::stringify!($field)),
                    $crate::convert::ToObject::to_object(&self.$field)?,
                )?;)+
                ::core::result::Result::Ok(dict.into())
            }
        }
    };
}

/// The name of a field in Python.
#[doc(hidden)]
pub fn name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// The object as a dict.
#[doc(hidden)]
pub fn dict(object: &Object) -> Result<Dict> {
    Dict::try_from(object.clone())
}

/// The value of a field.
#[doc(hidden)]
pub fn field<T: FromObject>(dict: &Dict, field: &'static str) -> Result<T> {
    let name = name(field);
    if !dict.contains(name)? {
        let missing = || Exception::new("ValueError", &[format!("missing field '{name}'").into()]);
        return T::absent().ok_or_else(missing);
    }
    T::from_object(&dict.item(name)?).map_err(|exception| inside(exception, &format!(".{name}")))
}

/// An exception about an item, as one about what the item is in: `step` is the path from there to the item.
fn inside(exception: Exception, step: &str) -> Exception {
    let about = |exception: &Exception| -> Result<Option<(String, String)>> {
        let object = exception.object();
        let class = object.attr("__class__")?.attr("__name__")?.str()?;
        // Others come from objects that are no plain lists and dicts.
        if !["TypeError", "OverflowError", "ValueError"].contains(&class.as_str()) {
            return Ok(None);
        }
        Ok(Some((class, object.str()?)))
    };
    match about(&exception) {
        Ok(Some((class, text))) => {
            let between = if text.starts_with(['.', '[']) { "" } else { ": " };
            Exception::new(&class, &[format!("{step}{between}{text}").into()])
        }
        _ => exception,
    }
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl FromObject for $ty {
            fn from_object(object: &Object) -> Result<$ty> {
                object.try_into()
            }
        }

        impl ToObject for $ty {
            fn to_object(&self) -> Result<Object> {
                Ok((*self).into())
            }
        }
    )*};
}

numbers!(i8 u8 i16 u16 i32 u32 i64 f64 bool);

impl FromObject for f32 {
    fn from_object(object: &Object) -> Result<f32> {
        f64::try_from(object).map(|value| value as f32)
    }
}

impl ToObject for f32 {
    fn to_object(&self) -> Result<Object> {
        f64::from(*self).to_object()
    }
}

impl FromObject for String {
    fn from_object(object: &Object) -> Result<String> {
        object.try_into()
    }
}

impl ToObject for String {
    fn to_object(&self) -> Result<Object> {
        Ok(self.as_str().into())
    }
}

impl FromObject for Object {
    fn from_object(object: &Object) -> Result<Object> {
        Ok(object.clone())
    }
}

impl ToObject for Object {
    fn to_object(&self) -> Result<Object> {
        Ok(self.clone())
    }
}

impl<T: FromObject> FromObject for Option<T> {
    fn from_object(object: &Object) -> Result<Option<T>> {
        if object.is_none() { Ok(None) } else { T::from_object(object).map(Some) }
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }
}

impl<T: ToObject> ToObject for Option<T> {
    fn to_object(&self) -> Result<Object> {
        self.as_ref().map_or_else(|| Ok(Object::none()), T::to_object)
    }
}

impl<T: FromObject> FromObject for Vec<T> {
    fn from_object(object: &Object) -> Result<Vec<T>> {
        if Str::try_from(object.clone()).is_ok() || Dict::try_from(object.clone()).is_ok() {
            return Err(Exception::new("TypeError", &["expected a list".into()]));
        }
        let items = object.iter()?.enumerate();
        let one = |(at, item): (usize, Result<Object>)| {
            T::from_object(&item?).map_err(|exception| inside(exception, &format!("[{at}]")))
        };
        items.map(one).collect()
    }
}

impl<T: ToObject> ToObject for Vec<T> {
    fn to_object(&self) -> Result<Object> {
        let list = List::new()?;
        self.iter().try_for_each(|item| list.append(item.to_object()?))?;
        Ok(list.into())
    }
}
