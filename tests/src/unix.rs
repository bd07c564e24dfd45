//! MicroPython's unix port as a board: a program of this machine behind a terminal, that starts in milliseconds and
//! whose filesystem is a folder here.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cargo_mpy::serial::Transport;
use cargo_mpy::toolchain::micropython::Firmware;
use serialport::{SerialPort, TTYPort};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/boards/raw_repl.py");

/// What a board is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As the usual boards.
    Usual,
    /// It knows no raw paste.
    Plain,
    /// It reads as fast as it can, and heeds no Ctrl-C in what code of ours reads.
    Quick,
}

/// A running board. It ends with this.
pub struct UnixBoard {
    child: Child,
    line: TTYPort,
}

impl UnixBoard {
    /// Starts one whose filesystem is `folder`.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub fn start(folder: &Path, kind: Kind) -> Result<UnixBoard, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let board = target_specs::board("unix").map_err(|error| text(&error))?;
        let firmware = Firmware::build(board, &|_| {}).map_err(|error| text(&error))?;
        let (line, other) = TTYPort::pair().map_err(|error| text(&error))?;
        let name = other.name().ok_or("a terminal without a name")?;
        // As a UART: nothing is changed but the ends of lines, which a board prints in two bytes.
        let stty = Command::new("stty").args(["-F", &name, "raw", "-echo", "opost", "onlcr"]).status();
        if !stty.is_ok_and(|status| status.success()) {
            return Err("stty does not set the terminal".to_owned());
        }
        let open = || File::options().read(true).write(true).open(&name).map_err(|error| text(&error));
        let mut command = Command::new(&firmware.path);
        command.arg(SCRIPT).arg(format!("{kind:?}")).current_dir(folder);
        command.stdin(open()?).stdout(open()?).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| text(&error))?;
        Ok(UnixBoard { child, line })
    }
}

impl UnixBoard {
    /// The process it is.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for UnixBoard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Transport for UnixBoard {
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.line.set_timeout(left.max(Duration::from_millis(1)))?;
        self.line.read(buffer)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.line.set_timeout(left.max(Duration::from_millis(1)))?;
        self.line.write_all(data)
    }
}
