//! `cargo mpy explain`.

use clap::Args;
use target_specs::{Diagnostic, Place};

use crate::failure::Failure;
use crate::ui;

/// The explanations. Each error code is a heading of the second level.
const TEXT: &str = include_str!("../explain.md");

/// Explain an error
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy explain unknown-board
      explain the error `error[unknown-board]`
  cargo mpy explain
      list all codes")]
pub struct Explain {
    /// Code in brackets after `error`
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

impl Explain {
    pub fn run(self) -> Result<(), Failure> {
        let Some(code) = self.code else {
            let rows: Vec<[String; 2]> =
                sections().map(|(code, text)| [code.to_owned(), summary(text)]).collect();
            ui::columns(&["code", "is about"], &rows);
            return Ok(());
        };
        // The form in messages is accepted too.
        let code = code.trim_start_matches("error").trim_matches(|c| "[]".contains(c));
        let Some((_, text)) = sections().find(|(known, _)| *known == code) else {
            let near = target_specs::nearest(code, sections().map(|(code, _)| code));
            let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            return Err(Diagnostic::new("unknown-code", format!("no error has the code `{code}`"))
                .at(Place::Argument(code.to_owned()))
                .help(format!("{near}`cargo mpy explain` lists them"))
                .into());
        };
        ui::heading(code);
        ui::output(format_args!("{text}\n"));
        Ok(())
    }
}

/// The codes.
pub fn codes() -> impl Iterator<Item = &'static str> {
    sections().map(|(code, _)| code)
}

/// The codes and their explanations.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXT.split("\n## ").skip(1).map(|section| {
        let (code, text) = section.split_once('\n').unwrap_or((section, ""));
        (code.trim(), text.trim())
    })
}

/// The first sentence.
fn summary(text: &str) -> String {
    let text = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = text.find(". ").unwrap_or(text.len());
    text[..end].trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Every literal in the sources below `folder` that is the code of a `Diagnostic`.
    fn codes(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                codes(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source");
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
                for call in ["Diagnostic::new(", "let code = if", ".error(", ".fail("] {
                    for (at, _) in text.match_indices(call) {
                        let rest = text[at + call.len()..].trim_start();
                        let Some(code) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next())
                        else {
                            continue;
                        };
                        found.insert(code.to_owned());
                    }
                }
            }
        }
    }

    #[test]
    fn every_code_is_explained_and_nothing_else() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut used = BTreeSet::new();
        for part in ["cargo-mpy", "glue-gen", "mpy-link", "target-specs", "wasm-to-c"] {
            codes(&root.join(part).join("src"), &mut used);
        }
        let is_code =
            |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        used.retain(|code| is_code(code));
        assert!(used.len() > 60, "{used:?}");
        let explained: BTreeSet<String> = sections().map(|(code, _)| code.to_owned()).collect();
        let missing: Vec<_> = used.difference(&explained).collect();
        assert!(missing.is_empty(), "no explanation of {missing:?} in explain.md");
        // A code may be far from the call that uses it, but it must be somewhere.
        let mut sources = String::new();
        for part in ["cargo-mpy", "glue-gen", "mpy-link", "target-specs", "wasm-to-c"] {
            all(&root.join(part).join("src"), &mut sources);
        }
        for code in &explained {
            assert!(sources.contains(&format!("\"{code}\"")), "nothing has the code {code}");
        }
        let sorted: Vec<String> = explained.iter().cloned().collect();
        assert_eq!(
            sections().map(|(code, _)| code.to_owned()).collect::<Vec<_>>(),
            sorted,
            "in order, each once"
        );
        for (code, text) in sections() {
            assert!(text.len() > 80, "{code} is hardly explained");
        }
    }

    fn all(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                all(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(&path).expect("a source"));
            }
        }
    }
}
