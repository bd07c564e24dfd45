//! The objects in the cache. Each is named by a digest of its inputs, so the same C is never compiled twice: not for
//! two boards of one architecture, and not after a change that does not affect it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use memchr::memmem;
use target_specs::Result;

use super::{answer_of, cache, cache_dir, digest, identity, read_file, which, write_file};

/// Headers that come with every compiler (C11, 4p6), or with every one for a processor. The identity of the compiler covers them.
const OWN_HEADERS: [&str; 9] = [
    "arm_mve.h",
    "emmintrin.h",
    "float.h",
    "iso646.h",
    "stdalign.h",
    "stdarg.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
];

/// Words that make an object depend on more than its source text.
const OUTSIDE: [&str; 6] = ["__DATE__", "__TIME__", "__TIMESTAMP__", "__has_include", "incbin", "#embed"];

/// The name of the object that `command`, which contains no file and no folder, makes of a source: a digest of the
/// compiler, its flags, the source, and everything that it includes. `None` if the object may depend on anything else.
///
/// # Errors
/// `io` if the source cannot be read, `missing-tool` and `tool-failed` if the compiler does not answer.
pub fn key(command: &Command, source: &Path, includes: &[&Path]) -> Result<Option<String>> {
    key_of_several(command, &[source], includes, &[])
}

/// Like [`key`], for several sources. They may also include these headers of the system, which something in `command`
/// must identify.
///
/// # Errors
/// As [`key`].
pub fn key_of_several(
    command: &Command,
    sources: &[&Path],
    includes: &[&Path],
    system: &[&str],
) -> Result<Option<String>> {
    let mut parts = vec![programs(Path::new(command.get_program()))?.into_bytes()];
    let environment = command.get_envs().flat_map(|(name, value)| [Some(name), value]).flatten();
    parts.extend(command.get_args().chain(environment).map(|word| word.as_encoded_bytes().to_vec()));
    // Debug information contains the paths of files.
    let mut has_paths = command.get_args().any(|word| word == "-g");
    let words: Vec<&OsStr> = command.get_args().collect();
    let forced = words.windows(2).filter(|words| words[0] == "-include" || words[0] == "-imacros");
    let forced: Vec<_> = forced.map(|words| words[1].to_string_lossy()).collect();
    for source in sources {
        let mut files = BTreeMap::new();
        if !collect(source, includes, system, &mut files)? {
            return Ok(None);
        }
        for name in &forced {
            // The compiler looks for it where it was started first.
            if !include(name, Path::new(""), includes, system, &mut files)? {
                return Ok(None);
            }
        }
        let source = read_file(source)?;
        has_paths |= files.values().chain([&source]).any(|text| contains(text, "__FILE__"));
        parts.push(source);
        for (name, contents) in files {
            parts.extend([name.into_bytes(), contents]);
        }
    }
    if has_paths {
        let paths = sources.iter().chain(includes);
        parts.extend(paths.map(|path| path.as_os_str().as_encoded_bytes().to_vec()));
    }
    Ok(Some(digest(parts)))
}

/// Adds the files that a source includes, directly or not, under the names that `#include` uses. Returns whether the
/// source depends on nothing else.
fn collect(
    source: &Path,
    includes: &[&Path],
    system: &[&str],
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<bool> {
    let contents = read_file(source)?;
    if OUTSIDE.iter().any(|word| contains(&contents, word)) {
        return Ok(false);
    }
    for directive in includes_of(&contents) {
        let name = directive.trim();
        let name = name.strip_prefix('"').and_then(|rest| rest.split_once('"')).or_else(|| {
            let rest = name.strip_prefix('<')?;
            rest.split_once('>')
        });
        let Some((name, _)) = name else { return Ok(false) };
        if !include(name, source.parent().unwrap_or(Path::new("")), includes, system, files)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn contains(text: &[u8], word: &str) -> bool {
    memmem::find(text, word.as_bytes()).is_some()
}

/// What follows `#include` in each line that begins with it. Looks for the word first: most lines of a source are not read.
fn includes_of(text: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    const WORD: &str = "include";
    memmem::find_iter(text, WORD).filter_map(|at| {
        let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1);
        let (before, after) = (&text[start..at], &text[at + WORD.len()..]);
        let end = memchr::memchr(b'\n', after).unwrap_or(after.len());
        (String::from_utf8_lossy(before).trim() == "#").then(|| String::from_utf8_lossy(&after[..end]))
    })
}

/// Adds one file and what it includes. Returns as [`collect`].
fn include(
    name: &str,
    beside: &Path,
    includes: &[&Path],
    system: &[&str],
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<bool> {
    let found = [beside].iter().chain(includes).map(|folder| folder.join(name)).find(|path| path.is_file());
    let Some(path) = found else { return Ok(OWN_HEADERS.contains(&name) || system.contains(&name)) };
    let contents = read_file(&path)?;
    match files.get(name) {
        Some(known) if *known == contents => return Ok(true),
        // Two files have this name, and only the compiler knows which one is included.
        Some(_) => return Ok(false),
        None => files.insert(name.to_owned(), contents),
    };
    collect(&path, includes, system, files)
}

/// A text that changes when a compiler, or a program that it starts, is replaced.
///
/// # Errors
/// `missing-tool` and `tool-failed` if the compiler does not answer.
pub fn programs(compiler: &Path) -> Result<String> {
    /// Where a compiler, by its identity, finds its programs.
    static FOUND: Mutex<BTreeMap<String, Vec<PathBuf>>> = Mutex::new(BTreeMap::new());
    let own = identity(&which(&compiler.to_string_lossy()).unwrap_or_else(|| compiler.to_owned()));
    let found = || FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let known = found().get(&own).cloned();
    let programs = match known {
        Some(programs) => programs,
        None => {
            let find = |name| {
                let answer = answer_of(Command::new(compiler).arg(format!("-print-prog-name={name}")))?;
                // A name without a folder is looked up on `PATH`.
                Ok(which(answer.trim()).unwrap_or_else(|| answer.trim().into()))
            };
            let programs = ["cc1", "as"].map(find).into_iter().collect::<Result<Vec<_>>>()?;
            found().insert(own.clone(), programs.clone());
            programs
        }
    };
    Ok(programs.iter().fold(own, |text, program| format!("{text}\n{}", identity(program))))
}

fn path(key: &str) -> PathBuf {
    file(key, "o")
}

/// The file in the cache for this name. Its use is recorded.
pub fn file(key: &str, extension: &str) -> PathBuf {
    let path = cache_dir().join(cache::OBJECTS).join(format!("{key}.{extension}"));
    cache::used(&path);
    path
}

/// The object with this name, unless it is damaged.
pub fn find(key: &str) -> Option<Vec<u8>> {
    let path = path(key);
    let mut data = std::fs::read(&path).ok()?;
    let sum = data.split_off(data.len().checked_sub(digest([""]).len())?);
    if sum != digest([&data]).into_bytes() {
        return None;
    }
    Some(data)
}

/// Stores an object. If the cache cannot be written to, it is compiled again the next time.
pub fn keep(key: &str, data: &[u8]) {
    let sum = digest([data]);
    if write_file(&path(key), &[data, sum.as_bytes()].concat()).is_ok() {
        cache::forget_old();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that includes `a.h`, which includes `b.h`.
    fn sources() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("unit.c", "#include \"a.h\"\nint f(void) { return A; }\n"),
            ("include/a.h", "#include <stdint.h>\n  # include <b.h>\n"),
            ("include/b.h", "#define A 1\n"),
        ] {
            write_file(&folder.path().join(name), text.as_bytes()).unwrap();
        }
        folder
    }

    fn key_in(folder: &Path, words: &[&str]) -> Option<String> {
        let mut command = Command::new("cc");
        command.args(words);
        key(&command, &folder.join("unit.c"), &[&folder.join("include")]).unwrap()
    }

    #[test]
    fn an_object_is_named_for_all_it_is_made_of() {
        let [one, other] = [sources(), sources()];
        let first = key_in(one.path(), &["-O2"]);
        // The location of the files does not matter.
        assert_eq!(first, key_in(other.path(), &["-O2"]));
        assert_ne!(first, key_in(other.path(), &["-Os"]));
        let mut known = vec![first];
        for (name, text) in [
            ("unit.c", "#include \"a.h\"\nint g(void) { return A; }\n"),
            ("include/a.h", "#include <stdint.h>\n# include <b.h>\n"),
            ("include/b.h", "#define A 2\n"),
            // It is found before the one in the include folder.
            ("a.h", "#define A 3\n"),
        ] {
            write_file(&other.path().join(name), text.as_bytes()).unwrap();
            let key = key_in(other.path(), &["-O2"]);
            assert!(key.is_some() && !known.contains(&key), "{name}");
            known.push(key);
        }
    }

    #[test]
    fn what_is_included_by_an_argument_counts() {
        let folder = sources();
        let header = folder.path().join("include/more.h");
        for argument in ["-include", "-imacros"] {
            let key = || key_in(folder.path(), &[argument, "more.h"]);
            let _ = std::fs::remove_file(&header);
            assert_eq!(key(), None);
            write_file(&header, b"#define A 1\n").unwrap();
            let one = key();
            write_file(&header, b"#define A 2\n").unwrap();
            assert!(one.is_some() && key().is_some() && one != key());
        }
    }

    #[test]
    fn the_location_matters_where_the_source_asks_for_it() {
        let [one, other] = [sources(), sources()];
        for folder in [&one, &other] {
            write_file(&folder.path().join("include/b.h"), b"#define A __FILE__\n").unwrap();
        }
        let [one, again, other] = [&one, &one, &other].map(|folder| key_in(folder.path(), &[]));
        assert!(one.is_some() && one == again && one != other);
    }

    /// Otherwise nothing is ever found in the cache.
    #[test]
    fn the_headers_of_modules_depend_on_nothing_else() {
        for (name, text) in c_runtime::HEADERS {
            assert!(!OUTSIDE.iter().any(|word| text.contains(word)), "{name}");
            assert!(!text.contains("__FILE__") || *name == "wasm_lines.h", "{name}");
        }
    }

    #[test]
    fn what_depends_on_more_has_no_name() {
        for text in [
            "#include <math.h>\n",
            "#include HEADER\n",
            "const char *when = __DATE__;\n",
            "__asm__(\".incbin \\\"data\\\"\");\n",
            "#if __has_include(\"a.h\")\n#endif\n",
        ] {
            let folder = sources();
            write_file(&folder.path().join("include/b.h"), text.as_bytes()).unwrap();
            assert_eq!(key_in(folder.path(), &[]), None, "{text}");
        }
    }

    #[test]
    fn a_damaged_object_is_not_found() {
        let key = digest(["a_damaged_object_is_not_found"]);
        keep(&key, b"\x7fELF and so on");
        assert_eq!(find(&key).unwrap(), b"\x7fELF and so on");
        let whole = std::fs::read(path(&key)).unwrap();
        for damaged in [&whole[..0], &whole[..whole.len() - 1], &whole[1..]] {
            std::fs::write(path(&key), damaged).unwrap();
            assert_eq!(find(&key), None);
        }
        std::fs::remove_file(path(&key)).unwrap();
    }
}
