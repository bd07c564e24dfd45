//! [`Surface`] → a stub file for type checkers and editors (PEP 484, "Stub Files").

use std::fmt::Write as _;

use crate::surface::Surface;
use crate::types::Scalar;
use crate::wbindgen::Api;

/// Words that cannot be names (Python's "Keywords", and the soft ones that are names).
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

pub(crate) fn stub(surface: &Surface, api: Option<&Api>) -> String {
    let _ = api;
    let mut text = String::new();
    for function in &surface.functions {
        // Parameters have no names in WebAssembly, so callers cannot use any.
        let params: Vec<String> =
            function.params.iter().enumerate().map(|(i, ty)| format!("p{i}: {}", python(*ty))).collect();
        let params = if params.is_empty() { String::new() } else { params.join(", ") + ", /" };
        let result = match function.results.as_slice() {
            [] => "None".to_owned(),
            [ty] => python(*ty).to_owned(),
            several => {
                let types: Vec<&str> = several.iter().map(|ty| python(*ty)).collect();
                format!("tuple[{}]", types.join(", "))
            }
        };
        if is_identifier(&function.name) {
            let _ = writeln!(text, "def {}({params}) -> {result}: ...", function.name);
        } else {
            // Only `getattr` reaches it, which no stub can describe.
            let _ = writeln!(text, "# {:?}: ({params}) -> {result}", function.name);
        }
    }
    text
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
