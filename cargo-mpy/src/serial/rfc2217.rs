//! A serial port on a network: telnet with options that set the port (RFC 2217), in binary mode in both directions (RFC
//! 856).

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

const BINARY: u8 = 0;
const SUPPRESS_GO_AHEAD: u8 = 3;
const COM_PORT: u8 = 44;

const SET_BAUDRATE: u8 = 1;
const SET_DATASIZE: u8 = 2;
const SET_PARITY: u8 = 3;
const SET_STOPSIZE: u8 = 4;

/// The time limit for the other side to accept the option.
const GREETING: Duration = Duration::from_secs(5);

/// The position in a telnet command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    /// After IAC.
    Command,
    /// After IAC and one of WILL, WONT, DO, DONT.
    Option(u8),
    /// Between IAC SB and IAC SE.
    Sub,
    SubCommand,
}

/// Decodes received bytes.
#[derive(Debug)]
struct Telnet {
    state: State,
    /// Whether the other side accepts settings of its port.
    has_port: bool,
    /// Whether it refused.
    refused: bool,
    /// Bytes to send as an answer.
    answers: Vec<u8>,
}

impl Telnet {
    fn new() -> Telnet {
        Telnet { state: State::Data, has_port: false, refused: false, answers: Vec::new() }
    }

    /// Removes telnet commands from `bytes`. Returns the number of the bytes that remain, at the start.
    fn decode(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            self.state = match (self.state, byte) {
                (State::Data, IAC) => State::Command,
                (State::Data, _) | (State::Command, IAC) => {
                    bytes[kept] = byte;
                    kept += 1;
                    State::Data
                }
                (State::Command, WILL | WONT | DO | DONT) => State::Option(byte),
                (State::Command, SB) => State::Sub,
                (State::Command, _) => State::Data,
                (State::Option(verb), option) => {
                    self.negotiate(verb, option);
                    State::Data
                }
                // Answers to our settings, and changes of the modem lines. They are ignored.
                (State::Sub, IAC) => State::SubCommand,
                (State::Sub, _) => State::Sub,
                (State::SubCommand, SE) => State::Data,
                (State::SubCommand, _) => State::Sub,
            };
        }
        kept
    }

    fn negotiate(&mut self, verb: u8, option: u8) {
        let ours = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT].contains(&option);
        match verb {
            DO if option == COM_PORT => self.has_port = true,
            DONT if option == COM_PORT => self.refused = true,
            // An answer to our own request needs no answer.
            DO if !ours => self.answers.extend([IAC, WONT, option]),
            WILL if !ours => self.answers.extend([IAC, DONT, option]),
            _ => {}
        }
    }
}

/// An open port.
pub(super) struct Remote {
    stream: TcpStream,
    telnet: Telnet,
    /// Whether the connection is being set up. No data is expected then.
    is_new: bool,
}

impl Remote {
    /// Connects, and sets the port to `baud`, eight data bits, no parity, one stop bit.
    pub(super) fn connect(address: &str, baud: u32) -> io::Result<Remote> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut remote = Remote { stream, telnet: Telnet::new(), is_new: true };
        let mut hello = Vec::new();
        for option in [BINARY, SUPPRESS_GO_AHEAD, COM_PORT] {
            hello.extend([IAC, WILL, option]);
        }
        for option in [BINARY, SUPPRESS_GO_AHEAD] {
            hello.extend([IAC, DO, option]);
        }
        remote.stream.write_all(&hello)?;
        let deadline = Instant::now() + GREETING;
        let mut early = [0; 256];
        while !remote.telnet.has_port {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || remote.telnet.refused {
                return Err(io::Error::other("it does not speak RFC 2217; is it a plain `socket://`?"));
            }
            remote.stream.set_read_timeout(Some(left))?;
            match remote.read(&mut early) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                }
                Err(error) => return Err(error),
            }
        }
        let mut settings = Vec::new();
        let mut set = |what: u8, value: &[u8]| {
            settings.extend([IAC, SB, COM_PORT, what]);
            settings.extend(escaped(value));
            settings.extend([IAC, SE]);
        };
        set(SET_BAUDRATE, &baud.to_be_bytes());
        set(SET_DATASIZE, &[8]);
        set(SET_PARITY, &[1]);
        set(SET_STOPSIZE, &[1]);
        remote.stream.write_all(&settings)?;
        remote.is_new = false;
        Ok(remote)
    }

    pub(super) fn limit(&mut self, time: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(time))?;
        self.stream.set_write_timeout(Some(time))
    }
}

impl Read for Remote {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.stream.read(buffer)?;
            if n == 0 {
                return Ok(0);
            }
            let kept = self.telnet.decode(&mut buffer[..n]);
            if !self.telnet.answers.is_empty() {
                let answers = std::mem::take(&mut self.telnet.answers);
                self.stream.write_all(&answers)?;
            }
            // 0 would mean the end of the stream. If only commands arrived, reading continues, except while connecting,
            // when commands are expected.
            if kept > 0 || self.is_new {
                return Ok(kept.max(1));
            }
        }
    }
}

impl Write for Remote {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // A doubled byte must not be split.
        self.stream.write_all(&escaped(data))?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Data in a telnet stream: bytes of the value IAC are doubled.
fn escaped(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len());
    for &byte in data {
        bytes.push(byte);
        if byte == IAC {
            bytes.push(IAC);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_out_wherever_they_are_cut() {
        let mut stream = b"a".to_vec();
        stream.extend([IAC, DO, COM_PORT]);
        stream.extend(b"b");
        stream.extend([IAC, IAC, IAC, WILL, 24, IAC, DO, 24]);
        stream.extend([IAC, SB, COM_PORT, 101, IAC, IAC, 7, IAC, SE]);
        stream.extend(b"c");
        for cut in 0..stream.len() {
            let mut telnet = Telnet::new();
            let mut data = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                let mut part = part.to_vec();
                let kept = telnet.decode(&mut part);
                data.extend_from_slice(&part[..kept]);
            }
            assert_eq!(data, [b'a', b'b', IAC, b'c']);
            assert!(telnet.has_port && !telnet.refused);
            assert_eq!(telnet.answers, [IAC, DONT, 24, IAC, WONT, 24]);
        }
        assert_eq!(escaped(&[1, IAC, 2]), [1, IAC, IAC, 2]);
    }
}
