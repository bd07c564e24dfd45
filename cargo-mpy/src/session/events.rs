//! What happens on a board, told to tools as lines of JSON on standard output.

use target_specs::{Arch, Diagnostic};

use crate::messages::Message;
use crate::serial::{Facts, Mode, Plain, Sources};
use crate::ui;

/// Whether tools are listening; people are told otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Events(pub bool);

impl Events {
    /// Prints a message for tools.
    pub fn event(self, message: &Message<'_>) {
        if self.0 {
            ui::json_line(serde_json::json!(message));
        }
    }

    /// A board that has said what it is.
    pub fn connected(self, port: &str, facts: &Facts, arch: &Arch) {
        let Facts { machine, firmware, heap_free, .. } = facts;
        self.event(&Message::Connected { port, machine, firmware, arch: &arch.name, heap_free: *heap_free });
    }

    /// An exception that nobody caught, shown to people as well.
    pub fn exception(self, traceback: &str) {
        ui::raw(&Sources::here().with(traceback.as_bytes()));
        self.event(&Message::Exception { traceback });
    }

    /// An error, which people are told elsewhere.
    pub fn problem(self, error: &Diagnostic) {
        self.event(&error.into());
    }
}

/// What the code on a board prints: for people as it comes, for tools in whole lines, so that no character is torn.
pub struct Output {
    events: Events,
    plain: Plain,
    line: Vec<u8>,
}

impl Output {
    /// With `raw`, terminal control in it reaches the terminal.
    pub fn new(events: Events, raw: bool) -> Self {
        let plain = Plain::new(if raw { Mode::Raw } else { Mode::All });
        Output { events, plain, line: Vec::new() }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        if !self.events.0 {
            return ui::output_bytes(&self.plain.text(bytes));
        }
        /// Of a line that does not end, this much is told at once.
        const LONGEST: usize = 1 << 20;
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.ends_with(b"\n") || self.line.len() > LONGEST {
                self.end();
            }
        }
    }

    /// Tells of a line that has not ended.
    pub fn end(&mut self) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.events.event(&Message::Output { text: &String::from_utf8_lossy(&line) });
        }
    }
}
