//! Adds source lines to the output of a board, for the places of Rust panics, `src/lib.rs:12:5`, and of Python
//! tracebacks, `File "main.py", line 3`.

use std::path::{Path, PathBuf};

/// Longer lines are not messages.
const LONGEST: usize = 1024;

/// Adds source lines to a stream of text.
#[derive(Debug, Default)]
pub struct Sources {
    /// The folder that relative paths start from.
    folders: Vec<PathBuf>,
    /// The current line.
    line: Vec<u8>,
}

impl Sources {
    /// For the crate in this folder. Paths are relative to the root of its workspace, which is a parent folder.
    pub fn here() -> Sources {
        let here = std::env::current_dir().unwrap_or_default();
        let is_crate = |folder: &&Path| folder.join("Cargo.toml").is_file();
        let above = here.ancestors().skip(1).filter(is_crate).map(Path::to_owned);
        Sources { folders: std::iter::once(here.clone()).chain(above).collect(), line: Vec::new() }
    }

    /// Handles the next bytes of the stream. Each line that names a place is followed by the source line there. Line
    /// ends are those of the stream.
    pub fn with(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            out.push(byte);
            if byte != b'\n' {
                if self.line.len() < LONGEST {
                    self.line.push(byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let end = if line.ends_with(b"\r") { "\r\n" } else { "\n" };
            let text = String::from_utf8_lossy(&line);
            if let Some((path, number)) = place(&text)
                && let Some(source) = self.source(path, number)
            {
                out.extend(format!("{number:>6} | {source}{end}").bytes());
            }
        }
        out
    }

    /// A line of a file.
    fn source(&self, path: &str, number: usize) -> Option<String> {
        // The path on the board is a different one.
        let relative = path.trim_start_matches('/');
        let whole = Some(PathBuf::from(path)).filter(|path| path.is_absolute());
        let below = self.folders.iter().map(|folder| folder.join(relative));
        let mut paths = whole.into_iter().chain(below);
        let text = std::fs::read_to_string(paths.find(|path| path.is_file())?).ok()?;
        Some(text.lines().nth(number.checked_sub(1)?)?.trim_end().to_owned())
    }
}

/// The place in a line: a file and a line number.
fn place(text: &str) -> Option<(&str, usize)> {
    if let Some((_, rest)) = text.split_once("File \"") {
        let (path, rest) = rest.split_once("\", line ")?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        return Some((path, rest[..digits].parse().ok()?));
    }
    let at = text.find(".rs:")?;
    let start = text[..at].rfind(|c: char| c.is_whitespace() || "'\"(,".contains(c)).map_or(0, |at| at + 1);
    let rest = &text[at + 4..];
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((&text[start..at + 3], rest[..digits].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found() {
        assert_eq!(place("RuntimeError: boom, src/lib.rs:12"), Some(("src/lib.rs", 12)));
        assert_eq!(place("panicked at src/a b.rs:3:7:"), Some(("b.rs", 3)));
        assert_eq!(place("panicked at 'x', /x/src/lib.rs:3:7"), Some(("/x/src/lib.rs", 3)));
        assert_eq!(place("  File \"main.py\", line 4, in f"), Some(("main.py", 4)));
        for none in ["", "lib.rs", "x.rs:", "File \"a\"", ".rs:x"] {
            assert_eq!(place(none), None, "{none}");
        }
    }

    #[test]
    fn what_stands_there_follows() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/lib.rs"), "one\n    two!\n").unwrap();
        let mut sources = Sources { folders: vec![folder.path().to_owned()], line: Vec::new() };
        let mut out = sources.with(b"a\r\nboom, src/lib");
        out.extend(sources.with(b".rs:2\r\nsrc/lib.rs:9\r\n"));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a\r\nboom, src/lib.rs:2\r\n     2 |     two!\r\nsrc/lib.rs:9\r\n"
        );
    }
}
