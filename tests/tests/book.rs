//! The book: its links hold, its code is that of files that are tested, each command has a page with its help.
//! `BLESS=1` brings the help up to date and makes pages that are missing.

use std::fs;
use std::path::{Path, PathBuf};

use tests::blessing;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn source() -> PathBuf {
    root().join("docs/book/src")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder with this extension, outside of what is built.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with(".git") {
                files(&path, extension, found);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&source(), "md", &mut found);
    found.sort();
    found.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// What stands between `before` and `after`, each time.
fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| rest.split_once(after).map(|(inside, _)| inside))
}

/// The files that a text includes, from where it stands, as a whole or a part of that has a name in them.
fn includes(page: &Path, text: &str) -> Vec<PathBuf> {
    let folder = page.parent().expect("a folder");
    let path = |link: &str| match link.split_once(':') {
        Some((path, part)) => {
            let path = folder.join(path);
            let begins = format!("// ANCHOR: {part}\n");
            assert!(read(&path).contains(&begins), "{}: {} has no {part}", page.display(), path.display());
            path
        }
        None => folder.join(link),
    };
    between(text, "{{#include ", "}}").map(path).collect()
}

/// A page as its reader sees it.
fn whole(page: &Path) -> String {
    let mut text = read(page);
    for path in includes(page, &text) {
        text += &read(&path);
    }
    text
}

/// What mdBook makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn links_hold() {
    let summary = read(&source().join("SUMMARY.md"));
    for (page, text) in pages() {
        let shown = page.strip_prefix(source()).expect("a page").display().to_string();
        assert!(
            shown == "SUMMARY.md" || summary.contains(&format!("({shown})")),
            "{shown} is not in SUMMARY.md"
        );
        for path in includes(&page, &text) {
            assert!(path.is_file(), "{shown} includes {}, which is not there", path.display());
        }
        for link in between(&text, "](", ")").filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
            assert!(target.is_file(), "{shown}: no file {file}");
            let there = || {
                whole(&target).lines().any(|line| {
                    line.starts_with('#') && { anchor(line.trim_start_matches('#').trim()) == heading }
                })
            };
            assert!(heading.is_empty() || there(), "{shown}: no heading {link}");
        }
    }
}

#[test]
fn code_is_that_of_files_that_are_tested() {
    let tested = ["examples", "tests", "cargo-mpy/templates"]
        .map(|folder| root().join(folder).canonicalize().expect("a folder"));
    for (page, text) in pages() {
        for language in ["rust", "python"] {
            for block in between(&text, &format!("```{language}\n"), "```") {
                let [path] = &includes(&page, block)[..] else {
                    panic!("{}: this is no file: {block}", page.display());
                };
                let path = path.canonicalize().expect("a file");
                assert_eq!(block.lines().count(), 1, "{}: {block}", page.display());
                assert!(tested.iter().any(|folder| path.starts_with(folder)), "{}", path.display());
            }
        }
    }
}

#[test]
fn every_command_has_a_page_with_its_help() {
    let mut line = cargo_mpy::command_line();
    line.build();
    let summary_path = source().join("SUMMARY.md");
    let mut summary = read(&summary_path);
    for command in line.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        let help = command.clone().term_width(80).render_long_help().to_string();
        let help: String = help.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        let begin = format!("<!-- cargo mpy {name} --help -->\n```text\n");
        let path = source().join("commands").join(format!("{name}.md"));
        let page = match path.is_file() {
            true => read(&path),
            false => {
                let about = command.get_about().map(ToString::to_string).unwrap_or_default();
                format!("# {name}\n\n{about}.\n\n{begin}```\n")
            }
        };
        let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{name}.md has no `{begin}`"));
        let (_, after) = rest.split_once("```\n").expect("the end of the help");
        let wanted = format!("{before}{begin}{}\n```\n{after}", help.trim_end());
        let entry = format!("- [{name}](commands/{name}.md)\n");
        if blessing() {
            fs::write(&path, &wanted).expect("a page");
            if !summary.contains(&entry) {
                summary += &entry;
            }
        } else {
            assert!(path.is_file(), "no page of `{name}`: BLESS=1 makes it");
            assert_eq!(page, wanted, "{name}.md is not what `{name} --help` says: BLESS=1");
            assert!(summary.contains(&entry), "SUMMARY.md lacks {entry}");
            assert!(help.contains("Example"), "{name} has no examples");
        }
    }
    if blessing() {
        fs::write(summary_path, summary).expect("the summary");
    }
}

/// The first cells of the rows of a page's tables.
fn first_cells(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("| ")).filter_map(|line| line.split(" |").next())
}

#[test]
fn every_setting_is_explained() {
    let page = read(&source().join("settings.md"));
    let rows: Vec<&str> = first_cells(&page).collect();
    for setting in cargo_mpy::settings::SETTINGS {
        assert!(rows.contains(&format!("`{setting}`").as_str()), "settings.md has no row of `{setting}`");
    }
}

#[test]
fn types_of_the_table_are_tested() {
    let mut sources = Vec::new();
    files(&root().join("tests/bindings"), "rs", &mut sources);
    let tested: String = sources.iter().map(|path| read(path)).collect();
    let page = read(&source().join("bindings.md"));
    let (_, table) = page.split_once("## Types").expect("the table");
    let types = first_cells(table).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect::<Vec<_>>();
    assert!(types.len() > 30, "{types:?}");
    for ty in types.iter().filter(|ty| !ty.starts_with('#')) {
        assert!(tested.contains(ty), "`{ty}` is in no test of bindings");
    }
}

#[test]
fn codes_that_are_explained_exist() {
    let mut sources = Vec::new();
    files(&root(), "rs", &mut sources);
    let sources: String =
        sources.iter().filter(|path| !path.ends_with("book.rs")).map(|path| read(path)).collect();
    let page = read(&source().join("troubleshooting.md"));
    let (page, _) = page.split_once("## In Python").expect("the part on exceptions");
    for code in first_cells(page).flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
        assert!(sources.contains(&format!("\"{code}\"")), "nothing says `{code}`");
    }
}
