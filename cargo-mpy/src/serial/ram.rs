//! Files onto a board otherwise than by a deploy: into an emulator's filesystem as quickly as it allows, and what
//! takes a module for one session into RAM without touching the filesystem.

use std::time::Instant;

use target_specs::{Diagnostic, Result};

use super::raw_repl::RawRepl;
use super::transport::Transport;

/// Writes files, by name, over a line that loses nothing and needs no pauses (an emulator's).
///
/// # Errors
/// `no-answer`, `store-failed` with the board's own traceback.
pub fn store<T: Transport>(
    repl: &mut RawRepl<T>,
    files: &[(String, Vec<u8>)],
    deadline: Instant,
) -> Result<()> {
    // While data flows a byte 3 is no Ctrl-C, so the board says when it is ready for it.
    let mut code = String::from(
        "import sys,micropython\n\
         def _w(name,size):\n\
         \x20f=open(name,'wb')\n\
         \x20b=memoryview(bytearray(min(size,1024)))\n\
         \x20while size:\n\
         \x20\x20n=sys.stdin.buffer.readinto(b[:size])\n\
         \x20\x20f.write(b[:n])\n\
         \x20\x20size-=n\n\
         \x20f.close()\n\
         micropython.kbd_intr(-1)\n\
         print('ready')\n",
    );
    for (name, data) in files {
        code += &format!("_w('{}',{})\n", escaped(name.as_bytes()), data.len());
    }
    code += "micropython.kbd_intr(3)\ndel _w,sys,micropython\n";
    repl.submit(code.as_bytes(), deadline)?;
    repl.expect(b"ready\r\n", deadline)?;
    for (_, data) in files {
        repl.input(data, deadline)?;
    }
    let (_, execution) = repl.reply(deadline, 1 << 10)?;
    if execution.traceback.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::new("store-failed", "the board could not store the module").help(execution.traceback))
}

/// Where modules in RAM are, for Python.
pub(super) const FOLDER: &str = "/__ram";

/// Python that opens `p` there for `n` bytes: one buffer of the final size, since growing it would cost the
/// board twice the RAM.
pub(super) const OPEN: &str = "_Sink(p,n)";

/// Python that makes modules importable from the board's RAM until its next reset: a filesystem of our own,
/// mounted beside the real one, as MicroPython's `tests/run-natmodtests.py` does.
pub(super) const MOUNT: &str = "\
import sys,io
try:
 import vfs
except ImportError:
 import os as vfs
class _File(io.IOBase):
 def __init__(self,data):
  self.data=data
  self.at=0
 def ioctl(self,request,argument):
  return 0 if request==4 else -1
 def readinto(self,to):
  part=self.data[self.at:self.at+len(to)]
  to[:len(part)]=part
  self.at+=len(part)
  return len(part)
 def close(self):
  pass
class _FS:
 files={}
 def mount(self,readonly,mkfs):
  pass
 def umount(self):
  pass
 def chdir(self,path):
  pass
 def getcwd(self):
  return '/'
 def stat(self,path):
  if path[1:] in self.files:
   return (0x8000,0,0,0,0,0,len(self.files[path[1:]]),0,0,0)
  raise OSError(2)
 def open(self,path,mode):
  if path[1:] in self.files:
   return _File(self.files[path[1:]])
  raise OSError(2)
class _Sink:
 def __init__(self,path,size):
  name=path.rsplit('/',1)[1]
  _FS.files.pop(name,0)
  self.data=memoryview(bytearray(size))
  self.at=0
  _FS.files[name]=self.data
 def write(self,part):
  self.data[self.at:self.at+len(part)]=part
  self.at+=len(part)
 def close(self):
  pass
vfs.mount(_FS(),'/__ram')
sys.path.insert(0,'/__ram')
";

/// Bytes as the inside of a Python literal, printable and within ASCII.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        match byte {
            b'\\' | b'\'' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b'\n' => text.push_str("\\n"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text += &format!("\\x{byte:02x}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_byte_survives_a_python_literal() {
        assert_eq!(escaped(b"a'\\\n\x00\xff~"), r"a\'\\\n\x00\xff~");
    }
}
