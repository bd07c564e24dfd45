//! Python's objects.
//!
//! An [`Object`] is any object. The other types are objects of one class: [`TryFrom`] checks it, and all methods of
//! [`Object`] can be called on them.
//!
//! ```no_run
//! use mpy::object::{Dict, Module, Object};
//! use wasm_bindgen::prelude::*;
//!
//! /// `{"name": repr(value), "floor": math.floor(2.5)}`
//! #[wasm_bindgen]
//! pub fn describe(value: JsValue) -> Result<JsValue, mpy::Exception> {
//!     let dict = Dict::new()?;
//!     dict.set_item("name", Object::from(value).repr()?)?;
//!     dict.set_item("floor", Module::import("math")?.call_method("floor", &[2.5.into()])?)?;
//!     Ok(dict.into())
//! }
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use wasm_bindgen::prelude::*;

use crate::builtins::{
    __import__, Any, StopIteration, getattr, hasattr, isinstance, iter, len, new_bytes, new_dict, new_float,
    new_list, new_tuple, next, repr, setattr, text, to_bytes, to_int, truth,
};
use crate::{Exception, Result};

/// Operators with two operands, by their number in MicroPython (py/runtime0.h, `mp_binary_op_t`).
///
/// ```no_run
/// use mpy::object::{Object, Operator};
///
/// fn mean(a: &Object, b: &Object) -> mpy::Result<Object> {
///     a.operator(Operator::Add, b)?.operator(Operator::Divide, 2)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less = 0,
    /// `>`
    More = 1,
    /// `==`
    Equal = 2,
    /// `<=`
    LessEqual = 3,
    /// `>=`
    MoreEqual = 4,
    /// `!=`
    NotEqual = 5,
    /// `in`
    In = 6,
    /// `is`
    Is = 7,
    /// `|`
    Or = 22,
    /// `^`
    Xor = 23,
    /// `&`
    And = 24,
    /// `<<`
    ShiftLeft = 25,
    /// `>>`
    ShiftRight = 26,
    /// `+`
    Add = 27,
    /// `-`
    Subtract = 28,
    /// `*`
    Multiply = 29,
    /// `//`
    FloorDivide = 31,
    /// `/`
    Divide = 32,
    /// `%`
    Remainder = 33,
    /// `**`
    Power = 34,
}

/// Any object.
///
/// ```no_run
/// use mpy::Result;
/// use mpy::object::Object;
///
/// /// `f(1, scale=2.5)`, if the object has a method `f`, and otherwise its attribute `value`.
/// fn ask(object: &Object) -> Result<Object> {
///     if object.has_attr("f")? {
///         object.attr("f")?.call_with(&[1.into()], &[("scale", 2.5.into())])
///     } else {
///         object.attr("value")
///     }
/// }
///
/// /// `object.count += 1`
/// fn count(object: &Object) -> Result<()> {
///     let before = i32::try_from(&object.attr("count")?)?;
///     object.set_attr("count", before + 1)
/// }
///
/// /// Deletes the items of a dict whose values are false.
/// fn clean(dict: &Object) -> Result<()> {
///     for key in dict.call_method("copy", &[])?.iter()? {
///         let key = key?;
///         if !dict.item(&key)?.is_true()? {
///             dict.delete_item(&key)?;
///         }
///     }
///     Ok(())
/// }
///
/// /// `low <= value < high`
/// fn is_between(value: &Object, low: i32, high: i32) -> Result<bool> {
///     Ok(value.ge(low)? && value.lt(high)?)
/// }
///
/// /// `a > b`, `a <= b`, `a == b`
/// fn compare(a: &Object, b: &Object) -> Result<[bool; 3]> {
///     Ok([a.gt(b)?, a.le(b)?, a.equals(b)?])
/// }
///
/// /// `str(function())`, or "nothing" if that is empty or not of the class.
/// fn show(function: &Object, class: &Object) -> Result<String> {
///     let result = function.call(&[])?;
///     if result.is_instance(class)? && !result.is_empty()? { result.str() } else { Ok("nothing".to_owned()) }
/// }
///
/// fn has_item(container: &Object) -> Result<bool> {
///     container.contains("item")
/// }
/// ```
#[derive(Clone, PartialEq)]
pub struct Object(JsValue);

impl Object {
    /// None.
    ///
    /// ```no_run
    /// use mpy::object::Object;
    ///
    /// /// `function(None)`, or the argument itself if there is no function.
    /// fn call(function: &Object) -> mpy::Result<Object> {
    ///     if function.is_none() { Ok(Object::none()) } else { function.call(&[Object::none()]) }
    /// }
    /// ```
    pub fn none() -> Object {
        Object(JsValue::NULL)
    }

    /// Whether it is None.
    pub fn is_none(&self) -> bool {
        self.0.is_null()
    }

    fn any(&self) -> &Any {
        self.0.unchecked_ref()
    }

    /// `object.name`
    ///
    /// # Errors
    /// The exception that Python raises, as of all methods here.
    pub fn attr(&self, name: &str) -> Result<Object> {
        Ok(Object(getattr(&self.0, name)?))
    }

    /// `object.name = value`
    ///
    /// # Errors
    /// Python's.
    pub fn set_attr(&self, name: &str, value: impl Into<Object>) -> Result<()> {
        Ok(setattr(&self.0, name, &value.into().0)?)
    }

    /// `hasattr(object, name)`
    ///
    /// # Errors
    /// Python's.
    pub fn has_attr(&self, name: &str) -> Result<bool> {
        Ok(hasattr(&self.0, name)?)
    }

    /// `object(*arguments)`
    ///
    /// # Errors
    /// Python's.
    pub fn call(&self, arguments: &[Object]) -> Result<Object> {
        Ok(Object(self.any().call(arguments.iter().map(|argument| argument.0.clone()).collect())?))
    }

    /// `object(*arguments, name=value, …)`
    ///
    /// # Errors
    /// Python's.
    pub fn call_with(&self, arguments: &[Object], keywords: &[(&str, Object)]) -> Result<Object> {
        let mut all: Vec<JsValue> = arguments.iter().map(|argument| argument.0.clone()).collect();
        for (name, value) in keywords {
            all.push(JsValue::from_str(name));
            all.push(value.0.clone());
        }
        let count = u32::try_from(keywords.len()).unwrap_or(u32::MAX);
        Ok(Object(self.any().call_keywords(count, all)?))
    }

    /// `object.name(*arguments)`
    ///
    /// # Errors
    /// Python's.
    pub fn call_method(&self, name: &str, arguments: &[Object]) -> Result<Object> {
        self.attr(name)?.call(arguments)
    }

    /// `object[key]`
    ///
    /// # Errors
    /// Python's.
    pub fn item(&self, key: impl Into<Object>) -> Result<Object> {
        Ok(Object(self.any().item(&key.into().0)?))
    }

    /// `object[key] = value`
    ///
    /// # Errors
    /// Python's.
    pub fn set_item(&self, key: impl Into<Object>, value: impl Into<Object>) -> Result<()> {
        Ok(self.any().set_item(&key.into().0, &value.into().0)?)
    }

    /// `del object[key]`
    ///
    /// # Errors
    /// Python's.
    pub fn delete_item(&self, key: impl Into<Object>) -> Result<()> {
        Ok(self.any().delete_item(&key.into().0)?)
    }

    /// `len(object)`
    ///
    /// # Errors
    /// Python's.
    pub fn len(&self) -> Result<usize> {
        Ok(len(&self.0)? as usize)
    }

    /// `len(object) == 0`
    ///
    /// # Errors
    /// Python's.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// `bool(object)`
    ///
    /// # Errors
    /// Python's.
    pub fn is_true(&self) -> Result<bool> {
        Ok(truth(&self.0)?)
    }

    /// `repr(object)`
    ///
    /// # Errors
    /// Python's.
    pub fn repr(&self) -> Result<String> {
        Ok(repr(&self.0)?)
    }

    /// `str(object)`
    ///
    /// # Errors
    /// Python's.
    pub fn str(&self) -> Result<String> {
        Ok(text(&self.0)?)
    }

    /// `object + other`, or another operator.
    ///
    /// # Errors
    /// Python's: `TypeError` if the objects do not have it.
    pub fn operator(&self, operator: Operator, other: impl Into<Object>) -> Result<Object> {
        Ok(Object(self.any().operator(operator as u32, &other.into().0)?))
    }

    /// `object == other`
    ///
    /// # Errors
    /// Python's.
    pub fn equals(&self, other: impl Into<Object>) -> Result<bool> {
        self.operator(Operator::Equal, other)?.is_true()
    }

    /// `object < other`
    ///
    /// # Errors
    /// Python's.
    pub fn lt(&self, other: impl Into<Object>) -> Result<bool> {
        self.operator(Operator::Less, other)?.is_true()
    }

    /// `object <= other`
    ///
    /// # Errors
    /// Python's.
    pub fn le(&self, other: impl Into<Object>) -> Result<bool> {
        self.operator(Operator::LessEqual, other)?.is_true()
    }

    /// `object > other`
    ///
    /// # Errors
    /// Python's.
    pub fn gt(&self, other: impl Into<Object>) -> Result<bool> {
        self.operator(Operator::More, other)?.is_true()
    }

    /// `object >= other`
    ///
    /// # Errors
    /// Python's.
    pub fn ge(&self, other: impl Into<Object>) -> Result<bool> {
        self.operator(Operator::MoreEqual, other)?.is_true()
    }

    /// `item in object`
    ///
    /// # Errors
    /// Python's.
    pub fn contains(&self, item: impl Into<Object>) -> Result<bool> {
        item.into().operator(Operator::In, self)?.is_true()
    }

    /// `isinstance(object, class)`
    ///
    /// # Errors
    /// Python's.
    pub fn is_instance(&self, class: &Object) -> Result<bool> {
        Ok(isinstance(&self.0, &class.0)?)
    }

    /// `iter(object)`: each item is one, or the exception that ends the iteration.
    ///
    /// # Errors
    /// Python's.
    pub fn iter(&self) -> Result<Iter> {
        Ok(Iter(Some(iter(&self.0)?)))
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The items of an object.
///
/// ```no_run
/// use mpy::object::{Iter, List, Object};
///
/// /// A list of the next items.
/// fn take(iter: &mut Iter, count: usize) -> mpy::Result<List> {
///     let list = List::new()?;
///     for item in iter.take(count) {
///         list.append(item?)?;
///     }
///     Ok(list)
/// }
/// ```
#[derive(Debug)]
pub struct Iter(Option<JsValue>);

impl Iterator for Iter {
    type Item = Result<Object>;

    fn next(&mut self) -> Option<Result<Object>> {
        match next(self.0.as_ref()?) {
            Ok(item) => Some(Ok(Object(item))),
            Err(error) => {
                self.0 = None;
                let is_end = error.has_type::<StopIteration>();
                (!is_end).then(|| Err(error.into()))
            }
        }
    }
}

/// A global of Python's that is always there.
fn builtin(name: &str) -> Result<Object> {
    Module::import("builtins")?.attr(name)
}

/// An exception of the class `name`.
fn exception(class: &str, text: &str) -> Exception {
    match builtin(class).and_then(|class| class.call(&[text.into()])) {
        Ok(exception) => exception.0.into(),
        Err(other) => other,
    }
}

impl Exception {
    /// An exception of any class: the name of a built-in one, or `module.Class`.
    ///
    /// If it cannot be made, the exception is the one that says why.
    ///
    /// ```no_run
    /// use mpy::Exception;
    ///
    /// fn check(value: i32) -> mpy::Result<()> {
    ///     if value < 0 {
    ///         return Err(Exception::new("ValueError", &["negative".into(), value.into()]));
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn new(class: &str, arguments: &[Object]) -> Exception {
        let found = match class.rsplit_once('.') {
            Some((module, name)) => Module::import(module).and_then(|module| module.attr(name)),
            None => builtin(class),
        };
        match found.and_then(|class| class.call(arguments)) {
            Ok(exception) => exception.0.into(),
            Err(other) => other,
        }
    }

    /// Whether it is an instance of this class.
    pub fn is_instance(&self, class: &Object) -> bool {
        Object(self.clone().into()).is_instance(class).unwrap_or(false)
    }

    /// The exception as an object, for its attributes.
    pub fn object(&self) -> Object {
        Object(self.clone().into())
    }
}

#[cfg(feature = "serde")]
impl From<crate::serde::Error> for Exception {
    fn from(error: crate::serde::Error) -> Exception {
        use crate::serde::Error;
        match error {
            Error::Raised(exception) => exception.into(),
            Error::Wrong { class, .. } => exception(class, &alloc::string::ToString::to_string(&error)),
        }
    }
}

/// A value of Rust from an object: a struct from a `dict` with its fields, a `Vec` from a `list` or any other iterable, an
/// enum from the name of a variant or from a `dict` with that name as its only key.
///
/// # Errors
/// `TypeError` if an object has another type, `OverflowError` if an `int` does not fit, otherwise `ValueError`. The message
/// begins with the place: `.config[2].gain: expected int, found str`. An exception that Python raises meanwhile is returned as
/// it is.
///
/// ```no_run
/// use mpy::object::{Object, from_object};
/// use serde::Deserialize;
/// use wasm_bindgen::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Channel {
///     gain: f32,
///     name: Option<String>,
/// }
///
/// /// Takes `[{"gain": 1.5}, {"gain": 2, "name": "left"}]`.
/// #[wasm_bindgen]
/// pub fn total_gain(channels: JsValue) -> mpy::Result<f32> {
///     let channels: Vec<Channel> = from_object(&channels.into())?;
///     Ok(channels.iter().map(|channel| channel.gain).sum())
/// }
/// ```
#[cfg(feature = "serde")]
pub fn from_object<T: serde::de::DeserializeOwned>(object: &Object) -> Result<T> {
    Ok(crate::serde::read(&object.0)?)
}

/// An object of a value of Rust: a `dict` of a struct or a map, a `list` of a `Vec`, a `tuple` of a tuple, None of `None`
/// and `()`, a `str` of a variant without fields, and a `dict` with its name as the only key of another variant.
///
/// # Errors
/// `ValueError` with the message of the value's own `Serialize`, or the exception that Python raises.
///
/// ```no_run
/// use mpy::object::to_object;
/// use serde::Serialize;
/// use wasm_bindgen::prelude::*;
///
/// #[derive(Serialize)]
/// struct Peak {
///     at: usize,
///     height: f32,
/// }
///
/// /// `[{"at": 3, "height": 0.5}]`
/// #[wasm_bindgen]
/// pub fn peaks() -> mpy::Result<JsValue> {
///     Ok(to_object(&[Peak { at: 3, height: 0.5 }])?.into())
/// }
/// ```
#[cfg(feature = "serde")]
pub fn to_object<T: serde::Serialize + ?Sized>(value: &T) -> Result<Object> {
    Ok(Object(crate::serde::write(value)?))
}

impl From<JsValue> for Object {
    fn from(value: JsValue) -> Object {
        Object(value)
    }
}

impl From<Object> for JsValue {
    fn from(object: Object) -> JsValue {
        object.0
    }
}

impl From<&Object> for Object {
    fn from(object: &Object) -> Object {
        object.clone()
    }
}

macro_rules! from_values {
    ($($ty:ty)*) => {$(
        impl From<$ty> for Object {
            fn from(value: $ty) -> Object {
                Object(JsValue::from(value))
            }
        }
    )*};
}

from_values!(bool i8 u8 i16 u16 i32 u32 i64 u64 &str String);

impl From<f64> for Object {
    fn from(value: f64) -> Object {
        // `JsValue::from` makes an int of a whole number.
        Object(new_float(value))
    }
}

impl From<&[u8]> for Object {
    fn from(bytes: &[u8]) -> Object {
        Object(new_bytes(bytes))
    }
}

impl<T: Into<Object>> From<Option<T>> for Object {
    fn from(value: Option<T>) -> Object {
        value.map_or_else(Object::none, Into::into)
    }
}

/// Integers from Python's: another type raises `TypeError`, one that does not fit `OverflowError`.
macro_rules! try_into_integers {
    ($($ty:ty)*) => {$(
        impl TryFrom<&Object> for $ty {
            type Error = Exception;

            fn try_from(object: &Object) -> Result<$ty> {
                if !object.is_instance(&builtin("int")?)? {
                    return Err(exception("TypeError", "expected an int"));
                }
                let whole = to_int(&object.0)?;
                whole.try_into().map_err(|_| exception("OverflowError", concat!("overflow converting to ", stringify!($ty))))
            }
        }
    )*};
}

try_into_integers!(i8 u8 i16 u16 i32 u32 i64);

impl TryFrom<&Object> for f64 {
    type Error = Exception;

    fn try_from(object: &Object) -> Result<f64> {
        object.0.as_f64().ok_or_else(|| exception("TypeError", "expected a float"))
    }
}

impl TryFrom<&Object> for bool {
    type Error = Exception;

    fn try_from(object: &Object) -> Result<bool> {
        object.0.as_bool().ok_or_else(|| exception("TypeError", "expected a bool"))
    }
}

impl TryFrom<&Object> for String {
    type Error = Exception;

    fn try_from(object: &Object) -> Result<String> {
        object.0.as_string().ok_or_else(|| exception("TypeError", "expected a str"))
    }
}

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident $class:literal $text:literal)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name(Object);

        impl Deref for $name {
            type Target = Object;

            fn deref(&self) -> &Object {
                &self.0
            }
        }

        impl From<$name> for Object {
            fn from(object: $name) -> Object {
                object.0
            }
        }

        impl From<$name> for JsValue {
            fn from(object: $name) -> JsValue {
                object.0.0
            }
        }

        impl TryFrom<Object> for $name {
            type Error = Exception;

            fn try_from(object: Object) -> Result<$name> {
                if object.is_instance(&builtin($class)?)? {
                    Ok($name(object))
                } else {
                    Err(exception("TypeError", concat!("expected ", $text)))
                }
            }
        }
    )*};
}

classes! {
    /// A `list`.
    List "list" "a list"
    /// A `tuple`.
    Tuple "tuple" "a tuple"
    /// A `dict`.
    Dict "dict" "a dict"
    /// A `str`.
    Str "str" "a str"
    /// A `bytes`.
    Bytes "bytes" "a bytes"
    /// An `int` of any size.
    Int "int" "an int"
}

impl List {
    /// `[]`
    ///
    /// # Errors
    /// Python's, if there is no memory.
    pub fn new() -> Result<List> {
        Ok(List(Object(new_list()?)))
    }

    /// `list.append(item)`
    ///
    /// # Errors
    /// Python's.
    pub fn append(&self, item: impl Into<Object>) -> Result<()> {
        Ok(self.any().append(&item.into().0)?)
    }
}

impl Tuple {
    /// A tuple of these items.
    ///
    /// # Errors
    /// Python's, if there is no memory.
    pub fn new(items: &[Object]) -> Result<Tuple> {
        let list = List::new()?;
        items.iter().try_for_each(|item| list.append(item))?;
        Ok(Tuple(Object(new_tuple(&list.0.0)?)))
    }
}

impl Dict {
    /// `{}`
    ///
    /// # Errors
    /// Python's, if there is no memory.
    pub fn new() -> Result<Dict> {
        Ok(Dict(Object(new_dict()?)))
    }

    /// `dict.get(key)`
    ///
    /// # Errors
    /// Python's.
    pub fn get(&self, key: impl Into<Object>) -> Result<Option<Object>> {
        let found = self.call_method("get", &[key.into()])?;
        Ok((!found.is_none()).then_some(found))
    }
}

impl Bytes {
    /// A copy of the bytes.
    ///
    /// ```no_run
    /// use mpy::object::{Bytes, Object};
    ///
    /// fn copy(object: Object) -> mpy::Result<Vec<u8>> {
    ///     Bytes::try_from(object)?.to_vec()
    /// }
    /// ```
    ///
    /// # Errors
    /// Python's, if there is no memory.
    pub fn to_vec(&self) -> Result<Vec<u8>> {
        Ok(to_bytes(&self.0.0)?)
    }
}

/// A module.
#[derive(Clone, Debug, PartialEq)]
pub struct Module(Object);

impl Module {
    /// `import name`, which may be one of a package.
    ///
    /// # Errors
    /// Python's.
    pub fn import(name: &str) -> Result<Module> {
        // The function returns the outermost package.
        let mut module = Object(__import__(name)?);
        for part in name.split('.').skip(1) {
            module = module.attr(part)?;
        }
        Ok(Module(module))
    }
}

impl Deref for Module {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.0
    }
}
