//! Writing C.

use crate::types::Scalar;

/// The strings of the module, each once; an index is that of `mp_native_qstr_table`, whose first
/// entry is the file name.
#[derive(Default)]
pub(crate) struct Strings(pub Vec<String>);

impl Strings {
    pub(crate) fn index(&mut self, text: &str) -> usize {
        let found = self.0.iter().position(|known| known == text);
        1 + found.unwrap_or_else(|| {
            self.0.push(text.to_owned());
            self.0.len() - 1
        })
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
