//! Connects the terminal with a board.

use std::io::{self, IsTerminal, Read};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use target_specs::{Diagnostic, Result};

use super::plain::{Mode, Plain};
use super::sources::Sources;
use super::transport::Transport;
use crate::ui;

/// Ctrl-] leaves, as in telnet and miniterm.
const LEAVE: u8 = 0x1d;
/// The time limit of one read of the line. Keys are not sent in the meantime.
const LOOK: Duration = Duration::from_millis(20);
/// The pause between attempts to open a lost port again.
const AGAIN: Duration = Duration::from_millis(500);

/// Switches the terminal to raw mode, in which keys arrive as they are typed, including Ctrl-C, until this is dropped.
struct Keys;

impl Keys {
    fn raw() -> Option<Keys> {
        (io::stdin().is_terminal() && crossterm::terminal::enable_raw_mode().is_ok()).then_some(Keys)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

fn typed() -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(n @ 1..) = io::stdin().lock().read(&mut buffer) {
            if sender.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Connects the terminal and the board until Ctrl-] is typed, or standard output is closed. If standard input is not a
/// terminal, ends after it has ended and the board has been silent for `idle` seconds. Adds to the output what `located` adds,
/// and the source lines that it refers to. Removes terminal control sequences unless `raw`. If the line breaks, it is opened again with
/// `reopen`, as often as necessary.
///
/// # Errors
/// `no-answer` if the line breaks and `reopen` is `None`.
pub fn run<T: Transport>(
    mut line: T,
    mut reopen: Option<&mut dyn FnMut() -> Result<T>>,
    idle: Option<Duration>,
    raw: bool,
    located: &mut dyn FnMut(&[u8]) -> Vec<u8>,
) -> Result<()> {
    let keys = Keys::raw();
    let mut plain = Plain::new(match (raw, &keys) {
        (true, _) => Mode::Raw,
        // The user sees the board edit the line.
        (false, Some(_)) => Mode::KeepEditing,
        (false, None) => Mode::All,
    });
    if keys.is_some() {
        ui::status("Monitor", "Ctrl-] leaves, Ctrl-C stops the program, Ctrl-D restarts it\r");
    }
    let typed = typed();
    let mut sources = Sources::here();
    let mut input_ended = false;
    let mut heard = Instant::now();
    let mut buffer = [0; 4096];
    loop {
        let broken = match line.read(&mut buffer, Instant::now() + LOOK) {
            Ok(0) => true,
            Ok(n) => {
                ui::output_bytes(&sources.with(&located(&plain.text(&buffer[..n]))));
                if ui::output_has_failed() {
                    return Ok(());
                }
                heard = Instant::now();
                false
            }
            Err(error) => error.kind() != io::ErrorKind::TimedOut,
        };
        if broken {
            let Some(reopen) = &mut reopen else {
                return Err(Diagnostic::new("no-answer", "the line to the board is closed"));
            };
            ui::status("Lost", "the board; waiting for it\r");
            loop {
                // While there is no line, only Ctrl-] has an effect.
                if typed.try_recv().is_ok_and(|keys| keys.contains(&LEAVE)) {
                    return Ok(());
                }
                std::thread::sleep(AGAIN);
                if let Ok(again) = reopen() {
                    line = again;
                    ui::status("Back", "the board is there again\r");
                    break;
                }
            }
        }
        match typed.try_recv() {
            Ok(keys) => {
                let until = keys.iter().position(|&key| key == LEAVE);
                let sent =
                    line.write(&keys[..until.unwrap_or(keys.len())], Instant::now() + Duration::from_secs(2));
                if until.is_some() {
                    return Ok(());
                }
                // A line that cannot be written to is found broken when it is read.
                drop(sent);
            }
            Err(TryRecvError::Disconnected) => input_ended = true,
            Err(TryRecvError::Empty) => {}
        }
        if input_ended && idle.is_some_and(|idle| heard.elapsed() > idle) {
            return Ok(());
        }
    }
}
