//! What may not be there: the invariants of absence of ARCHITECTURE.md.

mod imports;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// Every file of the project with one of these extensions, as (path from the root, text).
fn files(extensions: &[&str]) -> Vec<(String, String)> {
    fn walk(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                let hidden = name.starts_with('.') && name != ".ci";
                if !hidden && !["target", "node_modules", "corpus", "artifacts"].contains(&name.as_str()) {
                    walk(&path, extensions, found);
                }
            } else if extensions.iter().any(|e| name.ends_with(e)) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), extensions, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let name = path.strip_prefix(root()).expect("below the root");
            (name.to_string_lossy().replace('\\', "/"), text)
        })
        .collect()
}

/// The lines of Rust before the file's unit tests, comments left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line))
}

fn refuse(rule: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

/// Offences in the crates' own sources (`*/src/**.rs`) outside `allowed` prefixes.
fn in_sources(allowed: &[&str], offends: impl Fn(&str) -> bool) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in files(&[".rs"]) {
        let is_source = path.split('/').nth(1) == Some("src")
            && !["tests/", "xtask/"].iter().any(|own| path.starts_with(own));
        if !is_source || allowed.iter().any(|prefix| path.starts_with(prefix)) {
            continue;
        }
        for (number, line) in code(&text) {
            if offends(line) {
                offences.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    offences
}

#[test]
fn processes_start_in_the_toolchain_alone() {
    refuse(
        "a process is started outside cargo-mpy/src/toolchain/",
        in_sources(&["cargo-mpy/src/toolchain/"], |line| line.contains("Command::new(")),
    );
}

#[test]
fn the_terminal_belongs_to_ui() {
    let writes = ["println!", "eprintln!", " print!(", "eprint!(", "dbg!(", "stdout()", "stderr()"];
    refuse(
        "only cargo-mpy/src/ui.rs writes to the terminal",
        // The last is the users' own output.
        in_sources(&["cargo-mpy/src/ui.rs", "mpy/src/"], |line| {
            let line = format!(" {line}");
            writes.iter().any(|w| line.contains(w))
        }),
    );
}

#[test]
fn architectures_are_data_outside_the_linker() {
    let names = target_specs::archs().iter().map(|arch| format!("\"{}\"", arch.name)).collect::<Vec<_>>();
    refuse(
        "an architecture is named outside mpy-link/src/arch/ and target-specs/archs/",
        in_sources(&["mpy-link/src/arch/"], |line| names.iter().any(|name| line.contains(name))),
    );
}

#[test]
fn the_tool_carries_what_it_needs() {
    refuse(
        "a path of this checkout would be looked for at run time",
        // The tool does not contain it.
        in_sources(&["mpy/src/"], |line| {
            let names_it = ["CARGO_MANIFEST_DIR", "OUT_DIR", "CARGO_WORKSPACE", "file!("]
                .iter()
                .any(|w| line.contains(w));
            let when_built =
                ["include!(", "include_str!(", "include_bytes!("].iter().any(|w| line.contains(w));
            names_it && !when_built
        }),
    );
}

/// A package that lacks a folder is built here all the same, where the folder is, but not by those who install it.
#[test]
fn packages_have_all_their_folders() {
    let mut missing = Vec::new();
    let folders = |folder: &Path| {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    for package in folders(&root()) {
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
        let Some(included) = manifest.lines().find(|line| line.starts_with("include = [")) else { continue };
        let of_its_own =
            |folder: &PathBuf| !["tests", "fuzz", "target"].iter().any(|own| folder.ends_with(own));
        for folder in folders(&package).into_iter().filter(of_its_own) {
            let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
            if !included.contains(&format!("\"/{name}\"")) {
                missing.push(folder.display().to_string());
            }
        }
    }
    refuse("the packages lack these folders", missing);
}

/// C is only written: what is known of a function is in its tree.
#[test]
fn the_translator_decides_nothing_by_comparing_c() {
    let compares = [
        "== \"",
        "!= \"",
        ".replacen(",
        ".matches(\"",
        ".find(\"",
        ".starts_with(\"",
        ".contains(\"",
        ".ends_with(\"",
    ];
    let folders =
        ["wasm-to-c/src/build/", "wasm-to-c/src/codegen/", "wasm-to-c/src/passes/", "wasm-to-c/src/unit/"];
    let mut offences = Vec::new();
    for (path, text) in files(&[".rs"]) {
        if folders.iter().any(|folder| path.starts_with(folder)) {
            // The linker's names of sections are no C.
            let lines = code(&text).filter(|(_, line)| !line.contains(".rodata"));
            let compared = lines.filter(|(_, line)| compares.iter().any(|compare| line.contains(compare)));
            offences.extend(compared.map(|(number, line)| format!("{path}:{number}: {}", line.trim())));
        }
    }
    refuse("text is compared in the translator", offences);
}

/// Files of the translator are short enough to be read at once.
#[test]
fn no_file_of_the_translator_is_long() {
    let long = files(&[".rs"]).into_iter().filter(|(path, _)| path.starts_with("wasm-to-c/src/"));
    let long = long.filter(|(_, text)| text.lines().count() > 700).map(|(path, _)| path);
    refuse("files of more than 700 lines", long.collect());
}

/// What tests read from the environment is in the table of `tests/README.md`, and nothing else is.
#[test]
fn settings_of_the_tests_are_described() {
    let readme = fs::read_to_string(root().join("tests/README.md")).expect("a readable file");
    let mut described = BTreeSet::new();
    for row in readme.lines().filter_map(|line| line.strip_prefix("| `")) {
        let cell = row.split(" |").next().unwrap_or_default();
        let words = cell.split('`').map(|word| word.split('=').next().unwrap_or_default());
        described.extend(words.filter(|word| is_setting(word)).map(str::to_owned));
    }
    let mut read = BTreeSet::new();
    for (_, text) in files(&[".rs"]).iter().filter(|(path, _)| path.split('/').any(|part| part == "tests")) {
        // `number` is what files with several settings call.
        for call in ["var(\"", "var_os(\"", "number(\""] {
            let names = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            read.extend(names.filter(|name| is_setting(name) && *name != "PATH").map(str::to_owned));
        }
    }
    assert_eq!(read, described, "left: read by tests; right: described in tests/README.md");
}

fn is_setting(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

#[test]
fn nothing_is_left_to_do() {
    refuse(
        "unfinished code",
        in_sources(&[], |line| {
            ["todo!(", "unimplemented!(", "TODO", "FIXME", "XXX"].iter().any(|w| line.contains(w))
        }),
    );
}

/// The name that a line of Rust makes public.
fn public_name(line: &str) -> Option<&str> {
    let mut words = line.trim().strip_prefix("pub ")?.split_whitespace();
    let word = words.find(|word| !["async", "const", "unsafe"].contains(word))?;
    let rest = words.next().filter(|_| ["enum", "fn", "struct", "trait", "type"].contains(&word))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

/// An item is known by its name alone, so a method counts as used where another of its name is.
#[test]
fn public_items_of_the_support_crate_are_in_compiled_examples() {
    let (mut examples, mut items) = (String::new(), Vec::new());
    for (path, text) in files(&[".rs"]).into_iter().filter(|(path, _)| path.starts_with("mpy/src/")) {
        // In a block of code, whether it is compiled.
        let mut block = None;
        let mut is_hidden = false;
        for (number, line) in text.lines().map(str::trim).enumerate() {
            if let Some(doc) = line.strip_prefix("//!").or_else(|| line.strip_prefix("///")) {
                match doc.trim().strip_prefix("```") {
                    Some(language) => block = block.is_none().then(|| ["", "no_run"].contains(&language)),
                    None if block == Some(true) => examples.extend([doc, "\n"]),
                    None => {}
                }
            } else if line == "#[doc(hidden)]" {
                is_hidden = true;
            } else if let Some(name) = public_name(line)
                && !std::mem::take(&mut is_hidden)
            {
                items.push((format!("{path}:{}: {name}", number + 1), name.to_owned()));
            }
        }
    }
    assert!(items.len() > 100, "{}", items.len());
    let words: BTreeSet<&str> = examples.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let missing = items.into_iter().filter(|(_, name)| !words.contains(name.as_str()));
    refuse("public items without an example", missing.map(|(place, _)| place).collect());
}

#[test]
fn text_files_are_plain() {
    let mut offences = Vec::new();
    for (path, text) in files(&[".rs", ".toml", ".md", ".c", ".h", ".py", ".wat", ".ld", ".S", "run"]) {
        if !text.is_empty() && !text.ends_with('\n') {
            offences.push(format!("{path}: no newline at the end"));
        }
        for (number, line) in text.lines().enumerate() {
            // What the tool prints, word for word: its help pads lines.
            let is_snapshot = path.starts_with("cargo-mpy/tests/cli/help");
            if line.ends_with([' ', '\t']) && !is_snapshot || line.contains('\r') {
                offences.push(format!("{path}:{}: trailing white space", number + 1));
            }
        }
    }
    refuse("untidy text", offences);
}

/// `nlr_push` returns twice, and compilers do not know: see `mpy_try`, which is what other code calls.
#[test]
fn nlr_push_is_called_in_one_file() {
    let mut offences = Vec::new();
    // What is compiled as a part of MicroPython calls it by name.
    let allowed = [
        "c-runtime/firmware/",
        "c-runtime/include/mpy.h",
        "c-runtime/include/mpy_unwind.h",
        "target-specs/emulators/port/",
    ];
    for (path, text) in files(&[".c", ".h", ".S", ".rs"]) {
        if allowed.iter().any(|prefix| path.starts_with(prefix)) || path == "tests/tests/tidy.rs" {
            continue;
        }
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.contains("nlr_push")) {
            offences.push(format!("{path}:{}: {}", number + 1, line.trim()));
        }
    }
    refuse("a use of `nlr_push`, where `mpy_try` is safe", offences);
}

#[test]
fn the_project_knows_no_machine() {
    let mut offences = Vec::new();
    // Spelled in two halves so that this file does not offend against itself.
    let words =
        [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["deb.deb", "ian.org"], ["index.cra", "tes.io"]];
    for (path, text) in
        files(&[".rs", ".toml", ".md", ".c", ".h", ".py", ".wat", ".yml", "run", "Makefile", ".mk"])
    {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|halves| line.contains(&halves.concat())) {
                offences.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    refuse("a path or host of one machine", offences);
}

#[test]
fn imports_between_files_form_no_cycle() {
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo describes the workspace");
    let targets = metadata.packages.iter().flat_map(|package| &package.targets);
    let crates: Vec<&Path> = targets
        .filter(|target| !target.is_custom_build())
        .map(|target| target.src_path.as_std_path())
        .collect();
    // A root that is not one would have no files.
    assert!(crates.len() > 20, "{crates:?}");
    let mut cycles: Vec<String> =
        crates.into_iter().flat_map(|crate_root| imports::cycles(&root(), crate_root)).collect();
    // to be removed: their files do not form layers yet.
    const UNLAYERED: [&str; 1] = ["xtask/src/bench/"];
    cycles.retain(|cycle| !UNLAYERED.iter().any(|folder| cycle.starts_with(folder)));
    cycles.sort();
    cycles.dedup();
    refuse("files that import one another", cycles);
}

#[test]
fn includes_form_no_cycle() {
    refuse("C files that include one another", imports::include_cycles(&files(&[".c", ".h"])));
}

/// The check itself, on a crate with each kind of path.
#[test]
fn a_cycle_of_imports_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |files: &[(&str, &str)]| {
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        imports::cycles(folder.path(), &folder.path().join("lib.rs"))
    };
    let none: [String; 0] = [];
    let layered: &[(&str, &str)] = &[
        ("lib.rs", "mod low; mod middle; mod top;\nfn f() { top::start() }"),
        ("low.rs", "pub struct A;\n#[cfg(test)] mod tests { use super::*; use super::A; }"),
        ("middle/mod.rs", "mod part;\npub use part::*; use crate::low::A; fn f(x: std::io::Error) {}"),
        ("middle/part.rs", "pub fn g() { crate::low::A; }"),
        ("top.rs", "use crate::{low::{self, A}, middle}; pub fn start() { middle::g(); low::A; }"),
    ];
    assert_eq!(write(layered), none);
    // Each of these closes a cycle.
    for (name, text, line) in [
        ("low.rs", "use crate::middle::g;", "low.rs:1: `crate::middle::g` → middle/mod.rs"),
        ("low.rs", "\nfn f() { super::top::start() }", "low.rs:2: `super::top::start` → top.rs"),
        (
            "low.rs",
            "fn f() { println!(\"{}\", 1 + crate::top::start()) }",
            "low.rs:1: `crate::top::start` → top.rs",
        ),
        ("low.rs", "mod tests { use super::super::top; }", "low.rs:1: `super::super::top` → top.rs"),
        ("low.rs", "type T = Vec<crate::top::T>;", "low.rs:1: `crate::top::T` → top.rs"),
        ("middle/part.rs", "use super::A;", "middle/part.rs:1: `super::A` → middle/mod.rs"),
        ("top.rs", "use crate::f;", "top.rs:1: `crate::f` → lib.rs"),
    ] {
        write(layered);
        let cycles = write(&[(name, text)]);
        assert_eq!(cycles.len(), 1, "{name}: {text}: {cycles:?}");
        assert!(cycles[0].contains(line), "{name}: {text}: {cycles:?}");
    }
    let c = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let headers =
        [c("x/a.h", "#include \"b.h\"\n"), c("x/b.h", "#include <a.h>\n"), c("x/c.c", "#include \"a.h\"")];
    assert_eq!(imports::include_cycles(&headers), none);
    let headers = [c("x/a.h", "#include \"b.h\"\n"), c("x/b.h", "\n  #include \"a.h\"\n")];
    let cycle = "x/a.h:1: `#include \"b.h\"` → x/b.h\n    x/b.h:2: `#include \"a.h\"` → x/a.h";
    assert_eq!(imports::include_cycles(&headers), [cycle]);
}
