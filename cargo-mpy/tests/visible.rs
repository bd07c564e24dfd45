//! Names that change what is seen, or end what they stand in, reach no terminal and no file that people read as they are.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use target_specs::is_hidden;

/// Characters that turn text around, are not seen, command terminals, or end comments, strings and elements.
const NASTY: &[&str] = &[
    "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}x",
    "\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}",
    "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{180e}",
    "\u{1b}[31m\u{1b}]52;c;YQ==\u{7}",
    "\u{9b}31m\u{85}\u{2028}\u{2029}\u{7f}",
    "\nerror: forged\r\n\t# type: ignore",
    "*/ int x; /*",
    "??/\n*??/",
    "\"\"\"\\\"'\\",
    "</script></title></text></svg><script>alert(1)</script>",
    "]]>&lt;&#10;--><!--",
    "\u{e0041}\u{fff9}\u{1d173}",
];

/// `text` as a string of WebAssembly's text format.
fn wat(text: &str) -> String {
    let bytes = text.bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "\\{byte:02x}");
        all
    });
    format!("\"{bytes}\"")
}

/// A module that exports and imports functions of these names, and calls them so.
fn module(imported: &str) -> String {
    let mut text = String::from("(module\n");
    for (at, name) in NASTY.iter().enumerate() {
        let _ = writeln!(text, "(import {} {} (func $i{at} (param i32)))", wat(imported), wat(name));
    }
    text.push_str("(memory 1)\n");
    for (at, name) in NASTY.iter().enumerate() {
        let name = wat(name);
        let _ = writeln!(
            text,
            "(func $f{at} (@name {name}) (export {name}) (param i32) (result i32)
               (call $i{at} (local.get 0)) (i32.div_u (i32.load (local.get 0)) (local.get 0)))"
        );
    }
    text + ")\n"
}

/// What the program says, to both outputs.
fn said(folder: &Path, words: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_cargo-mpy")).arg("mpy").args(words).current_dir(folder).output();
    let output = output.expect("the program starts");
    [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat()
}

fn check(what: &str, text: &str) {
    let hidden = text.chars().find(|c| is_hidden(*c) && !matches!(c, '\n' | '\t'));
    assert_eq!(hidden, None, "{what}: {}", text.escape_debug());
    assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{what}: {text}");
}

#[test]
fn hidden_characters_are_spelled_wherever_names_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("nasty.wat"), module("builtins")).expect("a file");
    fs::write(folder.join("unknown.wat"), module("\u{202e}\u{1b}[2J")).expect("a file");
    let input = ["--wasm", "nasty.wat", "--trap-names"];
    for words in [
        &["build", "-v"][..],
        &["build", "--emit", "c"],
        &["build", "--emit", "glue"],
        &["build", "--emit", "plan"],
        &["build", "--emit", "map"],
        &["build", "--message-format", "json"],
        &["expand"],
        &["size", "--top", "0"],
        &["size", "--html", "size.html"],
        &["size", "--svg", "size.svg"],
    ] {
        let words = [words, &input].concat();
        let text = said(folder, &words);
        assert!(!text.contains("error["), "{words:?}: {text}");
        check(&format!("{words:?}"), &text);
    }
    let mpy = folder.join("target/mpy/x64/nasty.mpy");
    assert!(mpy.is_file());
    for words in [
        &["inspect", "target/mpy/x64/nasty.mpy"][..],
        &["build", "--wasm", "unknown.wat"],
        &["build", "--wasm", "unknown.wat", "--message-format", "json"],
        &["build", "--wasm", "a\u{202e}\u{1b}[2J.wat"],
        &["build", "--board", "\u{202e}\u{1b}[2J"],
        &["explain", "\u{202e}\u{1b}[2J"],
        &["\u{202e}\u{1b}[2J"],
    ] {
        check(&format!("{words:?}"), &said(folder, words));
    }
    for file in ["target/mpy/x64/nasty.pyi", "size.html", "size.svg"] {
        let text = fs::read_to_string(folder.join(file)).expect("a file");
        check(file, &text);
        for part in ["alert(1)</script>", "</title></text>", "--><!--"] {
            assert!(file.ends_with("pyi") || !text.contains(part), "{file} has {part}");
        }
    }
}
