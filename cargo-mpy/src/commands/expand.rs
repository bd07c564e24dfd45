//! `cargo mpy expand`.

use clap::Args;

use crate::failure::Failure;
use crate::options::BuildOptions;
use crate::{pipeline, ui};

/// Show the module's Python API and the C code of its bindings
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy expand
      show the stub, then the C code
  cargo mpy expand Median
      show only definitions that contain the name `Median`
  cargo mpy expand --stub
      show only the Python API, as for type checkers
  cargo mpy expand --board unix
      show the C code of the bindings for this board

The C code includes the headers mpy*.h, which `cargo mpy build` writes to
target/mpy/c/NAME/MEMORY/include.")]
pub struct Expand {
    /// Show only definitions that contain this name
    #[arg(value_name = "NAME")]
    only: Option<String>,

    /// Show only the stub
    #[arg(long, conflicts_with = "glue")]
    stub: bool,

    /// Show only the C code
    #[arg(long)]
    glue: bool,

    #[command(flatten)]
    options: BuildOptions,
}

impl Expand {
    pub fn run(self) -> Result<(), Failure> {
        let plan = pipeline::plan(&self.options)?;
        let glue = pipeline::bindings(&plan)?;
        let arch = &plan.targets[0].arch.name;
        let parts = [
            (!self.glue, format!("# {}.pyi: what Python sees", plan.module), &glue.stub),
            (!self.stub, format!("// glue.c: its bindings for {arch}"), &glue.unit.source),
        ];
        let both = !self.glue && !self.stub;
        for (_, heading, text) in parts.iter().filter(|(wanted, ..)| *wanted) {
            let text = match &self.only {
                Some(name) => definitions_with(text, name),
                None => (*text).clone(),
            };
            if both {
                ui::heading(heading);
            }
            ui::output(format_args!("{}\n", text.trim_end()));
            if both {
                ui::output("\n");
            }
        }
        Ok(())
    }
}

/// The definitions in `text` that contain the word `name`. A definition starts at the left margin and ends where the
/// next one starts.
fn definitions_with(text: &str, name: &str) -> String {
    let mut definitions: Vec<String> = Vec::new();
    let mut before = "";
    for line in text.lines() {
        // A comment or a decorator belongs to the following definition.
        let begins = line.starts_with(|c: char| !c.is_whitespace() && c != '}' && c != '#')
            && !before.starts_with("/*")
            && !before.starts_with('@');
        if begins || definitions.is_empty() {
            definitions.push(String::new());
        }
        if let Some(last) = definitions.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
        before = line;
    }
    let is_word = |c: char| c.is_alphanumeric();
    let has = |text: &str| {
        text.match_indices(name)
            .any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + name.len()..].starts_with(is_word))
    };
    let wanted: Vec<&str> = definitions.iter().filter(|text| has(text)).map(|text| text.trim_end()).collect();
    wanted.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_whole() {
        let stub = "def a(x: int) -> int: ...\nclass Median:\n    def add(self) -> int: ...\n\ndef b() -> None: ...\n";
        assert_eq!(definitions_with(stub, "add"), "class Median:\n    def add(self) -> int: ...");
        let c = "/* a */\nstatic int f_a(void) {\n    return 1;\n}\n\nstatic int f_ab(void) {\n}\n";
        assert_eq!(definitions_with(c, "a"), "/* a */\nstatic int f_a(void) {\n    return 1;\n}");
        assert_eq!(definitions_with(c, "nothing"), "");
    }
}
