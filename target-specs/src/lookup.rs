//! Finds architectures and boards by name.

use crate::arch::{Arch, archs};
use crate::board::{Board, boards};
use crate::diagnostic::{Diagnostic, Place, Result};

/// The architecture called `name`.
///
/// # Errors
/// `unknown-arch`, listing the choices.
pub fn arch(name: &str) -> Result<&'static Arch> {
    archs()
        .iter()
        .find(|arch| arch.name == name)
        .ok_or_else(|| unknown("arch", name, archs().iter().map(|arch| arch.name.as_str())))
}

/// The board called `name`.
///
/// # Errors
/// `unknown-board`, with the nearest name and how to list them.
pub fn board(name: &str) -> Result<&'static Board> {
    boards()
        .iter()
        .find(|board| board.name == name)
        .ok_or_else(|| unknown("board", name, boards().iter().map(|board| board.name.as_str())))
}

/// The error for an unknown name. All architectures are listed, because they are few; of the boards, those whose name
/// contains `name`.
fn unknown<'a>(what: &'static str, name: &str, choices: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let is_arch = what == "arch";
    let list: Vec<&str> = choices.clone().filter(|choice| is_arch || choice.contains(name)).collect();
    let all = if is_arch { String::new() } else { "`cargo mpy boards` lists all".to_owned() };
    let some = if list.is_empty() { String::new() } else { format!("known: {}", list.join(", ")) };
    let near = nearest(name, choices).map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
    let help: Vec<&str> =
        [&near, &some, &all].into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let help = help.join("; ").replace("?;", "?");
    let code = if is_arch { "unknown-arch" } else { "unknown-board" };
    Diagnostic::new(code, format!("no {what} is called `{name}`"))
        .at(Place::Argument(name.to_owned()))
        .help(help)
}

/// The choice closest to `name`, if the difference can be a typing error.
pub fn nearest<'a>(name: &str, choices: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    choices
        .map(|choice| (strsim::levenshtein(name, choice), choice))
        .min()
        .filter(|(distance, choice)| *distance <= 1 + choice.len() / 4)
        .map(|(_, choice)| choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest_one() {
        let error = arch("armv6").unwrap_err();
        assert_eq!(error.code, "unknown-arch");
        assert!(error.help.unwrap().starts_with("did you mean `armv6m`?"));
        assert_eq!(nearest("zebra", ["rp2040", "esp32"].into_iter()), None);
    }
}
