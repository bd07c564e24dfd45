//! `cargo mpy`: a Rust crate in, native MicroPython modules out.
//!
//! `pipeline` is the story, `plan` decides what it does, `toolchain` is the only place that starts
//! processes and `ui` the only one that writes to the terminal.

pub mod backtrace;
pub mod code_in_flash;
pub mod commands;
mod failure;
mod junit;
mod manifest;
mod map;
mod messages;
mod missing_imports;
pub mod options;
pub mod pipeline;
mod plan;
pub mod profile;
mod python_files;
mod qstrs;
pub mod romfs;
pub mod serial;
mod session;
pub mod settings;
pub mod symbols;
pub mod toolchain;
mod treemap;
pub mod ui;
pub mod user_module;
pub mod wasm;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use target_specs::{Diagnostic, Place};

use commands::Command;
pub use failure::Failure;
use messages::Message;

const NAME: &str = "cargo mpy";

/// Build Rust crates and WebAssembly files into native MicroPython modules, and run them
#[derive(Debug, Parser)]
#[command(
    name = NAME,
    bin_name = NAME,
    version,
    max_term_width = 80,
    after_help = "\
The default command is `build`: `cargo mpy --board rp2040` is the same as
`cargo mpy build --board rp2040`.

Exit codes: 0 success, 1 failure, 2 invalid arguments, 101 if cargo or a test
fails. `run` returns the exit code of `sys.exit`."
)]
struct CommandLine<C: Subcommand> {
    /// Show the commands that are run
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Messages")]
    verbose: u8,

    /// Print only errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Messages")]
    quiet: bool,

    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        value_enum,
        help_heading = "Messages"
    )]
    color: Color,

    #[command(subcommand)]
    command: C,
}

/// The command that makefiles run for each module, which shall not wait until clap knows all the others.
#[derive(Debug, Subcommand)]
enum Linker {
    Link(commands::link::Link),
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// The command line, as clap knows it.
pub fn command_line() -> clap::Command {
    CommandLine::<Command>::command()
}

impl<C: Subcommand> CommandLine<C> {
    /// What `words` mean; the exit code where they ask for help or are wrong.
    fn of(command: clap::Command, words: Vec<OsString>) -> Result<Self, u8> {
        let matches = command.try_get_matches_from(words);
        matches
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| ended(ui::argument_error(&error)))
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    // SAFETY: the first thing the program does, before any thread is started.
    unsafe { toolchain::cc::forget_environment() };
    ExitCode::from(run(std::env::args_os().skip(1).collect()))
}

/// Runs the command line `words`, without the program's name; the exit code.
pub fn run(mut words: Vec<OsString>) -> u8 {
    if words.first().is_some_and(|word| word == "mpy") {
        words.remove(0);
    }
    let line = if words.first().is_some_and(|word| word == "link") {
        words.insert(0, NAME.into());
        CommandLine::of(CommandLine::<Linker>::command(), words).map(
            |CommandLine { verbose, quiet, color, command: Linker::Link(link) }| CommandLine {
                verbose,
                quiet,
                color,
                command: Command::Link(link),
            },
        )
    } else {
        let command = command_line();
        match arguments(&command, words) {
            Ok(words) => CommandLine::of(command, words),
            Err(error) => return failed(Failure::Problem(error)),
        }
    };
    let line = match line {
        Ok(line) => line,
        Err(code) => return code,
    };
    let level = match (line.quiet, line.verbose) {
        (true, _) => ui::Level::Quiet,
        (_, 1..) => ui::Level::Verbose,
        _ => ui::Level::Normal,
    };
    let color = match line.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    ui::init(level, color);
    let checked = if line.command.uses_cache() { toolchain::check_cache() } else { Ok(()) };
    let done = checked.map_err(Failure::from).and_then(|()| line.command.run(command_line));
    let success = done.is_ok();
    if let Err(Failure::Problem(diagnostic)) = &done {
        ui::error(diagnostic);
    }
    ui::message(&Message::BuildFinished { success });
    ended(done)
}

/// The exit code of a command whose problem is told already.
fn ended(done: Result<(), Failure>) -> u8 {
    match (done, ui::finish_output()) {
        (Ok(()), Ok(())) => 0,
        (Ok(()), Err(error)) => failed(Failure::Problem(error)),
        (Err(failure), _) => code_of(&failure),
    }
}

/// Tells a problem; the exit code.
fn failed(failure: Failure) -> u8 {
    if let Failure::Problem(diagnostic) = &failure {
        ui::error(diagnostic);
    }
    code_of(&failure)
}

fn code_of(failure: &Failure) -> u8 {
    match failure {
        Failure::Problem(diagnostic) => {
            let usage = matches!(diagnostic.at, Place::Argument(_));
            if usage { 2 } else { 1 }
        }
        Failure::Exit(code) => u8::try_from(*code).unwrap_or(1),
    }
}

/// The arguments behind cargo's `mpy` as clap is to see them: the default command put in.
fn arguments(command: &clap::Command, mut words: Vec<OsString>) -> Result<Vec<OsString>, Diagnostic> {
    let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).chain(["help"]).collect();
    // Flags that concern no command may stand before it.
    let mut first = 0;
    while let Some(word) = words.get(first).and_then(|word| word.to_str()) {
        match word {
            "--color" => first += 2,
            "-v" | "--verbose" | "-q" | "--quiet" => first += 1,
            _ if word.starts_with("--color=") => first += 1,
            _ => break,
        }
    }
    let first = first.min(words.len());
    let word = words.get(first).map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let about_us = ["-h", "--help", "-V", "--version"].contains(&word.as_str());
    if !known.contains(&word.as_str()) && !about_us {
        let is_file = word.ends_with(".wasm");
        if !word.is_empty() && !word.starts_with('-') && !is_file {
            let help = match target_specs::nearest(&word, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? `cargo mpy --help` lists them"),
                None => format!("the commands are {}", known.join(", ")),
            };
            return Err(Diagnostic::new("unknown-command", format!("no command is called `{word}`"))
                .at(Place::Argument(word))
                .help(help));
        }
        words.insert(first, "build".into());
    }
    words.insert(0, NAME.into());
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<String, &'static str> {
        let words = words.iter().map(OsString::from).collect();
        let words = arguments(&command_line(), words).map_err(|error| error.code)?;
        Ok(words[1..].iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_command_line_is_sound() {
        command_line().debug_assert();
    }

    #[test]
    fn every_command_has_examples_that_fit_a_terminal() {
        for command in command_line().get_subcommands() {
            let (name, text) = (command.get_name(), command.get_after_help().unwrap_or_default().to_string());
            assert!(text.starts_with("Example"), "{name} has no examples");
            for line in text.lines() {
                assert!(line.chars().count() < 80, "{name}: {line}");
            }
        }
    }

    #[test]
    fn help_pages_fit_80_columns() {
        let mut root = command_line();
        root.build();
        let names: Vec<String> =
            root.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let mut pages =
            vec![("help".to_owned(), root.render_help()), ("help".to_owned(), root.render_long_help())];
        for name in names {
            let command = root.find_subcommand_mut(&name).unwrap();
            pages.extend([(name.clone(), command.render_help()), (name, command.render_long_help())]);
        }
        assert!(pages.len() > 40);
        for (name, page) in pages {
            for line in page.to_string().lines() {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
        }
    }

    /// Values that no command takes, in options of all kinds.
    #[test]
    fn wrong_values_of_options_exit_with_2() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("m.wat");
        std::fs::write(&module, "(module (func (export \"f\")))").unwrap();
        let module = module.to_str().unwrap();
        let path = folder.path().join("new");
        for (command, flags) in [
            (
                "build",
                &["--memory x", "--board x", "--arch x", "--stack x", "--heap 3000M", "--limit 3000M"][..],
            ),
            (
                "build",
                &["--stack 3000M", "--memory direct --arch x64", "--name 2x", "--name class", "--emit x"],
            ),
            ("build", &["--memory direct --arch armv6m --limit 4K", "--emit ir --after-pass x", "--color x"]),
            ("build", &["--message-format x"]),
            ("run", &["--timeout=-1", "--timeout nan", "--timeout x"]),
            ("test", &["--timeout=-1", "--test nofile"]),
            ("size", &["--top x", "--max x", "--max-loaded -1", "--svg x --arch armv6m --arch x64"]),
            ("bench", &["--max-slowdown x", "--max-slowdown nan", "--max-slowdown=-3", "--timeout nan"]),
            ("deploy", &["--baud x", "--timeout nan"]),
            ("package", &["--arch x"]),
            ("dev", &["--board x", "--baud -1"]),
        ] {
            for flags in flags {
                let words = [command, "--wasm", module].into_iter().chain(flags.split(' '));
                assert_eq!(super::run(words.map(OsString::from).collect()), 2, "{command} {flags}");
            }
        }
        for words in
            ["new --template x", "new --vcs x", "new --name 2x", "new --name class", "init --name a.b"]
        {
            let words = words.split(' ').map(OsString::from).chain([path.clone().into()]);
            assert_eq!(super::run(words.collect()), 2);
        }
        for words in
            ["link --arch x a.o", "setup --board x", "explain x", "completions x", "monitor --baud x"]
        {
            assert_eq!(super::run(words.split(' ').map(OsString::from).collect()), 2, "{words}");
        }
        assert!(!path.exists());
    }

    #[test]
    fn building_is_what_it_does_when_not_told() {
        assert_eq!(of(&[]), Ok("build".into()));
        assert_eq!(of(&["--board", "run"]), Ok("build --board run".into()));
        assert_eq!(of(&["-v", "--color", "never", "-p", "x"]), Ok("-v --color never build -p x".into()));
        assert_eq!(of(&["-q", "run", "-e", "1"]), Ok("-q run -e 1".into()));
        assert_eq!(of(&["a.wasm"]), Ok("build a.wasm".into()));
        assert_eq!(of(&["--help"]), Ok("--help".into()));
        assert_eq!(of(&["biuld"]), Err("unknown-command"));
    }
}
