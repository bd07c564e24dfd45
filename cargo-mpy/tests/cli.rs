//! What the tool says, and how it ends: every file of `cli/` is a case.
//!
//! A case is TOML: `args`, `[files]` and `[wat]` (text that becomes a `.wasm`) to put into an empty
//! folder, and at the end `[expect]`, which `BLESS=1` rewrites. `has` instead of a whole `stderr`
//! is for output that is not all ours. `path = []` hides every program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    args: Vec<String>,
    #[serde(default)]
    files: BTreeMap<PathBuf, String>,
    #[serde(default)]
    wat: BTreeMap<PathBuf, String>,
    path: Option<Vec<String>>,
    /// Lines standard error must have, when it is not compared as a whole.
    has: Option<Vec<String>>,
    /// Files that must not be there afterwards.
    #[serde(default)]
    absent: Vec<PathBuf>,
    expect: Option<Expect>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: i32,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
}

fn run(case: &Case) -> Expect {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().canonicalize().expect("a path");
    let put = |path: &Path, contents: &[u8]| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, contents).expect("a file");
    };
    for (path, text) in &case.files {
        put(path, text.as_bytes());
    }
    for (path, text) in &case.wat {
        put(path, &wat::parse_str(text).expect("WAT"));
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mpy"));
    command.arg("mpy").args(&case.args).current_dir(&root);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR"] {
        command.env_remove(name);
    }
    command.env("COLUMNS", "100");
    if let Some(path) = &case.path {
        command.env("PATH", path.join(":")).env_remove("CARGO").env_remove("RUSTC");
    }
    let output = command.output().expect("the tool starts");
    for path in &case.absent {
        assert!(!root.join(path).exists(), "{} was written", path.display());
    }
    // White space at the ends of lines is nobody's to see.
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace(root.to_str().expect("UTF-8"), "[FOLDER]");
        text.split('\n').map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    Expect {
        status: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

#[test]
fn the_tool_says_what_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a readable case");
        let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut found = run(&case);
        for line in case.has.iter().flatten() {
            if !found.stderr.contains(line.as_str()) {
                wrong.push(format!("{}: no `{line}` in\n{}", path.display(), found.stderr));
            }
        }
        if case.has.is_some() {
            found.stderr.clear();
        }
        if case.expect.as_ref() == Some(&found) {
            continue;
        }
        if bless {
            let head = text.split("\n[expect]\n").next().unwrap_or_default().trim_end();
            let mut new = format!("{head}\n\n[expect]\nstatus = {}\n", found.status);
            for (name, text) in [("stdout", &found.stdout), ("stderr", &found.stderr)] {
                if !text.is_empty() {
                    new.push_str(&format!("{name} = '''\n{text}'''\n"));
                }
            }
            std::fs::write(&path, new).expect("a writable case");
        } else {
            wrong.push(format!("{}: expected {:#?}\nfound {found:#?}", path.display(), case.expect));
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 accepts what was found\n{}", wrong.join("\n\n"));
}
