//! Imports between the files of a crate, and cycles of them.
//!
//! A file imports another one if a path in it names the other one's module, or an item there: `use crate::a::b;`,
//! `super::f()`, `self::child::T`. A declaration `mod child;` alone is no import. A path through a re-export leads to the
//! file with the re-export, so a child that uses an item of its parent, which re-exports the child, is a cycle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, LitStr, Macro, UseTree};

/// A place in a file that names another file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Import {
    line: usize,
    path: String,
}

/// The imports of each file, by the imported file. All paths are relative to one root.
type Imports = BTreeMap<String, BTreeMap<String, Import>>;

/// The cycles of imports in the crate whose first file is `crate_root`, one for each group of files that import one another,
/// as text.
pub fn cycles(root: &Path, crate_root: &Path) -> Vec<String> {
    let mut modules = Modules::default();
    let folder = crate_root.parent().expect("a file lies in a folder");
    modules.add_file(Vec::new(), crate_root, folder);
    describe(&modules.imports(root))
}

/// The cycles of `#include "…"` among C files, as text. Headers are found by their names.
pub fn include_cycles(files: &[(String, String)]) -> Vec<String> {
    let by_name: BTreeMap<&str, &String> =
        files.iter().map(|(path, _)| (path.rsplit('/').next().unwrap_or(path), path)).collect();
    let mut imports = Imports::new();
    for (path, text) in files {
        let found = imports.entry(path.clone()).or_default();
        for (number, line) in text.lines().enumerate() {
            let name = line.trim().strip_prefix("#include \"").and_then(|rest| rest.strip_suffix('"'));
            if let Some(target) = name.and_then(|name| by_name.get(name)) {
                let import = Import { line: number + 1, path: line.trim().to_owned() };
                found.entry((*target).clone()).or_insert(import);
            }
        }
    }
    describe(&imports)
}

/// The modules of a crate.
#[derive(Default)]
struct Modules {
    /// The file that each module is in, by its path from the crate's root.
    files: BTreeMap<Vec<String>, PathBuf>,
    /// The items of each module that has a file of its own.
    parsed: Vec<(Vec<String>, PathBuf, Vec<Item>)>,
}

impl Modules {
    /// Reads the file of module `path`. Its children are in `folder`.
    fn add_file(&mut self, path: Vec<String>, file: &Path, folder: &Path) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.files.insert(path.clone(), file.to_owned());
        self.add_children(&path, file, folder, &parsed.items);
        self.parsed.push((path, file.to_owned(), parsed.items));
    }

    fn add_children(&mut self, path: &[String], file: &Path, folder: &Path, items: &[Item]) {
        for item in items {
            let Item::Mod(module) = item else { continue };
            let name = name(&module.ident);
            let child = [path, std::slice::from_ref(&name)].concat();
            if let Some((_, items)) = &module.content {
                self.files.insert(child.clone(), file.to_owned());
                self.add_children(&child, file, &folder.join(&name), items);
            } else if let Some(given) = module.attrs.iter().find_map(path_attribute) {
                let child_file = file.parent().expect("a folder").join(given);
                let child_folder = child_file.parent().expect("a folder").to_owned();
                self.add_file(child, &child_file, &child_folder);
            } else {
                let nested = folder.join(&name);
                let flat = folder.join(format!("{name}.rs"));
                let child_file = if flat.is_file() { flat } else { nested.join("mod.rs") };
                self.add_file(child, &child_file, &nested);
            }
        }
    }

    fn imports(&self, root: &Path) -> Imports {
        let relative = |file: &Path| {
            let file = file.strip_prefix(root).unwrap_or(file);
            file.to_string_lossy().replace('\\', "/")
        };
        let mut imports = Imports::new();
        for (path, file, items) in &self.parsed {
            let mut paths = Paths { modules: self, module: path.clone(), found: Vec::new() };
            items.iter().for_each(|item| paths.visit_item(item));
            let found = imports.entry(relative(file)).or_default();
            for (target, import) in paths.found {
                let target = &self.files[&target];
                if target != file {
                    let first = found.entry(relative(target)).or_insert_with(|| import.clone());
                    if import < *first {
                        *first = import;
                    }
                }
            }
        }
        imports
    }

    /// The module that `segments`, used in `module`, leads to, if it is one of this crate.
    fn resolve(&self, module: &[String], segments: &[String]) -> Option<Vec<String>> {
        let mut at = module.to_vec();
        let mut rest = segments;
        match segments.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &segments[1..];
            }
            "self" | "super" => {
                while let Some((first, behind)) = rest.split_first() {
                    match first.as_str() {
                        "self" => {}
                        "super" => drop(at.pop()),
                        _ => break,
                    }
                    rest = behind;
                }
            }
            // A child of this module, or of one around it in the same file.
            first => loop {
                let child = [&at[..], &[first.to_owned()]].concat();
                if self.files.contains_key(&child) {
                    break;
                }
                let file = &self.files[&at];
                at.pop()?;
                if self.files.get(&at) != Some(file) {
                    return None;
                }
            },
        }
        for segment in rest {
            at.push(segment.clone());
            if !self.files.contains_key(&at) {
                at.pop();
                break;
            }
        }
        Some(at)
    }
}

fn name(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}

/// `FILE` of `#[path = "FILE"]`.
fn path_attribute(attribute: &Attribute) -> Option<String> {
    let value = &attribute.meta.require_name_value().ok().filter(|meta| meta.path.is_ident("path"))?.value;
    syn::parse2::<LitStr>(quote_tokens(value)).ok().map(|literal| literal.value())
}

fn quote_tokens(value: &syn::Expr) -> TokenStream {
    match value {
        syn::Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Str(text) => TokenTree::Literal(text.token()).into(),
            _ => TokenStream::new(),
        },
        _ => TokenStream::new(),
    }
}

/// Collects the paths in a file.
struct Paths<'m> {
    modules: &'m Modules,
    module: Vec<String>,
    /// The modules that are named, and where.
    found: Vec<(Vec<String>, Import)>,
}

impl Paths<'_> {
    fn add(&mut self, segments: &[String], line: usize) {
        if let Some(target) = self.modules.resolve(&self.module, segments) {
            self.found.push((target, Import { line, path: segments.join("::") }));
        }
    }

    fn add_tree(&mut self, tree: &UseTree, prefix: &[String]) {
        let with = |ident: &Ident| [prefix, &[name(ident)]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&path.tree, &with(&path.ident)),
            UseTree::Name(leaf) if leaf.ident == "self" => self.add(prefix, leaf.span().start().line),
            UseTree::Name(leaf) => self.add(&with(&leaf.ident), leaf.span().start().line),
            UseTree::Rename(leaf) => self.add(&with(&leaf.ident), leaf.span().start().line),
            UseTree::Glob(glob) => self.add(prefix, glob.span().start().line),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, prefix)),
        }
    }

    /// The paths in the arguments of a macro, which have no syntax of their own.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut segments: Vec<String> = Vec::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons < 2 {
                        self.add_long(&segments, line);
                        segments.clear();
                    }
                    line = ident.span().start().line;
                    segments.push(name(&ident));
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    if let TokenTree::Group(group) = &other {
                        self.add_tokens(group.stream());
                    }
                    self.add_long(&segments, line);
                    segments.clear();
                    colons = 0;
                }
            }
        }
        self.add_long(&segments, line);
    }

    /// One name alone is a variable, or is imported elsewhere in the file.
    fn add_long(&mut self, segments: &[String], line: usize) {
        if segments.len() > 1 {
            self.add(segments, line);
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&item.tree, &[]);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.module.push(name(&module.ident));
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| name(&segment.ident)).collect();
        self.add_long(&segments, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// A shortest cycle of each group of files that import one another.
fn describe(imports: &Imports) -> Vec<String> {
    let groups = strong_components(imports);
    groups.iter().filter(|group| group.len() > 1).map(|group| shortest_cycle(imports, group)).collect()
}

/// Tarjan's strongly connected components.
fn strong_components(imports: &Imports) -> Vec<BTreeSet<&str>> {
    struct Search<'i> {
        imports: &'i Imports,
        /// The number of a file that was reached, and the lowest number that it leads back to.
        numbers: BTreeMap<&'i str, (usize, usize)>,
        stack: Vec<&'i str>,
        components: Vec<BTreeSet<&'i str>>,
    }
    impl<'i> Search<'i> {
        fn visit(&mut self, file: &'i str) -> usize {
            let number = self.numbers.len();
            let mut low = number;
            self.numbers.insert(file, (number, low));
            self.stack.push(file);
            for target in self.imports.get(file).into_iter().flat_map(BTreeMap::keys) {
                match self.numbers.get(target.as_str()) {
                    None => low = low.min(self.visit(target)),
                    Some((other, _)) if self.stack.contains(&target.as_str()) => low = low.min(*other),
                    Some(_) => {}
                }
            }
            self.numbers.insert(file, (number, low));
            if low == number {
                let start = self.stack.iter().position(|other| *other == file).expect("it was pushed");
                self.components.push(self.stack.drain(start..).collect());
            }
            low
        }
    }
    let mut search = Search { imports, numbers: BTreeMap::new(), stack: Vec::new(), components: Vec::new() };
    for file in imports.keys() {
        if !search.numbers.contains_key(file.as_str()) {
            search.visit(file);
        }
    }
    search.components
}

/// A shortest cycle through the files of a component, by breadth-first search from each of them.
fn shortest_cycle(imports: &Imports, group: &BTreeSet<&str>) -> String {
    let cycle_from = |start: &str| {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(file) = queue.pop_front() {
            for target in imports[file].keys().map(String::as_str).filter(|target| group.contains(target)) {
                if target == start {
                    let mut cycle = vec![file];
                    while let Some(previous) = before.get(cycle[cycle.len() - 1]) {
                        cycle.push(previous);
                    }
                    cycle.reverse();
                    return cycle.iter().map(|file| (*file).to_owned()).collect::<Vec<String>>();
                }
                if !before.contains_key(target) {
                    before.insert(target, file);
                    queue.push_back(target);
                }
            }
        }
        unreachable!("every file of a component is in a cycle")
    };
    let cycle = group.iter().map(|start| cycle_from(start)).min_by_key(Vec::len).expect("a file");
    let steps = cycle.iter().enumerate().map(|(at, file)| {
        let target = &cycle[(at + 1) % cycle.len()];
        let Import { line, path } = &imports[file][target];
        format!("{file}:{line}: `{path}` → {target}")
    });
    let others: Vec<&str> =
        group.iter().copied().filter(|file| !cycle.iter().any(|other| other == file)).collect();
    let mut text = steps.collect::<Vec<_>>().join("\n    ");
    if !others.is_empty() {
        text += &format!("\n    other files that import one another with these: {}", others.join(", "));
    }
    text
}
