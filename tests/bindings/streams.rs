//! boards: all
//! `mpy::io`: `embedded-io` over Python's streams.

use embedded_io::{Error as _, Read, ReadExactError, Seek, SeekFrom, Write};
use mpy::Raise;
use mpy::io::Stream;
use wasm_bindgen::prelude::*;

/// Copies from one stream to another in small pieces: the number of bytes.
#[wasm_bindgen]
pub fn copy(mut from: Stream, mut to: Stream) -> Result<u32, Raise> {
    let mut bytes = [0; 7];
    let mut all = 0;
    loop {
        let count = from.read(&mut bytes)?;
        if count == 0 {
            to.flush()?;
            return Ok(all);
        }
        to.write_all(&bytes[..count])?;
        all += count as u32;
    }
}

#[wasm_bindgen]
pub fn seek(mut stream: Stream) -> Result<String, Raise> {
    let end = stream.seek(SeekFrom::End(-2))?;
    let mut last = [0; 2];
    stream.read_exact(&mut last)?;
    stream.rewind()?;
    write!(stream, "{:03}", 7)?;
    let back = stream.seek(SeekFrom::Current(-1))?;
    Ok(format!("{end} {last:?} {back} {}", stream.stream_position()?))
}

#[wasm_bindgen]
pub fn exact(mut stream: Stream, count: usize) -> String {
    match stream.read_exact(&mut vec![0; count]) {
        Ok(()) => "ok".to_owned(),
        Err(ReadExactError::UnexpectedEof) => "end".to_owned(),
        Err(ReadExactError::Other(error)) => format!("{:?}", error.kind()),
    }
}

/// More than is passed in one call.
#[wasm_bindgen]
pub fn large(mut stream: Stream, count: usize) -> Result<(), Raise> {
    let bytes = vec![1; count];
    Ok(stream.write_all(&bytes)?)
}

/* dependencies
mpy = { path = "ROOT/mpy", features = ["io"] }
embedded-io = { version = "0.7", features = ["alloc"] }
*/
/* python
import streams as m, io, sys
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e.args)
to = io.BytesIO()
print(m.copy(io.BytesIO(bytes(range(40))), to), to.getvalue() == bytes(range(40)))
s = io.BytesIO(b"abcdefg"); attempt(m.seek, s); print(s.getvalue())
print(m.exact(s, 3), m.exact(s, 9))

class Slow:
    """A stream that lets one wait."""
    turn = 0
    out = b""
    def readinto(self, data):
        self.turn += 1
        if self.turn % 2: return None
        if self.turn > 6: return 0
        data[0] = self.turn
        return 1
    def write(self, data):
        self.turn += 1
        if self.turn % 2: return None
        self.out += bytes(data[:2])
        return min(2, len(data))
slow = Slow()
print(m.copy(slow, to), bytes(to.getvalue()[-3:]))
print(m.copy(io.BytesIO(b"abcde"), slow), slow.out)
class Fails:
    def __init__(self, error): self.error = error
    def readinto(self, data): raise self.error
    def write(self, data): raise self.error
    def seek(self, offset, whence): raise self.error
for e in OSError(2), OSError(104), OSError(110), OSError(1000), ValueError(2): print(m.exact(Fails(e), 1))
for f in m.seek, lambda s: m.copy(io.BytesIO(b"1"), s): attempt(f, Fails(OSError(5, "broken")))
class Flushes:
    def write(self, data): return len(data)
    def flush(self): raise OSError(28)
attempt(m.copy, io.BytesIO(b"1"), Flushes())
class Lies:
    def write(self, data): return 60000
    def readinto(self, data): return 70000
attempt(m.copy, io.BytesIO(b"123"), Lies()); attempt(m.exact, Lies(), 3)
class Count:
    all = 0
    def write(self, data): self.all += len(data); return len(data)
if sys.platform == "linux":
    c = Count(); m.large(c, 200000); assert c.all == 200000
*/
/* expect
40 True
5 [102, 103] 2 2
b'007defg'
ok end
3 b'\x02\x04\x06'
5 b'abcde'
NotFound
ConnectionReset
TimedOut
Other
Other
OSError (5, 'broken')
OSError (5, 'broken')
OSError (28,)
3
Other
*/
