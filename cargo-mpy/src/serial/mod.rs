//! Talking to a MicroPython that answers on a line of bytes: a serial port, a pipe, a socket.

mod ram;
mod raw_repl;
mod transport;

pub use ram::{ram_import, store};
pub use raw_repl::{Execution, RawRepl};
pub use transport::{Pair, Transport};
