//! The commands of a README, and what it says they print.

/// A `sh` block and the `text` block that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The line for the shell.
    pub shell: String,
    /// What the README says it prints.
    pub prints: String,
}

/// Every `sh` block of `markdown` that a `text` block follows.
pub fn commands(markdown: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut shell: Option<String> = None;
    let mut block: Option<(String, String)> = None;
    for line in markdown.lines() {
        if let Some(language) = line.strip_prefix("```") {
            match block.take() {
                None => block = Some((language.to_owned(), String::new())),
                Some((language, text)) if language == "sh" => shell = Some(text),
                Some((language, text)) if language == "text" => {
                    commands.extend(shell.take().map(|shell| Command { shell, prints: text }));
                }
                Some(_) => {}
            }
        } else if let Some((_, text)) = &mut block {
            text.push_str(line);
            text.push('\n');
        }
    }
    commands
}

#[test]
fn a_command_is_followed_by_what_it_prints() {
    let markdown = "# x\n```sh\na\nb\n```\nthen\n```text\n1\n```\n```python\np\n```\n```sh\nc\n```\n";
    assert_eq!(commands(markdown), [Command { shell: "a\nb\n".into(), prints: "1\n".into() }]);
}
