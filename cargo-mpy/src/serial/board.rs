//! The filesystem of a real board, over a line that may fail at any byte. A file gets its name only after the board has
//! read it back and found it correct. Until then, the old file stays.
//!
//! All code is sent with a checksum, and does nothing if the checksum is wrong. Otherwise a byte that changes on the
//! way could become part of a file name.

use std::io::Write as _;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use target_specs::{Arch, Diagnostic, Result};

use super::plain::plain;
use super::ram::{self, escaped};
use super::raw_repl::Execution;
use super::raw_repl::RawRepl;
use super::transport::Transport;

/// The board prints this if code did not arrive as it was sent.
const GARBLED: &str = "\x15";
/// The board prints this for each block that it has stored (ASCII ACK).
const STORED: u8 = 6;
/// The longest reply to our own code, and to a question for a file if the board cannot hash: the bytes of the file in
/// hexadecimal.
const REPLY: usize = 1 << 20;
const FILE_REPLY: usize = 64 << 20;
/// The byte that interrupts MicroPython. Data must not contain it.
const INTERRUPT: u8 = 3;

/// A board in its raw REPL.
pub struct Board<T> {
    repl: RawRepl<T>,
    /// The time limit for an answer that costs the board little time.
    patience: Duration,
    /// What the board has said of itself.
    facts: Option<Facts>,
    /// Whether the filesystem in RAM has been mounted since the last reset.
    has_ram: bool,
}

/// Facts about a board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `sys.implementation.name` and version.
    pub firmware: String,
    /// `sys.implementation._machine`.
    pub machine: String,
    /// `sys.implementation._mpy`: version in bits 0 to 7, sub-version in bits 8 and 9, architecture from bit 10 on; 0
    /// if the firmware loads no native modules.
    pub mpy: u32,
    /// Free bytes of MicroPython's heap after a collection.
    pub heap_free: u64,
    /// Whether MicroPython has the module `deflate`.
    pub inflates: bool,
}

impl Facts {
    /// The number of the architecture whose native modules it loads, `MP_NATIVE_ARCH_*`.
    pub fn native_arch(&self) -> u8 {
        (self.mpy >> 10 & 0xf) as u8
    }

    /// The architecture that the firmware supports best.
    ///
    /// # Errors
    /// `firmware` if the firmware loads no native modules, or those of another version, or is too old.
    pub fn arch(&self) -> Result<&'static Arch> {
        let (version, sub_version) = ((self.mpy & 0xff) as u8, (self.mpy >> 8 & 3) as u8);
        let native = Arch::best_for(self.native_arch(), &self.machine, target_specs::archs());
        let wanted = format!("{}.{}", mpy_link::VERSION, mpy_link::SUB_VERSION);
        let firmware = |message: String| {
            let help = "native modules need MicroPython 1.24 or later, built with native code loading";
            Diagnostic::new("firmware", message)
                .help(format!("it is {} on {}; {help}", self.firmware, self.machine))
        };
        match native {
            // 1.23 has the same .mpy version, but hands modules integers that are not what they seem, and on Xtensa frees
            // their data.
            Some(arch) if self.is_older_than(&arch.since) => {
                Err(firmware(format!("the board's MicroPython is older than {}", arch.since)))
            }
            Some(arch) if (version, sub_version) == (mpy_link::VERSION, mpy_link::SUB_VERSION) => Ok(arch),
            Some(_) => {
                Err(firmware(format!("the board loads .mpy {version}.{sub_version}, this is {wanted}")))
            }
            None => Err(firmware("the board's firmware loads no native modules".to_owned())),
        }
    }
}

impl Facts {
    /// Whether it is MicroPython before a version. That of another firmware says nothing.
    fn is_older_than(&self, since: &str) -> bool {
        let number = |version: &str| -> Option<(u32, u32)> {
            let mut parts = version.split('.');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        };
        let own = self.firmware.strip_prefix("micropython ").and_then(number);
        own.is_some_and(|own| number(since).is_some_and(|since| own < since))
    }
}

/// The result of copying a file to a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadResult {
    /// The board has the file already.
    Unchanged,
    /// It was copied.
    Stored,
}

impl<T: Transport> Board<T> {
    /// Stops the running program and enters the raw REPL. Nothing takes much longer than `patience`.
    ///
    /// # Errors
    /// `no-answer`.
    pub fn connect(transport: T, patience: Duration) -> Result<Board<T>> {
        let repl = RawRepl::enter(transport, patience).map_err(|error| {
            let help = "is it the right port, is MicroPython on the board? a program that disables Ctrl-C must \
                        be stopped by the board's reset button";
            if error.help.is_none() { error.help(help) } else { error }
        })?;
        Ok(Board { repl, patience, facts: None, has_ram: false })
    }

    /// Asks the board for facts about it.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`.
    pub fn facts(&mut self) -> Result<Facts> {
        let text = self.ask(
            "import sys,gc\n\
             i=sys.implementation\n\
             gc.collect()\n\
             print(i[0],'.'.join(str(x) for x in i[1][:3]))\n\
             print(getattr(i,'_machine',sys.platform))\n\
             print(getattr(i,'_mpy',0))\n\
             print(gc.mem_free() if hasattr(gc,'mem_free') else 0)\n\
             try:\n\
             \x20import deflate\n\
             \x20print(1)\n\
             except ImportError:\n\
             \x20print(0)\n",
        )?;
        let mut lines = text.lines();
        let mut next = || plain(lines.next().unwrap_or_default().trim());
        let (firmware, machine, mpy, heap_free) = (next(), next(), next(), next());
        let inflates = next() == "1";
        let (Ok(mpy), Ok(heap_free)) = (mpy.parse(), heap_free.parse()) else { return Err(garbled()) };
        let facts = Facts { firmware, machine, mpy, heap_free, inflates };
        self.facts = Some(facts.clone());
        Ok(facts)
    }

    /// The SHA-256 of a file; `None` if it does not exist.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`.
    pub fn hash(&mut self, path: &str) -> Result<Option<[u8; 32]>> {
        hash_in(&self.ask_for(&format!("{DIGEST}{HASH}H('{}')\n", escaped(path.as_bytes())), FILE_REPLY)?)
    }

    /// The SHA-256 of a file, and the free bytes of its filesystem if the board reports them. A root without a filesystem
    /// reports blocks of no bytes. Defines `H` on the board.
    fn look(&mut self, path: &str) -> Result<(Option<[u8; 32]>, Option<u64>)> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let code = format!(
            "{DIGEST}{HASH}import os\n\
             H('{}')\n\
             try:\n\
             \x20s=os.statvfs('{}')\n\
             \x20print('free',s[0]*s[4] if s[0] else '?')\n\
             except Exception:\n\
             \x20print('free ?')\n",
            escaped(path.as_bytes()),
            escaped(folder.as_bytes())
        );
        let text = self.ask_for(&code, FILE_REPLY)?;
        let (hash, free) = text.split_once("free ").ok_or_else(garbled)?;
        let free = match free.trim() {
            "?" => None,
            number => Some(number.parse().map_err(|_| garbled())?),
        };
        Ok((hash_in(hash)?, free))
    }

    /// Creates a folder and its parents if they are missing.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`, `read-only`.
    pub fn make_folder(&mut self, folder: &str) -> Result<()> {
        let code = format!(
            "import os\n\
             p=''\n\
             for n in '{}'.split('/'):\n\
             \x20p+=n\n\
             \x20if n:\n\
             \x20\x20try:\n\
             \x20\x20\x20os.stat(p)\n\
             \x20\x20except OSError:\n\
             \x20\x20\x20os.mkdir(p)\n\
             \x20p+='/'\n",
            escaped(folder.as_bytes())
        );
        self.ask(&code).map(drop)
    }

    /// Copies a file to the board, unless it is there already. `progress` receives the number of stored bytes.
    ///
    /// # Errors
    /// `no-space`, `read-only`, `no-answer`, `garbled`, `board-error`. The previous file is then still there.
    pub fn put(&mut self, path: &str, data: &[u8], progress: &mut dyn FnMut(usize)) -> Result<UploadResult> {
        let wanted: [u8; 32] = Sha256::digest(data).into();
        let (hash, free) = self.look(path)?;
        if hash == Some(wanted) {
            return Ok(UploadResult::Unchanged);
        }
        // The old file stays until the new one is complete.
        if let Some(free) = free
            && free < data.len() as u64
        {
            let message = format!("{} bytes are needed for {path}, {free} are free", data.len());
            return Err(Diagnostic::new("no-space", message).help("remove files from the board"));
        }
        let part = format!("{path}.part");
        let sent = self
            .send(&part, FILE, "H(p)\n", data, progress)
            .and_then(|hash| if hash == Some(wanted) { Ok(()) } else { Err(garbled()) });
        if let Err(error) = sent {
            // The line may work again, or not. In either case the name was not touched.
            let _ = self.repl.resume(Instant::now() + self.patience);
            let _ = self.ask(&format!("import os\nos.remove('{}')\n", escaped(part.as_bytes())));
            return Err(error);
        }
        // FAT cannot rename over an existing file. The new file is complete by now.
        self.ask(&format!(
            "import os\n\
             p,t='{}','{}'\n\
             try:\n\
             \x20os.rename(t,p)\n\
             except OSError:\n\
             \x20os.remove(p)\n\
             \x20os.rename(t,p)\n\
             if hasattr(os,'sync'):os.sync()\n",
            escaped(path.as_bytes()),
            escaped(part.as_bytes())
        ))?;
        Ok(UploadResult::Stored)
    }

    /// Makes a module importable from the board's RAM until the next reset. It replaces a module of the same name.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`, `no-memory`.
    pub fn put_in_ram(&mut self, name: &str, data: &[u8], progress: &mut dyn FnMut(usize)) -> Result<()> {
        if !self.has_ram {
            self.ask(&format!("{DIGEST}{HASH}{}", ram::MOUNT))?;
            self.has_ram = true;
        }
        let path = format!("{}/{name}", ram::FOLDER);
        let wanted: [u8; 32] = Sha256::digest(data).into();
        let hash = self.send(&path, ram::OPEN, "H(p)\n", data, progress).inspect_err(|_| {
            // Bytes that the board did not take are not code.
            let _ = self.repl.resume(Instant::now() + self.patience);
        })?;
        if hash == Some(wanted) { Ok(()) } else { Err(garbled()) }
    }

    /// Gives back the RAM of a file that [`Board::put_in_ram`] sent.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`.
    pub fn forget_in_ram(&mut self, name: &str) -> Result<()> {
        self.ask(&format!("_FS.files.pop('{}',0)\nimport gc\ngc.collect()\n", escaped(name.as_bytes())))
            .map(drop)
    }

    /// Sends the bytes of a file in blocks. The board acknowledges each block after storing it, because it may not
    /// receive while it writes flash. Returns the hash of what it has stored. `open` is Python code that opens `p` for
    /// `n` bytes, and `check` prints the hash as `H` does.
    pub(super) fn send(
        &mut self,
        path: &str,
        open: &str,
        check: &str,
        data: &[u8],
        progress: &mut dyn FnMut(usize),
    ) -> Result<Option<[u8; 32]>> {
        let facts = match self.facts.take() {
            Some(facts) => facts,
            None => self.facts()?,
        };
        let roomy = facts.heap_free > 64 << 10;
        let inflates = roomy && facts.inflates;
        self.facts = Some(facts);
        let code = format!(
            "import sys,gc,io\n\
             {}\
             def r(p,n):\n\
             \x20i=sys.stdin.buffer\n\
             \x20f={open}\n\
             \x20gc.collect()\n\
             \x20try:\n\
             \x20\x20sys.stdout.write('\\x06')\n\
             \x20\x20while n:\n\
             \x20\x20\x20d=b''\n\
             \x20\x20\x20k='+'\n\
             \x20\x20\x20while k=='+':\n\
             \x20\x20\x20\x20h=i.read(7)\n\
             \x20\x20\x20\x20k=chr(h[2])\n\
             \x20\x20\x20\x20d+=i.read(int(h[3:],16)).replace(bytes([int(h[:2],16)]),b'\\x03')\n\
             \x20\x20\x20if k=='z':d=deflate.DeflateIO(io.BytesIO(d),deflate.RAW,12).read()\n\
             \x20\x20\x20f.write(d)\n\
             \x20\x20\x20n-=len(d)\n\
             \x20\x20\x20sys.stdout.write('\\x06')\n\
             \x20finally:\n\
             \x20\x20f.close()\n\
             p='{}'\n\
             r(p,{})\n\
             {check}",
            if inflates { "import deflate\n" } else { "" },
            escaped(path.as_bytes()),
            data.len()
        );
        let deadline = Instant::now() + self.patience;
        self.repl.submit(guarded(&code).as_bytes(), deadline)?;
        self.acknowledged(deadline)?;
        let mut at = 0;
        for block in data.chunks(if roomy { WINDOW } else { 512 }) {
            let message = message(block, inflates);
            // At 9600 baud, the lowest rate, a byte takes a millisecond.
            let deadline = Instant::now() + self.patience + Duration::from_millis(2 * message.len() as u64);
            self.repl.input(&message, deadline)?;
            self.acknowledged(deadline)?;
            at += block.len();
            progress(at);
        }
        let (printed, execution) = self.repl.reply(Instant::now() + self.patience, FILE_REPLY)?;
        fine(&execution)?;
        hash_in(&String::from_utf8_lossy(&printed))
    }

    fn acknowledged(&mut self, deadline: Instant) -> Result<()> {
        // If the board cannot store the file, a traceback arrives instead. It is a better error than `no-answer`.
        if self.repl.mark(STORED, deadline)? {
            return Ok(());
        }
        fine(&self.repl.follow_output(deadline)?)?;
        Err(garbled())
    }

    /// Runs our own code, if it arrives unchanged; returns its output.
    ///
    /// # Errors
    /// `no-answer`, `long-reply`, `garbled`, `board-error` with the traceback, `no-space`, `read-only`.
    pub fn ask(&mut self, code: &str) -> Result<String> {
        self.ask_for(code, REPLY)
    }

    /// Runs code of the user's, whose output is theirs, but not its exceptions.
    ///
    /// # Errors
    /// `timed-out`, `no-answer`, and those of a traceback as [`Board::ask`].
    pub fn run(&mut self, code: &str, output: &mut dyn FnMut(&[u8])) -> Result<()> {
        let deadline = Instant::now() + self.patience;
        fine(&self.repl.execute(code.as_bytes(), deadline, output)?)
    }

    /// Like [`Board::ask`], for something that takes that much longer.
    pub(super) fn ask_within(&mut self, code: &str, more: Duration) -> Result<String> {
        self.ask_until(code, REPLY, Instant::now() + self.patience + more)
    }

    /// The hash that code prints as `H` does.
    pub(super) fn hash_of(&mut self, code: &str) -> Result<Option<[u8; 32]>> {
        hash_in(&self.ask_for(code, FILE_REPLY)?)
    }

    /// Has the board listen again after an error.
    pub(super) fn resume(&mut self, now: Instant) {
        let _ = self.repl.resume(now + self.patience);
    }

    /// Like [`Board::ask`], with a longer reply.
    fn ask_for(&mut self, code: &str, limit: usize) -> Result<String> {
        self.ask_until(code, limit, Instant::now() + self.patience)
    }

    fn ask_until(&mut self, code: &str, limit: usize, deadline: Instant) -> Result<String> {
        self.repl.submit(guarded(code).as_bytes(), deadline)?;
        let (printed, execution) = self.repl.reply(deadline, limit)?;
        fine(&execution)?;
        let text = String::from_utf8_lossy(&printed).into_owned();
        if text.contains(GARBLED) { Err(garbled()) } else { Ok(text) }
    }

    /// A soft reset. It removes all imported modules.
    ///
    /// # Errors
    /// `no-answer`.
    pub fn restart(&mut self) -> Result<()> {
        self.has_ram = false;
        self.repl.soft_reset(Instant::now() + self.patience)
    }

    /// The REPL, for the user's code.
    pub fn repl(&mut self) -> &mut RawRepl<T> {
        &mut self.repl
    }

    /// Returns the line, with the board in the friendly REPL.
    pub fn leave(self) -> T {
        self.repl.leave()
    }
}

/// Opens a file of the board's own filesystem.
const FILE: &str = "open(p,'wb')";

/// Defines `_D`, which prints the hash of the blocks that a function passes to its argument; or the bytes themselves if the
/// board has no hashlib.
pub(super) const DIGEST: &str = "\
def _D(g):
 try:
  import hashlib
  h=hashlib.sha256()
 except (ImportError,AttributeError):
  h=None
 g(h.update if h else lambda d:print(''.join('%02x'%x for x in d)))
 if h:print('sha',''.join('%02x'%x for x in h.digest()))
";

/// With `_D`, defines `H`, which prints the hash of a file. It prints `none` if there is no file.
const HASH: &str = "\
def H(p):
 try:
  f=open(p,'rb')
 except OSError:
  return print('none')
 b=bytearray(512)
 def g(u):
  while 1:
   n=f.readinto(b)
   if not n:break
   u(memoryview(b)[:n])
 _D(g)
 f.close()
";

/// Parses the output of `H` or `_D`.
fn hash_in(text: &str) -> Result<Option<[u8; 32]>> {
    let text = text.trim();
    if text == "none" {
        return Ok(None);
    }
    if let Some(digits) = text.strip_prefix("sha ") {
        let bytes = hex(digits).ok_or_else(garbled)?;
        return Ok(Some(bytes.try_into().map_err(|_| garbled())?));
    }
    let bytes = hex(&text.split_whitespace().collect::<String>()).ok_or_else(garbled)?;
    Ok(Some(Sha256::digest(bytes).into()))
}

pub(super) fn garbled() -> Diagnostic {
    Diagnostic::new("garbled", "what arrived at the board, or from it, is not what was sent")
        .help("the file on the board was not touched; try again, with a shorter cable or at a lower `--baud`")
}

/// The error for a traceback, if there is one.
fn fine(execution: &Execution) -> Result<()> {
    let traceback = execution.traceback.trim_end();
    if traceback.is_empty() {
        return Ok(());
    }
    let last = traceback.lines().last().unwrap_or_default();
    if last.starts_with("MemoryError") {
        return Err(Diagnostic::new("no-memory", "the board has no RAM left for this")
            .help("`cargo mpy size` shows what the module takes"));
    }
    Err(match os_error(last) {
        Some(28) => {
            Diagnostic::new("no-space", "the board's filesystem is full").help("remove files from the board")
        }
        Some(30) => Diagnostic::new("read-only", "the board's filesystem is read-only")
            .help("its boot.py may have remounted it; choose another folder with `--dest`"),
        Some(19) => Diagnostic::new("no-filesystem", "the board has no filesystem there").help(
            "`cargo mpy run --port PORT` and `cargo mpy dev` load the module into RAM; to keep it on the board, mount a \
             filesystem in its boot.py, or choose a folder that has one with `--dest`",
        ),
        _ => Diagnostic::new("board-error", "the board could not do it").help(traceback.to_owned()),
    })
}

/// The number of an `OSError`: `OSError: 28`, or `OSError: [Errno 28] ENOSPC`.
fn os_error(line: &str) -> Option<u32> {
    let rest = line.strip_prefix("OSError: ")?;
    let rest = rest.strip_prefix("[Errno ").unwrap_or(rest);
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Code that runs only if it arrives unchanged: the board checks its Adler-32 (RFC 1950).
fn guarded(code: &str) -> String {
    let (a, b) = code.bytes().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    format!(
        "c=b'{}'\na,b=1,0\nfor x in c:\n a=(a+x)%65521\n b=(b+a)%65521\n\
         if a=={a} and b=={b}:exec(c)\nelse:print('\\x15')\n",
        escaped(code.as_bytes())
    )
}

pub(super) fn hex(digits: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.as_bytes().chunks(2).map(byte).collect())?
}

/// The number of bytes that are acknowledged together, and the compression window (RFC 1951). The board needs memory
/// for both.
const WINDOW: usize = 4096;

/// A block of a file in the form in which it is sent: in chunks, each with the value that stands for Ctrl-C (two
/// hexadecimal digits), what follows (`+` another chunk, `z` the end of compressed bytes, `.` the end), its length
/// (four digits), and its bytes.
fn message(block: &[u8], may_compress: bool) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let compressed = encoder.write_all(block).and_then(|()| encoder.finish()).unwrap_or_default();
    let (mut rest, end) = match may_compress && !compressed.is_empty() && compressed.len() < block.len() {
        true => (&compressed[..], 'z'),
        false => (block, '.'),
    };
    let mut message = Vec::with_capacity(rest.len() + 16);
    while !rest.is_empty() {
        let chunk = Chunk::first(rest);
        rest = &rest[chunk.bytes.len()..];
        let then = if rest.is_empty() { end } else { '+' };
        message.extend(format!("{:02x}{then}{:04x}", chunk.stands_for_interrupt, chunk.bytes.len()).bytes());
        let change = |&byte: &u8| if byte == INTERRUPT { chunk.stands_for_interrupt } else { byte };
        message.extend(chunk.bytes.iter().map(change));
    }
    message
}

/// Bytes, and a value that they do not contain and that stands for Ctrl-C. A Ctrl-C in the stream is therefore always
/// meant to interrupt the board.
struct Chunk<'a> {
    bytes: &'a [u8],
    stands_for_interrupt: u8,
}

impl<'a> Chunk<'a> {
    /// The longest start of `data` that lacks some value.
    fn first(data: &'a [u8]) -> Self {
        let mut seen = [false; 256];
        seen[usize::from(INTERRUPT)] = true;
        let mut free = 255;
        let mut length = 0;
        for &byte in data {
            if !seen[usize::from(byte)] {
                if free == 1 {
                    break;
                }
                seen[usize::from(byte)] = true;
                free -= 1;
            }
            length += 1;
        }
        let value = seen.iter().position(|seen| !seen).unwrap_or_default();
        Chunk { bytes: &data[..length], stands_for_interrupt: value as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data as the board decodes it.
    fn received(mut message: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        loop {
            let number = |digits| usize::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
            let (value, then, length) = (number(&message[..2]), message[2], number(&message[3..7]));
            let (chunk, rest) = message[7..].split_at(length);
            data.extend(chunk.iter().map(|&byte| if usize::from(byte) == value { INTERRUPT } else { byte }));
            message = rest;
            if then == b'z' {
                let mut inflated = Vec::new();
                std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(&data[..]), &mut inflated)
                    .unwrap();
                data = inflated;
            }
            if then != b'+' {
                assert!(message.is_empty());
                return data;
            }
        }
    }

    #[test]
    fn a_block_has_no_interrupt_and_comes_back() {
        let every: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        let noise: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for data in [&b"abc\x03\x03"[..], &[3; 4096], &every, &noise, b"\0"] {
            for may_compress in [false, true] {
                let message = message(data, may_compress);
                assert!(!message.contains(&INTERRUPT));
                assert_eq!(received(&message), data);
            }
        }
        assert!(message(&[3; 4096], true).len() < 100);
    }

    #[test]
    fn exceptions_of_a_board_are_told_apart() {
        let code = |line: &str| {
            let traceback =
                format!("Traceback (most recent call last):\n  File \"<stdin>\", line 1\n{line}\n");
            fine(&Execution { traceback, reset: false }).unwrap_err().code
        };
        for (line, expected) in [
            ("OSError: 28", "no-space"),
            ("OSError: [Errno 28] ENOSPC", "no-space"),
            ("OSError: [Errno 30] EROFS", "read-only"),
            ("OSError: [Errno 19] ENODEV", "no-filesystem"),
            ("OSError: 19", "no-filesystem"),
            ("OSError: [Errno 128] ENOTCONN", "board-error"),
            ("OSError: ", "board-error"),
            ("MemoryError: memory allocation failed, allocating 1928 bytes", "no-memory"),
            ("MemoryError: ", "no-memory"),
            ("ValueError: MemoryError 28", "board-error"),
        ] {
            assert_eq!(code(line), expected, "{line}");
        }
    }

    #[test]
    fn facts_name_the_architecture() {
        let of =
            |mpy| Facts { mpy, ..Facts::default() }.arch().map(|arch| arch.name.as_str()).map_err(|e| e.code);
        assert_eq!(of(4 << 10 | 3 << 8 | 6), Ok("armv6m"));
        assert_eq!(of(7 << 10 | 3 << 8 | 6), Ok("armv7emsp"));
        // Cortex-M4 without FPU.
        assert_eq!(of(6 << 10 | 3 << 8 | 6), Ok("armv7m"));
        assert_eq!(of(8 << 10 | 3 << 8 | 6), Ok("armv7emdp"));
        let on = |machine: &str| {
            let facts = Facts { mpy: 8 << 10 | 3 << 8 | 6, machine: machine.to_owned(), ..Facts::default() };
            facts.arch().map(|arch| arch.name.as_str()).map_err(|error| error.code)
        };
        assert_eq!(on("Alif Ensemble DevKit with AE722F80F55D5XX"), Ok("armv81m"));
        assert_eq!(on("OpenMV-AE3 with AE302F80F55D5AE"), Ok("armv81m"));
        assert_eq!(on("Teensy 4.1 with MIMXRT1062DVJ6A"), Ok("armv7emdp"));
        // Its modules are refused on other boards that have its number.
        let helium = target_specs::arch("armv81m").expect("an architecture");
        assert!(helium.runs_on(8, "OpenMV-AE3 with AE302F80F55D5AE"));
        assert!(!helium.runs_on(8, "Teensy 4.1 with MIMXRT1062DVJ6A") && !helium.runs_on(8, ""));
        assert!(!helium.runs_on(7, "qemu-armv81m with Cortex-M55"));
        // Not the processor.
        assert_eq!(on("AE722F80F55D5 with STM32H747"), Ok("armv7emdp"));
        assert_eq!(of(7 << 10 | 1 << 8 | 6), Err("firmware"));
        assert_eq!(of(3 << 8 | 6), Err("firmware"));
    }

    #[test]
    fn old_firmware_is_refused() {
        for (firmware, mpy_arch, is_refused) in [
            ("micropython 1.23.0", 4, true),
            ("micropython 1.22.2", 10, true),
            ("micropython 1.24.1", 4, false),
            ("micropython 1.29.0", 11, false),
            ("micropython 1.27.0", 12, true),
            ("micropython 2.0.0", 12, false),
            // Its own count.
            ("circuitpython 9.1.0", 4, false),
        ] {
            let mpy = mpy_arch << 10 | 3 << 8 | 6;
            let facts = Facts { firmware: firmware.to_owned(), mpy, ..Facts::default() };
            let refused = facts.arch().err();
            assert_eq!(refused.is_some(), is_refused, "{firmware} on {mpy_arch}");
            if let Some(error) = refused {
                assert!(error.code == "firmware" && error.help.unwrap_or_default().contains(firmware));
            }
        }
    }
}
