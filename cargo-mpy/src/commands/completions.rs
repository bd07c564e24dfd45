//! `cargo mpy completions`.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args};
use clap_complete::Shell;

use super::explain;
use crate::failure::Failure;
use crate::options::MemoryModel;
use crate::ui;

/// The program that cargo runs, which the generated scripts complete.
const PROGRAM: &str = "cargo-mpy";

/// Generate shell completions
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(cargo mpy completions bash)
      in ~/.bashrc, after completions of cargo
  cargo mpy completions zsh > DIRECTORY/_cargo-mpy
      in a directory of $fpath
  cargo mpy completions fish > ~/.config/fish/conf.d/cargo-mpy.fish
  cargo mpy completions powershell >> $PROFILE

They complete commands, options and their values, such as the names of boards.
bash, zsh and fish complete `cargo mpy …` and `cargo-mpy …`, and bash also the
rest of cargo if rustup is installed. The other shells complete `cargo-mpy …`.")]
pub struct Completions {
    /// Shell to generate completions for
    shell: Shell,
}

impl Completions {
    pub fn run(self, command_line: clap::Command) -> Result<(), Failure> {
        // The generator for bash writes functions of two names for a program with `-` in its name.
        let program = if self.shell == Shell::Bash { "cargo_mpy" } else { PROGRAM };
        let mut command_line = with_values(command_line).name(program).bin_name(program);
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line, program, &mut script);
        ui::output_bytes(&script);
        ui::output(match self.shell {
            Shell::Bash => BASH,
            Shell::Fish => FISH,
            // The completions of cargo call `_cargo-mpy`.
            _ => "",
        });
        Ok(())
    }
}

/// The command line, where options have the values that are known. They are not checked by clap, whose errors would list
/// all boards.
fn with_values(command: clap::Command) -> clap::Command {
    let boards = target_specs::boards().iter().map(|board| board.name.as_str());
    let archs = target_specs::archs().iter().map(|arch| arch.name.as_str());
    let values: [(&str, Vec<&'static str>); 4] = [
        ("boards", boards.collect()),
        ("archs", archs.collect()),
        ("memory", MemoryModel::ALL.map(MemoryModel::word).to_vec()),
        ("code", explain::codes().collect()),
    ];
    command.mut_subcommands(|command| {
        command.mut_args(|arg: Arg| match values.iter().find(|(id, _)| arg.get_id() == id) {
            Some((_, values)) => arg.value_parser(PossibleValuesParser::new(values)),
            None => arg,
        })
    })
}

/// `cargo mpy` is completed as `cargo-mpy`, and the rest of cargo as before.
const BASH: &str = r#"
if ! declare -F _cargo >/dev/null && command -v rustup >/dev/null; then
    source <(rustup completions bash cargo 2>/dev/null)
fi

_cargo_and_mpy() {
    if [[ ${COMP_WORDS[1]} == mpy && $COMP_CWORD -gt 1 ]]; then
        COMP_WORDS=(cargo-mpy "${COMP_WORDS[@]:2}")
        ((COMP_CWORD -= 1))
        _cargo_mpy cargo-mpy "$2" "$3"
    elif declare -F _cargo >/dev/null; then
        _cargo "$@"
    fi
}

complete -F _cargo_mpy -o bashdefault -o default cargo-mpy
complete -F _cargo_and_mpy -o bashdefault -o default cargo
"#;

const FISH: &str = r#"
function __cargo_mpy_complete
    set -l words (commandline -opc)
    complete -C "cargo-mpy "(string join -- " " (string escape -- $words[3..]))" "(commandline -ct)
end

function __cargo_mpy_is_meant
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = mpy
end

complete -c cargo -n __cargo_mpy_is_meant -f -a "(__cargo_mpy_complete)"
"#;
