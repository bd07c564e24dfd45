//! The terminal: the only place that writes to it.
//!
//! Status lines go to standard error in cargo's form, with a green, right-aligned verb. Results that another program may
//! read go to standard output.

use std::fmt::Display;
use std::io;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use target_specs::{Diagnostic, Place, visible, visible_json, visible_line};

use crate::failure::Failure;
use crate::messages::Message;

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Only errors.
    Quiet,
    /// Results and long steps.
    #[default]
    Normal,
    /// Every command that is run.
    Verbose,
}

struct Ui {
    level: Level,
    bars: MultiProgress,
}

/// Whether standard output consists of JSON messages.
static JSON: AtomicBool = AtomicBool::new(false);

static UI: OnceLock<Ui> = OnceLock::new();

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BUSY: Style = AnsiColor::Cyan.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const BOLD: Style = Style::new().bold();

/// Sets the level and the use of colour, once, before anything is printed. `anstream` honours
/// `NO_COLOR`, `CLICOLOR` and `TERM=dumb` when `color` is automatic.
pub fn init(level: Level, color: anstream::ColorChoice) {
    color.write_global();
    let _ = UI.set(Ui::new(level));
}

impl Ui {
    fn new(level: Level) -> Self {
        let wanted = level > Level::Quiet && std::io::stderr().is_terminal();
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Ui { level, bars: MultiProgress::with_draw_target(target) }
    }
}

fn ui() -> &'static Ui {
    UI.get_or_init(|| Ui::new(Level::Normal))
}

/// The level that was set.
pub fn level() -> Level {
    ui().level
}

fn line(text: impl Display) {
    // Progress bars are hidden meanwhile. A closed terminal is not an error.
    ui().bars.suspend(|| {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    });
}

/// Text from names, files and other programs, without terminal control sequences.
fn shown(text: impl Display) -> String {
    visible(&text.to_string()).into_owned()
}

/// As [`shown`], on one line.
fn shown_line(text: impl Display) -> String {
    visible_line(&text.to_string()).into_owned()
}

/// Prints a status line: `    Building hello for armv6m`.
pub fn status(verb: &str, message: impl Display) {
    if level() >= Level::Normal {
        line(format_args!("{GOOD}{verb:>12}{GOOD:#} {}", shown_line(message)));
    }
}

/// Like [`status`], only with `-v`.
pub fn verbose(verb: &str, message: impl Display) {
    if level() >= Level::Verbose {
        line(format_args!("{BUSY}{verb:>12}{BUSY:#} {}", shown_line(message)));
    }
}

/// Prints a warning.
pub fn warning(message: impl Display) {
    if level() >= Level::Normal {
        line(format_args!("{WARN}warning{WARN:#}: {}", shown(message)));
    }
}

/// Makes standard output a stream of JSON messages.
pub fn speak_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Whether [`speak_json`] was called.
pub fn speaks_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Prints a message if [`speak_json`] was called.
pub fn message(message: &Message<'_>) {
    if speaks_json() {
        message_line(message);
    }
}

/// Prints a message, for commands with `--json`.
pub fn message_line(message: &Message<'_>) {
    json_line(serde_json::json!(message));
}

/// A line of JSON on standard output.
pub fn json_line(value: impl Display) {
    styled(format_args!("{}\n", visible_json(&value.to_string())));
}

/// Prints an error: code and message, place, help.
pub fn error(diagnostic: &Diagnostic) {
    if speaks_json() && !output_has_failed() {
        return message(&diagnostic.into());
    }
    let Diagnostic { code, message, at, help } = diagnostic;
    line(format_args!("{BAD}error[{code}]{BAD:#}: {BOLD}{}{BOLD:#}", indented(message)));
    if *at != Place::None {
        line(format_args!("  {BUSY}-->{BUSY:#} {}", shown_line(at)));
    }
    if let Some(help) = help {
        line(format_args!("  {BUSY}={BUSY:#} {BOLD}help{BOLD:#}: {}", indented(help)));
    }
    if level() > Level::Quiet {
        line(format_args!("`cargo mpy explain {code}` says more about this error"));
    }
}

fn indented(text: &str) -> String {
    shown(text).replace('\n', "\n    ")
}

/// Prints what another program wrote to its standard error.
pub fn raw(bytes: &[u8]) {
    ui().bars.suspend(|| {
        let _ = anstream::stderr().lock().write_all(bytes);
    });
}

/// The first error of standard output.
static OUTPUT_ERROR: Mutex<Option<io::Error>> = Mutex::new(None);

fn output_error() -> std::sync::MutexGuard<'static, Option<io::Error>> {
    OUTPUT_ERROR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records an error of standard output. The command continues, so that boards and files are not left half written.
fn written(result: io::Result<()>) {
    if let Err(error) = result {
        output_error().get_or_insert(error);
    }
}

/// Whether writing to standard output has failed. A program that prints without end has to be stopped then.
pub fn output_has_failed() -> bool {
    output_error().is_some()
}

/// Flushes standard output.
///
/// # Errors
/// `io` if any output was lost, except when the reader closed the pipe.
pub fn finish_output() -> target_specs::Result<()> {
    written(io::stdout().flush());
    match &*output_error() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Diagnostic::new("io", format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes to standard output.
pub fn output(text: impl Display) {
    // `anstream` would look for control sequences in it, byte by byte.
    written(io::stdout().lock().write_all(shown(text).as_bytes()));
}

/// Writes to standard output, with terminal control sequences.
pub fn styled(text: impl Display) {
    written(write!(anstream::stdout().lock(), "{text}"));
}

/// Prints the result of a test in libtest's form: `test NAME ... ok`.
pub fn test(name: &str, word: &str, passed: Option<bool>) {
    let style = match passed {
        Some(true) => AnsiColor::Green.on_default(),
        Some(false) => AnsiColor::Red.on_default(),
        None => AnsiColor::Yellow.on_default(),
    };
    styled(format_args!("test {} ... {style}{}{style:#}\n", shown_line(name), shown_line(word)));
}

/// Prints the start of the summary line, in libtest's form.
pub fn test_result(passed: bool) {
    let (style, word) = match passed {
        true => (AnsiColor::Green.on_default(), "ok"),
        false => (AnsiColor::Red.on_default(), "FAILED"),
    };
    styled(format_args!("\ntest result: {style}{word}{style:#}. "));
}

/// Writes bytes to standard output as they are.
pub fn output_bytes(bytes: &[u8]) {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()));
}

/// A progress bar for a long step, shown only on terminals. Dropping it removes the bar.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar with `total` steps; 0 if the number is unknown.
    pub fn new(verb: &str, total: u64) -> Self {
        let bar =
            ui().bars.add(if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) });
        let template = if total == 0 {
            "{prefix:>12.cyan.bold} {spinner} {msg}"
        } else {
            "{prefix:>12.cyan.bold} [{bar:25}] {pos}/{len} {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(verb.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(bar)
    }

    /// Sets the text next to the bar.
    pub fn message(&self, message: impl Into<String>) {
        self.0.set_message(shown_line(message.into()));
    }

    /// Sets the number of completed steps.
    pub fn at(&self, steps: u64) {
        self.0.set_position(steps);
    }

    /// Adds a completed step.
    pub fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Prints rows in columns, the first line in bold. The last column is as wide as it wants.
pub fn table<const N: usize>(head: &[&str; N], rows: &[[&str; N]]) {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.map(shown_line)).collect();
    let rows: Vec<[&str; N]> = rows.iter().map(|row| std::array::from_fn(|at| row[at].as_str())).collect();
    let width = |column: usize| {
        rows.iter().chain([head]).map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let text = |row: &[&str; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    styled(format_args!("{BOLD}{}{BOLD:#}\n", text(head)));
    for row in &rows {
        styled(format_args!("{}\n", text(row)));
    }
}

/// The width of the terminal in columns; `None` if standard output is not a terminal.
fn width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// Truncates text to the width, if there is one.
fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.chars().count() > width => line.chars().take(width - 1).chain(['…']).collect(),
        _ => line.to_owned(),
    }
}

/// Prints a line in bold.
pub fn heading(text: impl Display) {
    styled(format_args!("{BOLD}{}{BOLD:#}\n", shown_line(text)));
}

/// Prints figures in columns, the head in bold: numbers to the right, words to the left. On a terminal the last
/// column is cut rather than wrapped.
pub fn columns<const N: usize>(head: &[&str; N], rows: &[[String; N]]) {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(shown_line)).collect();
    let width_of = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width_of);
    let is_number: [bool; N] = std::array::from_fn(|at| {
        at + 1 < N && rows.iter().any(|row| row[at].starts_with(|c: char| c.is_ascii_digit()))
    });
    let terminal = width();
    let line = |cells: [&str; N]| {
        let mut text = String::new();
        for (at, cell) in cells.iter().enumerate() {
            let width = widths[at];
            text += &if is_number[at] { format!("{cell:>width$}  ") } else { format!("{cell:width$}  ") };
        }
        cut(text.trim_end(), terminal)
    };
    styled(format_args!("{BOLD}{}{BOLD:#}\n", line(*head)));
    for row in &rows {
        styled(format_args!("{}\n", line(std::array::from_fn(|at| row[at].as_str()))));
    }
}

/// Prints figures in columns below a status line. The first column contains names, and the first row is the head.
pub fn figures(rows: &[Vec<String>]) {
    if level() < Level::Normal {
        return;
    }
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(shown_line).collect()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    for row in rows {
        let mut text = format!("  {:1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            text.push_str(&format!("  {cell:>width$}"));
        }
        line(text);
    }
}

/// Asks a yes-or-no question. Without a terminal, the answer is no.
pub fn ask(question: &str) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    let _ = write!(anstream::stderr().lock(), "{BOLD}{}{BOLD:#} [Y/n] ", shown_line(question));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer).unwrap_or(0);
    read > 0 && ["", "y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// Asks the user to choose one of `options` by its number. Without a terminal, nothing is chosen.
pub fn choose(question: &str, options: &[String]) -> Option<usize> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    line(format_args!("{BOLD}{}{BOLD:#}", shown_line(question)));
    for (number, option) in (1..).zip(options) {
        line(format_args!("  {number}  {}", shown_line(option)));
    }
    let _ = write!(anstream::stderr().lock(), "{BOLD}number:{BOLD:#} ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    let number: usize = answer.trim().parse().ok()?;
    (1..=options.len()).contains(&number).then(|| number - 1)
}

/// Prints the message of clap: requested help, or an error in the arguments.
pub fn argument_error(error: &clap::Error) -> Result<(), Failure> {
    if error.exit_code() != 0 {
        // A closed terminal is not an error.
        let _ = error.print();
        return Err(Failure::Exit(error.exit_code()));
    }
    styled(error.render().ansi());
    Ok(())
}
