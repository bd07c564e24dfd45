//! The error type of every stage: what is wrong, where, and what to do.

use std::fmt;
use std::path::PathBuf;

/// Where a problem is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// No place: a missing program, a network error.
    #[default]
    None,
    /// A command-line argument, as typed.
    Argument(String),
    /// A text file.
    File {
        /// The path of the file.
        path: PathBuf,
        /// The line, counted from 1; 0 if it is unknown.
        line: u32,
        /// The column, counted from 1; 0 if it is unknown.
        column: u32,
    },
    /// A WebAssembly module.
    Wasm {
        /// The file name of the module.
        module: String,
        /// The function, if the problem is in one.
        function: Option<String>,
        /// The offset in the module, in bytes.
        offset: Option<u64>,
    },
    /// An ELF object.
    Object {
        /// The file name of the object, or `archive.a:member.o`.
        object: String,
        /// The section.
        section: Option<String>,
        /// The offset in the section, in bytes.
        offset: Option<u64>,
        /// The nearest symbol.
        symbol: Option<String>,
    },
    /// An item that the user's crate exports, imports or declares.
    Item(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::None => Ok(()),
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

/// An error or a warning for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name for `cargo mpy explain`: `unknown-board`, `undefined-symbol`.
    pub code: &'static str,
    /// What is wrong: lower case, without a full stop.
    pub message: String,
    /// Where it is wrong.
    pub at: Place,
    /// What to do next, or the choices.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without a place and a help.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic { code, message: message.into(), at: Place::None, help: None }
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.at = place;
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if self.at != Place::None {
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
