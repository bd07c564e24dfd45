//! Combines the programs and descriptors of wasm-bindgen into the crate's API.

use std::collections::BTreeSet;

use target_specs::{Diagnostic, Place, Result};
use wasm_bindgen_shared as shared;

use super::descriptor::{self, Signature, Type};
use super::input::{Raw, refuse};
use super::schema;

/// Everything that a crate exports and imports with `#[wasm_bindgen]`.
#[derive(Debug, Clone, Default)]
pub struct Api {
    /// Exported functions.
    pub functions: Vec<Call>,
    /// Exported structs.
    pub classes: Vec<Class>,
    /// Exported enums of numbers.
    pub enums: Vec<Enum>,
    /// Exported enums of strings.
    pub string_enums: Vec<StringEnum>,
    /// Imported functions, classes and values of Python.
    pub imports: Vec<Import>,
    /// Imports that only convert a value, such as text to `JsValue`: they return their one parameter. By symbol.
    pub casts: Vec<(String, Signature)>,
    /// The symbols of functions that run once at import (`#[wasm_bindgen(start)]`).
    pub start: Vec<String>,
}

impl Api {
    /// All exports of the module that the bindings call.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        let members = self.classes.iter().flat_map(|class| {
            let of = class.members.iter().map(|member| member.call().symbol.as_str());
            of.chain([class.free.as_str()])
        });
        let functions = self.functions.iter().map(|call| call.symbol.as_str());
        functions.chain(members).chain(self.start.iter().map(String::as_str))
    }

    /// The indices, in the function table, of the functions that call closures.
    pub fn shims(&self) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        let imports = self.imports.iter().map(|import| &import.signature);
        for signature in imports.chain(self.casts.iter().map(|(_, signature)| signature)) {
            for ty in signature.params.iter().chain([&signature.result]) {
                ty.shims(&mut found);
            }
        }
        found
    }
}

/// A function of the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// Its name in Python.
    pub name: String,
    /// The export of the module.
    pub symbol: String,
    /// Names and types, without `self`.
    pub params: Vec<(String, Type)>,
    /// The type of the result; `Type::Unit` if there is none.
    pub result: Type,
    /// The type of what the result returns when it is awaited, if the function is `async`.
    pub awaited: Option<Type>,
    /// The lines of its doc comment.
    pub docs: Vec<String>,
    /// Whether it gets or sets a field. The object is then borrowed only during the access.
    pub of_field: bool,
}

/// A struct that is a class in Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its name in Python.
    pub name: String,
    /// The export `(ptr, allow_delayed)` that frees an object.
    pub free: String,
    /// The import that makes an object of a pointer.
    pub wrap: String,
    /// The import that takes the pointer out of an object again.
    pub unwrap: String,
    /// The lines of its doc comment.
    pub docs: Vec<String>,
    /// Its constructor, functions and properties.
    pub members: Vec<Member>,
}

/// A member of a class. `self` is a pointer before the parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// `#[wasm_bindgen(constructor)]`: `Class(…)` in Python.
    Constructor(Call),
    /// A function without `self`.
    Static(Call),
    /// A function with `self`.
    Method {
        /// The function.
        call: Call,
        /// It takes `self` by value: the object cannot be used after the call.
        consumes: bool,
    },
    /// Reads a property, which has the name of the function.
    Getter(Call),
    /// Writes a property. The parameter is the new value.
    Setter(Call),
}

impl Member {
    /// The function of the member.
    pub fn call(&self) -> &Call {
        match self {
            Member::Constructor(call)
            | Member::Static(call)
            | Member::Getter(call)
            | Member::Setter(call) => call,
            Member::Method { call, .. } => call,
        }
    }
}

/// An enum of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// Its name in Python.
    pub name: String,
    /// Whether the values are of type `i32`; otherwise of `u32`.
    pub signed: bool,
    /// Names and values; a negative value is in two's complement.
    pub variants: Vec<(String, u32)>,
    /// The lines of its doc comment.
    pub docs: Vec<String>,
}

/// An enum of strings; its values are indices into `variants`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringEnum {
    /// Its name.
    pub name: String,
    /// The strings.
    pub variants: Vec<String>,
}

/// Something in Python that the crate uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The import of the module, in `__wbindgen_placeholder__`.
    pub symbol: String,
    /// The crate that declares it. It distinguishes wasm-bindgen's imports from the user's.
    pub crate_name: String,
    /// The Python module; `None` means builtins.
    pub module: Option<String>,
    /// The attributes between the module and the name.
    pub namespace: Vec<String>,
    /// The name of the function, class or value.
    pub name: String,
    /// For a member of an object, what the crate calls the class of the object.
    pub class: Option<String>,
    /// How it is used.
    pub target: Target,
    /// Whether a Python exception is returned as `Err`.
    pub catch: bool,
    /// The last argument is a slice, whose elements are passed one by one.
    pub variadic: bool,
    /// Whether it would give control to JavaScript's event loop.
    pub suspending: bool,
    /// Its type in Rust.
    pub signature: Signature,
}

/// How an import is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A call of the function `name`.
    Function,
    /// Calls the class `name`.
    Constructor,
    /// Calls a function of a class.
    StaticMethod {
        /// The name of the class in Python.
        class: String,
    },
    /// Reads an attribute of a class.
    StaticGetter {
        /// The name of the class in Python.
        class: String,
    },
    /// Writes an attribute of a class.
    StaticSetter {
        /// The name of the class in Python.
        class: String,
    },
    /// Calls a method of its first argument.
    Method,
    /// Reads this attribute of its first argument.
    Getter(String),
    /// Writes this attribute of its first argument.
    Setter(String),
    /// `object[key]`
    IndexingGetter,
    /// `object[key] = value`
    IndexingSetter,
    /// `del object[key]`
    IndexingDeleter,
    /// The value itself, without a call.
    Static,
    /// Whether its argument is an instance of the class `name`.
    InstanceOf,
    /// The text `name`.
    Text,
}

/// Combines the results of the passes.
///
/// # Errors
/// `wasm-bindgen-version`, `invalid-bindings`, and `unsupported-bindings` for what has no meaning in
/// Python, with the name of the item.
pub fn api(raw: &Raw) -> Result<Api> {
    let mut api = Api::default();
    let programs = schema::programs(&raw.section)?;
    // Each use of the macro writes a program. The methods of a struct are in another program than the struct.
    for program in &programs {
        for item in &program.structs {
            api.classes.push(Crate { raw, program }.class(item)?);
        }
    }
    for program in &programs {
        let crate_ = Crate { raw, program };
        for item in &program.exports {
            crate_.export(item, &mut api)?;
        }
        for item in &program.enums {
            api.enums.push(Enum {
                name: item.name.to_owned(),
                signed: item.signed,
                variants: item.variants.iter().map(|v| (v.name.to_owned(), v.value)).collect(),
                docs: texts(&item.comments),
            });
        }
        for item in &program.imports {
            crate_.import(item, &mut api)?;
        }
    }
    for (symbol, words) in &raw.generics {
        match descriptor::decode_keyed(words)? {
            (key, Type::Function(signature)) if key.is_empty() => {
                api.casts.push((symbol.clone(), *signature));
            }
            (key, _) => {
                return Err(unsupported(
                    &key,
                    "a generic import",
                    "import the function once for every type it is used with",
                ));
            }
        }
    }
    Ok(api)
}

/// `name` as it can be written in Python (PEP 8: "trailing underscore … to avoid conflicts").
fn python_name(name: &str) -> String {
    if crate::keywords::KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The name in Rust of a function or a parameter: the macro puts an underscore before JavaScript's keywords.
fn rust_name(name: &str) -> &str {
    name.strip_prefix('_').filter(|rest| shared::identifier::is_js_keyword(rest)).unwrap_or(name)
}

fn texts(comments: &[&str]) -> Vec<String> {
    comments.iter().map(|line| (*line).to_owned()).collect()
}

fn unsupported(item: &str, what: &str, help: &str) -> Diagnostic {
    Diagnostic::new("unsupported-bindings", format!("{what} has no counterpart in MicroPython"))
        .at(Place::Item(item.to_owned()))
        .help(help)
}

/// The type of a parameter that outlives the call: Rust owns the memory that it borrows.
fn owned(ty: Type, function: &str) -> Result<Type> {
    Ok(match ty {
        Type::Ref(inner) => match *inner {
            Type::String => Type::String,
            Type::Slice(element) => Type::Vector(element),
            other => Type::Ref(Box::new(other)),
        },
        Type::RefMut(inner) if matches!(*inner, Type::Slice(_)) => {
            let help = "take a `Vec<T>` and return it: the buffer may change while the function waits";
            return Err(unsupported(function, "a `&mut [T]` of an `async` function", help));
        }
        other => other,
    })
}

/// A program, and the data that it refers to.
struct Crate<'a> {
    raw: &'a Raw,
    program: &'a schema::Program<'a>,
}

impl Crate<'_> {
    /// The symbol that the macro derives from `base`. Two crates may export the same name.
    fn mangled(&self, base: &str) -> String {
        shared::mangled_symbol(base, shared::crate_hash(self.program.unique_crate_identifier))
    }

    /// The signature for `symbol`; `None` if the linker removed it as unused.
    fn signature(&self, symbol: &str) -> Result<Option<Signature>> {
        let Some(words) = self.raw.descriptors.get(symbol) else { return Ok(None) };
        match descriptor::decode(words)? {
            Type::Function(signature) => Ok(Some(*signature)),
            _ => Err(refuse(format!("`{symbol}` is not described as a function"))),
        }
    }

    fn class(&self, item: &schema::Struct) -> Result<Class> {
        if item.extends.is_some() || item.extends_js_class.is_some() {
            return Err(unsupported(item.name, "`extends`", "hold the other struct in a field"));
        }
        let qualified = shared::qualified_name(item.js_namespace.as_deref(), item.name);
        let mut members = Vec::new();
        for field in &item.fields {
            let getter = self.mangled(&shared::struct_field_get(&qualified, field.name));
            let Some(words) = self.raw.descriptors.get(&getter) else { continue };
            let ty = descriptor::decode(words)?;
            let call = |symbol: String, params, result| Call {
                name: field.name.to_owned(),
                symbol,
                params,
                result,
                awaited: None,
                docs: texts(&field.comments),
                of_field: true,
            };
            members.push(Member::Getter(call(getter, Vec::new(), ty.clone())));
            if !field.readonly {
                let setter = self.mangled(&shared::struct_field_set(&qualified, field.name));
                members.push(Member::Setter(call(setter, vec![("value".to_owned(), ty)], Type::Unit)));
            }
        }
        Ok(Class {
            name: item.name.to_owned(),
            free: self.mangled(&shared::free_function(&qualified)),
            wrap: self.mangled(&shared::new_function(&qualified)),
            unwrap: self.mangled(&shared::unwrap_function(&qualified)),
            docs: texts(&item.comments),
            members,
        })
    }

    fn export(&self, item: &schema::Export, api: &mut Api) -> Result<()> {
        let function = &item.function;
        let base = match item.class {
            Some(class) => shared::struct_function_export_name(class, function.name),
            None => shared::free_function_export_name(function.name),
        };
        let symbol = self.mangled(&shared::qualified_name(item.js_namespace.as_deref(), &base));
        if let schema::MethodKind::Operation(schema::Operation {
            kind: schema::OperationKind::RegularThis,
            ..
        }) = &item.method_kind
        {
            let help = "write a method of a struct: `&self` is what it is called on";
            return Err(unsupported(function.name, "`this`", help));
        }
        if function.jspi {
            return Err(unsupported(
                function.name,
                "`jspi`",
                "do without it: calls to Python return when they are done",
            ));
        }
        if !matches!(item.start, schema::StartKind::None) {
            api.start.push(symbol.clone());
            if matches!(item.start, schema::StartKind::Private) {
                return Ok(());
            }
        }
        let Some(signature) = self.signature(&symbol)? else { return Ok(()) };
        let name = if item.class.is_none() { rust_name(function.name) } else { function.name };
        let names = function.args.iter().map(|arg| rust_name(&arg.name).to_owned());
        let names = names.chain(std::iter::repeat(String::new()));
        let params = match function.asyncness {
            true => signature.params.into_iter().map(|ty| owned(ty, function.name)).collect::<Result<_>>()?,
            false => signature.params,
        };
        let params = names.zip(params).collect();
        let call = Call {
            name: python_name(name),
            symbol,
            params,
            awaited: function.asyncness.then_some(signature.inner_result),
            result: signature.result,
            docs: texts(&item.comments),
            of_field: false,
        };
        let Some(class) = item.class else {
            api.functions.push(call);
            return Ok(());
        };
        let member = match &item.method_kind {
            schema::MethodKind::Constructor => Member::Constructor(call),
            schema::MethodKind::Operation(operation) => match (&operation.kind, operation.is_static) {
                (schema::OperationKind::Getter(name), false) => {
                    Member::Getter(Call { name: (*name).to_owned(), ..call })
                }
                (schema::OperationKind::Setter(name), false) if function.asyncness => {
                    let help = "write an `async` method: nobody awaits what a setter returns";
                    return Err(unsupported(&format!("{class}.{name}"), "an `async` setter", help));
                }
                (schema::OperationKind::Setter(name), false) => {
                    Member::Setter(Call { name: (*name).to_owned(), ..call })
                }
                (schema::OperationKind::Regular | schema::OperationKind::RegularThis, false) => {
                    Member::Method { call, consumes: item.consumed }
                }
                (schema::OperationKind::Regular, true) => Member::Static(call),
                _ => {
                    return Err(unsupported(
                        &format!("{class}.{}", function.name),
                        "this kind of method",
                        "export a plain method",
                    ));
                }
            },
        };
        // Two crates may have a class of the same name.
        let end = format!("_{}", shared::crate_hash(self.program.unique_crate_identifier));
        let found = api.classes.iter_mut().find(|known| known.name == class && known.free.ends_with(&end));
        found.ok_or_else(|| refuse(format!("the class `{class}` is not declared")))?.members.push(member);
        Ok(())
    }

    /// Whether `module` is a file of the crate that the macro included.
    fn is_file(&self, module: &str) -> bool {
        self.program.local_modules.iter().any(|file| file.identifier == module)
    }

    fn import(&self, item: &schema::Import, api: &mut Api) -> Result<()> {
        let module = match &item.module {
            None => None,
            Some(schema::ImportModule::Named(name)) if self.is_file(name) => {
                // The macro added the name of the crate.
                return Err(unsupported(
                    name.split_once('/').map_or(*name, |(_, path)| path),
                    "a file of JavaScript's",
                    "write the functions in Python and import them with `module = \"…\"`",
                ));
            }
            Some(schema::ImportModule::Named(name) | schema::ImportModule::RawNamed(name)) => {
                Some((*name).to_owned())
            }
            Some(schema::ImportModule::Inline(_)) => {
                return Err(unsupported(
                    shared::crate_name(self.program.unique_crate_identifier),
                    "`inline_js`",
                    "write the function in Python and import it with `module = \"…\"`",
                ));
            }
        };
        if let Some(name) = &item.reexport {
            let help = "import the name in Python where it is used, or export a function that calls it";
            return Err(unsupported(name, "`reexport`", help));
        }
        let import = |symbol: &str, name: &str, target, signature| Import {
            symbol: symbol.to_owned(),
            crate_name: shared::crate_name(self.program.unique_crate_identifier).to_owned(),
            module: module.clone(),
            namespace: item.js_namespace.clone().unwrap_or_default(),
            name: name.to_owned(),
            class: None,
            target,
            catch: false,
            variadic: false,
            suspending: false,
            signature,
        };
        match &item.kind {
            schema::ImportKind::Function(function) => {
                let Some(signature) = self.signature(function.shim)? else { return Ok(()) };
                let target = match &function.method {
                    None => Target::Function,
                    Some(method) => target(method),
                };
                let name = match (&target, &function.method) {
                    (Target::Constructor, Some(method)) => method.class,
                    (Target::StaticGetter { .. } | Target::StaticSetter { .. }, Some(method)) => {
                        property(method)
                    }
                    _ => function.function.name,
                };
                let is_member = !matches!(
                    target,
                    Target::Function
                        | Target::Constructor
                        | Target::StaticMethod { .. }
                        | Target::StaticGetter { .. }
                        | Target::StaticSetter { .. }
                );
                let class = function.method.as_ref().filter(|_| is_member);
                api.imports.push(Import {
                    class: class.map(|method| method.class.to_owned()),
                    catch: function.catch,
                    variadic: function.variadic,
                    suspending: function.suspending,
                    ..import(function.shim, name, target, signature)
                });
            }
            schema::ImportKind::Static(value) => {
                let Some(words) = self.raw.descriptors.get(value.shim) else { return Ok(()) };
                let result = descriptor::decode(words)?;
                let signature =
                    Signature { params: Vec::new(), inner_result: result.clone(), result, shim: 0 };
                api.imports.push(import(value.shim, value.name, Target::Static, signature));
            }
            schema::ImportKind::String(text) => {
                // A constant has no properties besides its value.
                let signature = Signature {
                    params: Vec::new(),
                    result: Type::Object,
                    inner_result: Type::Object,
                    shim: 0,
                };
                api.imports.push(import(text.shim, text.string, Target::Text, signature));
            }
            schema::ImportKind::Type(ty) => {
                if !ty.vendor_prefixes.is_empty() {
                    let help = "name the type by `js_name` as it is called in Python";
                    return Err(unsupported(ty.name, "`vendor_prefix`", help));
                }
                let signature = Signature {
                    params: vec![Type::Ref(Box::new(Type::Object))],
                    result: Type::Bool,
                    inner_result: Type::Bool,
                    shim: 0,
                };
                api.imports.push(import(ty.instanceof_shim, ty.name, Target::InstanceOf, signature));
            }
            schema::ImportKind::Enum(item) => api
                .string_enums
                .push(StringEnum { name: item.name.to_owned(), variants: texts(&item.variant_values) }),
            schema::ImportKind::DynamicUnion(item) => {
                return Err(unsupported(item.name, "a union type", "take a `JsValue` and look what it is"));
            }
        }
        Ok(())
    }
}

/// The name of the property that a method reads or writes.
fn property<'a>(method: &schema::MethodData<'a>) -> &'a str {
    match &method.kind {
        schema::MethodKind::Operation(schema::Operation {
            kind: schema::OperationKind::Getter(name) | schema::OperationKind::Setter(name),
            ..
        }) => name,
        _ => "",
    }
}

fn target(method: &schema::MethodData) -> Target {
    match &method.kind {
        schema::MethodKind::Constructor => Target::Constructor,
        schema::MethodKind::Operation(operation) => match &operation.kind {
            schema::OperationKind::Getter(_) if operation.is_static => {
                Target::StaticGetter { class: method.class.to_owned() }
            }
            schema::OperationKind::Setter(_) if operation.is_static => {
                Target::StaticSetter { class: method.class.to_owned() }
            }
            schema::OperationKind::Getter(name) => Target::Getter((*name).to_owned()),
            schema::OperationKind::Setter(name) => Target::Setter((*name).to_owned()),
            schema::OperationKind::IndexingGetter => Target::IndexingGetter,
            schema::OperationKind::IndexingSetter => Target::IndexingSetter,
            schema::OperationKind::IndexingDeleter => Target::IndexingDeleter,
            schema::OperationKind::Regular | schema::OperationKind::RegularThis => {
                if operation.is_static {
                    Target::StaticMethod { class: method.class.to_owned() }
                } else {
                    Target::Method
                }
            }
        },
    }
}
