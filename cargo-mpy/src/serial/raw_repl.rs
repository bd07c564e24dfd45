//! MicroPython's raw REPL, which takes code and returns output and traceback (`shared/runtime/pyexec.c`). MicroPython's
//! `docs/reference/repl.rst` describes the protocol.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use target_specs::{Diagnostic, Result};

use super::plain::plain;
use super::transport::Transport;
use crate::ui;

const CTRL_A: u8 = 0x01;
const CTRL_B: u8 = 0x02;
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const CTRL_E: u8 = 0x05;

/// The greeting of the raw REPL.
const GREETING: &[u8] = b"raw REPL; CTRL-B to exit\r\n>";

/// A counter for the whole program, so that an answer is never mistaken for another one.
static ATTEMPTS: AtomicU32 = AtomicU32::new(1);

/// The time limit for an answer that costs the board no time.
const PROMPT: Duration = Duration::from_secs(3);

/// The maximum length of a traceback.
const TRACEBACK: usize = 64 << 10;

/// The pace for boards without raw paste: bytes per write, and the pause between writes.
const SLOW: (usize, Duration) = (256, Duration::from_millis(10));

/// How an execution ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Execution {
    /// The traceback of an uncaught exception; empty if there was none.
    pub traceback: String,
    /// Whether the code ended the session (`sys.exit()`). The board has then done a soft reset.
    pub reset: bool,
}

/// A board in its raw REPL.
pub struct RawRepl<T> {
    transport: T,
    /// Received bytes that have not been processed.
    buffer: Vec<u8>,
    /// Whether the board supports raw paste; `None` until that was tried.
    raw_paste: Option<bool>,
}

impl<T: Transport> RawRepl<T> {
    /// Stops the running program and enters the raw REPL.
    ///
    /// # Errors
    /// `no-answer` if the board does not answer within `timeout`.
    pub fn enter(transport: T, timeout: Duration) -> Result<RawRepl<T>> {
        let mut repl = RawRepl { transport, buffer: Vec::new(), raw_paste: None };
        repl.resume(Instant::now() + timeout)?;
        Ok(repl)
    }

    /// Stops the running program and returns to the prompt of the raw REPL from any state.
    ///
    /// # Errors
    /// `no-answer` if the board does not answer by `end`.
    pub fn resume(&mut self, end: Instant) -> Result<()> {
        // A board that has just started may miss the first bytes, one that computes needs time, and a late interrupt
        // may leave the raw REPL again. The board is ready when it answers a line of code. Each attempt expects a
        // different answer, since answers to earlier attempts may arrive late. Each attempt sends one Ctrl-C only:
        // MicroPython's handler of a second one would remove the traceback that the exception of the first one is being
        // given, which ends in a write to address 0.
        let mut patience = Duration::from_millis(300);
        loop {
            let deadline = end.min(Instant::now() + patience);
            let number = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
            let (question, answer) = (format!("print(-{number})\x04"), format!("OK-{number}\r\n\x04\x04>"));
            let entered = self
                .send(&[b'\r', CTRL_C, b'\r', CTRL_A], deadline)
                .and_then(|()| self.wait_for(GREETING, deadline, &mut |_| Ok(())))
                .and_then(|()| self.send(question.as_bytes(), deadline))
                .and_then(|()| self.wait_for(answer.as_bytes(), deadline, &mut |_| Ok(())));
            match entered {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut && Instant::now() < end => {
                    patience = (patience * 2).min(Duration::from_secs(60));
                }
                Err(error) => return Err(no_answer(&error, "did not enter the raw REPL")),
            }
        }
    }

    /// Runs code until it ends. `output` receives its output as it arrives.
    ///
    /// # Errors
    /// `timed-out` if it does not end by `deadline` (it continues to run; see [`RawRepl::interrupt`]), `no-answer` if
    /// the board is disconnected or does not follow the protocol.
    pub fn execute(
        &mut self,
        code: &[u8],
        deadline: Instant,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<Execution> {
        self.submit(code, deadline)?;
        self.follow(deadline, output)
    }

    /// Sends code, which then starts to run.
    ///
    /// # Errors
    /// As [`RawRepl::execute`].
    pub fn submit(&mut self, code: &[u8], deadline: Instant) -> Result<()> {
        self.hand_over(code, deadline).map_err(|error| no_answer(&error, "did not take the code"))
    }

    /// Waits until the running code ends. It is interrupted if standard output is closed.
    ///
    /// # Errors
    /// As [`RawRepl::execute`].
    pub fn follow(&mut self, deadline: Instant, output: &mut dyn FnMut(&[u8])) -> Result<Execution> {
        let mut heard = |bytes: &[u8]| {
            output(bytes);
            if ui::output_has_failed() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        };
        match self.wait_for(&[CTRL_D], deadline, &mut heard) {
            Err(_) if ui::output_has_failed() => {
                self.interrupt()?;
                let deadline = Instant::now() + PROMPT;
                self.wait_for(&[CTRL_D], deadline, &mut |_| Ok(())).map_err(ended)?;
                self.follow_output(deadline)
            }
            other => {
                other.map_err(ended)?;
                self.follow_output(deadline)
            }
        }
    }

    /// Waits until the running code ends and returns its output, at most `limit` bytes.
    ///
    /// # Errors
    /// As [`RawRepl::execute`]; `long-reply` if it prints more.
    pub fn reply(&mut self, deadline: Instant, limit: usize) -> Result<(Vec<u8>, Execution)> {
        let mut printed = Vec::new();
        self.wait_for(&[CTRL_D], deadline, &mut |bytes| extend(&mut printed, bytes, limit)).map_err(ended)?;
        Ok((printed, self.follow_output(deadline)?))
    }

    /// Passes on the output of the running code until `deadline`. Returns whether it has ended.
    ///
    /// # Errors
    /// `no-answer` if the board is disconnected.
    pub fn output(&mut self, deadline: Instant, output: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let mut heard = |bytes: &[u8]| {
            output(bytes);
            Ok(())
        };
        match self.wait_for(&[CTRL_D], deadline, &mut heard) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(ended(error)),
        }
    }

    /// Waits for the end of code whose output has ended (with Ctrl-D).
    ///
    /// # Errors
    /// As [`RawRepl::execute`].
    pub fn follow_output(&mut self, deadline: Instant) -> Result<Execution> {
        let mut traceback = Vec::new();
        self.wait_for(&[CTRL_D], deadline, &mut |bytes| extend(&mut traceback, bytes, TRACEBACK))
            .map_err(ended)?;
        let mut after = Vec::new();
        let prompt = deadline.max(Instant::now() + PROMPT);
        self.wait_for(b">", prompt, &mut |bytes| extend(&mut after, bytes, TRACEBACK)).map_err(ended)?;
        let traceback = plain(&String::from_utf8_lossy(&traceback).replace("\r\n", "\n"));
        Ok(Execution { traceback, reset: !after.is_empty() })
    }

    /// Sends bytes to the running code's standard input.
    ///
    /// # Errors
    /// `no-answer` if they cannot be sent by `deadline`.
    pub fn input(&mut self, data: &[u8], deadline: Instant) -> Result<()> {
        self.send(data, deadline).map_err(|error| no_answer(&error, "did not take the data"))
    }

    /// Waits for the running code to print `mark`.
    ///
    /// # Errors
    /// `no-answer` if it does not by `deadline`.
    pub fn expect(&mut self, mark: &[u8], deadline: Instant) -> Result<()> {
        let mut seen = Vec::new();
        self.wait_for(mark, deadline, &mut |bytes| extend(&mut seen, bytes, TRACEBACK)).map_err(|error| {
            let said = plain(String::from_utf8_lossy(&seen).trim());
            let diagnostic = no_answer(&error, "did not answer as expected");
            if said.is_empty() { diagnostic } else { diagnostic.help(format!("it said: {said}")) }
        })
    }

    /// Waits for the running code to print the byte `mark`; returns `false` if its output ends first.
    ///
    /// # Errors
    /// `no-answer` when neither comes by `deadline`.
    pub fn mark(&mut self, mark: u8, deadline: Instant) -> Result<bool> {
        loop {
            match self.byte(deadline).map_err(|error| no_answer(&error, "did not take the data"))? {
                byte if byte == mark => return Ok(true),
                CTRL_D => return Ok(false),
                _ => {}
            }
        }
    }

    /// Interrupts running code with Ctrl-C.
    ///
    /// # Errors
    /// `no-answer` if the line does not accept it.
    pub fn interrupt(&mut self) -> Result<()> {
        self.input(&[CTRL_C], Instant::now() + PROMPT)
    }

    /// A soft reset; the board stays in the raw REPL.
    ///
    /// # Errors
    /// `no-answer`.
    pub fn soft_reset(&mut self, deadline: Instant) -> Result<()> {
        self.send(&[CTRL_D], deadline)
            .and_then(|()| self.wait_for(b"soft reboot\r\n", deadline, &mut |_| Ok(())))
            .and_then(|()| self.wait_for(GREETING, deadline, &mut |_| Ok(())))
            .map_err(|error| no_answer(&error, "did not come back from a soft reset"))
    }

    /// Leaves the raw REPL for the friendly one and returns the line.
    pub fn leave(mut self) -> T {
        // An error is ignored, because nothing depends on the byte any more.
        let _ = self.send(&[b'\r', CTRL_B], Instant::now() + PROMPT);
        self.transport
    }

    /// The line that this REPL uses.
    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Received bytes that belong to no answer yet.
    pub fn unread(&self) -> &[u8] {
        &self.buffer
    }

    fn hand_over(&mut self, code: &[u8], deadline: Instant) -> io::Result<()> {
        if self.raw_paste != Some(false) {
            self.send(&[CTRL_E, b'A', CTRL_A], deadline)?;
            let answer = [self.byte(deadline)?, self.byte(deadline)?];
            if answer == [b'R', 1] {
                self.raw_paste = Some(true);
                return self.paste(code, deadline);
            }
            self.raw_paste = Some(false);
            if answer[0] != b'R' {
                // The board does not know raw paste: the rest of a second greeting follows.
                self.wait_for(b">", deadline, &mut |_| Ok(()))?;
            }
        }
        for chunk in code.chunks(SLOW.0) {
            self.send(chunk, deadline)?;
            std::thread::sleep(SLOW.1);
        }
        self.send(&[CTRL_D], deadline)?;
        self.wait_for(b"OK", deadline, &mut |_| Ok(()))
    }

    /// Raw paste: the board allows a number of bytes at a time, and sends Ctrl-A for the next ones.
    fn paste(&mut self, code: &[u8], deadline: Instant) -> io::Result<()> {
        let window = usize::from(u16::from_le_bytes([self.byte(deadline)?, self.byte(deadline)?]));
        let mut credit = window;
        let mut rest = code;
        let mut aborted = false;
        while !rest.is_empty() && !aborted {
            while !aborted && (credit == 0 || !self.buffer.is_empty()) {
                match self.byte(deadline)? {
                    CTRL_A => credit += window,
                    CTRL_D => aborted = true,
                    other => {
                        let message = format!("byte {other:#04x} instead of a window");
                        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
                    }
                }
            }
            let (now, later) = rest.split_at(credit.min(rest.len()));
            self.send(now, deadline)?;
            credit -= now.len();
            rest = later;
        }
        // The board ends the transfer early if it cannot compile the code. The traceback follows as usual.
        self.send(&[CTRL_D], deadline)?;
        if aborted {
            return Ok(());
        }
        loop {
            match self.byte(deadline)? {
                CTRL_A => {}
                CTRL_D => return Ok(()),
                other => {
                    let message = format!("byte {other:#04x} instead of the end of a paste");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, message));
                }
            }
        }
    }

    fn send(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
        self.transport.write(data, deadline)
    }

    /// Waits for more bytes.
    fn fill(&mut self, deadline: Instant) -> io::Result<()> {
        let mut chunk = [0; 4096];
        let n = self.transport.read(&mut chunk, deadline)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(&chunk[..n]);
        Ok(())
    }

    fn byte(&mut self, deadline: Instant) -> io::Result<u8> {
        while self.buffer.is_empty() {
            self.fill(deadline)?;
        }
        Ok(self.buffer.remove(0))
    }

    /// Consumes bytes up to and including `end`. The bytes before it are passed to `before` as soon as they cannot be
    /// its start.
    fn wait_for(
        &mut self,
        end: &[u8],
        deadline: Instant,
        before: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                let heard = before(&self.buffer[..at]);
                self.buffer.drain(..at + end.len());
                return heard;
            }
            let safe = self.buffer.len().saturating_sub(end.len() - 1);
            if safe > 0 {
                let heard = before(&self.buffer[..safe]);
                self.buffer.drain(..safe);
                heard?;
            }
            // The limit also applies to a board that prints without end.
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.fill(deadline)?;
        }
    }
}

/// Appends to a reply, which must not be longer than `limit`.
fn extend(reply: &mut Vec<u8>, bytes: &[u8], limit: usize) -> io::Result<()> {
    if reply.len() + bytes.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    reply.extend_from_slice(bytes);
    Ok(())
}

/// Why waiting for the end of code failed.
fn ended(error: io::Error) -> Diagnostic {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Diagnostic::new("long-reply", "the board's reply does not end")
            .help("another program may be running on it: press its reset button, and try again"),
        io::ErrorKind::TimedOut => Diagnostic::new("timed-out", "the code did not end in time"),
        _ => no_answer(&error, "went away while the code ran"),
    }
}

fn no_answer(error: &io::Error, what: &str) -> Diagnostic {
    let why = match error.kind() {
        io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => "the line is closed".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::new("no-answer", format!("the board {what}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A board that answers from a script: each expected write is followed by some bytes.
    struct Script {
        steps: VecDeque<(Vec<u8>, Vec<u8>)>,
        written: Vec<u8>,
        ready: VecDeque<u8>,
    }

    impl Script {
        fn new(steps: &[(&[u8], &[u8])]) -> Script {
            let steps = steps.iter().map(|(a, b)| (a.to_vec(), b.to_vec())).collect();
            Script { steps, written: Vec::new(), ready: VecDeque::new() }
        }
    }

    impl Transport for Script {
        fn read(&mut self, buffer: &mut [u8], _: Instant) -> io::Result<usize> {
            if self.ready.is_empty() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let n = buffer.len().min(self.ready.len());
            for (to, from) in buffer.iter_mut().zip(self.ready.drain(..n)) {
                *to = from;
            }
            Ok(n)
        }

        fn write(&mut self, data: &[u8], _: Instant) -> io::Result<()> {
            self.written.extend_from_slice(data);
            while let Some((expected, answer)) = self.steps.front() {
                if self.written != *expected {
                    break;
                }
                self.ready.extend(answer);
                self.steps.pop_front();
                self.written.clear();
            }
            // The number in the expected answer is different each time.
            let text = String::from_utf8_lossy(&self.written).into_owned();
            if let Some(number) = text.strip_prefix("print(").and_then(|text| text.strip_suffix(")\x04")) {
                self.ready.extend(format!("OK{number}\r\n\x04\x04>").bytes());
                self.written.clear();
            }
            Ok(())
        }
    }

    const ENTER: (&[u8], &[u8]) = (b"\r\x03\r\x01", b"\r\n>>> \r\nraw REPL; CTRL-B to exit\r\n>");

    fn run(steps: &[(&[u8], &[u8])], code: &[u8]) -> (Result<Execution>, Vec<u8>) {
        let mut repl = RawRepl::enter(Script::new(steps), Duration::from_secs(1)).expect("enters");
        let mut output = Vec::new();
        let deadline = Instant::now() + Duration::from_millis(100);
        let result = repl.execute(code, deadline, &mut |bytes| output.extend_from_slice(bytes));
        (result, output)
    }

    #[test]
    fn raw_paste_waits_for_windows() {
        let steps: [(&[u8], &[u8]); 5] = [
            ENTER,
            (b"\x05A\x01", b"R\x01\x04\x00\x01"),
            (b"12345678", b"\x01"),
            (b"9", b"\x01"),
            (b"\x04", b"\x04out\x04err\r\n\x04>"),
        ];
        let (result, output) = run(&steps, b"123456789");
        let expected = Execution { traceback: "err\n".to_owned(), reset: false };
        assert_eq!((result, output), (Ok(expected), b"out".to_vec()));
    }

    #[test]
    fn a_board_without_raw_paste_gets_the_code_slowly() {
        let steps: [(&[u8], &[u8]); 3] =
            [ENTER, (b"\x05A\x01", b"raw REPL; CTRL-B to exit\r\n>"), (b"1\x04", b"OKout\x04\x04>")];
        let (result, output) = run(&steps, b"1");
        assert_eq!((result, output), (Ok(Execution::default()), b"out".to_vec()));
    }

    #[test]
    fn an_early_end_of_the_paste_is_not_waited_for_twice() {
        let steps: [(&[u8], &[u8]); 4] = [
            ENTER,
            (b"\x05A\x01", b"R\x01\x02\x00\x01"),
            (b"((((", b"\x04"),
            (b"\x04", b"\x04MemoryError\r\n\x04>"),
        ];
        let (result, _) = run(&steps, b"((((((((");
        assert_eq!(result.expect("ends").traceback, "MemoryError\n");
    }

    /// A board that answers correctly, and then prints without end.
    struct Endless(Script);

    impl Transport for Endless {
        fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
            self.0.read(buffer, deadline).or_else(|_| {
                buffer.fill(b'x');
                Ok(buffer.len())
            })
        }

        fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
            self.0.write(data, deadline)
        }
    }

    #[test]
    fn a_reply_has_an_end() {
        let all = b"\x05A\x01";
        let taken = (&b"1\x04"[..], &b"OK"[..]);
        // The output, the traceback, and the bytes before the prompt.
        for before in [&b"OK"[..], b"OK\x04", b"OK\x04\x04"] {
            let steps = [ENTER, (&all[..], &b"raw REPL; CTRL-B to exit\r\n>"[..]), (taken.0, before)];
            let mut repl =
                RawRepl::enter(Endless(Script::new(&steps)), Duration::from_secs(9)).expect("enters");
            let deadline = Instant::now() + Duration::from_secs(60);
            repl.submit(b"1", deadline).expect("takes it");
            assert_eq!(repl.reply(deadline, 1 << 20).unwrap_err().code, "long-reply");
        }
        // If any length is allowed, the time limit ends it.
        let steps = [ENTER, (&all[..], &b"raw REPL; CTRL-B to exit\r\n>"[..]), taken];
        let mut repl = RawRepl::enter(Endless(Script::new(&steps)), Duration::from_secs(9)).expect("enters");
        let deadline = Instant::now() + Duration::from_millis(50);
        let error = repl.execute(b"1", deadline, &mut |_| {}).unwrap_err();
        assert_eq!(error.code, "timed-out");
    }

    /// A board whose program prints without end until it is interrupted. A second interrupt right after the first would
    /// crash it.
    struct Printing {
        runs: bool,
        broken: bool,
        repl: Script,
    }

    impl Transport for Printing {
        fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
            if self.broken {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if self.runs {
                buffer.fill(b'0');
                return Ok(buffer.len());
            }
            self.repl.read(buffer, deadline)
        }

        fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
            let interrupts = data.iter().filter(|byte| **byte == CTRL_C).count();
            self.broken |= self.runs && interrupts > 1;
            self.runs &= interrupts == 0;
            self.repl.write(data, deadline)
        }
    }

    #[test]
    fn a_program_that_prints_is_interrupted_once() {
        let board = Printing { runs: true, broken: false, repl: Script::new(&[ENTER]) };
        RawRepl::enter(board, Duration::from_secs(1)).expect("enters");
    }

    #[test]
    fn silence_ends_in_a_message() {
        let error = RawRepl::enter(Script::new(&[]), Duration::from_millis(50)).err().expect("fails");
        assert_eq!(error.code, "no-answer");
        let (result, _) = run(&[ENTER, (b"\x05A\x01", b"R\x01\x04\x00\x01"), (b"1\x04", b"\x04")], b"1");
        assert_eq!(result.unwrap_err().code, "timed-out");
    }
}
