//! [`ModuleApi`] → a stub file for type checkers and editors (PEP 484, "Stub Files").

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use target_specs::{is_hidden, replace_chars};

use crate::classes::operands;
use crate::keywords::{is_identifier, is_special, parameter_names};
use crate::module_api::{Function, ModuleApi};
use crate::types::Scalar;
use crate::wbindgen::{Api, Call, Class, Member, Type};

/// The text of a stub, and the names that it may use for types, whatever names the module defines.
struct Stub {
    text: String,
    /// Every name that the module or one of its classes defines.
    taken: BTreeSet<String>,
    /// The names that stand for other names.
    given: RefCell<BTreeSet<String>>,
    /// The names of class members, which hide names of the module from other members.
    members: BTreeSet<String>,
    /// The names that the module has defined so far. Python sees one definition for each name.
    defined: BTreeSet<String>,
    /// Imports, by name: the module, and the name in the stub.
    imports: RefCell<BTreeMap<&'static str, (&'static str, String)>>,
    /// Other names of the module's classes.
    aliases: RefCell<BTreeMap<String, String>>,
    /// Whether functions take keyword arguments.
    keywords: bool,
}

pub(crate) fn stub(api_of_module: &ModuleApi, api: Option<&Api>, keywords: bool) -> String {
    let mut stub = Stub {
        text: String::new(),
        taken: BTreeSet::new(),
        given: RefCell::default(),
        members: BTreeSet::new(),
        defined: BTreeSet::new(),
        imports: RefCell::default(),
        aliases: RefCell::default(),
        keywords,
    };
    stub.take_names(api_of_module, api);
    if let Some(api) = api {
        stub.classes(api);
    }
    for (name, _) in &api_of_module.memories {
        let ty = stub.builtin("memoryview");
        stub.attribute("", name, &ty);
    }
    for global in &api_of_module.globals {
        let ty = stub.number(global.ty);
        stub.attribute("", &global.name, &ty);
    }
    for call in api.iter().flat_map(|api| &api.functions) {
        let params = positional_unless(keywords, stub.parameters(call));
        let result = stub.result(call.awaited.as_ref().unwrap_or(&call.result));
        stub.define("", kind(call), &call.name, &params, &result, &call.docs);
    }
    for function in &api_of_module.functions {
        stub.function(function);
    }
    stub.finish()
}

impl Stub {
    /// Collects the defined names.
    fn take_names(&mut self, api_of_module: &ModuleApi, api: Option<&Api>) {
        let memories = api_of_module.memories.iter().map(|(name, _)| name);
        self.taken.extend(memories.cloned());
        self.taken.extend(api_of_module.globals.iter().map(|global| global.name.clone()));
        self.taken.extend(api_of_module.functions.iter().map(|function| function.name.clone()));
        let Some(api) = api else { return };
        self.taken.extend(api.functions.iter().map(|call| call.name.clone()));
        self.taken.extend(api.classes.iter().map(|class| class.name.clone()));
        self.taken.extend(api.enums.iter().map(|item| item.name.clone()));
        let variants = api.enums.iter().flat_map(|item| &item.variants).map(|(name, _)| name.clone());
        let members =
            api.classes.iter().flat_map(|class| &class.members).map(|member| member.call().name.clone());
        self.members.extend(variants.chain(members).chain(["free".to_owned()]));
        self.taken.extend(self.members.iter().cloned());
    }

    /// A name like `name` that is not used.
    fn fresh(&self, name: &str) -> String {
        let mut fresh = format!("_{name}");
        while self.taken.contains(&fresh) || !self.given.borrow_mut().insert(fresh.clone()) {
            fresh.insert(0, '_');
        }
        fresh
    }

    /// `name` of the module `from`, as it is called here.
    fn imported(&self, from: &'static str, name: &'static str) -> String {
        let mut imports = self.imports.borrow_mut();
        let here = || if self.taken.contains(name) { self.fresh(name) } else { name.to_owned() };
        imports.entry(name).or_insert_with(|| (from, here())).1.clone()
    }

    /// The name of a builtin in the stub.
    fn builtin(&self, name: &'static str) -> String {
        if self.taken.contains(name) { self.imported("builtins", name) } else { name.to_owned() }
    }

    /// The name of a class of the module within its classes.
    fn class(&self, name: &str) -> String {
        if !is_identifier(name) || is_special(name) {
            return self.imported("typing", "Any");
        }
        if !self.members.contains(name) {
            return name.to_owned();
        }
        self.aliases.borrow_mut().entry(name.to_owned()).or_insert_with(|| self.fresh(name)).clone()
    }

    /// Replaces the names in a type by those of the stub.
    fn python_type(&self, text: &'static str) -> String {
        let word = |word: &'static str| match word {
            "None" | "|" => word.to_owned(),
            word => self.builtin(word),
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    /// The imports, followed by the rest.
    fn finish(self) -> String {
        let mut text = String::new();
        let mut by_module: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, (from, here)) in self.imports.borrow().iter() {
            let item = if name == here { here.clone() } else { format!("{name} as {here}") };
            by_module.entry(from).or_default().push(item);
        }
        for (from, items) in &by_module {
            let _ = writeln!(text, "from {from} import {}", items.join(", "));
        }
        if !by_module.is_empty() {
            text.push('\n');
        }
        text.push_str(&self.text);
        for (class, alias) in self.aliases.borrow().iter() {
            let _ = writeln!(text, "{alias} = {class}");
        }
        text
    }

    /// Whether `name` can be described in the module. True once for each name.
    fn describes(&mut self, name: &str) -> bool {
        is_identifier(name) && !is_special(name) && self.defined.insert(name.to_owned())
    }

    /// Writes an attribute.
    fn attribute(&mut self, indent: &str, name: &str, ty: &str) {
        let described = if indent.is_empty() { self.describes(name) } else { is_identifier(name) };
        if described {
            let _ = writeln!(self.text, "{indent}{name}: {ty}");
        }
    }

    fn function(&mut self, function: &Function) {
        // Parameters have no names in WebAssembly.
        let params: Vec<String> = match &function.types {
            Some((params, _)) => params.iter().map(|ty| self.python_type(ty.python.0)).collect(),
            None => function.params.iter().map(|ty| self.number(*ty)).collect(),
        };
        let params = params.into_iter().enumerate().map(|(i, ty)| format!("p{i}: {ty}")).collect();
        let params = positional_unless(false, params);
        let result = match (&function.types, function.results.as_slice()) {
            (Some((_, Some(ty))), _) => self.python_type(ty.python.1),
            (_, []) => "None".to_owned(),
            (_, [ty]) => self.number(*ty),
            (_, several) => {
                let types: Vec<String> = several.iter().map(|ty| self.number(*ty)).collect();
                format!("{}[{}]", self.builtin("tuple"), types.join(", "))
            }
        };
        self.define("", "def", &function.name, &params, &result, &[]);
    }

    /// Writes a function of the module, or with an indent of a class.
    fn define(
        &mut self,
        indent: &str,
        kind: &str,
        name: &str,
        params: &[String],
        result: &str,
        docs: &[String],
    ) {
        let params = params.join(", ");
        let described = if indent.is_empty() { self.describes(name) } else { is_identifier(name) };
        if !described {
            // Only `getattr` reaches this name, which a stub cannot describe, or the name has another meaning for type
            // checkers.
            let _ = writeln!(self.text, "{indent}# {name:?}: ({params}) -> {result}");
        } else if docs.is_empty() {
            let _ = writeln!(self.text, "{indent}{kind} {name}({params}) -> {result}: ...");
        } else {
            let _ = writeln!(self.text, "{indent}{kind} {name}({params}) -> {result}:");
            self.document(&format!("{indent}    "), docs);
            let _ = writeln!(self.text, "{indent}    ...");
        }
    }

    fn document(&mut self, indent: &str, docs: &[String]) {
        if docs.is_empty() {
            return;
        }
        let escape = |c: char| match c {
            '\\' => "\\\\".to_owned(),
            c if c < '\u{100}' => format!("\\x{:02x}", u32::from(c)),
            c => format!("\\U{:08x}", u32::from(c)),
        };
        let escaped = |line: &String| {
            let line = line.strip_prefix(' ').unwrap_or(line);
            let line = replace_chars(line, |c| c == '\\' || (is_hidden(c) && c != '\n'), escape);
            line.replace('\n', &format!("\n{indent}"))
        };
        let lines: Vec<String> = docs.iter().map(escaped).collect();
        let lines = lines.join(&format!("\n{indent}"));
        // A quote that follows another quote, or ends the text, could be part of a delimiter.
        let mut text = String::new();
        let mut chars = lines.trim_end().chars().peekable();
        while let Some(c) = chars.next() {
            if c == '"' && matches!(chars.peek(), None | Some('"')) {
                text.push('\\');
            }
            text.push(c);
        }
        let _ = writeln!(self.text, "{indent}\"\"\"{text}\"\"\"");
    }

    /// The types of the crate, from wasm-bindgen.
    fn classes(&mut self, api: &Api) {
        // Python sees the last definition.
        let is_class = |name: &String| api.classes.iter().any(|class| class.name == *name);
        for item in api.enums.iter().filter(|item| !is_class(&item.name)) {
            if !self.describes(&item.name) {
                continue;
            }
            let _ = writeln!(self.text, "class {}:", item.name);
            self.document("    ", &item.docs);
            let int = self.builtin("int");
            let mut seen = BTreeSet::new();
            for (name, _) in &item.variants {
                if seen.insert(name) && !is_special(name) {
                    self.attribute("    ", name, &int);
                }
            }
            self.text.push_str("    ...\n\n");
        }
        for class in &api.classes {
            if self.describes(&class.name) {
                self.class_body(class);
            }
        }
    }

    fn class_body(&mut self, class: &Class) {
        let _ = writeln!(self.text, "class {}:", class.name);
        self.document("    ", &class.docs);
        // A setter decorates its getter, so it follows it immediately.
        let setter_of = |name: &str| {
            class.members.iter().find(|member| matches!(member, Member::Setter(call) if call.name == name))
        };
        let mut members: Vec<&Member> = Vec::new();
        for member in &class.members {
            match member {
                Member::Getter(call) => members.extend([member].into_iter().chain(setter_of(&call.name))),
                Member::Setter(_) if members.contains(&member) => {}
                Member::Setter(_) if has_getter(class, &member.call().name) => {}
                _ => members.push(member),
            }
        }
        // A property is found before a method.
        let is_property = |member: &Member| matches!(member, Member::Getter(_) | Member::Setter(_));
        let mut seen: BTreeSet<&str> = members
            .iter()
            .filter(|member| is_property(member))
            .map(|member| member.call().name.as_str())
            .collect();
        for member in members {
            let call = member.call();
            let (this, decorator, name) = match member {
                Member::Constructor(_) => (true, String::new(), "__init__"),
                Member::Static(_) => {
                    (false, format!("    @{}\n", self.builtin("staticmethod")), call.name.as_str())
                }
                Member::Method { .. } => (true, String::new(), call.name.as_str()),
                Member::Getter(_) => {
                    (true, format!("    @{}\n", self.builtin("property")), call.name.as_str())
                }
                Member::Setter(_) => (true, format!("    @{}.setter\n", call.name), call.name.as_str()),
            };
            let is_new = is_property(member) || seen.insert(name);
            if matches!(member, Member::Setter(_)) && !has_getter(class, &call.name) {
                let ty = call.params.first().map(|(_, ty)| self.parameter(ty)).unwrap_or_default();
                if !is_special(name) {
                    self.attribute("    ", name, &ty);
                }
                continue;
            }
            let mut params: Vec<String> = this.then(|| "self".to_owned()).into_iter().collect();
            params.extend(self.parameters(call));
            if name == "__eq__" {
                // The operators that can compare all objects (`object.__eq__`).
                params = vec!["self".to_owned(), format!("other: {}", self.builtin("object"))];
            }
            let result = match member {
                Member::Constructor(_) => "None".to_owned(),
                // Type checkers know no property that is awaited.
                Member::Getter(Call { awaited: Some(ty), .. }) => {
                    format!("{}[{}]", self.imported("typing", "Awaitable"), self.result(ty))
                }
                _ => self.result(call.awaited.as_ref().unwrap_or(&call.result)),
            };
            if !is_new || (!matches!(member, Member::Constructor(_)) && !fits_name(member, call)) {
                let _ = writeln!(self.text, "    # {name:?}: ({}) -> {result}", params.join(", "));
                continue;
            }
            if is_identifier(name) {
                self.text.push_str(&decorator);
            }
            let kind = if is_property(member) { "def" } else { kind(call) };
            let is_operator = matches!(member, Member::Method { .. }) && operands(name).is_some();
            let params = positional_unless(self.keywords && !is_property(member) && !is_operator, params);
            self.define("    ", kind, name, &params, &result, &call.docs);
        }
        if seen.insert("free") {
            self.define("    ", "def", "free", &["self".to_owned()], "None", &[]);
        }
        self.text.push('\n');
    }

    /// The parameters of `call`. The last ones can be omitted if they are optional.
    fn parameters(&self, call: &Call) -> Vec<String> {
        let optional = call.params.iter().rev().take_while(|(_, ty)| matches!(ty, Type::Option(_))).count();
        let first_optional = call.params.len() - optional;
        let one = |(i, (name, (_, ty))): (usize, (String, &(String, Type)))| {
            let default = if i >= first_optional { " = None" } else { "" };
            format!("{name}: {}{default}", self.parameter(ty))
        };
        let names = parameter_names(call.params.iter().map(|(name, _)| name));
        names.into_iter().zip(&call.params).enumerate().map(one).collect()
    }

    fn sequence(&self, of: &str) -> String {
        format!("{}[{of}]", self.imported("typing", "Sequence"))
    }

    fn array(&self, of: &'static str) -> String {
        format!("{}[{}]", self.imported("array", "array"), self.builtin(of))
    }

    /// The type of an argument that becomes a `ty`.
    fn parameter(&self, ty: &Type) -> String {
        match ty {
            Type::Vector(element) | Type::Slice(element) => match **element {
                Type::U8 => {
                    let buffers = ["bytes", "bytearray", "memoryview"].map(|name| self.builtin(name));
                    format!("{} | {}", buffers.join(" | "), self.sequence(&self.builtin("int")))
                }
                Type::F32 | Type::F64 => {
                    format!("{} | {}", self.array("float"), self.sequence(&self.builtin("float")))
                }
                ref number if is_integer(number) => {
                    format!("{} | {}", self.array("int"), self.sequence(&self.builtin("int")))
                }
                ref other => self.sequence(&self.parameter(other)),
            },
            Type::RefMut(inner) => match &**inner {
                Type::Slice(element) => {
                    let view = self.builtin("memoryview");
                    match **element {
                        Type::U8 => format!("{} | {view} | {}", self.builtin("bytearray"), self.array("int")),
                        Type::F32 | Type::F64 => format!("{} | {view}", self.array("float")),
                        _ => format!("{} | {view}", self.array("int")),
                    }
                }
                other => self.parameter(other),
            },
            Type::Ref(inner) => self.parameter(inner),
            Type::Option(inner) => format!("{} | None", self.parameter(inner)),
            other => self.result(other),
        }
    }

    /// The type of a result that was a `ty`.
    fn result(&self, ty: &Type) -> String {
        match ty {
            Type::Unit => "None".to_owned(),
            Type::Bool => self.builtin("bool"),
            Type::Char | Type::String | Type::StringEnum { .. } => self.builtin("str"),
            Type::F32 | Type::F64 => self.builtin("float"),
            Type::Struct(name) => self.class(name),
            Type::Named(name) if name == "string" => self.builtin("str"),
            Type::Enum { .. } | Type::RawPointer | Type::NonNull => self.builtin("int"),
            Type::Ref(inner) | Type::RefMut(inner) | Type::Result(inner) => self.result(inner),
            Type::Option(inner) => format!("{} | None", self.result(inner)),
            Type::Vector(element) | Type::Slice(element) => match **element {
                Type::U8 => self.builtin("bytes"),
                Type::F32 | Type::F64 => self.array("float"),
                ref number if is_integer(number) => self.array("int"),
                ref other => format!("{}[{}]", self.builtin("list"), self.result(other)),
            },
            Type::Closure { signature, .. } | Type::Function(signature) => {
                let params = signature.params.iter().map(|ty| self.result(ty)).collect::<Vec<_>>().join(", ");
                let callable = self.imported("typing", "Callable");
                format!("{callable}[[{params}], {}]", self.result(&signature.result))
            }
            number if is_integer(number) => self.builtin("int"),
            _ => self.imported("typing", "Any"),
        }
    }

    fn number(&self, ty: Scalar) -> String {
        self.builtin(if ty.is_float() { "float" } else { "int" })
    }
}

/// Parameters that callers can name, or that they cannot name.
fn positional_unless(named: bool, mut params: Vec<String>) -> Vec<String> {
    if !named && params.iter().any(|param| param != "self") {
        params.push("/".to_owned());
    }
    params
}

/// How the definition of `call` begins.
fn kind(call: &Call) -> &'static str {
    if call.awaited.is_some() { "async def" } else { "def" }
}

fn has_getter(class: &Class, name: &str) -> bool {
    class.members.iter().any(|member| matches!(member, Member::Getter(call) if call.name == name))
}

/// Whether a member has the meaning of its name for type checkers. Of special names, these are the operators that the
/// firmware calls.
fn fits_name(member: &Member, call: &Call) -> bool {
    let name = call.name.as_str();
    if !is_special(name) {
        return true;
    }
    let optional = call.params.iter().rev().take_while(|(_, ty)| matches!(ty, Type::Option(_))).count();
    let most = call.params.len();
    let takes = |count| matches!(member, Member::Method { .. }) && (most - optional..=most).contains(&count);
    let result = match &call.result {
        Type::Result(inner) => inner,
        other => other,
    };
    match name {
        "__eq__" => takes(1) && *result == Type::Bool,
        "__str__" | "__repr__" => takes(0) && *result == Type::String,
        "__hash__" => takes(0) && is_integer(result),
        "__call__" | "__enter__" | "__exit__" => matches!(member, Member::Method { .. }),
        name => operands(name).is_some_and(takes),
    }
}

fn is_integer(ty: &Type) -> bool {
    matches!(
        ty,
        Type::I8
            | Type::U8
            | Type::I16
            | Type::U16
            | Type::I32
            | Type::U32
            | Type::I64
            | Type::U64
            | Type::I128
            | Type::U128
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, params: &[Scalar], results: &[Scalar]) -> Function {
        Function {
            name: name.to_owned(),
            c_name: "f".to_owned(),
            params: params.to_vec(),
            results: results.to_vec(),
            result_type: String::new(),
            types: None,
        }
    }

    #[test]
    fn every_function_has_a_line() {
        let functions = vec![
            function("add", &[Scalar::I32, Scalar::F64], &[Scalar::I64]),
            function("none", &[], &[]),
            function("pair", &[Scalar::F32], &[Scalar::I32, Scalar::F32]),
            function("if", &[], &[Scalar::I32]),
            function("a-\nb", &[Scalar::I32], &[]),
        ];
        assert_eq!(
            stub(&ModuleApi { functions, ..ModuleApi::default() }, None, false),
            "def add(p0: int, p1: float, /) -> int: ...\n\
             def none() -> None: ...\n\
             def pair(p0: float, /) -> tuple[int, float]: ...\n\
             # \"if\": () -> int\n\
             # \"a-\\nb\": (p0: int, /) -> None\n"
        );
    }
}
