//! Communication with a MicroPython over a line of bytes: a serial port, a pipe, or a socket.

mod board;
mod import;
pub mod monitor;
mod newlines;
mod plain;
pub mod port;
mod ram;
mod raw_repl;
mod rfc2217;
mod rom;
mod sources;
mod transport;

pub use board::{Board, Facts, UploadResult};
pub use import::Found;
pub use newlines::Newlines;
pub use plain::{Mode, Plain, plain};
pub use ram::{FORGET, argv};
pub use raw_repl::{Execution, RawRepl};
pub use sources::Sources;
pub use transport::{Pair, Transport};
