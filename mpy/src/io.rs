//! The traits of [`embedded-io`](embedded_io) over Python's streams: files, sockets, `machine.UART`, `io.BytesIO`.
//!
//! ```no_run
//! use embedded_io::{Read, Write};
//! use mpy::io::Stream;
//! use wasm_bindgen::prelude::*;
//!
//! #[wasm_bindgen]
//! pub fn ask(mut uart: Stream) -> Result<u8, mpy::Raise> {
//!     uart.write_all(b"?")?;
//!     let mut answer = [0];
//!     uart.read_exact(&mut answer)?;
//!     Ok(answer[0])
//! }
//! ```

use embedded_io::{ErrorKind, ErrorType, Read, Seek, SeekFrom, Write};
use wasm_bindgen::prelude::*;

use crate::{Exception, Result};

type Caught<T> = core::result::Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    /// A stream: any object with the methods `readinto`, `write` or `seek`, as far as they are used.
    #[derive(Clone, Debug)]
    pub type Stream;
    // Numbers of 16 bits, because an optional one of 32 bits is passed as a float.
    #[wasm_bindgen(method, catch, js_name = readinto)]
    fn read_some(this: &Stream, bytes: &mut [u8]) -> Caught<Option<u16>>;
    #[wasm_bindgen(method, catch, js_name = write)]
    fn write_some(this: &Stream, bytes: &[u8]) -> Caught<Option<u16>>;
    #[wasm_bindgen(method, catch, js_name = seek)]
    fn seek_to(this: &Stream, offset: i64, whence: u8) -> Caught<i64>;
    #[wasm_bindgen(method, getter, catch, js_name = flush)]
    fn flush_method(this: &Stream) -> Caught<JsValue>;
    #[wasm_bindgen(method, catch, js_name = flush)]
    fn flush_all(this: &Stream) -> Caught<()>;
}

#[wasm_bindgen(module = "time")]
extern "C" {
    fn sleep_ms(ms: u32);
}

/// The most bytes of a call.
const MOST: usize = u16::MAX as usize;

/// Calls until there is a result: `None` says that the stream would have to wait.
fn wait(mut call: impl FnMut() -> Caught<Option<u16>>) -> Result<usize> {
    loop {
        if let Some(count) = call()? {
            return Ok(count.into());
        }
        // MicroPython does its own work meanwhile, and Ctrl-C ends it.
        sleep_ms(1);
    }
}

impl embedded_io::Error for Exception {
    fn kind(&self) -> ErrorKind {
        // The numbers are the same in all ports (py/mperrno.h).
        match self.errno() {
            Some(1 | 13) => ErrorKind::PermissionDenied,
            Some(2 | 19) => ErrorKind::NotFound,
            Some(4) => ErrorKind::Interrupted,
            Some(12) => ErrorKind::OutOfMemory,
            Some(17) => ErrorKind::AlreadyExists,
            Some(22) => ErrorKind::InvalidInput,
            Some(32) => ErrorKind::BrokenPipe,
            Some(95) => ErrorKind::Unsupported,
            Some(98) => ErrorKind::AddrInUse,
            Some(103) => ErrorKind::ConnectionAborted,
            Some(104) => ErrorKind::ConnectionReset,
            Some(107) => ErrorKind::NotConnected,
            Some(110) => ErrorKind::TimedOut,
            Some(111) => ErrorKind::ConnectionRefused,
            _ => ErrorKind::Other,
        }
    }
}

impl ErrorType for Stream {
    type Error = Exception;
}

/// A stream that does not wait for data is asked again each millisecond.
impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let most = bytes.len().min(MOST);
        let bytes = &mut bytes[..most];
        // A result that is too large would be one of a method that is not one of a stream.
        Ok(wait(|| self.read_some(bytes))?.min(most))
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let bytes = &bytes[..bytes.len().min(MOST)];
        Ok(wait(|| self.write_some(bytes))?.min(bytes.len()))
    }

    fn flush(&mut self) -> Result<()> {
        // Streams without a buffer, such as sockets, have no such method.
        match self.flush_method() {
            Ok(_) => Ok(self.flush_all()?),
            Err(_) => Ok(()),
        }
    }
}

impl Seek for Stream {
    fn seek(&mut self, position: SeekFrom) -> Result<u64> {
        let (offset, whence) = match position {
            // Python raises an exception if the offset is negative.
            SeekFrom::Start(offset) => (offset.cast_signed(), 0),
            SeekFrom::Current(offset) => (offset, 1),
            SeekFrom::End(offset) => (offset, 2),
        };
        Ok(self.seek_to(offset, whence)?.cast_unsigned())
    }
}
