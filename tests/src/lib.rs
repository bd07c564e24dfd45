//! Helpers of the end-to-end tests: cases that are files, and the Python that runs many of them in one
//! session of one MicroPython.

pub mod applications;
pub mod board;
pub mod crossings;
pub mod examples;
pub mod kept;
pub mod line;
pub mod messages;
pub mod programs;
pub mod readme;
pub mod rom;
pub mod tools;
pub mod unix;

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

use cargo_mpy::toolchain::write_file;
use libtest_mimic::Arguments;

/// The arguments of a test program. Tests wait for boards and for each other's builds much of the time: if no number of threads
/// is given, it is two for each processor.
pub fn arguments() -> Arguments {
    let mut arguments = Arguments::from_args();
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    arguments.test_threads.get_or_insert(2 * processors);
    arguments
}

/// Whether tests run that are usually left to the nightly run.
pub fn nightly() -> bool {
    let arguments = arguments();
    arguments.ignored || arguments.include_ignored
}

/// One `.wat` of `cases/`: a module, Python that imports it, and what that must print.
///
/// The file begins with a comment that says what is tested, then `;;; python` and `;;; expect` sections whose
/// lines begin with `;; `, perhaps one of `;;; settings` as in `mpy.toml`, then the module.
#[derive(Debug, Clone)]
pub struct Case {
    /// Name of the file without its extension, and of the module.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The whole file: its sections are comments of WAT.
    pub wat: String,
    /// The section `python`.
    pub python: String,
    /// The section `expect`.
    pub expect: String,
    /// The section `settings`, which may be empty.
    pub settings: String,
}

/// Every case of the folder, by name.
pub fn cases(folder: &Path) -> Vec<Case> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder of cases")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "wat"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

impl Case {
    fn read(path: &Path) -> Case {
        let wat = fs::read_to_string(path).expect("a readable case");
        let (mut python, mut expect, mut settings) = (String::new(), String::new(), String::new());
        let mut section: Option<&mut String> = None;
        for line in wat.lines() {
            match line {
                ";;; python" => section = Some(&mut python),
                ";;; expect" => section = Some(&mut expect),
                ";;; settings" => section = Some(&mut settings),
                _ => match (line.strip_prefix(";;"), section.as_deref_mut()) {
                    (Some(text), Some(section)) => {
                        writeln!(section, "{}", text.strip_prefix(' ').unwrap_or(text)).expect("String");
                    }
                    (None, _) => section = None,
                    _ => {}
                },
            }
        }
        assert!(
            !python.is_empty() && !expect.is_empty(),
            "{}: no python or no expect section",
            path.display()
        );
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Case { name, path: path.to_owned(), wat, python, expect, settings }
    }

    /// Writes it into a folder of its own in `folder`, with its settings beside it: the module's path.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let folder = folder.join(&self.name);
        let input = folder.join(format!("{}.wat", self.name));
        for (path, text) in [(&input, &self.wat), (&folder.join("mpy.toml"), &self.settings)] {
            write_file(path, text.as_bytes()).expect("a writable folder");
        }
        input
    }

    /// Rewrites the expectation in the file.
    pub fn bless(&self, output: &str) {
        let start = self.wat.find(";;; expect\n").expect("a section") + ";;; expect\n".len();
        let rest = &self.wat[start..];
        let end = rest.find("\n(").map_or(rest.len(), |at| at + 1);
        let section: String = output.lines().map(|line| format!(";; {line}\n")).collect();
        fs::write(&self.path, format!("{}{section}{}", &self.wat[..start], &rest[end..]))
            .expect("a writable case");
    }
}

/// Makes the files in `to` those in `from`, without touching what is the same: cargo then finds nothing to do for a crate that a
/// test has made again. What cargo has locked stays.
///
/// # Errors
/// When something cannot be read or written.
pub fn lay(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let name = entry?.file_name();
        let (here, there) = (to.join(&name), from.join(&name));
        if here.is_dir() && !there.is_dir() {
            fs::remove_dir_all(here)?;
        } else if here.is_file() && !there.is_file() && name != "Cargo.lock" {
            fs::remove_file(here)?;
        }
    }
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        let (here, there) = (to.join(&name), from.join(&name));
        if there.is_dir() {
            lay(&there, &here)?;
        } else {
            write_file(&here, &fs::read(there)?).map_err(std::io::Error::other)?;
        }
    }
    Ok(())
}

/// Whether expectations are to be rewritten (`BLESS=1`).
pub fn blessing() -> bool {
    env::var_os("BLESS").is_some_and(|value| value == "1")
}

/// Whether a missing tool is a failure (`CI`), not a visible skip.
pub fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

const BEGIN: &str = "--- begin ";
const END: &str = "--- end ";

/// Python that runs every case behind a marker, so that one's failure is not another's. What a case's module has of the
/// heap it gives back, as when it is imported again: all of them would be too much for some boards.
pub fn session(cases: &[Case]) -> String {
    let mut script = String::from(
        "import sys, gc\n\
         def case(name, code):\n\
         \x20   print('--- begin ' + name)\n\
         \x20   try:\n\
         \x20       exec(code, {'__name__': name})\n\
         \x20   except Exception as e:\n\
         \x20       print(type(e).__name__ + ':', e)\n\
         \x20   if name + '*' in sys.modules:\n\
         \x20       sys.modules[name + '*']()\n\
         \x20   gc.collect()\n\
         \x20   print('--- end ' + name)\n",
    );
    for case in cases {
        writeln!(script, "case({:?}, {})", case.name, python_literal(&case.python)).expect("String");
    }
    script
}

/// A Python string literal of ASCII characters.
pub fn python_literal(text: &str) -> String {
    let mut literal = String::from("'");
    for c in text.chars() {
        match c {
            '\\' => literal.push_str("\\\\"),
            '\'' => literal.push_str("\\'"),
            '\n' => literal.push_str("\\n"),
            ' '..='~' => literal.push(c),
            _ if (c as u32) < 0x1_0000 => write!(literal, "\\u{:04x}", c as u32).expect("String"),
            _ => write!(literal, "\\U{:08x}", c as u32).expect("String"),
        }
    }
    literal.push('\'');
    literal
}

/// What each case of a session printed; a case that did not end is missing.
pub fn outputs(session: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut current: Option<(String, String)> = None;
    for line in session.lines() {
        let line = line.trim_end_matches('\r');
        if let Some(name) = line.strip_prefix(BEGIN) {
            current = Some((name.to_owned(), String::new()));
        } else if line.strip_prefix(END).is_some() {
            found.extend(current.take());
        } else if let Some((_, output)) = &mut current {
            writeln!(output, "{line}").expect("String");
        }
    }
    found
}

/// The cases whose output in a session is not what they expect, with both.
pub fn differences(cases: &[Case], session: &str) -> String {
    let printed = outputs(session);
    let mut wrong = String::new();
    for Case { name, expect, .. } in cases {
        let _ = match printed.iter().find(|(of, _)| of == name) {
            Some((_, printed)) if printed == expect => continue,
            Some((_, printed)) => {
                writeln!(wrong, "{name}\n--- expected\n{expect}--- printed\n{printed}")
            }
            None => writeln!(wrong, "{name} did not end:\n{session}"),
        };
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_laid_is_the_same_and_what_was_the_same_is_not_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        for (path, text) in [
            ("from/Cargo.toml", "1"),
            ("from/src/lib.rs", "2"),
            ("to/Cargo.toml", "1"),
            ("to/Cargo.lock", "3"),
            ("to/src/main.rs", "4"),
            ("to/tests/old.rs", "5"),
        ] {
            write_file(&folder.path().join(path), text.as_bytes()).expect("a file");
        }
        let time = || fs::metadata(to.join("Cargo.toml")).and_then(|data| data.modified()).expect("a file");
        let before = time();
        std::thread::sleep(std::time::Duration::from_millis(20));
        lay(&from, &to).expect("a folder");
        assert_eq!(time(), before);
        assert_eq!(fs::read_to_string(to.join("src/lib.rs")).expect("a file"), "2");
        assert!(to.join("Cargo.lock").is_file());
        assert!(!to.join("src/main.rs").exists() && !to.join("tests").exists());
    }

    #[test]
    fn a_session_is_taken_apart_again() {
        let text = "--- begin a\r\n1\r\n2\r\n--- end a\r\n--- begin b\nhalf\n";
        assert_eq!(outputs(text), [("a".to_owned(), "1\n2\n".to_owned())]);
        assert_eq!(python_literal("a'\\\né"), "'a\\'\\\\\\n\\u00e9'");
    }
}
