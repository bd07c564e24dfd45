//! `instanceof`, `is_type_of`, and casts that are checked or not.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type list;
    #[wasm_bindgen(method)]
    fn append(this: &list, value: i32);

    #[wasm_bindgen(is_type_of = JsValue::is_string)]
    type Text;

    #[wasm_bindgen(js_name = dict)]
    type Dictionary;

    #[wasm_bindgen(extends = Animal)]
    type Dog;
    type Animal;
    #[wasm_bindgen(method)]
    fn name(this: &Animal) -> String;
}

#[wasm_bindgen]
pub fn kind(value: &JsValue) -> String {
    let kinds = [
        ("list", value.is_instance_of::<list>()),
        ("text", value.has_type::<Text>()),
        ("dict", value.has_type::<Dictionary>()),
        ("dog", value.has_type::<Dog>()),
        ("animal", value.has_type::<Animal>()),
    ];
    kinds.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

#[wasm_bindgen]
pub fn push(value: JsValue) -> Result<JsValue, JsValue> {
    let items: list = value.dyn_into()?;
    items.append(5);
    Ok(items.into())
}

#[wasm_bindgen]
pub fn call_it(dog: &Dog) -> String {
    dog.name()
}

/* python
import instances as m
class Animal:
    def name(self): return "animal"
class Dog(Animal):
    def name(self): return "dog"
for value in ([], "x", {}, Dog(), Animal(), 5): print(repr(m.kind(value)))
print(m.push([1]), m.call_it(Dog()))
try: m.push((1,))
except RuntimeError as e: print("RuntimeError", e)
*/
/* expect
'list'
'text'
'dict'
'dog animal'
'animal'
''
[1, 5] dog
RuntimeError (1,)
*/
