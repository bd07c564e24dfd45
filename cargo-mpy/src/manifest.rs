//! Changes a Cargo.toml without changing its other lines.

use std::path::{Path, PathBuf};

use target_specs::{Diagnostic, Place, Result};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike};

use crate::toolchain::{read_file, write_file};

/// Cargo's profiles for a module: what it has to fit into is small. Only the root of a workspace has profiles.
const PROFILES: &str = "
[profile.release]
opt-level = \"s\"
lto = true
codegen-units = 1
panic = \"abort\"

[profile.dev]
panic = \"abort\"
";

/// The manifest of a package.
pub struct Manifest {
    path: PathBuf,
    document: DocumentMut,
    /// Tables that are added at the end.
    end: &'static str,
    changes: Vec<&'static str>,
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    /// `io`; `bad-value` if it is no manifest of a package.
    pub fn read(path: &Path) -> Result<Manifest> {
        let text = String::from_utf8_lossy(&read_file(path)?).into_owned();
        let wrong = |message: String| {
            Diagnostic::new("bad-value", message).at(Place::File {
                path: path.to_owned(),
                line: 0,
                column: 0,
            })
        };
        let document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| wrong(error.message().to_owned()))?;
        if !document.contains_key("package") {
            return Err(wrong("a manifest without a package".to_owned())
                .help("choose the directory of a package of the workspace"));
        }
        Ok(Manifest { path: path.to_owned(), document, end: "", changes: Vec::new() })
    }

    /// The name of the package.
    pub fn package(&self) -> &str {
        self.document["package"].get("name").and_then(Item::as_str).unwrap_or_default()
    }

    fn library(&self) -> Option<&dyn TableLike> {
        self.document.get("lib")?.as_table_like()
    }

    /// The path of the library's root, from the directory of the manifest.
    pub fn library_path(&self) -> &str {
        self.library().and_then(|library| library.get("path")?.as_str()).unwrap_or("src/lib.rs")
    }

    /// Whether the library is a procedural macro.
    pub fn is_macro(&self) -> bool {
        let says = |key| self.library().and_then(|library| library.get(key)?.as_bool());
        says("proc-macro").or(says("proc_macro")).unwrap_or(false)
    }

    /// Makes the library a `cdylib` too. One that says nothing of its types is `default` otherwise.
    pub fn add_cdylib(&mut self, default: &[&str]) {
        let library = self.document.entry("lib").or_insert_with(|| Item::Table(Table::new()));
        let Some(library) = library.as_table_like_mut() else { return };
        let key = if library.contains_key("crate_type") { "crate_type" } else { "crate-type" };
        let types = library
            .entry(key)
            .or_insert_with(|| Item::Value(Array::from_iter(default.iter().copied()).into()));
        let Some(types) = types.as_array_mut() else { return };
        if !types.iter().any(|known| known.as_str() == Some("cdylib")) {
            // In a line of its own where the last one is. Comments before that stay with it.
            let last = types.iter().last().and_then(|last| last.decor().prefix()?.as_str());
            let prefix = last.map(|prefix| prefix.rfind('\n').map_or(" ", |at| &prefix[at..]).to_owned());
            types.push("cdylib");
            if let (Some(prefix), Some(new)) = (prefix, types.iter_mut().last()) {
                new.decor_mut().set_prefix(prefix);
            }
            self.changes.push("`cdylib` in `crate-type`");
        }
    }

    /// Adds a dependency, unless it is there for some target.
    pub fn add_dependency(&mut self, name: &'static str, version: &str, features: &[&str]) {
        let is_it =
            |(key, item): (&str, &Item)| item.get("package").and_then(Item::as_str).unwrap_or(key) == name;
        let has = |parent: &dyn TableLike| {
            let table = parent.get("dependencies").and_then(Item::as_table_like);
            table.is_some_and(|table| table.iter().any(is_it))
        };
        let of_target = |(_, target): (&str, &Item)| target.as_table_like().is_some_and(has);
        let targets = self.document.get("target").and_then(Item::as_table_like);
        if has(self.document.as_table()) || targets.is_some_and(|targets| targets.iter().any(of_target)) {
            return;
        }
        let table = self.document.entry("dependencies").or_insert_with(|| Item::Table(Table::new()));
        if let Some(table) = table.as_table_like_mut() {
            let value = match features {
                [] => version.into(),
                _ => {
                    let mut table = InlineTable::new();
                    table.insert("version", version.into());
                    table.insert("features", features.iter().copied().collect::<Array>().into());
                    toml_edit::Value::InlineTable(table)
                }
            };
            table.insert(name, toml_edit::value(value));
            self.changes.push(match name {
                "wasm-bindgen" => "the dependency `wasm-bindgen`",
                _ => "a dependency of the template",
            });
        }
    }

    /// Adds profiles for small modules, unless there are profiles.
    pub fn add_profiles(&mut self) {
        if self.document.contains_key("profile") {
            return;
        }
        let profiles = PROFILES.parse::<DocumentMut>().unwrap_or_default();
        self.document
            .as_table_mut()
            .extend(profiles.as_table().iter().map(|(key, item)| (key, item.clone())));
        self.changes.push("profiles for small modules");
    }

    /// Writes the manifest. Returns what was added.
    ///
    /// # Errors
    /// As [`write_file`].
    pub fn write(self) -> Result<Vec<&'static str>> {
        if !self.changes.is_empty() {
            write_file(&self.path, format!("{}{}", self.document, self.end).as_bytes())?;
        }
        Ok(self.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes a manifest, twice. Each of its lines stays where it was relative to the others, or gets longer.
    fn changed(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.toml");
        std::fs::write(&path, text).unwrap();
        let change = || {
            let mut manifest = Manifest::read(&path).unwrap();
            manifest.add_cdylib(&["lib"]);
            manifest.add_dependency("wasm-bindgen", "=1.2.3", &[]);
            manifest.add_profiles();
            manifest.write().unwrap()
        };
        change();
        assert!(change().is_empty(), "{text}");
        let now = std::fs::read_to_string(&path).unwrap();
        let mut rest = now.lines();
        for line in text.lines().filter(|line| !line.contains("crate-type = ")) {
            assert!(rest.any(|other| other == line), "{line:?} is lost:\n{now}");
        }
        let table: toml::Table = now.parse().unwrap();
        let types = table["lib"].as_table().unwrap().iter().find(|(key, _)| key.starts_with("crate"));
        assert!(types.unwrap().1.to_string().contains("\"cdylib\""), "{now}");
        assert!(table["profile"].as_table().is_some(), "{now}");
        now
    }

    const PACKAGE: &str = "# Mine.\n[package]\nname = \"a\" # its name\nversion = \"0.1.0\"\n";

    #[test]
    fn no_line_of_a_manifest_is_lost() {
        let bindgen = "wasm-bindgen = \"=1.2.3\"";
        for (rest, adds_bindgen) in [
            ("", true),
            ("\n[dependencies]\nserde = \"1\" # why\n\n[lints]\nworkspace = true\n", true),
            ("[lib]\npath = \"code.rs\"\n[profile.release]\nlto = false\n", true),
            ("[lib]\ncrate-type = [\"rlib\"] # for others\n", true),
            ("[lib]\ncrate-type = [\n    \"rlib\", # one\n    \"staticlib\",\n]\n", true),
            ("[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\nwasm-bindgen = \"0.2\"\n", false),
            ("[dependencies]\nbindgen = { package = \"wasm-bindgen\", version = \"0.2\" }\n", false),
            ("[dependencies.wasm-bindgen]\nversion = \"0.2\"\n", false),
            ("[target.'cfg(target_family = \"wasm\")'.dependencies]\nwasm-bindgen = \"0.2\"\n", false),
            ("lib.name = \"b\"\n", true),
            (
                "\n[[bin]]\nname = \"tool\"\npath = \"tool.rs\"\n\n[features]\ndefault = []\n# The end.\n",
                true,
            ),
        ] {
            // A dotted key is of the root.
            let text = match rest.starts_with("lib.") {
                true => format!("{rest}{PACKAGE}"),
                false => format!("{PACKAGE}{rest}"),
            };
            assert_eq!(changed(&text).contains(bindgen), adds_bindgen, "{text}");
        }
    }

    #[test]
    fn what_is_no_package_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.toml");
        for text in ["[workspace]\nmembers = []\n", "[package\n", ""] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(Manifest::read(&path).err().unwrap().code, "bad-value", "{text}");
        }
    }
}
