//! MicroPython's raw REPL, which takes code and returns output and traceback (`shared/runtime/pyexec.c`). MicroPython's
//! `docs/reference/repl.rst` describes the protocol.

use std::hash::BuildHasher;
use std::io;
use std::sync::LazyLock;
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

/// A question with a number of its own, and the answer of a board that is at the prompt of the raw REPL. The counter
/// starts at a random number, so that no program on a board prints the answer by chance.
fn question() -> (String, String) {
    static NUMBERS: LazyLock<AtomicU32> =
        LazyLock::new(|| AtomicU32::new(std::hash::RandomState::new().hash_one(()) as u32));
    // Boards without large integers have those of 31 bits.
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed) % (1 << 29) + 1;
    (format!("print(-{number})\x04"), format!("OK-{number}\r\n\x04\x04>"))
}

/// The time limit for an answer that costs the board no time.
const PROMPT: Duration = Duration::from_secs(3);

/// The time after which a question that has no answer is asked again, at first.
const AGAIN: Duration = Duration::from_millis(300);

/// The prompt after code, whose traceback Ctrl-D ends.
const PROMPT_AFTER_CODE: &[u8] = b"\x04>";

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
    end: PossibleEnd,
}

/// What the running code printed from the first Ctrl-D on. Ctrl-D ends the output of code, and code may print it too.
/// Whether the code has ended is known when the board answers a question.
#[derive(Default)]
struct PossibleEnd {
    bytes: Vec<u8>,
    /// The answers to the questions that were asked.
    answers: Vec<String>,
    /// When to ask again.
    again: Option<(Instant, Duration)>,
}

impl PossibleEnd {
    /// The place of an answer.
    fn answered(&self) -> Option<std::ops::Range<usize>> {
        self.answers.iter().find_map(|answer| {
            let at = find(&self.bytes, answer.as_bytes())?;
            Some(at..at + answer.len())
        })
    }

    /// Whether the board may be at the prompt.
    fn has_prompt(&self) -> bool {
        [PROMPT_AFTER_CODE, GREETING].iter().any(|prompt| find(&self.bytes, prompt).is_some())
    }

    /// Splits the bytes before an answer into output and the end. `eaten` questions may have been read by the code, which
    /// left parts of them to the board.
    fn split(mut bytes: &[u8], eaten: usize) -> (&[u8], Execution) {
        let last = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).rposition(|window| window == what);
        for _ in 0..eaten {
            let reply = bytes.strip_suffix(PROMPT_AFTER_CODE).unwrap_or_default();
            let output = last(reply, &[CTRL_D]).map_or(reply, |end| &reply[..end]);
            let Some(before) = last(output, &[CTRL_D]) else { break };
            if !output[before..].starts_with(b"\x04>OK") {
                break;
            }
            bytes = &bytes[..before + PROMPT_AFTER_CODE.len()];
        }
        let (prompt, greeting) = (last(bytes, PROMPT_AFTER_CODE), last(bytes, GREETING));
        // A board greets after a reset.
        let reset = greeting > prompt;
        let end = if reset { last(&bytes[..greeting.unwrap_or_default()], &[CTRL_D]) } else { prompt };
        let end = end.unwrap_or(bytes.len());
        let start = last(&bytes[..end], &[CTRL_D]).unwrap_or(end);
        let traceback = bytes.get(start + 1..end).unwrap_or_default();
        (&bytes[..start], Execution { traceback: traceback_of(traceback), reset })
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn traceback_of(bytes: &[u8]) -> String {
    plain(&String::from_utf8_lossy(bytes).replace("\r\n", "\n"))
}

impl<T: Transport> RawRepl<T> {
    /// Stops the running program and enters the raw REPL.
    ///
    /// # Errors
    /// `no-answer` if the board does not answer within `timeout`.
    pub fn enter(transport: T, timeout: Duration) -> Result<RawRepl<T>> {
        let mut repl =
            RawRepl { transport, buffer: Vec::new(), raw_paste: None, end: PossibleEnd::default() };
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
        self.end = PossibleEnd::default();
        self.until_answered(end, |repl, deadline| {
            repl.send(&[b'\r', CTRL_C, b'\r', CTRL_A], deadline)?;
            repl.wait_for(GREETING, deadline, &mut |_| Ok(()))
        })
        .map_err(|error| no_answer(&error, "did not enter the raw REPL"))
    }

    /// Asks questions until the board answers one by `end`. `before` comes before each.
    fn until_answered(
        &mut self,
        end: Instant,
        before: impl Fn(&mut Self, Instant) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut patience = AGAIN;
        loop {
            let deadline = end.min(Instant::now() + patience);
            let (question, answer) = question();
            let answered = before(self, deadline)
                .and_then(|()| self.send(question.as_bytes(), deadline))
                .and_then(|()| self.wait_for(answer.as_bytes(), deadline, &mut |_| Ok(())));
            match answered {
                Err(error) if error.kind() == io::ErrorKind::TimedOut && Instant::now() < end => {
                    patience = (patience * 2).min(Duration::from_secs(60));
                }
                other => return other,
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
        self.end = PossibleEnd::default();
        self.hand_over(code, deadline).map_err(|error| no_answer(&error, "did not take the code"))
    }

    /// Waits until the running code ends. It is interrupted if standard output is closed.
    ///
    /// # Errors
    /// As [`RawRepl::execute`].
    pub fn follow(&mut self, deadline: Instant, output: &mut dyn FnMut(&[u8])) -> Result<Execution> {
        if let Some(execution) = self.advance_while(&|| !ui::output_has_failed(), deadline, output)? {
            return Ok(execution);
        }
        let mut until = deadline;
        if ui::output_has_failed() {
            self.interrupt()?;
            until = Instant::now() + PROMPT;
        } else if !self.end.answers.is_empty() {
            // The code may have ended in time.
            until = deadline.max(Instant::now() + PROMPT);
        }
        let execution = self.advance_while(&|| true, until, output)?;
        execution.ok_or_else(|| {
            output(&std::mem::take(&mut self.end).bytes);
            ended(io::ErrorKind::TimedOut.into())
        })
    }

    /// Passes on the output of the running code until it ends, or until `deadline`. Only the first returns something.
    ///
    /// # Errors
    /// `no-answer` if the board is disconnected.
    pub fn advance(&mut self, deadline: Instant, output: &mut dyn FnMut(&[u8])) -> Result<Option<Execution>> {
        self.advance_while(&|| true, deadline, output)
    }

    fn advance_while(
        &mut self,
        condition: &dyn Fn() -> bool,
        deadline: Instant,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<Execution>> {
        while Instant::now() < deadline {
            if self.end.bytes.is_empty() {
                let end = self.buffer.iter().position(|&byte| byte == CTRL_D).unwrap_or(self.buffer.len());
                output(&self.buffer[..end]);
                self.buffer.drain(..end);
            }
            self.end.bytes.append(&mut self.buffer);
            if let Some(answer) = self.end.answered() {
                let PossibleEnd { mut bytes, answers, .. } = std::mem::take(&mut self.end);
                self.buffer = bytes.split_off(answer.end);
                let (rest, execution) = PossibleEnd::split(&bytes[..answer.start], answers.len() - 1);
                output(rest);
                if answers.len() > 1 {
                    self.resume(deadline.max(Instant::now() + PROMPT))?;
                }
                return Ok(Some(execution));
            }
            if self.end.bytes.len() > TRACEBACK {
                // It is output. What follows the last Ctrl-D may not be.
                let last = self.end.bytes.iter().rposition(|&byte| byte == CTRL_D).filter(|&at| at > 0);
                let last = last.unwrap_or(self.end.bytes.len());
                output(&self.end.bytes[..last]);
                self.end.bytes.drain(..last);
            }
            if !condition() {
                return Ok(None);
            }
            let now = Instant::now();
            let again = self.end.again;
            if self.end.has_prompt() && again.is_none_or(|(at, _)| now >= at) {
                let (question, answer) = question();
                let wait = again.map_or(AGAIN, |(_, wait)| (wait * 2).min(PROMPT));
                self.send(question.as_bytes(), deadline.max(now + PROMPT)).map_err(ended)?;
                self.end.answers.push(answer);
                self.end.again = Some((now + wait, wait));
            }
            let until = self.end.again.map_or(deadline, |(at, _)| at.min(deadline));
            match self.fill(until) {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                other => other.map_err(ended)?,
            }
        }
        Ok(None)
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
        Ok(Execution { traceback: traceback_of(&traceback), reset: !after.is_empty() })
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
            // `boot.py` may have printed the greeting.
            .and_then(|()| self.until_answered(deadline, |_, _| Ok(())))
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
        let mut repl = RawRepl::enter(Script::new(steps), Duration::from_secs(9)).expect("enters");
        let mut output = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(5);
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

    #[test]
    fn what_imitates_the_end_of_code_is_output() {
        let run = |printed: &[u8]| {
            let steps: [(&[u8], &[u8]); 4] = [
                ENTER,
                (b"\x05A\x01", b"R\x01\x04\x00\x01"),
                (b"1", b""),
                (b"\x04", &[b"\x04", printed].concat()),
            ];
            let (result, output) = run(&steps, b"1");
            (result.expect("ends"), String::from_utf8(output).expect("text"))
        };
        let ended = |traceback: &str, reset| Execution { traceback: traceback.to_owned(), reset };
        for output in [
            "",
            "a\x04b",
            "\x04\x04>",
            "x\x04\x04>OK-7\r\n\x04\x04>y",
            "raw REPL; CTRL-B to exit\r\n>",
            "\x04>",
        ] {
            let whole = (ended("", false), output.to_owned());
            assert_eq!(run(format!("{output}\x04\x04>").as_bytes()), whole, "{output:?}");
            let whole = (ended("E: e\n", false), output.to_owned());
            assert_eq!(run(format!("{output}\x04E: e\r\n\x04>").as_bytes()), whole, "{output:?}");
            // `sys.exit()`, and a `boot.py` that prints.
            let whole = (ended("", true), output.to_owned());
            let reset = "\x04\x04MPY: soft reboot\r\nbooting>\r\nraw REPL; CTRL-B to exit\r\n>";
            assert_eq!(run(format!("{output}{reset}").as_bytes()), whole, "{output:?}");
        }
        // Longer than any traceback.
        let long = format!("a\x04{}", "b".repeat(2 * TRACEBACK));
        assert_eq!(run(format!("{long}\x04\x04>").as_bytes()), (ended("", false), long));
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
