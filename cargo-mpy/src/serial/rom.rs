//! The ROM of a board: the partition whose image MicroPython mounts as `/rom` when it starts (extmod/modvfs.c, `rom_ioctl`).
//!
//! An image is written from its second block on. The first block, by which MicroPython recognises an image, follows when the
//! board has read back the rest and found it correct. If the line fails before, the board starts without `/rom`.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use target_specs::{Diagnostic, Result};

use super::board::{Board, DIGEST, UploadResult, garbled, hex};
use super::transport::Transport;

/// How long erasing a byte may take, on top of what any answer may. Flash erases some 100 kB per second.
const ERASING: Duration = Duration::from_micros(50);
/// How many bytes are read in one reply.
const PART: usize = 16 << 10;

/// With `_D`, defines `_m`, the mapped memory of the partition, and `V`, which prints the hash of the image whose first block
/// is in `_W.head`.
const PARTITION: &str = "\
import vfs
_m=memoryview(vfs.rom_ioctl(2,0))
def V(n):
 def g(u):
  u(_W.head[:n])
  for a in range(len(_W.head),n,512):u(_m[a:min(a+512,n)])
 _D(g)
";

/// Defines `_W`, a file that writes all blocks but the first. `_W.unit` is how many bytes are written at a time.
const WRITER: &str = "\
class _W:
 head=b''
 at=0
 unit=0
 def __init__(self):
  self.held=bytearray()
 def write(self,d):
  self.held+=d
  u=_W.unit
  if not _W.head and len(self.held)>=u:
   _W.head=bytes(self.held[:u])
   _W.at=u
   self.held=self.held[u:]
  n=len(self.held)//u*u
  if n:
   self.put(self.held[:n])
   self.held=self.held[n:]
 def put(self,d):
  r=vfs.rom_ioctl(4,0,_W.at,d)
  if r and r<0:raise OSError(-r)
  _W.at+=len(d)
 def close(self):
  if self.held:
   d=self.held+b'\\xff'*(_W.unit-len(self.held))
   if _W.head:self.put(d)
   else:_W.head=bytes(d)
";

impl<T: Transport> Board<T> {
    /// The bytes of the partition; `None` if the board has none.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`; `no-rom` if the processor cannot execute what is in it.
    pub fn rom_size(&mut self) -> Result<Option<u64>> {
        let said = self.ask(
            "try:\n\
             \x20import vfs\n\
             \x20n=vfs.rom_ioctl(1)\n\
             except (ImportError,AttributeError):\n\
             \x20n=0\n\
             if not isinstance(n,int) or n<1:print('none')\n\
             else:\n\
             \x20try:print(len(memoryview(vfs.rom_ioctl(2,0))))\n\
             \x20except TypeError:print('unmapped')\n",
        )?;
        match said.trim() {
            "none" => Ok(None),
            "unmapped" => Err(Diagnostic::new("no-rom", "the board's ROM is not in the address space")
                .help("its files are copied to RAM anyway; leave out `--rom`")),
            number => number.parse().map(Some).map_err(|_| garbled()),
        }
    }

    /// Bytes of the partition, from its beginning.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`.
    pub fn rom(&mut self, range: std::ops::Range<usize>) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(range.len());
        let mut from = range.start;
        while from < range.end {
            let to = range.end.min(from + PART);
            let said = self.ask(&format!(
                "import vfs\n\
                 m=memoryview(vfs.rom_ioctl(2,0))\n\
                 for a in range({from},{to},64):print(''.join('%02x'%x for x in m[a:min(a+64,{to})]))\n"
            ))?;
            let digits: String = said.split_whitespace().collect();
            bytes.extend(hex(&digits).ok_or_else(garbled)?);
            from = to;
        }
        Ok(bytes)
    }

    /// Replaces what is in the partition, unless it is the same. `progress` receives the number of stored bytes. The board has
    /// just been reset, so that nothing runs there.
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`. The board may then have no image.
    pub fn put_rom(&mut self, image: &[u8], progress: &mut dyn FnMut(usize)) -> Result<UploadResult> {
        let (length, wanted) = (image.len(), <[u8; 32]>::from(Sha256::digest(image)));
        let there = self.hash_of(&format!("{DIGEST}{PARTITION}class _W:head=b''\nV({length})\n"))?;
        if there == Some(wanted) {
            return Ok(UploadResult::Unchanged);
        }
        self.ask_within(
            &format!(
                "{WRITER}\
                 try:vfs.umount('/rom')\n\
                 except OSError:pass\n\
                 u=vfs.rom_ioctl(3,0,{length})\n\
                 if u<0:raise OSError(-u)\n\
                 _W.unit=max(u,256)\n"
            ),
            ERASING * u32::try_from(length).unwrap_or(u32::MAX),
        )?;
        let done = self
            .send("", "_W()", &format!("V({length})\n"), image, progress)
            .and_then(|hash| if hash == Some(wanted) { Ok(()) } else { Err(garbled()) })
            .and_then(|()| {
                self.hash_of(&format!(
                    "r=vfs.rom_ioctl(4,0,0,_W.head)\n\
                     if r and r<0:raise OSError(-r)\n\
                     vfs.rom_ioctl(5,0)\n\
                     _W.head=b''\n\
                     V({length})\n"
                ))
            })
            .and_then(|hash| if hash == Some(wanted) { Ok(()) } else { Err(garbled()) });
        done.map(|()| UploadResult::Stored).map_err(|error| {
            self.resume(Instant::now());
            error.help("what was in the board's ROM is gone; deploy again")
        })
    }
}
