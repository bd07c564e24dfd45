//! The settings of a package, `[package.metadata.mpy]`, or of WebAssembly files, `mpy.toml`.
//!
//! They are read from TOML with the place of every key and value, so that an error says where it is, in whichever of
//! TOML's forms a setting is written (TOML 1.0: dotted keys, inline tables, tables).

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use glue_gen::Imports;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use target_specs::{Diagnostic, Place, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::options::{Code, MemoryModel, Size};

/// `[package.metadata.mpy]`, and `[workspace.metadata.mpy]` below it; or all of a `mpy.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub name: Option<String>,
    pub boards: Option<Vec<String>>,
    pub memory: Option<MemoryModel>,
    pub stack: Option<Size>,
    pub heap: Option<Size>,
    pub limit: Option<Size>,
    pub flash_tables: Option<Size>,
    pub code: Option<Code>,
    pub simd: Option<bool>,
    pub imports: Option<Imports>,
    pub exports: Option<BTreeMap<String, String>>,
    pub allocator: Option<Vec<String>>,
    pub debug: Option<bool>,
    pub trap_names: Option<bool>,
    pub interruptible: Option<bool>,
    pub keywords: Option<bool>,
    /// A directory, relative to the package or the WebAssembly file.
    pub python: Option<PathBuf>,
    /// By board: what is different there.
    pub board: Option<BTreeMap<String, BoardSettings>>,
    // The port of a board, which is opened before anything is planned: `session/port_args.rs` reads these.
    #[serde(rename = "port")]
    _port: Option<String>,
    #[serde(rename = "baud")]
    _baud: Option<u32>,
    #[serde(rename = "dest")]
    _dest: Option<String>,
}

/// Settings that a board may have of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct BoardSettings {
    pub memory: Option<MemoryModel>,
    pub stack: Option<Size>,
    pub heap: Option<Size>,
    pub limit: Option<Size>,
    pub flash_tables: Option<Size>,
    pub code: Option<Code>,
    pub simd: Option<bool>,
}

/// The keys of `[package.metadata.mpy]`.
pub const SETTINGS: &[&str] = &[
    "name",
    "boards",
    "memory",
    "stack",
    "heap",
    "limit",
    "flash-tables",
    "code",
    "simd",
    "debug",
    "trap-names",
    "interruptible",
    "keywords",
    "python",
    "imports",
    "exports",
    "allocator",
    "board",
    "port",
    "baud",
    "dest",
];
const BOARD_SETTINGS: &[&str] = &["memory", "stack", "heap", "limit", "flash-tables", "code", "simd"];
/// Settings of the WebAssembly files in the same folder: a table such as `[package.metadata.mpy]`.
const FILE: &str = "mpy.toml";

impl Settings {
    /// The settings of the package with this manifest, and what it does not set from those of its workspace.
    ///
    /// # Errors
    /// `unknown-setting`, `unknown-board` and `bad-value`, with the place.
    pub fn of_package(manifest: &Path, workspace_manifest: &Path) -> Result<Settings> {
        let own = Settings::of_manifest(manifest, "package")?;
        Ok(own.over(Settings::of_manifest(workspace_manifest, "workspace")?))
    }

    /// The settings in the table `[whose.metadata.mpy]` of a manifest. Cargo reports a manifest that is not TOML.
    fn of_manifest(manifest: &Path, whose: &str) -> Result<Settings> {
        let text = std::fs::read_to_string(manifest).unwrap_or_default();
        let Ok(root) = DeTable::parse(&text) else { return Ok(Settings::default()) };
        let mut table = root.get_ref();
        for name in [whose, "metadata", "mpy"] {
            match table.get(name).map(Spanned::get_ref) {
                Some(DeValue::Table(inner)) => table = inner,
                _ => return Ok(Settings::default()),
            }
        }
        File { path: manifest, text: &text }.settings(table, &format!("{whose}.metadata.mpy"))
    }

    /// The settings beside a WebAssembly file.
    ///
    /// # Errors
    /// As [`Settings::of_package`].
    pub fn beside(wasm: &Path) -> Result<Settings> {
        let path = &wasm.with_file_name(FILE);
        let Ok(text) = std::fs::read_to_string(path) else { return Ok(Settings::default()) };
        let file = File { path, text: &text };
        let root = DeTable::parse(&text).map_err(|error| file.invalid(&error))?;
        file.settings(root.get_ref(), FILE)
    }

    /// These settings, and those of `shared` where there is none.
    fn over(self, shared: Settings) -> Settings {
        let merged = |own: BoardSettings, shared: BoardSettings| BoardSettings {
            memory: own.memory.or(shared.memory),
            stack: own.stack.or(shared.stack),
            heap: own.heap.or(shared.heap),
            limit: own.limit.or(shared.limit),
            flash_tables: own.flash_tables.or(shared.flash_tables),
            code: own.code.or(shared.code),
            simd: own.simd.or(shared.simd),
        };
        let mut board = shared.board.unwrap_or_default();
        for (name, own) in self.board.unwrap_or_default() {
            let shared = board.remove(&name).unwrap_or_default();
            board.insert(name, merged(own, shared));
        }
        let imports = shared.imports.into_iter().chain(self.imports).flatten().collect();
        Settings {
            name: self.name.or(shared.name),
            boards: self.boards.or(shared.boards),
            memory: self.memory.or(shared.memory),
            stack: self.stack.or(shared.stack),
            heap: self.heap.or(shared.heap),
            limit: self.limit.or(shared.limit),
            flash_tables: self.flash_tables.or(shared.flash_tables),
            code: self.code.or(shared.code),
            simd: self.simd.or(shared.simd),
            imports: Some(imports),
            // The exports of one module do not describe another module.
            exports: self.exports,
            allocator: self.allocator.or(shared.allocator),
            debug: self.debug.or(shared.debug),
            trap_names: self.trap_names.or(shared.trap_names),
            interruptible: self.interruptible.or(shared.interruptible),
            keywords: self.keywords.or(shared.keywords),
            python: self.python.or(shared.python),
            board: Some(board),
            _port: None,
            _baud: None,
            _dest: None,
        }
    }
}

/// A TOML file that errors name.
#[derive(Clone, Copy)]
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> File<'a> {
    /// The settings in `table`, which users know as `name`.
    fn settings(self, table: &DeTable<'a>, name: &str) -> Result<Settings> {
        let get = |key: &str| table.get(key).map(Spanned::get_ref);
        for (board, value) in get("board").and_then(DeValue::as_table).into_iter().flatten() {
            target_specs::board(board.get_ref()).map_err(|error| error.at(self.place(board.span())))?;
            if let DeValue::Table(own) = value.get_ref() {
                self.check::<BoardSettings>(
                    own,
                    BOARD_SETTINGS,
                    &format!("{name}.board.{}", board.get_ref()),
                )?;
            }
        }
        self.check::<Settings>(table, SETTINGS, name)?;
        for value in get("boards").and_then(DeValue::as_array).into_iter().flatten() {
            let board = value.get_ref().as_str().unwrap_or_default();
            target_specs::board(board).map_err(|error| error.at(self.place(value.span())))?;
        }
        let settings: Settings = self.read(table.clone())?;
        let key_of = |of: &str, key: &str| {
            let found = get(of).and_then(DeValue::as_table).and_then(|table| table.get_key_value(key));
            self.place(found.map_or(0..0, |(key, _)| key.span()))
        };
        for (import, value) in settings.imports.iter().flatten() {
            glue_gen::check_import(import, value).map_err(|error| error.at(key_of("imports", import)))?;
        }
        for (export, value) in settings.exports.iter().flatten() {
            glue_gen::check_export(export, value).map_err(|error| error.at(key_of("exports", export)))?;
        }
        if let Some(names) = &settings.allocator
            && !(1..=2).contains(&names.len())
        {
            let at = table.get("allocator").map_or(0..0, Spanned::span);
            return Err(Diagnostic::new("bad-value", "`allocator` needs the names of one or two exports")
                .at(self.place(at))
                .help("write `allocator = [\"alloc\", \"dealloc\"]`"));
        }
        Ok(settings)
    }

    /// Refuses keys of `table` that are not in `known`, and values that the field of `T` cannot have.
    fn check<T: DeserializeOwned>(self, table: &DeTable<'a>, known: &[&str], name: &str) -> Result<()> {
        for (key, value) in table {
            let (word, at) = (key.get_ref().as_ref(), key.span());
            if !known.contains(&word) {
                let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                let help = match target_specs::nearest(word, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`? The settings are {list}"),
                    None => format!("the settings are {list}"),
                };
                let message = format!("`{name}` has no setting `{word}`");
                return Err(Diagnostic::new("unknown-setting", message).at(self.place(at)).help(help));
            }
            let alone = DeTable::from_iter([(key.clone(), value.clone())]);
            if let Err(mut error) = self.read::<T>(alone) {
                error.message = format!("the setting `{word}`: {}", error.message);
                return Err(match (word, value.get_ref().as_str()) {
                    ("boards", Some(name)) => error.help(format!("write a list: `boards = [{name:?}]`")),
                    _ => error,
                });
            }
        }
        Ok(())
    }

    fn read<T: DeserializeOwned>(self, table: DeTable<'a>) -> Result<T> {
        let read = T::deserialize(Spanned::new(0..0, table).into_deserializer());
        read.map_err(|error| self.invalid(&error))
    }

    fn invalid(self, error: &toml::de::Error) -> Diagnostic {
        Diagnostic::new("bad-value", error.message()).at(self.place(error.span().unwrap_or(0..0)))
    }

    /// The place of a range of bytes; without line and column where it is empty.
    fn place(self, span: Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or_default();
        let (line, column) = match span.is_empty() && span.start == 0 {
            true => (0, 0),
            false => {
                let start = before.rfind('\n').map_or(0, |end| end + 1);
                (before.matches('\n').count() as u32 + 1, before[start..].chars().count() as u32 + 1)
            }
        };
        Place::File { path: self.path.to_owned(), line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code, line and column of the error that a manifest or `mpy.toml` is refused with.
    fn refused(text: &str, name: &str) -> (&'static str, u32, u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let read = match name {
            FILE => Settings::beside(&folder.path().join("a.wasm")),
            _ => Settings::of_package(&path, &path),
        };
        let error = read.expect_err(text);
        match error.at {
            Place::File { path: at, line, column } if at == path => (error.code, line, column),
            at => panic!("{at:?} of {text}"),
        }
    }

    /// Every form in which TOML lets a setting be written.
    #[test]
    fn errors_name_the_place_in_every_form_of_toml() {
        for (text, line, column) in [
            ("[package.metadata.mpy]\nstack = 1\nKEY = VALUE\n", 3, 1),
            ("[package.metadata]\nmpy.stack = 1\nmpy.KEY = VALUE\n", 3, 5),
            ("[package]\nmetadata.mpy.KEY = VALUE\n", 2, 14),
            ("package.metadata = { mpy = { stack = 1, KEY = VALUE } }\n", 1, 41),
            ("[package]\nstack = 1\nmetadata = { mpy.KEY = VALUE }\n", 3, 18),
            ("[ package . metadata . mpy ]\n\"KEY\" = VALUE\n", 2, 1),
            ("[workspace.metadata.mpy]\n\tKEY = VALUE\n", 2, 2),
            ("[workspace]\nmetadata.mpy = { KEY = VALUE }\n", 2, 18),
        ] {
            let unknown = text.replace("KEY", "haep").replace("VALUE", "1");
            assert_eq!(refused(&unknown, "Cargo.toml"), ("unknown-setting", line, column), "{unknown}");
            let wrong = text.replace("KEY", "heap").replace("VALUE", "\"lots\"");
            let (code, wrong_line, wrong_column) = refused(&wrong, "Cargo.toml");
            // The value is what is wrong.
            let value = column
                + wrong.lines().nth(line as usize - 1).unwrap().find("\"lots\"").unwrap() as u32
                - (column - 1);
            assert_eq!((code, wrong_line, wrong_column), ("bad-value", line, value), "{wrong}");
        }
    }

    #[test]
    fn wrong_values_are_refused_where_they_are() {
        for (text, line, column) in [
            ("name = \n", 1, 8),
            ("[exports]\ngreet = \"(string)\"\n", 2, 1),
            ("[exports]\n\n\"a b\" = \"str\"\n", 3, 1),
            ("allocator = []\n", 1, 13),
            ("memory = \"none\"\n", 1, 10),
            ("boards = \"rp2040\"\n", 1, 10),
            ("[board.rp2040]\nmemory = \"none\"\n", 2, 10),
            ("board.rp2040.heap = -1\n", 1, 21),
            ("name = \"b\"\n\n[imports]\n\"env.log\" = \"log.log(string)\"\n", 4, 1),
        ] {
            assert_eq!(refused(text, FILE), ("bad-value", line, column), "{text}");
        }
        assert_eq!(refused("[board.rp2040]\nheep = 1\n", FILE), ("unknown-setting", 2, 1));
        assert_eq!(refused("stack = 1\n[board.rp2041]\nheap = 1\n", FILE), ("unknown-board", 2, 8));
        assert_eq!(refused("boards = [\"unix\", \"rp204\"]\n", FILE), ("unknown-board", 1, 19));
    }

    #[test]
    fn sizes_are_numbers_of_bytes() {
        for size in ["\"99G\"", "-1", "4294967296", "1.5", "\"\"", "true", "[1]"] {
            for name in ["stack", "heap", "limit", "flash-tables"] {
                for (table, line) in [("", 1), ("[board.rp2040]\n", 2)] {
                    let text = format!("{table}{name} = {size}\n");
                    let column = name.len() as u32 + 4;
                    assert_eq!(refused(&text, FILE), ("bad-value", line, column), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_package_goes_before_its_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.toml");
        let text = "[package.metadata.mpy]\nstack = \"2K\"\nboard.rp2040.heap = 1\nimports = { \"a.b\" = 1 }\n\
                    [workspace.metadata.mpy]\nstack = 1\nheap = 64\nboards = [\"rp2040\"]\n\
                    board.rp2040 = { heap = 2, limit = 3 }\nimports = { \"a.b\" = 2, \"a.c\" = 3 }\n";
        std::fs::write(&path, text).unwrap();
        let settings = Settings::of_package(&path, &path).unwrap();
        assert_eq!((settings.stack, settings.heap), (Some(Size(2048)), Some(Size(64))));
        let board = &settings.board.unwrap()["rp2040"];
        assert_eq!((board.heap, board.limit), (Some(Size(1)), Some(Size(3))));
        let imports: Vec<_> =
            settings.imports.unwrap().into_values().map(|value| value.as_integer()).collect();
        assert_eq!(imports, [Some(1), Some(3)]);
    }

    #[test]
    fn a_manifest_without_settings_has_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.toml");
        for text in ["", "[package]\nstack = 1\n", "[package.metadata.other]\nstack = 1\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(Settings::of_package(&path, &path).unwrap().stack.is_none());
        }
    }
}
