//! What `--json` and `--message-format json` print: one [`Message`] per line of standard output.
//!
//! `docs/messages.schema.json` describes the lines (JSON Schema draft 7); it is generated from these types.

use std::path::PathBuf;

use serde::Serialize;
use target_specs::{Diagnostic, Place};

/// Version of the messages. It is raised when a message loses a field, or when a field changes its meaning.
pub const SCHEMA: u32 = 1;

/// A line of JSON. Its `reason` says which message it is, as in cargo's own messages.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Message<'a> {
    /// A module was built, or found unchanged.
    MpyArtifact(Artifact<'a>),
    /// An error ended the command.
    MpyDiagnostic(MpyDiagnostic<'a>),
    /// The last message of `build`.
    BuildFinished { success: bool },
    /// A board answered at `port`.
    Connected {
        port: &'a str,
        machine: &'a str,
        firmware: &'a str,
        arch: &'a str,
        /// Free bytes of MicroPython's heap; 0 if the board does not say.
        heap_free: u64,
    },
    /// `dev` runs the module in a MicroPython on this computer.
    Using { board: &'a str, arch: &'a str },
    /// The module was copied to `file` on the board.
    Deployed {
        file: &'a str,
        bytes: usize,
        seconds: f64,
        /// The board's port, if the command uses several boards.
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<&'a str>,
    },
    /// The board has this module in `file` already.
    Unchanged {
        file: &'a str,
        bytes: usize,
        /// The board's port, if the command uses several boards.
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<&'a str>,
    },
    /// `dev` loaded the module. `seconds` is the time since the change, of which the build took `build_seconds`.
    Loaded { module: &'a str, bytes: usize, seconds: f64, build_seconds: f64 },
    /// Output of the program on the board: a line with its end, or the part of a line that was printed last.
    Output {
        text: &'a str,
        /// The board's port, if the command uses several boards.
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<&'a str>,
    },
    /// The program on the board ended with this exception.
    Exception {
        traceback: &'a str,
        /// The board's port, if the command uses several boards.
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<&'a str>,
    },
    /// Cargo failed with this exit code. It has printed the reason.
    CargoFailed { code: i32 },
    /// `dev` waits for changes of the source.
    Watching,
    /// A board that `boards` lists.
    Board(BoardFacts<'a>),
}

/// A module in a file.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Artifact<'a> {
    pub schema: u32,
    /// The name that Python imports.
    pub module: &'a str,
    pub arch: &'a str,
    pub boards: &'a [String],
    /// The memory model.
    pub memory: &'static str,
    pub mpy: PathBuf,
    /// The type stub.
    pub stub: PathBuf,
    /// Bytes of the file.
    pub file_size: u64,
    pub sizes: Sizes,
    /// The module was up to date.
    pub fresh: bool,
}

/// Bytes of a module in memory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sizes {
    pub text: u32,
    pub rodata: u32,
    pub bss: u32,
    /// Constant objects, which stay where they are if the file is in ROM.
    pub objects: u32,
}

/// An error.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MpyDiagnostic<'a> {
    pub schema: u32,
    pub level: &'static str,
    /// The name that `cargo mpy explain` takes.
    pub code: &'a str,
    pub message: &'a str,
    pub at: Option<At<'a>>,
    pub help: Option<&'a str>,
    /// The error as a person reads it.
    pub rendered: String,
    /// The port of the board that it is about, if the command uses several boards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<&'a str>,
}

/// The place of an error; `text` is the place as a person reads it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum At<'a> {
    /// A command-line argument.
    Argument { text: String },
    /// A text file. Lines and columns count from 1; 0 means unknown.
    File { text: String, path: &'a std::path::Path, line: u32, column: u32 },
    /// A WebAssembly module; `offset` counts bytes from its start.
    Wasm { text: String, module: &'a str, function: Option<&'a str>, offset: Option<u64> },
    /// An ELF object; `offset` counts bytes from the start of the section.
    Object {
        text: String,
        object: &'a str,
        section: Option<&'a str>,
        offset: Option<u64>,
        symbol: Option<&'a str>,
    },
    /// An item of the crate.
    Item { text: String, item: &'a str },
}

/// A board and its microcontroller. Fields are null where the board is not a product.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BoardFacts<'a> {
    pub name: &'a str,
    pub title: &'a str,
    pub arch: &'a str,
    /// The floating-point unit.
    pub float: &'a str,
    /// The first MicroPython version that loads native modules of the architecture.
    pub since: &'a str,
    pub chip: Option<&'a str>,
    pub core: Option<&'a str>,
    pub clock_mhz: Option<u32>,
    pub ram_kib: Option<u32>,
    pub text_in: Option<&'a str>,
    /// The size of the partition of its firmware for files that stay in ROM and are executed there.
    pub rom_kib: Option<u32>,
    /// Vendor and product of MicroPython's own USB port.
    pub usb: Option<&'a str>,
    /// Why the board's firmware does not load native modules.
    pub no_native: Option<&'a str>,
    /// What runs the board's modules on this computer.
    pub runs: &'a str,
    pub source: Option<&'a str>,
    pub chip_source: Option<&'a str>,
}

impl<'a> From<&'a Diagnostic> for Message<'a> {
    fn from(diagnostic: &'a Diagnostic) -> Self {
        Message::MpyDiagnostic(MpyDiagnostic::of(diagnostic, None))
    }
}

impl<'a> MpyDiagnostic<'a> {
    /// The message for an error, which is about the board at `port`.
    pub fn of(diagnostic: &'a Diagnostic, port: Option<&'a str>) -> Self {
        let Diagnostic { code, message, at, help } = diagnostic;
        MpyDiagnostic {
            schema: SCHEMA,
            level: "error",
            code,
            message,
            at: At::of(at),
            help: help.as_deref(),
            rendered: format!("error[{code}]: {diagnostic}"),
            port,
        }
    }
}

impl<'a> At<'a> {
    fn of(place: &'a Place) -> Option<At<'a>> {
        let text = place.to_string();
        Some(match place {
            Place::None => return None,
            Place::Argument(_) => At::Argument { text },
            Place::File { path, line, column } => At::File { text, path, line: *line, column: *column },
            Place::Wasm { module, function, offset } => {
                At::Wasm { text, module, function: function.as_deref(), offset: *offset }
            }
            Place::Object { object, section, offset, symbol } => At::Object {
                text,
                object,
                section: section.as_deref(),
                offset: *offset,
                symbol: symbol.as_deref(),
            },
            Place::Item(item) => At::Item { text, item },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `BLESS=1` writes the file.
    #[test]
    fn the_schema_in_docs_is_that_of_the_types() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/messages.schema.json");
        let generator = schemars::generate::SchemaSettings::draft07().into_generator();
        let mut schema = generator.into_root_schema_for::<Message<'static>>();
        schema.insert("title".to_owned(), "A line of JSON that cargo mpy prints".into());
        let text = format!("{:#}\n", schema.as_value());
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(known == text, "{} is out of date: run the tests with BLESS=1", path.display());
    }
}
