//! Events on a board, printed for people or as JSON for tools.

use std::fmt::Display;

use target_specs::{Arch, Diagnostic};

use super::faults::Faults;
use crate::messages::{Message, MpyDiagnostic};
use crate::serial::{Facts, Mode, Plain, Sources};
use crate::ui;

/// How events on a board are printed. Status lines for people are printed elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Events<'a> {
    /// Events are printed as JSON.
    pub json: bool,
    /// The port of the board, if the command uses several boards.
    pub port: Option<&'a str>,
}

impl Events<'_> {
    /// Prints a message if JSON was requested.
    pub fn event(self, message: &Message<'_>) {
        if self.json {
            ui::message_line(message);
        }
    }

    /// A board answered.
    pub fn connected(self, port: &str, facts: &Facts, arch: &Arch) {
        let Facts { machine, firmware, heap_free, .. } = facts;
        self.event(&Message::Connected { port, machine, firmware, arch: &arch.name, heap_free: *heap_free });
    }

    /// An uncaught exception, which is printed for people too.
    pub fn exception(self, traceback: &str) {
        let traceback_with_source = Sources::here().with(traceback.as_bytes());
        match self.port {
            None => ui::raw(&traceback_with_source),
            Some(port) => {
                for line in String::from_utf8_lossy(&traceback_with_source).lines() {
                    ui::raw(format!("{port}: {line}\n").as_bytes());
                }
            }
        }
        self.event(&Message::Exception { traceback, port: self.port });
    }

    /// An error. It is printed for people elsewhere.
    pub fn problem(self, error: &Diagnostic) {
        self.event(&Message::MpyDiagnostic(MpyDiagnostic::of(error, self.port)));
    }

    /// Text about the board, with its port if there are several.
    pub fn about(self, text: impl Display) -> String {
        self.port.map_or_else(|| text.to_string(), |port| format!("{port}: {text}"))
    }
}

/// The output of the code on a board. It is printed for people as it arrives, and in whole lines for tools, so that no
/// UTF-8 sequence is split, and if there are several boards.
pub struct Output<'a> {
    events: Events<'a>,
    plain: Plain,
    line: Vec<u8>,
    faults: &'a mut Faults,
}

impl<'a> Output<'a> {
    /// With `raw`, terminal control sequences are kept. `faults` says where the addresses in it are.
    pub fn new(events: Events<'a>, raw: bool, faults: &'a mut Faults) -> Self {
        let plain = Plain::new(if raw { Mode::Raw } else { Mode::All });
        Output { events, plain, line: Vec::new(), faults }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let bytes = &self.faults.with(bytes);
        if !self.events.json && self.events.port.is_none() {
            return ui::output_bytes(&self.plain.text(bytes));
        }
        /// Longer lines are printed in pieces of this many bytes.
        const LONGEST: usize = 1 << 20;
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.ends_with(b"\n") || self.line.len() > LONGEST {
                self.end();
            }
        }
    }

    /// Prints the rest that has no end of line.
    pub fn end(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.line);
        if self.events.json {
            let text = &String::from_utf8_lossy(&line);
            return self.events.event(&Message::Output { text, port: self.events.port });
        }
        let text = self.plain.text(&line);
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        let port = self.events.port.unwrap_or_default();
        ui::output_bytes(&[format!("{port}: ").as_bytes(), text, b"\n"].concat());
    }
}
