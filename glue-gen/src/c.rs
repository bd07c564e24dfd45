//! Helpers for writing C.

use std::collections::HashMap;

use crate::types::Scalar;

/// The strings of the module without duplicates. An index is that of `mp_native_qstr_table`, whose first entry is the
/// file name.
#[derive(Default)]
pub(crate) struct Strings {
    texts: Vec<String>,
    known: HashMap<String, usize>,
}

impl Strings {
    /// These come first, even if some are equal.
    pub(crate) fn of(texts: Vec<String>) -> Strings {
        let mut known = HashMap::new();
        for (index, text) in texts.iter().enumerate() {
            known.entry(text.clone()).or_insert(index);
        }
        Strings { texts, known }
    }

    pub(crate) fn index(&mut self, text: &str) -> usize {
        let index = match self.known.get(text) {
            Some(known) => *known,
            None => {
                self.known.insert(text.to_owned(), self.texts.len());
                self.texts.push(text.to_owned());
                self.texts.len() - 1
            }
        };
        1 + index
    }

    pub(crate) fn into_texts(self) -> Vec<String> {
        self.texts
    }
}

/// Writes to a `String`, which cannot fail.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($arg:tt)*) => {{ let _ = writeln!($out, $($arg)*); }};
}
pub(crate) use line;

pub(crate) use wasm_to_c::comment;

/// `types` as the parameters of a function: `uint32_t p0, float p1`, or `void`.
pub(crate) fn parameters(types: &[Scalar]) -> String {
    list(types.iter().enumerate().map(|(i, ty)| format!("{} p{i}", ty.c_type())))
}

/// The parameters of a function that Python calls with `count` arguments: `mp_obj_t a0`, …, or `void`.
pub(crate) fn objects(count: usize) -> String {
    list((0..count).map(|i| format!("mp_obj_t a{i}")))
}

fn list(params: impl Iterator<Item = String>) -> String {
    let params: Vec<String> = params.collect();
    if params.is_empty() { "void".to_owned() } else { params.join(", ") }
}
