//! Values of Rust from Python's objects, and back, by `serde`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Display};

use serde::de::{self, DeserializeOwned, DeserializeSeed, Unexpected, Visitor};
use serde::ser::{self, Serialize};
use wasm_bindgen::prelude::*;

use crate::builtins::{
    Any, Caught, getattr, iter, new_bytes, new_dict, new_float, new_list, new_tuple, repr, text, to_bytes,
    to_int,
};

type Step<T> = core::result::Result<T, Error>;

#[wasm_bindgen]
extern "C" {
    // Classes, for `isinstance`.
    #[wasm_bindgen(js_name = int)]
    type PyInt;
    #[wasm_bindgen(js_name = float)]
    type PyFloat;
    #[wasm_bindgen(js_name = str)]
    type PyStr;
    #[wasm_bindgen(js_name = bytes)]
    type PyBytes;
    #[wasm_bindgen(js_name = bytearray)]
    type PyByteArray;
    #[wasm_bindgen(js_name = memoryview)]
    type PyMemoryView;
    #[wasm_bindgen(js_name = list)]
    type PyList;
    #[wasm_bindgen(js_name = tuple)]
    type PyTuple;
    #[wasm_bindgen(js_name = dict)]
    type PyDict;

    #[wasm_bindgen(catch, js_name = int)]
    fn to_u64(object: &JsValue) -> Caught<u64>;
    #[wasm_bindgen(catch, js_name = list)]
    fn to_list(object: &JsValue) -> Caught<Vec<JsValue>>;
    #[wasm_bindgen(catch, js_name = type)]
    fn type_of(object: &JsValue) -> Caught<JsValue>;
}

/// What went wrong, and where.
#[derive(Debug)]
pub(crate) enum Error {
    /// Python's own exception.
    Raised(JsValue),
    /// The class of an exception, the path to what is wrong, such as `.config[2].gain`, and the text.
    Wrong { class: &'static str, path: String, text: String },
}

impl Error {
    fn new(class: &'static str, text: String) -> Error {
        Error::Wrong { class, path: String::new(), text }
    }

    /// The same in an item of an object. `step` is the path from the object to the item.
    fn inside(self, step: &str) -> Error {
        match self {
            Error::Wrong { class, path, text } => Error::Wrong { class, path: format!("{step}{path}"), text },
            raised @ Error::Raised(_) => raised,
        }
    }
}

impl From<JsValue> for Error {
    fn from(exception: JsValue) -> Error {
        Error::Raised(exception)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Raised(exception) => fmt::Debug::fmt(exception, f),
            Error::Wrong { path, text, .. } if path.is_empty() => f.write_str(text),
            Error::Wrong { path, text, .. } => write!(f, "{path}: {text}"),
        }
    }
}

impl core::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(text: T) -> Error {
        Error::new("ValueError", text.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Error {
        Error::new("TypeError", format!("expected {expected}, found {found}"))
    }
}

impl ser::Error for Error {
    fn custom<T: Display>(text: T) -> Error {
        Error::new("ValueError", text.to_string())
    }
}

/// A value of Rust from an object.
pub(crate) fn read<T: DeserializeOwned>(object: &JsValue) -> Step<T> {
    T::deserialize(Reader(object))
}

/// An object of a value of Rust.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T) -> Step<JsValue> {
    value.serialize(Writer)
}

/// Reads an object.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a JsValue);

impl Reader<'_> {
    fn is<T: JsCast>(self) -> bool {
        self.0.has_type::<T>()
    }

    /// The error that it is not `expected`.
    fn is_not(self, expected: &str) -> Error {
        let name = || text(&getattr(&type_of(self.0)?, "__name__")?);
        match name() {
            Ok(name) => Error::new("TypeError", format!("expected {expected}, found {name}")),
            Err(raised) => Error::Raised(raised),
        }
    }

    /// An `int` in Rust, by one of these functions.
    fn int<T>(self, convert: fn(&JsValue) -> Caught<T>) -> Step<T> {
        if !self.is::<PyInt>() {
            return Err(self.is_not("int"));
        }
        convert(self.0).map_err(|_| out_of_range())
    }

    fn is_bytes(self) -> bool {
        self.is::<PyBytes>() || self.is::<PyByteArray>() || self.is::<PyMemoryView>()
    }

    /// The items of a list, or of what else can be iterated.
    fn items(self) -> Step<Items> {
        let is_sequence = self.is::<PyList>() || self.is::<PyTuple>();
        if !is_sequence && (self.is::<PyStr>() || self.is::<PyDict>() || iter(self.0).is_err()) {
            return Err(self.is_not("list"));
        }
        Ok(Items { items: to_list(self.0)?.into_iter(), at: 0 })
    }

    fn visit_items<'de, V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        let mut items = self.items()?;
        let value = visitor.visit_seq(&mut items)?;
        match items.items.len() {
            0 => Ok(value),
            more => Err(Error::new(
                "ValueError",
                format!("expected {} items, found {}", items.at, items.at + more),
            )),
        }
    }

    fn visit_pairs<'de, V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        if !self.is::<PyDict>() {
            return Err(self.is_not("dict"));
        }
        visitor.visit_map(Pairs { dict: self.0, keys: to_list(self.0)?.into_iter(), key: None })
    }
}

fn out_of_range() -> Error {
    Error::new("OverflowError", "integer out of range".to_string())
}

macro_rules! read_integers {
    ($($method:ident $visit:ident $convert:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
            visitor.$visit(self.int($convert)?.try_into().map_err(|_| out_of_range())?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        if self.0.is_null() {
            return visitor.visit_unit();
        }
        if let Some(value) = self.0.as_bool() {
            return visitor.visit_bool(value);
        }
        if self.is::<PyInt>() {
            return match self.int(to_int) {
                Ok(value) => visitor.visit_i64(value),
                Err(_) => self.deserialize_u64(visitor),
            };
        }
        if self.is::<PyFloat>() {
            return self.deserialize_f64(visitor);
        }
        if self.is::<PyStr>() {
            return self.deserialize_string(visitor);
        }
        if self.is::<PyDict>() {
            return self.visit_pairs(visitor);
        }
        if self.is_bytes() {
            return self.deserialize_byte_buf(visitor);
        }
        if iter(self.0).is_err() {
            return Err(self.is_not("None, bool, int, float, str, bytes, list or dict"));
        }
        self.visit_items(visitor)
    }

    read_integers! {
        deserialize_i8 visit_i8 to_int
        deserialize_i16 visit_i16 to_int
        deserialize_i32 visit_i32 to_int
        deserialize_i64 visit_i64 to_int
        deserialize_i128 visit_i128 to_int
        deserialize_u8 visit_u8 to_int
        deserialize_u16 visit_u16 to_int
        deserialize_u32 visit_u32 to_int
        deserialize_u64 visit_u64 to_u64
        deserialize_u128 visit_u128 to_u64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        visitor.visit_bool(self.0.as_bool().ok_or_else(|| self.is_not("bool"))?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        visitor.visit_f64(self.0.as_f64().ok_or_else(|| self.is_not("float"))?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        visitor.visit_string(self.0.as_string().ok_or_else(|| self.is_not("str"))?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        if self.is_bytes() { visitor.visit_byte_buf(to_bytes(self.0)?) } else { Err(self.is_not("bytes")) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(self.is_not("None")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Step<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Step<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        self.visit_items(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Step<V::Value> {
        self.visit_items(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Step<V::Value> {
        self.visit_items(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        self.visit_pairs(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Step<V::Value> {
        self.visit_pairs(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Step<V::Value> {
        if self.is::<PyStr>() {
            return visitor.visit_enum(Variant { name: self.0.clone(), value: JsValue::NULL });
        }
        if !self.is::<PyDict>() {
            return Err(self.is_not("str or dict"));
        }
        let keys = to_list(self.0)?;
        let [name] = &keys[..] else {
            let text = format!("expected the name of a variant as the only key, found {} keys", keys.len());
            return Err(Error::new("ValueError", text));
        };
        let value = self.0.unchecked_ref::<Any>().item(name)?;
        visitor.visit_enum(Variant { name: name.clone(), value })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        visitor.visit_unit()
    }
}

/// The items of a list that are left, and the index of the next one.
struct Items {
    items: alloc::vec::IntoIter<JsValue>,
    at: usize,
}

impl<'de> de::SeqAccess<'de> for &mut Items {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Step<Option<T::Value>> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let value =
            seed.deserialize(Reader(&item)).map_err(|error| error.inside(&format!("[{}]", self.at)))?;
        self.at += 1;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// A dict, the keys that are left, and the key whose value is next.
struct Pairs<'a> {
    dict: &'a JsValue,
    keys: alloc::vec::IntoIter<JsValue>,
    key: Option<JsValue>,
}

/// The path from a dict to the value of a key.
fn step(key: &JsValue) -> String {
    let is_name = |name: &String| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
    };
    match key.as_string().filter(is_name) {
        Some(name) => format!(".{name}"),
        None => format!("[{}]", repr(key).unwrap_or_default()),
    }
}

impl<'de> de::MapAccess<'de> for Pairs<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Step<Option<K::Value>> {
        let Some(key) = self.keys.next() else { return Ok(None) };
        let value = seed.deserialize(Reader(&key)).map_err(|error| error.inside(&step(&key)))?;
        self.key = Some(key);
        Ok(Some(value))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Step<V::Value> {
        let Some(key) = self.key.take() else { return Err(de::Error::custom("a value without a key")) };
        let value = self.dict.unchecked_ref::<Any>().item(&key)?;
        seed.deserialize(Reader(&value)).map_err(|error| error.inside(&step(&key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.keys.len())
    }
}

/// The name of a variant of an enum, and its fields; None if there are none.
struct Variant {
    name: JsValue,
    value: JsValue,
}

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Variant;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Step<(V::Value, Variant)> {
        Ok((seed.deserialize(Reader(&self.name))?, self))
    }
}

impl Variant {
    /// Reads the fields.
    fn read<T>(self, read: impl FnOnce(Reader<'_>) -> Step<T>) -> Step<T> {
        read(Reader(&self.value)).map_err(|error| error.inside(&step(&self.name)))
    }
}

impl<'de> de::VariantAccess<'de> for Variant {
    type Error = Error;

    fn unit_variant(self) -> Step<()> {
        self.read(|value| if value.0.is_null() { Ok(()) } else { Err(value.is_not("None")) })
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Step<T::Value> {
        self.read(|value| seed.deserialize(value))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Step<V::Value> {
        self.read(|value| value.visit_items(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Step<V::Value> {
        self.read(|value| value.visit_pairs(visitor))
    }
}

/// Makes an object.
struct Writer;

/// `{name: object}` of a variant with fields, and otherwise the object itself.
fn in_variant(name: Option<&'static str>, object: JsValue) -> Step<JsValue> {
    let Some(name) = name else { return Ok(object) };
    let dict = new_dict()?;
    dict.unchecked_ref::<Any>().set_item(&JsValue::from_str(name), &object)?;
    Ok(dict)
}

macro_rules! write_values {
    ($($method:ident $ty:ty)*) => {$(
        fn $method(self, value: $ty) -> Step<JsValue> {
            Ok(JsValue::from(value))
        }
    )*};
}

impl ser::Serializer for Writer {
    type Ok = JsValue;
    type Error = Error;
    type SerializeSeq = WrittenItems;
    type SerializeTuple = WrittenItems;
    type SerializeTupleStruct = WrittenItems;
    type SerializeTupleVariant = WrittenItems;
    type SerializeMap = WrittenPairs;
    type SerializeStruct = WrittenPairs;
    type SerializeStructVariant = WrittenPairs;

    write_values! {
        serialize_bool bool
        serialize_i8 i8
        serialize_i16 i16
        serialize_i32 i32
        serialize_i64 i64
        serialize_i128 i128
        serialize_u8 u8
        serialize_u16 u16
        serialize_u32 u32
        serialize_u64 u64
        serialize_u128 u128
        serialize_str &str
    }

    fn serialize_f32(self, value: f32) -> Step<JsValue> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Step<JsValue> {
        Ok(new_float(value))
    }

    fn serialize_char(self, value: char) -> Step<JsValue> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bytes(self, value: &[u8]) -> Step<JsValue> {
        Ok(new_bytes(value))
    }

    fn serialize_none(self) -> Step<JsValue> {
        Ok(JsValue::NULL)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Step<JsValue> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Step<JsValue> {
        Ok(JsValue::NULL)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Step<JsValue> {
        Ok(JsValue::NULL)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Step<JsValue> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Step<JsValue> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Step<JsValue> {
        in_variant(Some(name), value.serialize(Writer)?)
    }

    fn serialize_seq(self, _: Option<usize>) -> Step<WrittenItems> {
        WrittenItems::new(false, None)
    }

    fn serialize_tuple(self, _: usize) -> Step<WrittenItems> {
        WrittenItems::new(true, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Step<WrittenItems> {
        WrittenItems::new(true, None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Step<WrittenItems> {
        WrittenItems::new(true, Some(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Step<WrittenPairs> {
        WrittenPairs::new(None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Step<WrittenPairs> {
        WrittenPairs::new(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Step<WrittenPairs> {
        WrittenPairs::new(Some(name))
    }
}

/// A list or a tuple in the making.
struct WrittenItems {
    list: JsValue,
    is_tuple: bool,
    variant: Option<&'static str>,
}

impl WrittenItems {
    fn new(is_tuple: bool, variant: Option<&'static str>) -> Step<WrittenItems> {
        Ok(WrittenItems { list: new_list()?, is_tuple, variant })
    }

    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Step<()> {
        Ok(self.list.unchecked_ref::<Any>().append(&value.serialize(Writer)?)?)
    }

    fn finish(self) -> Step<JsValue> {
        let object = if self.is_tuple { new_tuple(&self.list)? } else { self.list };
        in_variant(self.variant, object)
    }
}

/// A dict in the making.
struct WrittenPairs {
    dict: JsValue,
    key: Option<JsValue>,
    variant: Option<&'static str>,
}

impl WrittenPairs {
    fn new(variant: Option<&'static str>) -> Step<WrittenPairs> {
        Ok(WrittenPairs { dict: new_dict()?, key: None, variant })
    }

    fn add<T: Serialize + ?Sized>(&mut self, key: &JsValue, value: &T) -> Step<()> {
        Ok(self.dict.unchecked_ref::<Any>().set_item(key, &value.serialize(Writer)?)?)
    }

    fn finish(self) -> Step<JsValue> {
        in_variant(self.variant, self.dict)
    }
}

macro_rules! write_items {
    ($($kind:ident $method:ident)*) => {$(
        impl ser::$kind for WrittenItems {
            type Ok = JsValue;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Step<()> {
                self.add(value)
            }

            fn end(self) -> Step<JsValue> {
                self.finish()
            }
        }
    )*};
}

write_items! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

macro_rules! write_fields {
    ($($kind:ident)*) => {$(
        impl ser::$kind for WrittenPairs {
            type Ok = JsValue;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Step<()> {
                self.add(&JsValue::from_str(name), value)
            }

            fn end(self) -> Step<JsValue> {
                self.finish()
            }
        }
    )*};
}

write_fields!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for WrittenPairs {
    type Ok = JsValue;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Step<()> {
        self.key = Some(key.serialize(Writer)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Step<()> {
        let Some(key) = self.key.take() else { return Err(ser::Error::custom("a value without a key")) };
        self.add(&key, value)
    }

    fn end(self) -> Step<JsValue> {
        self.finish()
    }
}
