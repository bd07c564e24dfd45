//! The one error type of every stage: what is wrong, where, and what to do.

use std::fmt;
use std::path::PathBuf;

/// Where in the user's world a problem lies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// No place: the message says it all (a missing program, a network fault).
    #[default]
    Nowhere,
    /// A command-line argument, as typed.
    Argument(String),
    /// A text file; `line` and `column` count from 1, 0 means unknown.
    File { path: PathBuf, line: u32, column: u32 },
    /// A WebAssembly module: byte `offset` from its start, and the function when there is one.
    Wasm { module: String, function: Option<String>, offset: Option<u64> },
    /// An ELF object (or `archive.a:member.o`): section, byte offset in it, nearest symbol.
    Object { object: String, section: Option<String>, offset: Option<u64>, symbol: Option<String> },
    /// An item of the user's crate as it is exported, imported or declared.
    Item(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Nowhere => Ok(()),
            Place::Argument(arg) => write!(f, "argument `{arg}`"),
            Place::File { path, line, column } => {
                write!(f, "{}", path.display())?;
                if *line > 0 {
                    write!(f, ":{line}")?;
                    if *column > 0 {
                        write!(f, ":{column}")?;
                    }
                }
                Ok(())
            }
            Place::Wasm { module, function, offset } => {
                write!(f, "{module}")?;
                if let Some(offset) = offset {
                    write!(f, "+{offset:#x}")?;
                }
                if let Some(function) = function {
                    write!(f, " in function `{function}`")?;
                }
                Ok(())
            }
            Place::Object { object, section, offset, symbol } => {
                write!(f, "{object}")?;
                if let Some(section) = section {
                    write!(f, ":({section}")?;
                    if let Some(offset) = offset {
                        write!(f, "+{offset:#x}")?;
                    }
                    write!(f, ")")?;
                }
                if let Some(symbol) = symbol {
                    write!(f, " in `{symbol}`")?;
                }
                Ok(())
            }
            Place::Item(item) => write!(f, "`{item}`"),
        }
    }
}

/// A problem for a person: lowercase message without a full stop, a place, and a help that says
/// what to do next or lists the choices.
///
/// `code` is a stable slug (`unknown-board`, `undefined-symbol`) which `cargo mpy explain` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: &'static str,
    pub message: String,
    pub at: Place,
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic { code, message: message.into(), at: Place::Nowhere, help: None }
    }

    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.at = place;
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if self.at != Place::Nowhere {
            write!(f, "\n  at {}", self.at)?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// The result of every stage.
pub type Result<T> = std::result::Result<T, Diagnostic>;
