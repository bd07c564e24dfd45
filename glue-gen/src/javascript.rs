//! What JavaScript's library means in Python: the entries of `javascript.toml`, for imports that wasm-bindgen describes.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use toml::Value;

use crate::host_imports::{self, Builtin};
use crate::wbindgen::{Api, Import, Target};

/// The crates that are JavaScript's library.
const LIBRARY: [&str; 2] = ["js_sys", "web_sys"];
/// What to do about an import that means nothing in Python.
pub(crate) const HELP: &str = "use Python's: `#[wasm_bindgen(module = \"…\")] extern \"C\" { … }` imports any of its functions and types";
/// The table of the names without a class or a namespace.
const GLOBAL: &str = "globalThis";
/// The names of the global object.
const GLOBALS: [&str; 4] = [GLOBAL, "self", "window", "global"];

/// What an import of JavaScript's library means in Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A call of the function with this path, or whether the argument is an instance of that class.
    Function(&'static str),
    /// A call of a method of the first argument.
    Method(&'static str),
    /// The value with this path.
    Value(&'static str),
    /// The first argument.
    This,
    /// A call of the C function `mpy_js_NAME`.
    Helper(&'static str),
    /// A function of the bindings.
    Builtin(&'static Builtin),
    /// A call of a function with this source text.
    Python(&'static str),
    /// A call of a function of a source text that several share.
    Shared {
        /// What the text is called.
        text: &'static str,
        name: &'static str,
    },
}

/// Whether an import is one of JavaScript's library, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is Python's.
    Python,
    /// It is a member of an object that may be Python's or JavaScript's: its name.
    Member(String),
    /// It is JavaScript's.
    Known(Meaning),
    /// It is JavaScript's, and means nothing in Python: its name.
    Missing(String),
}

/// `javascript.toml`, read.
fn library() -> &'static toml::Table {
    static LIBRARY: OnceLock<toml::Table> = OnceLock::new();
    // The data is compiled in, and a test reads all of it, so this cannot fail for users.
    LIBRARY.get_or_init(|| include_str!("javascript.toml").parse().expect("javascript.toml is TOML"))
}

fn table(name: &str) -> Option<&'static toml::Table> {
    library().get(name)?.as_table().filter(|_| !["functions", "texts"].contains(&name))
}

/// The source text that is called `name`, which several functions share.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    library()["texts"].get(name)?.as_str()
}

/// The strings that the helper `name` uses in Python.
pub(crate) fn strings(name: &str) -> impl Iterator<Item = &'static str> {
    let strings = library()["functions"].get(name).and_then(Value::as_array);
    strings.into_iter().flatten().filter_map(Value::as_str)
}

/// What the member `key` of `name`, with so many parameters, means.
fn member(name: &str, key: &str, count: usize) -> Option<Meaning> {
    let members = table(name)?;
    let own = members.get(&format!("{key}/{count}")).or_else(|| members.get(key));
    match own.and_then(Value::as_str) {
        Some(text) => parse(text),
        None => member(members.get("extends")?.as_str()?, key, count),
    }
}

fn parse(text: &'static str) -> Option<Meaning> {
    if text == "this" {
        return Some(Meaning::This);
    }
    if let Some(name) = text.strip_prefix("js:") {
        return library()["functions"].get(name).map(|_| Meaning::Helper(name));
    }
    if let Some(name) = text.strip_prefix("mpy:") {
        return host_imports::builtin_function(name).map(Meaning::Builtin);
    }
    if let Some(path) = text.strip_prefix('=') {
        return Some(Meaning::Value(path));
    }
    if let Some(name) = text.strip_prefix('.') {
        return Some(Meaning::Method(name));
    }
    if let Some((text, name)) = text.split_once(':')
        && self::text(text).is_some()
    {
        return Some(Meaning::Shared { text, name });
    }
    let text = text.trim_start();
    Some(if text.starts_with("lambda") || text.starts_with("def ") {
        Meaning::Python(text)
    } else {
        Meaning::Function(text)
    })
}

/// Whether a crate makes objects of a class of JavaScript's, or uses values that are global in JavaScript.
fn has_objects(api: &Api, crate_name: &str, class: &str) -> bool {
    let makes = |import: &Import| {
        let found = match import.target {
            Target::Constructor => import.name == class,
            Target::Static => table(GLOBAL).is_some_and(|names| names.contains_key(&import.name)),
            _ => false,
        };
        found && import.module.is_none() && import.namespace.is_empty()
    };
    api.imports.iter().any(|import| import.crate_name == crate_name && makes(import))
}

/// The table and the name in it of an import.
struct Place {
    table: String,
    key: String,
    /// Whether it is a member of an object.
    of_object: bool,
}

impl Place {
    fn of(import: &Import) -> Option<Place> {
        // `globalThis.crypto` is `crypto`.
        let skipped = usize::from(import.namespace.first().is_some_and(|root| GLOBALS.contains(&&**root)));
        let mut path: Vec<&str> = import.namespace[skipped..].iter().map(String::as_str).collect();
        let name = import.name.as_str();
        let key = match &import.target {
            Target::Function | Target::Static => name.to_owned(),
            Target::Constructor => {
                path.push(name);
                "new".to_owned()
            }
            Target::InstanceOf => {
                path.push(name);
                "instanceof".to_owned()
            }
            Target::StaticMethod { class } | Target::StaticGetter { class } => {
                path.push(class);
                name.to_owned()
            }
            Target::StaticSetter { class } => {
                path.push(class);
                format!("set {name}")
            }
            Target::Method => format!(".{name}"),
            Target::Getter(name) => format!("get {name}"),
            Target::Setter(name) => format!("set {name}"),
            Target::IndexingGetter => "[]".to_owned(),
            Target::IndexingSetter => "[]=".to_owned(),
            Target::IndexingDeleter => "delete []".to_owned(),
            Target::Text => return None,
        };
        let class = import.class.as_deref();
        path.extend(class);
        let table = if path.is_empty() { GLOBAL.to_owned() } else { path.join(".") };
        Some(Place { table, key, of_object: class.is_some() })
    }

    /// As JavaScript writes it.
    fn name(&self) -> String {
        let Place { table, key, .. } = self;
        let of = if table == GLOBAL { String::new() } else { format!("{table}.") };
        match key.as_str() {
            "new" => format!("new {table}()"),
            "instanceof" => format!("instanceof {table}"),
            "[]" | "[]=" | "delete []" => format!("{table}[]"),
            key => match (key.strip_prefix('.'), key.split_once(' ')) {
                (Some(method), _) => format!("{of}{method}()"),
                (_, Some((_, property))) => format!("{of}{property}"),
                _ => format!("{of}{key}"),
            },
        }
    }
}

/// Whether this crate is JavaScript's library, by its name in Rust.
pub fn is_library(crate_name: &str) -> bool {
    LIBRARY.contains(&crate_name)
}

/// What `import` means.
pub(crate) fn answer(api: &Api, import: &Import) -> Answer {
    let own = import.crate_name.replace('-', "_");
    if import.module.is_some() || own == "wasm_bindgen" {
        return Answer::Python;
    }
    let Some(place) = Place::of(import) else { return Answer::Python };
    let Place { table: name, key, of_object } = &place;
    let count = import.signature.params.len();
    let local = format!("{own}::{name}");
    if let Some(meaning) = member(&local, key, count) {
        return Answer::Known(meaning);
    }
    let is_library = is_library(&own);
    if !is_library && *of_object && !has_objects(api, &import.crate_name, name) {
        // What a crate calls the class of an object says nothing.
        return Answer::Member(place.name());
    }
    if let Some(meaning) = member(name, key, count) {
        return Answer::Known(meaning);
    }
    let root = if name == GLOBAL { key } else { name.split('.').next().unwrap_or_default() };
    let is_name = || {
        library()["names"]
            .as_array()
            .is_some_and(|names| names.iter().any(|name| name.as_str() == Some(root)))
    };
    if is_library || table(root).is_some() || is_name() {
        Answer::Missing(place.name())
    } else {
        Answer::Python
    }
}

/// Whether a module uses JavaScript's library.
pub(crate) fn is_used<'a>(api: &Api, imports: impl IntoIterator<Item = &'a Import>) -> bool {
    imports.into_iter().any(|import| matches!(answer(api, import), Answer::Known(_)))
}

/// An import of JavaScript's library without a counterpart in Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// As JavaScript writes it.
    pub name: String,
    /// The crate that declares it.
    pub crate_name: String,
    /// The import of the module.
    pub symbol: String,
    /// What else it may be.
    pub doubt: Doubt,
}

/// What an import that looks like one of JavaScript's library may be instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing.
    None,
    /// A function or class of the user's in Python.
    Function,
    /// A member of an object of Python's.
    Member,
}

/// Whether a name is written as no function or class in Python is.
fn is_camel_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.contains(|c: char| c.is_ascii_uppercase())
}

/// What `symbols`, the imports of a module, lack or may lack.
pub fn missing<'a>(api: &Api, symbols: impl IntoIterator<Item = &'a str>) -> Vec<Missing> {
    let symbols: BTreeSet<&str> = symbols.into_iter().collect();
    let imports = api.imports.iter().filter(|import| symbols.contains(import.symbol.as_str()));
    imports
        .filter_map(|import| {
            let (name, doubt) = match answer(api, import) {
                Answer::Missing(name)
                    if is_library(&import.crate_name.replace('-', "_")) || is_camel_case(&name) =>
                {
                    (name, Doubt::None)
                }
                Answer::Missing(name) => (name, Doubt::Function),
                Answer::Member(name) => (name, Doubt::Member),
                Answer::Python | Answer::Known(_) => return None,
            };
            let (crate_name, symbol) = (import.crate_name.clone(), import.symbol.clone());
            Some(Missing { name, crate_name, symbol, doubt })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_means_something() {
        let mut helpers: BTreeSet<&str> =
            library()["functions"].as_table().unwrap().keys().map(String::as_str).collect();
        for (name, members) in library() {
            let Some(members) = members.as_table().filter(|_| table(name).is_some()) else { continue };
            for (key, value) in members {
                let text = value.as_str().unwrap();
                if key == "extends" {
                    assert!(table(text).is_some(), "{name}: {text}");
                    continue;
                }
                let meaning = parse(text).unwrap_or_else(|| panic!("{name}: {key}"));
                match meaning {
                    Meaning::Helper(helper) => _ = helpers.remove(helper),
                    Meaning::Shared { text, name } => {
                        let defines = ["def", "class"].map(|word| format!("\n{word} {name}"));
                        let text = self::text(text).unwrap();
                        assert!(defines.iter().any(|define| text.contains(define)), "{name}");
                    }
                    _ => {}
                }
                let (key, count) = key
                    .split_once('/')
                    .map_or((key.as_str(), 99), |(key, count)| (key, count.parse().unwrap()));
                assert!(member(name, key, count).is_some(), "{name}: {key}");
            }
        }
        assert!(helpers.is_empty(), "unused: {helpers:?}");
    }
}
