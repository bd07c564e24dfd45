//! Events on a board, printed for people or as JSON for tools.

use target_specs::{Arch, Diagnostic};

use crate::messages::Message;
use crate::serial::{Facts, Mode, Plain, Sources};
use crate::ui;

/// Whether events are printed as JSON. Status lines for people are printed elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Events(pub bool);

impl Events {
    /// Prints a message if JSON was requested.
    pub fn event(self, message: &Message<'_>) {
        if self.0 {
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
        ui::raw(&Sources::here().with(traceback.as_bytes()));
        self.event(&Message::Exception { traceback });
    }

    /// An error. It is printed for people elsewhere.
    pub fn problem(self, error: &Diagnostic) {
        self.event(&error.into());
    }
}

/// The output of the code on a board. It is printed for people as it arrives, and for tools in whole lines, so that no
/// UTF-8 sequence is split.
pub struct Output {
    events: Events,
    plain: Plain,
    line: Vec<u8>,
}

impl Output {
    /// With `raw`, terminal control sequences are kept.
    pub fn new(events: Events, raw: bool) -> Self {
        let plain = Plain::new(if raw { Mode::Raw } else { Mode::All });
        Output { events, plain, line: Vec::new() }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        if !self.events.0 {
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
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.events.event(&Message::Output { text: &String::from_utf8_lossy(&line) });
        }
    }
}
