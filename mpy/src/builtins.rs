//! Functions and operations of Python's own, as imports.

use alloc::string::String;
use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

pub(crate) type Caught<T> = core::result::Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    pub(crate) fn getattr(object: &JsValue, name: &str) -> Caught<JsValue>;
    #[wasm_bindgen(catch)]
    pub(crate) fn setattr(object: &JsValue, name: &str, value: &JsValue) -> Caught<()>;
    #[wasm_bindgen(catch)]
    pub(crate) fn hasattr(object: &JsValue, name: &str) -> Caught<bool>;
    #[wasm_bindgen(catch)]
    pub(crate) fn isinstance(object: &JsValue, class: &JsValue) -> Caught<bool>;
    #[wasm_bindgen(catch)]
    pub(crate) fn len(object: &JsValue) -> Caught<u32>;
    #[wasm_bindgen(catch)]
    pub(crate) fn repr(object: &JsValue) -> Caught<String>;
    #[wasm_bindgen(catch, js_name = str)]
    pub(crate) fn text(object: &JsValue) -> Caught<String>;
    #[wasm_bindgen(catch, js_name = bool)]
    pub(crate) fn truth(object: &JsValue) -> Caught<bool>;
    #[wasm_bindgen(catch)]
    pub(crate) fn iter(object: &JsValue) -> Caught<JsValue>;
    #[wasm_bindgen(catch)]
    pub(crate) fn next(iterator: &JsValue) -> Caught<JsValue>;
    #[wasm_bindgen(catch)]
    pub(crate) fn __import__(name: &str) -> Caught<JsValue>;
    #[wasm_bindgen(catch, js_name = list)]
    pub(crate) fn new_list() -> Caught<JsValue>;
    #[wasm_bindgen(catch, js_name = tuple)]
    pub(crate) fn new_tuple(items: &JsValue) -> Caught<JsValue>;
    #[wasm_bindgen(catch, js_name = dict)]
    pub(crate) fn new_dict() -> Caught<JsValue>;
    #[wasm_bindgen(js_name = float)]
    pub(crate) fn new_float(value: f64) -> JsValue;
    #[wasm_bindgen(js_name = bytes)]
    pub(crate) fn new_bytes(bytes: &[u8]) -> JsValue;
    #[wasm_bindgen(catch, js_name = int)]
    pub(crate) fn to_int(object: &JsValue) -> Caught<i64>;
    #[wasm_bindgen(catch, js_name = bytes)]
    pub(crate) fn to_bytes(object: &JsValue) -> Caught<Vec<u8>>;

    pub(crate) type Any;
    #[wasm_bindgen(method, catch, js_name = __call__, variadic)]
    pub(crate) fn call(this: &Any, arguments: Vec<JsValue>) -> Caught<JsValue>;
    #[wasm_bindgen(method, catch, js_name = __call_keywords__, variadic)]
    pub(crate) fn call_keywords(this: &Any, keywords: u32, arguments: Vec<JsValue>) -> Caught<JsValue>;
    #[wasm_bindgen(method, catch, js_name = __operator__)]
    pub(crate) fn operator(this: &Any, operator: u32, other: &JsValue) -> Caught<JsValue>;
    #[wasm_bindgen(method, catch, indexing_getter)]
    pub(crate) fn item(this: &Any, key: &JsValue) -> Caught<JsValue>;
    #[wasm_bindgen(method, catch, indexing_setter)]
    pub(crate) fn set_item(this: &Any, key: &JsValue, value: &JsValue) -> Caught<()>;
    #[wasm_bindgen(method, catch, indexing_deleter)]
    pub(crate) fn delete_item(this: &Any, key: &JsValue) -> Caught<()>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn append(this: &Any, item: &JsValue) -> Caught<()>;

    pub(crate) type StopIteration;
}
