//! What the tests of several parts share.

/// The C of a module of a page of memory and one function, whose accesses are trusted.
pub(crate) fn trusted(function: &str) -> String {
    let text = format!("(module (memory 1) {function})");
    let options = crate::Options { safety: crate::Safety::Trusted, ..crate::Options::default() };
    translated(&text, &options)
}

/// The C of a module.
pub(crate) fn translated(text: &str, options: &crate::Options) -> String {
    let buffer = wast::parser::ParseBuffer::new(text).unwrap();
    let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
    crate::transpile(&crate::WasmModule::new("test", bytes), options).unwrap().unit.source
}
