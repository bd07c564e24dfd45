//! [`Surface`] → a stub file for type checkers and editors (PEP 484, "Stub Files").

use std::fmt::Write as _;

use crate::surface::Surface;
use crate::types::Scalar;
use crate::wbindgen::{Api, Call, Class, Member, Type};

/// Words that cannot be names (Python's "Keywords", and the soft ones that are names).
pub(crate) const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

pub(crate) fn stub(surface: &Surface, api: Option<&Api>) -> String {
    let mut text = String::new();
    if let Some(api) = api {
        described(&mut text, api);
    }
    for (name, _) in surface.memories.iter().filter(|(name, _)| is_identifier(name)) {
        let _ = writeln!(text, "{name}: memoryview");
    }
    for global in surface.globals.iter().filter(|global| is_identifier(&global.name)) {
        let _ = writeln!(text, "{}: {}", global.name, python(global.ty));
    }
    for function in &surface.functions {
        // Parameters have no names in WebAssembly, so callers cannot use any.
        let params: Vec<&str> = match &function.types {
            Some((params, _)) => params.iter().map(|ty| ty.python.0).collect(),
            None => function.params.iter().map(|ty| python(*ty)).collect(),
        };
        let params: Vec<String> =
            params.into_iter().enumerate().map(|(i, ty)| format!("p{i}: {ty}")).collect();
        let result = match (&function.types, function.results.as_slice()) {
            (Some((_, Some(ty))), _) => ty.python.1.to_owned(),
            (_, []) => "None".to_owned(),
            (_, [ty]) => python(*ty).to_owned(),
            (_, several) => {
                let types: Vec<&str> = several.iter().map(|ty| python(*ty)).collect();
                format!("tuple[{}]", types.join(", "))
            }
        };
        define(&mut text, "", &function.name, &params, &result, &[]);
    }
    text
}

/// Writes one function, of positional parameters.
fn define(text: &mut String, indent: &str, name: &str, params: &[String], result: &str, docs: &[String]) {
    let only_positional = if params.iter().all(|param| param == "self") { "" } else { ", /" };
    let params = params.join(", ") + only_positional;
    if !is_identifier(name) {
        // Only `getattr` reaches it, which no stub can describe.
        let _ = writeln!(text, "{indent}# {name:?}: ({params}) -> {result}");
    } else if docs.is_empty() {
        let _ = writeln!(text, "{indent}def {name}({params}) -> {result}: ...");
    } else {
        let _ = writeln!(text, "{indent}def {name}({params}) -> {result}:");
        document(text, &format!("{indent}    "), docs);
        let _ = writeln!(text, "{indent}    ...");
    }
}

fn document(text: &mut String, indent: &str, docs: &[String]) {
    if docs.is_empty() {
        return;
    }
    let lines: Vec<String> = docs
        .iter()
        .map(|line| {
            line.strip_prefix(' ').unwrap_or(line).replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"")
        })
        .collect();
    let _ = writeln!(text, "{indent}\"\"\"{}\"\"\"", lines.join(&format!("\n{indent}")).trim_end());
}

/// What wasm-bindgen says of the crate.
fn described(text: &mut String, api: &Api) {
    text.push_str("from array import array\nfrom typing import Any, Callable, Sequence\n\n");
    for item in &api.enums {
        let _ = writeln!(text, "class {}:", item.name);
        document(text, "    ", &item.docs);
        for (name, _) in &item.variants {
            let _ = writeln!(text, "    {name}: int");
        }
        text.push('\n');
    }
    for class in &api.classes {
        let _ = writeln!(text, "class {}:", class.name);
        document(text, "    ", &class.docs);
        // A setter decorates its getter, so it comes right after that.
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
        for member in members {
            let call = member.call();
            let (this, decorator, name) = match member {
                Member::Constructor(_) => (true, String::new(), "__init__"),
                Member::Static(_) => (false, "    @staticmethod\n".to_owned(), call.name.as_str()),
                Member::Method { .. } => (true, String::new(), call.name.as_str()),
                Member::Getter(_) => (true, "    @property\n".to_owned(), call.name.as_str()),
                Member::Setter(_) => (true, format!("    @{}.setter\n", call.name), call.name.as_str()),
            };
            if matches!(member, Member::Setter(_)) && !has_getter(class, &call.name) {
                let _ = writeln!(text, "    {name}: {}", parameter(&call.params[0].1));
                continue;
            }
            text.push_str(&decorator);
            let mut params: Vec<String> = this.then(|| "self".to_owned()).into_iter().collect();
            params.extend(parameters(call));
            if matches!(name, "__eq__" | "__ne__") {
                // What every object can be compared with (`object.__eq__`).
                params = vec!["self".to_owned(), "other: object".to_owned()];
            }
            let result = match member {
                Member::Constructor(_) => "None".to_owned(),
                _ => result(&call.result),
            };
            define(text, "    ", name, &params, &result, &call.docs);
        }
        define(text, "    ", "free", &["self".to_owned()], "None", &[]);
        text.push('\n');
    }
    for call in &api.functions {
        define(text, "", &call.name, &parameters(call), &result(&call.result), &call.docs);
    }
}

fn has_getter(class: &Class, name: &str) -> bool {
    class.members.iter().any(|member| matches!(member, Member::Getter(call) if call.name == name))
}

/// The parameters of `call`; the last ones that are options may be left out.
fn parameters(call: &Call) -> Vec<String> {
    let optional = call.params.iter().rev().take_while(|(_, ty)| matches!(ty, Type::Option(_))).count();
    let first_optional = call.params.len() - optional;
    let one = |(i, (name, ty)): (usize, &(String, Type))| {
        let name = match name.as_str() {
            name if is_identifier(name) => name.to_owned(),
            name if KEYWORDS.contains(&name) => format!("{name}_"),
            _ => format!("p{i}"),
        };
        let default = if i >= first_optional { " = None" } else { "" };
        format!("{name}: {}{default}", parameter(ty))
    };
    call.params.iter().enumerate().map(one).collect()
}

/// What Python may give for a `ty`.
fn parameter(ty: &Type) -> String {
    match ty {
        Type::Vector(element) | Type::Slice(element) => match **element {
            Type::U8 => "bytes | bytearray | memoryview | Sequence[int]".to_owned(),
            Type::F32 | Type::F64 => "array[float] | Sequence[float]".to_owned(),
            ref number if is_integer(number) => "array[int] | Sequence[int]".to_owned(),
            ref other => format!("Sequence[{}]", parameter(other)),
        },
        Type::RefMut(inner) => match &**inner {
            Type::Slice(element) => match **element {
                Type::U8 => "bytearray | memoryview | array[int]".to_owned(),
                Type::F32 | Type::F64 => "array[float] | memoryview".to_owned(),
                _ => "array[int] | memoryview".to_owned(),
            },
            other => parameter(other),
        },
        Type::Ref(inner) => parameter(inner),
        Type::Option(inner) => format!("{} | None", parameter(inner)),
        other => result(other),
    }
}

/// What Python gets for a `ty`.
fn result(ty: &Type) -> String {
    match ty {
        Type::Unit => "None".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Char | Type::String | Type::StringEnum { .. } => "str".to_owned(),
        Type::F32 | Type::F64 => "float".to_owned(),
        Type::Struct(name) => name.clone(),
        Type::Named(name) if name == "string" => "str".to_owned(),
        Type::Enum { .. } | Type::RawPointer | Type::NonNull => "int".to_owned(),
        Type::Ref(inner) | Type::RefMut(inner) | Type::Result(inner) => result(inner),
        Type::Option(inner) => format!("{} | None", result(inner)),
        Type::Vector(element) | Type::Slice(element) => match **element {
            Type::U8 => "bytes".to_owned(),
            Type::F32 | Type::F64 => "array[float]".to_owned(),
            ref number if is_integer(number) => "array[int]".to_owned(),
            ref other => format!("list[{}]", result(other)),
        },
        Type::Closure { signature, .. } | Type::Function(signature) => {
            let params = signature.params.iter().map(result).collect::<Vec<_>>().join(", ");
            format!("Callable[[{params}], {}]", result(&signature.result))
        }
        number if is_integer(number) => "int".to_owned(),
        _ => "Any".to_owned(),
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

fn python(ty: Scalar) -> &'static str {
    if ty.is_float() { "float" } else { "int" }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::Function;

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
            stub(&Surface { functions, ..Surface::default() }, None),
            "def add(p0: int, p1: float, /) -> int: ...\n\
             def none() -> None: ...\n\
             def pair(p0: float, /) -> tuple[int, float]: ...\n\
             # \"if\": () -> int\n\
             # \"a-\\nb\": (p0: int, /) -> None\n"
        );
    }
}
