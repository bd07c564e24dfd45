//! A line of bytes in both directions. Every operation has a time limit.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

/// A line to a board.
pub trait Transport {
    /// Reads the available bytes, and waits for at least one until `deadline`. Returns 0 if the other side is
    /// disconnected.
    ///
    /// # Errors
    /// `TimedOut` at the deadline; errors of the line.
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, when an unknown part has been written; errors of the line.
    fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()>;
}

impl<T: Transport + ?Sized> Transport for &mut T {
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        (**self).read(buffer, deadline)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
        (**self).write(data, deadline)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        (**self).read(buffer, deadline)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
        (**self).write(data, deadline)
    }
}

/// A transport made of two blocking streams, each on a thread of its own, so that the streams themselves need no
/// timeouts. The threads end with the streams.
pub struct Pair {
    incoming: Receiver<io::Result<Vec<u8>>>,
    /// Received bytes that have not been read.
    pending: Vec<u8>,
    outgoing: Sender<Vec<u8>>,
    written: Receiver<io::Result<()>>,
    /// The number of writes that may not be complete.
    unconfirmed: usize,
}

impl Pair {
    /// A connection that reads from `reader` and writes to `writer`, each on a thread of its own.
    pub fn new(mut reader: impl Read + Send + 'static, mut writer: impl Write + Send + 'static) -> Pair {
        // A writer that is faster than the reader has to wait.
        let (received, incoming) = mpsc::sync_channel(64);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let result = match reader.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(n) => Ok(buffer[..n].to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let end = result.is_err();
                if received.send(result).is_err() || end {
                    return;
                }
            }
        });
        let (outgoing, to_write) = mpsc::channel::<Vec<u8>>();
        let (confirm, written) = mpsc::channel();
        std::thread::spawn(move || {
            for data in to_write {
                let result = writer.write_all(&data).and_then(|()| writer.flush());
                if confirm.send(result).is_err() {
                    return;
                }
            }
        });
        Pair { incoming, pending: Vec::new(), outgoing, written, unconfirmed: 0 }
    }
}

impl Transport for Pair {
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        if self.pending.is_empty() {
            let wait = deadline.saturating_duration_since(Instant::now());
            self.pending = match self.incoming.recv_timeout(wait) {
                Ok(result) => result?,
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            };
        }
        let n = buffer.len().min(self.pending.len());
        buffer[..n].copy_from_slice(&self.pending[..n]);
        self.pending.drain(..n);
        Ok(n)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
        self.outgoing.send(data.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.unconfirmed += 1;
        while self.unconfirmed > 0 {
            let wait = deadline.saturating_duration_since(Instant::now());
            match self.written.recv_timeout(wait) {
                Ok(result) => {
                    self.unconfirmed -= 1;
                    result?;
                }
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
        Ok(())
    }
}
