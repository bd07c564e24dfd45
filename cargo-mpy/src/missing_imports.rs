//! The error about imports of JavaScript's library that mean nothing in Python: what is missing, which dependency wants it,
//! and how to do without it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cargo_metadata::{Dependency, DependencyKind, Metadata, Node, Package, PackageId};
use glue_gen::{Doubt, Missing, is_javascript_library};
use target_specs::{Diagnostic, Place, Result};

use crate::plan::Source;
use crate::toolchain::cargo;
use crate::wasm::callers::{callers, crate_of};

/// The maximum number of functions that an error names for a crate.
const MOST_FUNCTIONS: usize = 3;

/// Refuses a program with imports that mean nothing in Python.
///
/// # Errors
/// `missing-javascript`.
pub fn check(source: &Source, bytes: &[u8], missing: Vec<Missing>) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let metadata = match source {
        // Objects of Python's that the crate itself uses need no look at its dependencies.
        Source::Crate(build)
            if missing.iter().any(|one| {
                one.doubt != Doubt::Member || ![&build.package, "mpy"].contains(&one.crate_name.as_str())
            }) =>
        {
            cargo::dependencies(build)
        }
        _ => None,
    };
    let (root, library) = match source {
        Source::Crate(build) => (build.package.as_str(), build.library.as_str()),
        Source::Wasm(_) => ("", ""),
    };
    let tree = metadata.as_ref().map(|metadata| Tree { metadata, root });
    let missing: Vec<Missing> =
        missing.into_iter().filter(|missing| is_certain(missing, tree.as_ref())).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let symbols = missing.iter().map(|missing| missing.symbol.as_str()).collect();
    let callers = callers(bytes, &symbols);
    let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
    for one in &missing {
        let own = one.crate_name.replace('-', "_");
        let functions = callers.get(&one.symbol).into_iter().flatten();
        // The crate itself exports functions.
        let functions: Vec<(&str, &String)> = functions
            .map(|path| (Some(crate_of(path)).filter(|name| !name.is_empty()).unwrap_or(library), path))
            .collect();
        let crates: BTreeSet<&str> = if is_javascript_library(&own) && !functions.is_empty() {
            functions.iter().map(|(name, _)| *name).collect()
        } else {
            BTreeSet::from([own.as_str()])
        };
        for name in crates {
            let of = wanted.entry(name.to_owned()).or_default();
            of.names.insert(one.name.clone());
            let own = functions.iter().filter(|(of, _)| *of == name);
            of.functions.extend(own.map(|(_, path)| (*path).clone()));
        }
    }
    let names: BTreeSet<&str> = missing.iter().map(|missing| missing.name.as_str()).collect();
    let first = wanted.keys().next().cloned().unwrap_or_default();
    let help: Vec<String> = wanted.iter().map(|(name, wanted)| wanted.help(name, tree.as_ref())).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    Err(Diagnostic::new(
        "missing-javascript",
        format!("{} {are} JavaScript's, and MicroPython has no counterpart", list(names)),
    )
    .at(Place::Item(first))
    .help(help.join("\n    ")))
}

/// Whether it is certain that a crate means JavaScript: a crate of the user's may have a function of that name in Python,
/// and any crate may use objects of Python's that does not depend on JavaScript's library.
fn is_certain(missing: &Missing, tree: Option<&Tree>) -> bool {
    let own = missing.crate_name.replace('-', "_");
    let published = || tree.and_then(|tree| tree.package(&own)).filter(|package| package.source.is_some());
    let is_library = |dep: &Dependency| is_javascript_library(&dep.name.replace('-', "_"));
    match missing.doubt {
        Doubt::None => true,
        Doubt::Function => published().is_some(),
        Doubt::Member => published().is_some_and(|package| package.dependencies.iter().any(is_library)),
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What a crate wants.
#[derive(Default)]
struct Wanted {
    names: BTreeSet<String>,
    /// The functions that want it.
    functions: BTreeSet<String>,
}

impl Wanted {
    fn help(&self, crate_name: &str, tree: Option<&Tree>) -> String {
        let names = list(self.names.iter().map(String::as_str));
        let package = tree.and_then(|tree| Some((tree, tree.package(crate_name)?)));
        let mut text = match package {
            Some((_, package)) if package.source.is_some() => {
                format!("`{}` {} uses {names}", package.name, package.version)
            }
            _ => format!("`{crate_name}` uses {names}"),
        };
        if !self.functions.is_empty() {
            let functions = self.functions.iter().map(String::as_str).take(MOST_FUNCTIONS);
            let more = if self.functions.len() > MOST_FUNCTIONS { " and others" } else { "" };
            let _ = write!(text, " in {}{more}", list(functions));
        }
        match package {
            Some((tree, package)) if package.source.is_some() => {
                let path = tree.path(&package.id);
                if path.len() > 1 {
                    let _ = write!(
                        text,
                        ", and is a dependency of {}",
                        list(path[1..].iter().map(String::as_str))
                    );
                }
                let features = tree.features(package);
                if features.is_empty() {
                    text += ": leave it out, or the part that calls these functions";
                } else {
                    let _ = write!(
                        text,
                        ": build it without its feature {}",
                        list(features.iter().map(String::as_str))
                    );
                }
            }
            _ => {
                text += ": use Python's functions and types, which `#[wasm_bindgen(module = \"…\")] extern \"C\" { … }` imports";
            }
        }
        text
    }
}

/// The dependencies of a crate.
struct Tree<'a> {
    metadata: &'a Metadata,
    /// The package that is built.
    root: &'a str,
}

impl Tree<'_> {
    /// The package whose library has this name in Rust.
    fn package(&self, crate_name: &str) -> Option<&Package> {
        let has = |package: &&Package| {
            let mut targets = package.targets.iter();
            targets.any(|target| target.name.replace('-', "_") == crate_name && !target.is_bin())
        };
        self.metadata.packages.iter().find(has)
    }

    fn nodes(&self) -> &[Node] {
        self.metadata.resolve.as_ref().map_or(&[], |resolve| &resolve.nodes)
    }

    /// The shortest way from the package that is built to this one: the names on it, from the last on.
    fn path(&self, id: &PackageId) -> Vec<String> {
        let mut path: Vec<&PackageId> = vec![id];
        let mut paths = vec![path.clone()];
        let mut seen = BTreeSet::from([id]);
        'search: while !paths.is_empty() {
            for known in std::mem::take(&mut paths) {
                let at = known[known.len() - 1];
                if self.metadata[at].name.as_str() == self.root {
                    path = known;
                    break 'search;
                }
                let depends = |node: &&Node| {
                    let normal = |kind: &cargo_metadata::DepKindInfo| kind.kind == DependencyKind::Normal;
                    node.deps.iter().any(|dep| dep.pkg == *at && dep.dep_kinds.iter().any(normal))
                };
                for node in self.nodes().iter().filter(depends) {
                    if seen.insert(&node.id) {
                        paths.push(known.iter().copied().chain([&node.id]).collect());
                    }
                }
            }
        }
        let name = |id: &&PackageId| self.metadata[*id].name.to_string();
        path.iter().map(name).collect()
    }

    /// The features of a package that are on, and that ask for JavaScript's library.
    fn features(&self, package: &Package) -> BTreeSet<String> {
        let optional = |name: &str| {
            let library = ["js-sys", "web-sys", "wasm-bindgen"].contains(&name);
            library && package.dependencies.iter().any(|dep| dep.name == name && dep.optional)
        };
        let node = self.nodes().iter().find(|node| node.id == package.id);
        let on = node.into_iter().flat_map(|node| &node.features);
        let asks = |feature: &str| {
            let wanted = package.features.get(feature).into_iter().flatten();
            wanted
                .map(|wanted| wanted.trim_start_matches("dep:"))
                .any(|wanted| optional(wanted.split(['/', '?']).next().unwrap_or_default()))
        };
        let found: BTreeSet<String> = on.map(ToString::to_string).filter(|feature| asks(feature)).collect();
        // A dependency that is a feature itself is on because of another one, unless it is alone.
        let chosen: BTreeSet<String> = found.iter().filter(|feature| !optional(feature)).cloned().collect();
        if chosen.is_empty() { found } else { chosen }
    }
}
